/** The check of several programs: one that meets a bug of ours does not take the others with it. */
import { expect, test } from "vitest";
import { checkFiles, type InputFile } from "./check.ts";

function bundle(name: string): InputFile {
  const text = JSON.stringify({ name, type: "xdp", asm: ["r0 = 2", "exit"] });
  return { name: `${name}.prog.json`, bytes: new TextEncoder().encode(text) };
}

test("a broken invariant ends one program's check, and is told", () => {
  const broken = new Error("an invariant is broken");
  let calls = 0;
  const now = (): number => {
    calls += 1;
    // The first call is the check's own, the second the first program's.
    if (calls === 2) throw broken;
    return calls;
  };
  const seen: unknown[] = [];
  const summary = checkFiles([bundle("one"), bundle("two")], {
    seed: 1,
    runs: 3,
    compare: false,
    now,
    progress: ({ done, program, report }) => seen.push([done, program, report?.verdict.verdict]),
  });
  expect(summary.faults).toEqual([{ file: "one.prog.json", program: "one", error: broken }]);
  expect(summary.reports.map(({ program, runs }) => [program.name, runs.length])).toEqual([["two", 3]]);
  expect(seen).toEqual([
    [0, "one", undefined],
    [1, "one", undefined],
    [1, "two", undefined],
    [2, "two", "accept"],
  ]);
});
