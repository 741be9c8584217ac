/** Compiled programs end as interpreted ones do: results, packets, maps, faults and their places, and how many instructions were executed. */
import { readdirSync, readFileSync } from "node:fs";
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { factsOfAccepted } from "../../src/campaign/proved-facts.ts";
import { readPrograms } from "../../src/object/read.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { programs } from "../../src/semantics/isa/arbitrary.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { runnableContext } from "../../src/vm/input.ts";
import { runRaw } from "../../src/vm/raw.ts";
import { both } from "./jit-pair.ts";
import { MAPS, programPairs } from "./jit-programs.ts";

function program(asm: string): Program {
  const insns = assemble(asm);
  return { name: "p", type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [], functions: [] };
}

describe("programs drawn by chance", () => {
  const seen = new Set<string>();
  test.prop([programPairs, fc.constantFrom("fault", "allow")], { numRuns: 400, seed: 6018 })(
    "end alike",
    (programs, uninitialisedStack) => {
      const { interpreted, compiled, endings } = both(programs, uninitialisedStack);
      expect(compiled).toBe(interpreted);
      for (const ending of endings) seen.add(ending);
    },
  );

  test("of which there are all kinds", () => {
    expect([...seen]).toEqual(
      expect.arrayContaining(["exit", "out_of_bounds", "budget", "uninitialised_stack", "call_depth"]),
    );
  });
});

describe("any instructions at all", () => {
  const types = ["xdp", "sched_cls", "socket_filter", "kprobe"] as const;
  test.prop([programs(), fc.constantFrom(...types)], { numRuns: 300, seed: 6018 })(
    "end alike",
    (insns, type) => {
      const { interpreted, compiled } = both([{ ...program("exit"), type, insns, maps: MAPS }], "fault");
      expect(compiled).toBe(interpreted);
    },
  );
});

describe("loops of several entries", () => {
  /** Two blocks that lead to each other, entered at either, with a loop of several entries inside of one of them. */
  const TANGLE = `
    r0 = 0
    r1 = *(u32 *)(r1 +12)
    r2 = 40
    if r1 == 1 goto b
   a:
    r0 += 3
    if r0 & 4 goto c
    goto d
   c:
    r0 += 1
    r2 -= 1
    if r2 == 0 goto out
    if r0 & 8 goto d
    goto b
   d:
    r0 ^= 5
    r2 -= 1
    if r2 == 0 goto out
    if r0 & 2 goto c
   b:
    r0 *= 3
    r2 -= 1
    if r2 s> 0 goto a
   out:
    exit`;
  test("are compiled", () => {
    const { interpreted, compiled, endings } = both([program(TANGLE)], "fault");
    expect(compiled).toBe(interpreted);
    expect(endings).toEqual(["exit", "exit"]);
  });
});

const OBJECTS = new URL("../../corpus/objects/", import.meta.url);

/** Programs of the corpus that the machine can run, each with the others of its object. */
function corpusPrograms(): readonly (readonly Program[])[] {
  return readdirSync(OBJECTS)
    .filter((name) => name.endsWith(".v4.o"))
    .flatMap((file) => {
      const { programs } = readPrograms(file, readFileSync(new URL(file, OBJECTS)));
      const runnable = programs.filter((one) => runnableContext(one) !== undefined);
      return runnable.map((one) => [one, ...programs.filter((other) => other !== one)]);
    });
}

describe.each(["checked", "proved"])("the corpus, %s", (mode) => {
  test("ends alike", () => {
    let compared = 0;
    const corpus = corpusPrograms();
    const facts = mode === "proved" ? factsOfAccepted([...new Set(corpus.flat())]) : undefined;
    for (const programs of corpus) {
      try {
        const { interpreted, compiled } = both(programs, "allow", facts);
        const name = programs[0]?.name ?? "";
        expect(`${name}: ${compiled}`).toBe(`${name}: ${interpreted}`);
        compared += 1;
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

describe("programs on bare memory", () => {
  const insns = assemble(`
    r0 = *(u64 *)(r1 +0)
    r3 = *(u8 *)(r1 +8)
    *(u8 *)(r1 +9) = r3
    r1 += r2
    w4 = -7
    *(u32 *)(r1 -4) = r4
    r0 += r3
    exit`);
  test("read and write it", () => {
    const [a, b] = [0, 1].map(() => Uint8Array.from({ length: 16 }, (_, i) => 16 * i));
    expect(runRaw(insns, a ?? new Uint8Array(0), "compiled")).toEqual(runRaw(insns, b ?? new Uint8Array(0)));
    expect(a).toEqual(b);
  });
  test("fault beyond it", () => {
    const memory = new Uint8Array(9);
    expect(runRaw(insns, memory, "compiled")).toMatchObject({ fault: { kind: "out_of_bounds", insn: 2 } });
  });
});
