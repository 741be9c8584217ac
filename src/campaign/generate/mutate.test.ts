/** Programs made from others: edits move what counts in slots along, and most mutants can be mended. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { asLoaded } from "../../object/as-loaded.ts";
import { readPrograms } from "../../object/read.ts";
import { encode } from "../../semantics/isa/codec.ts";
import { insn } from "../../semantics/isa/make.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { generator } from "../random.ts";
import { replaced, widthAt } from "./edit.ts";
import { mutated, repaired } from "./mutate.ts";
import { programOfSeed } from "./program.ts";

const CORPUS = new URL("../../../corpus/", import.meta.url);

function read(name: string): readonly Program[] {
  return readPrograms(name, readFileSync(new URL(name, CORPUS))).programs.map(asLoaded);
}

const LIMIT = 2000;
const accepted = (programs: readonly Program[]): Program[] =>
  programs.filter((program) => verify(program, undefined, undefined, LIMIT).verdict === "accept");

/** Some of what clang has made, some of the small programs, and generated ones. */
const SEVERAL: readonly Program[] = accepted([
  ...readdirSync(new URL("objects/", CORPUS))
    .filter((name) => name.endsWith(".o"))
    .slice(0, 6)
    .flatMap((name) => read(`objects/${name}`)),
  ...readdirSync(new URL("verifier/", CORPUS))
    .filter((_, i) => i % 100 === 0)
    .flatMap((name) => read(`verifier/${name}`)),
  ...Array.from({ length: 10 }, (_, i) => programOfSeed(700 + i)),
]);

describe("edits", () => {
  test("instructions put in and left out: who jumps over them still gets where it went", () => {
    for (const program of SEVERAL) {
      const at = widthAt(program, 0);
      const wider = replaced(program, at, 0, [
        insn("mov64_reg", { dst: 0, src: 10 }),
        insn("mov64_imm", { imm: 7 }),
      ]);
      expect(() => encode(wider.insns)).not.toThrow();
      expect(wider.insns.length).toBe(program.insns.length + 2);
      const back = replaced(wider, at, 2, []);
      expect(back.insns).toEqual(program.insns);
      expect(back.functions).toEqual(program.functions);
      expect(back.kfuncs).toEqual(program.kfuncs);
    }
  });

  test("a program whose first instruction is another does the same", () => {
    const [program] = read("verifier/iterator-a-loop.prog.json");
    if (program === undefined) throw new Error("the corpus has it");
    const wider = replaced(program, 0, 0, [insn("mov64_imm", { dst: 7, imm: 7 })]);
    expect(verify(wider).verdict).toBe("accept");
    expect(wider.kfuncs?.map(({ insn: at }) => at)).toEqual(program.kfuncs?.map(({ insn: at }) => at + 1));
  });
});

describe("mutants", () => {
  test("most can be mended, and what is mended is accepted; equal numbers give equal ones", () => {
    const random = (seed: number) => generator(77 * seed + 1);
    let mended = 0;
    let count = 0;
    for (const [seed, program] of SEVERAL.entries()) {
      const mutant = mutated(program, SEVERAL, random(seed));
      expect(mutated(program, SEVERAL, random(seed))).toEqual(mutant);
      const result = repaired(mutant);
      count += 1;
      if (result === undefined) continue;
      mended += 1;
      expect(verify(result).verdict).toBe("accept");
    }
    expect(count).toBeGreaterThan(20);
    expect(mended).toBeGreaterThan(count / 2);
  });

  test("what holds nothing gets a number, what may be null is compared", () => {
    const [program] = read("verifier/helper-argument-not-initialised.prog.json");
    if (program === undefined) throw new Error("the corpus has it");
    expect(verify(program).verdict).toBe("reject");
    expect(repaired(program)).toBeDefined();
  });
});
