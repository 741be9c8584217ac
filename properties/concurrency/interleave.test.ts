/** Which operations on an element appear to happen at one moment, in all orders of the steps that Linux promises; and that where they do not, a history says so. */
import { describe, expect, it } from "vitest";
import { type ElementOperation, isTorn, linearisation, type Value } from "./history.ts";
import { histories, inPlace, locked, notAtomic, replaced, unlockedBucket } from "./interleave.ts";

const START: Value = [0n, 0n];
const write = (word: bigint, flags: "any" | "noexist" | "exist" = "any"): ElementOperation => ({
  do: "update",
  value: [word, word],
  flags,
});
const look: ElementOperation = { do: "lookup" };
const remove: ElementOperation = { do: "delete" };
const add: ElementOperation = { do: "add", by: 1n };

/** How many histories there are, and how many of them are not linearisable. */
function count(
  way: typeof inPlace,
  start: Value | undefined,
  threads: readonly (readonly ElementOperation[])[],
) {
  let [all, wrong, torn] = [0, 0, 0];
  for (const calls of histories(way, start, threads)) {
    all += 1;
    if (linearisation(calls, start) === undefined) wrong += 1;
    const written = [START, ...threads.flat().flatMap((one) => (one.do === "update" ? [one.value] : []))];
    if (calls.some(({ result }) => Array.isArray(result) && result.length > 1 && isTorn(result, written)))
      torn += 1;
  }
  return { all, wrong, torn };
}

describe("linearisable, in all orders", () => {
  it.each([
    [
      "a hash table: updates and look-ups",
      replaced,
      START,
      [
        [write(1n), write(2n)],
        [look, look],
      ],
    ],
    [
      "a hash table: only one creates",
      replaced,
      undefined,
      [[write(1n, "noexist")], [write(2n, "noexist")], [look, look]],
    ],
    ["a hash table: deletions", replaced, START, [[remove, write(1n)], [look], [remove]]],
    ["an array with its lock", locked, START, [[write(1n)], [write(2n)], [look]]],
    ["atomic additions", inPlace, START, [[add, add], [add, add], [add]]],
  ] as const)("%s", (_, way, start, threads) => {
    const { all, wrong, torn } = count(way, start, threads);
    expect(all).toBeGreaterThan(100);
    expect([wrong, torn]).toEqual([0, 0]);
  });
});

describe("not linearisable, and found out", () => {
  it("an array without a lock: values of words that were never written together", () => {
    const { wrong, torn } = count(inPlace, START, [[write(1n)], [look]]);
    expect(torn).toBeGreaterThan(0);
    expect(wrong).toBeGreaterThanOrEqual(torn);
  });

  it("an addition that is not atomic: one is lost", () => {
    expect(count(notAtomic, START, [[add], [add]]).wrong).toBeGreaterThan(0);
  });

  it("a hash table without its bucket's lock: two create", () => {
    const threads = [[write(1n, "noexist")], [write(2n, "noexist")]];
    expect(count(unlockedBucket, undefined, threads).wrong).toBeGreaterThan(0);
  });
});

describe("the search", () => {
  const call = (
    operation: ElementOperation,
    result: Value | number | "absent",
    begin: number,
    end: number,
  ) => ({
    thread: operation.do === "lookup" ? 0 : 1,
    operation,
    result,
    begin,
    end,
  });

  it("lets calls that overlap happen in either order", () => {
    const calls = [call(look, [1n, 1n], 0, 3), call(write(1n), 0, 1, 2)];
    expect(linearisation(calls, START)?.map(({ operation }) => operation.do)).toEqual(["update", "lookup"]);
  });

  it("does not let a look-up find what is written after it returned", () => {
    expect(linearisation([call(look, [1n, 1n], 0, 1), call(write(1n), 0, 2, 3)], START)).toBeUndefined();
  });

  it("does not let two look-ups, one after the other, see writes in reverse", () => {
    const calls = [
      call(write(1n), 0, 0, 1),
      call(write(2n), 0, 2, 9),
      call(look, [2n, 2n], 3, 4),
      call(look, [1n, 1n], 5, 6),
    ];
    expect(linearisation(calls, START)).toBeUndefined();
  });
});
