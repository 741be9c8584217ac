/** Reduction keeps what it is asked to keep, and little else. */
import { describe, expect, test } from "vitest";
import { encode } from "../../semantics/isa/codec.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { programOf, programOfSeed } from "../generate/program.ts";
import { recipeOf } from "../generate/recipe.ts";
import { reduceProgram, reduceRecipe } from "./reduce.ts";

const has = (program: Program, kind: string): boolean =>
  program.insns.some((insn) => insn?.row.operation.kind === kind);

/** The first seed whose program is accepted and has such an instruction. */
function seedWith(kind: string): number {
  for (let seed = 1; seed < 2000; seed += 1) {
    const program = programOfSeed(seed);
    if (has(program, kind) && program.insns.length > 25 && verify(program).verdict === "accept") return seed;
  }
  throw new Error(`no program has ${kind}`);
}

describe("reduction", () => {
  test.each(["atomic", "may_goto", "packet"])(
    "of an accepted program with an instruction of kind %s",
    (kind) => {
      const shows = (program: Program): boolean => has(program, kind) && verify(program).verdict === "accept";
      const recipe = reduceRecipe(recipeOf(seedWith(kind)), "small", shows);
      expect(recipe.main.length + recipe.callee.length + recipe.callback.length).toBeLessThanOrEqual(2);
      const reduced = reduceProgram(programOf(recipe, "small"), shows);
      expect(shows(reduced)).toBe(true);
      // The instruction, what it needs, a result and the end.
      expect(reduced.insns.length).toBeLessThanOrEqual(6);
      expect(reduced.maps).toEqual([]);
      expect(() => encode(reduced.insns)).not.toThrow();
    },
  );

  test("repairs jumps over what is left out", () => {
    const original = programOfSeed(seedWith("jump"));
    const shows = (program: Program): boolean => has(program, "jump") && verify(program).verdict === "accept";
    const reduced = reduceProgram(original, shows);
    expect(shows(reduced)).toBe(true);
    expect(reduced.insns.length).toBeLessThan(original.insns.length / 2);
  });
});
