/** The check of several programs: one that meets a bug of ours does not take the others with it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readElf } from "../object/elf.ts";
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

test("a file with something that is not modelled is told as such", () => {
  const bytes = new Uint8Array(readFileSync(new URL("../object/testdata/legacy.el.o", import.meta.url)));
  // A definition in a legacy section begins with the map's type, 32 bits; linux/bpf.h has none of that number.
  readElf(bytes).section("maps")?.data.bytes.set([0xff, 0, 0, 0]);
  const options = { seed: 1, runs: 1, compare: false, now: () => 0 };
  const { faults, unreadable } = checkFiles([{ name: "new.o", bytes }], options);
  expect(faults).toEqual([]);
  expect(unreadable).toEqual([
    { file: "new.o", message: expect.stringMatching(/^new\.o: unsupported: .*map type 255$/) },
  ]);
});
