/** Runs that end in something that is not modelled still count as far as they went. */
import { expect, test, vi } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "../verifier/verify.ts";
import { runProgram } from "./run-program.ts";
import { CertificateWalk } from "./walk.ts";

const LOOP: Program = {
  name: "loop",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(["r7 = 0", "again:", "r7 += 1", "if r7 < 1000 goto again", "r0 = 2", "exit"]),
  maps: [],
  lines: [],
  functions: [],
};

/** Instructions: less than the loop executes. */
const BUDGET = 500;

test("what a run has left its certificate with before it is given up is reported", () => {
  const verdict = verify(LOOP);
  const inside = runProgram(LOOP, verdict, 1, 2, [], undefined, BUDGET);
  expect(inside.runs.map(({ outcome }) => outcome.kind)).toEqual(["unsupported"]);
  expect(inside.violations).toEqual([]);

  const escape = { kind: "containment", insn: 1, message: "R7 is 0x1, not 0" } as const;
  const walk = vi.spyOn(CertificateWalk.prototype, "escape", "get").mockReturnValue(escape);
  try {
    const left = runProgram(LOOP, verdict, 1, 2, [], undefined, BUDGET);
    expect(left.runs.map(({ outcome }) => outcome.kind)).toEqual(["unsupported"]);
    expect(left.violations).toMatchObject([escape]);
  } finally {
    walk.mockRestore();
  }
});
