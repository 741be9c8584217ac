/** What was compiled before leaves nothing behind in the compiler's arrays: a program has the same code again. */
import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import type { Program } from "../../src/semantics/program/program.ts";
import { runnableContext } from "../../src/vm/input.ts";
import { compileProgram } from "../../src/vm/jit/module.ts";
import { prepare } from "../../src/vm/op.ts";
import { programPairs } from "./jit-programs.ts";

/** The module of a program, and what its ways out are told. */
function codeOf(program: Program, facts: Uint8Array): string {
  const { bytes, functions } = compileProgram({
    ops: prepare(program),
    insns: program.insns,
    facts,
    context: runnableContext(program),
    allowsUnwritten: false,
  });
  const ways = functions.map(({ exits, resume }) => exits.map((exit) => [exit, resume(exit)]));
  return `${Buffer.from(bytes).toString("hex")} ${JSON.stringify(ways)}`;
}

test.prop([fc.array(programPairs, { minLength: 2, maxLength: 4 })], { numRuns: 20, seed: 6018 })(
  "a program has the same code whatever was compiled before",
  (pairs) => {
    const all = pairs.flat().map((program) => [program, new Uint8Array(program.insns.length)] as const);
    const once = all.map(([program, facts]) => codeOf(program, facts));
    const again = all.toReversed().map(([program, facts]) => codeOf(program, facts));
    expect(again.toReversed()).toEqual(once);
  },
);
