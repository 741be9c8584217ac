/** What was measured stands as long as it is of the same bug and instrument, and no more was asked for. */
import { describe, expect, test } from "vitest";
import { edit } from "./bug.ts";
import { ownCode } from "./copy.ts";
import { type Cell, cellFor, isMeasured, markOf, places } from "./score.ts";

const EDITS = [edit("vm/helpers/output", "33", "34")];
const mark = markOf("containment", EDITS);
const cell = (more: Partial<Cell>): Cell => ({
  instrument: "containment",
  mark,
  seeds: 3,
  budget: 10,
  trials: 3,
  found: 0,
  ...more,
});

describe("a cell", () => {
  test("that found nothing stands for no more time and no more seeds", () => {
    expect(isMeasured(cell({}), mark, 3, 10)).toBe(true);
    expect(isMeasured(cell({}), mark, 1, 5)).toBe(true);
    expect(isMeasured(cell({}), mark, 3, 11)).toBe(false);
    expect(isMeasured(cell({}), mark, 4, 10)).toBe(false);
  });

  test("whose process broke off does not stand", () => {
    expect(isMeasured(cell({ broken: "Error" }), mark, 3, 10)).toBe(false);
    expect(isMeasured(cell({ broken: "Error", found: 2 }), mark, 3, 10)).toBe(true);
  });

  test("that found the bug stands for any time", () => {
    expect(isMeasured(cell({ found: 2 }), mark, 3, 1000)).toBe(true);
    expect(isMeasured(cell({ found: 1 }), mark, 3, 1000)).toBe(false);
    expect(isMeasured(cell({ found: 2 }), mark, 5, 10)).toBe(false);
  });

  test("does not stand for another bug, another instrument or other theorems", () => {
    const others = [
      markOf("containment", [edit("vm/helpers/output", "33", "35")]),
      markOf("corpus", EDITS),
      markOf("theorem", EDITS),
      markOf("theorem", EDITS, ["add64/tnum/sound"]),
    ];
    expect(new Set([mark, ...others]).size).toBe(5);
    for (const other of others) expect(isMeasured(cell({ found: 3 }), other, 1, 1)).toBe(false);
  });

  test("of theorems about none of the changed code needs no trial", async () => {
    const never = () => Promise.reject(new Error("a trial"));
    const options = { code: ownCode(), seeds: 1, seconds: 1 };
    const made = await cellFor(ownCode(), EDITS, "theorem", options, never);
    expect(made).toMatchObject({ apart: true, trials: 0, found: 0 });
    const inside = [edit("absint/scalar/alu", "a", "b")];
    await expect(cellFor(ownCode(), inside, "theorem", options, never)).rejects.toThrow("a trial");
  });
});

test("as many trials run side by side as there are places", async () => {
  const place = places(2);
  let [now, most] = [0, 0];
  const work = async (): Promise<void> => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  await Promise.all(Array.from({ length: 7 }, () => place(work)));
  expect(most).toBe(2);
});
