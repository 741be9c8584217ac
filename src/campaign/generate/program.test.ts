/** Generated programs: every recipe gives one that can be encoded, and verifiers accept most of them. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { readBtf } from "../../object/btf.ts";
import { encode } from "../../semantics/isa/codec.ts";
import { verify } from "../../verifier/verify.ts";
import { numberProgram } from "./numbers.ts";
import { programOf, programOfSeed } from "./program.ts";
import { recipes } from "./recipe.ts";
import { STEP_NAMES } from "./steps.ts";
import { FUNCTION_TYPES, TYPES_OF_PROGRAMS } from "./types.ts";

const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);

describe("generated programs", () => {
  test.prop([recipes()])("can be encoded, whatever the recipe is, and are the same each time", (recipe) => {
    const program = programOf(recipe, "one");
    expect(encode(program.insns).length).toBe(8 * program.insns.length);
    expect(programOf(recipe, "one")).toEqual(program);
  });

  test.prop([recipes(), fc.nat()])("a part of a recipe is a recipe", (recipe, at) => {
    const main = recipe.main.filter((_, i) => i !== at % Math.max(1, recipe.main.length));
    expect(() => encode(programOf({ ...recipe, main }, "less").insns)).not.toThrow();
  });

  test("are accepted more often than six times in ten, and not always", () => {
    const verdicts = SEEDS.map((seed) => verify(programOfSeed(seed)).verdict);
    const accepted = verdicts.filter((verdict) => verdict === "accept").length;
    expect(accepted).toBeGreaterThan(0.6 * SEEDS.length);
    expect(accepted).toBeLessThan(SEEDS.length);
  });

  test("have every kind of step among them: instructions of each kind occur", () => {
    const kinds = new Set(
      SEEDS.flatMap((seed) => programOfSeed(seed).insns.flatMap((insn) => insn?.row.operation.kind ?? [])),
    );
    const wanted = [
      "alu",
      "jump",
      "load",
      "store",
      "atomic",
      "call",
      "exit",
      "ld_imm64",
      "packet",
      "may_goto",
    ];
    expect([...kinds]).toEqual(expect.arrayContaining(wanted));
    expect(STEP_NAMES.length).toBeGreaterThan(50);
  });

  test("of numbers alone call nothing, and are accepted but for a few", () => {
    const programs = SEEDS.slice(0, 40).map(numberProgram);
    const kinds = new Set(programs.flatMap(({ insns }) => insns.map((insn) => insn?.row.operation.kind)));
    expect(kinds).not.toContain("call");
    expect(kinds).not.toContain("packet");
    expect(programs.filter((program) => verify(program).verdict === "accept").length).toBeGreaterThan(35);
  });

  test("have types that a reader of BTF understands", () => {
    const btf = readBtf(TYPES_OF_PROGRAMS, "generated");
    for (const id of Object.values(FUNCTION_TYPES)) expect(btf.type(id).kind).toBe("func");
  });
});
