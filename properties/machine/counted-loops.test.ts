/** Counted loops of the JIT: Z3 shows for all registers, limits and numbers of instructions that the checks that are left out could not have failed; and refutes wrong counts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WasmInstruction } from "../../src/proof/translation/decode.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { type Change, type Loop, loopsOf, wrongRound, wrongRounds, wrongTest } from "./counted-claims.ts";
import { MAPS } from "./jit-programs.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => {
  await z3.stop();
});

const LIMIT = 20_000;

async function isProved(...claims: readonly Term<1>[]): Promise<boolean> {
  for (const claim of claims) {
    const { result } = await z3.solve([claim], LIMIT);
    if (result === "unknown") throw new Error("Z3 does not know");
    if (result === "sat") return false;
  }
  return true;
}

/** A loop from `begin` on, of pointers in r6 (a packet's) and r8 (a value's) and numbers in r2, r3 and r9. */
function loopOf(body: string): Loop {
  const insns = assemble(
    `r7 = r1
     r6 = *(u32 *)(r7 +0)
     r8 = map_value[0]
     r2 = *(u32 *)(r7 +12)
     r3 = *(u32 *)(r7 +16)
     r9 = *(u32 *)(r7 +20)
     r0 = 1
    begin:
     ${body}
     if r0 != 0 goto begin
     exit`,
    { maps: MAPS },
  );
  const program: Program = {
    name: "p",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns,
    maps: MAPS,
    lines: [],
    functions: [],
  };
  const [loop] = loopsOf(program);
  if (loop === undefined || loop.unchecked.size === 0) throw new Error("no counted loop");
  return loop;
}

const LOOPS: readonly (readonly [string, string, number])[] = [
  ["a pointer that moves on", "r5 = *(u8 *)(r6 +0)\nr6 += 1", 1],
  ["a pointer that moves back", "*(u32 *)(r6 -4) = r0\nr6 += -4", 1],
  ["a pointer in steps of 8", "r5 = *(u16 *)(r6 +7)\nr6 += 8", 1],
  ["an index of 32 bits", "w4 = w3\nr4 += r8\nr5 = *(u8 *)(r4 +0)\nw3 += 1", 1],
  ["an index of 32 bits that falls", "r4 = r8\nr4 += r3\nr5 = *(u64 *)(r4 +0)\nw3 += -8", 1],
  ["two indices", "r4 = r8\nr4 += r2\nr4 += r9\nr5 = *(u32 *)(r4 +0)\nr2 += 5\nr9 += -1", 1],
  ["a place that stays", "*(u64 *)(r8 +8) = r0\nr2 += 1", 1],
  ["ways that differ", "if r2 s> 9 goto skip\nr5 = *(u8 *)(r6 +0)\nr0 += r5\nskip:\nr6 += 2\nr2 += 1", 1],
];

describe("counted loops", () => {
  it.each(LOOPS)("with %s", async (_, body, unchecked) => {
    const loop = loopOf(body);
    expect(loop.unchecked.size).toBe(unchecked);
    expect(await isProved(...wrongRounds(loop), ...wrongTest(loop, 17), wrongRound(loop))).toBe(true);
  });
});

// --- Wrong counts

/** The `n`-th constant of a value becomes another. */
function constant(from: bigint, to: bigint, n = 1): Change {
  return (code) => {
    let found = 0;
    return code.map((one) =>
      one.kind === "constant" && one.value === from && (found += 1) === n ? { ...one, value: to } : one,
    );
  };
}

/** Instructions on numbers with an opcode get another. */
function opcode(from: number, to: number): Change {
  return (code) =>
    code.map(
      (one): WasmInstruction =>
        one.kind === "numeric" && one.opcode === from ? { kind: "numeric", opcode: to } : one,
    );
}

describe("wrong counts are refuted", () => {
  const moving = loopOf(LOOPS[0]![1]);
  const falling = loopOf(LOOPS[1]![1]);
  const narrow = loopOf(LOOPS[3]![1]);
  const ROUNDS: readonly (readonly [string, Loop, Change])[] = [
    ["one round too many", moving, constant(1n, 2n, 2)],
    ["a bound that is one too far", falling, opcode(0x54, 0x58)],
    ["a comparison with a sign", moving, opcode(0x54, 0x53)],
    ["half as long a step", falling, constant(2n, 1n)],
    ["a number of 33 bits", narrow, constant(2n ** 32n, 2n ** 33n)],
  ];
  it.each(ROUNDS)("%s", async (_, loop, change) => {
    expect(await isProved(...wrongRounds(loop, change))).toBe(false);
  });

  const TESTS: readonly (readonly [string, Change])[] = [
    ["a test that is one too late", constant(1n, 0n)],
    ["rounds that are taken to be longer", constant(3n, 4n)],
    ["a test that may be equal", opcode(0x53, 0x55)],
  ];
  it.each(TESTS)("%s", async (_, change) => {
    expect(await isProved(...wrongTest(moving, 17, change))).toBe(false);
  });

  const altered = (loop: Loop, change: (bound: Loop["count"]["bounds"][number]) => object): Loop => ({
    ...loop,
    count: { ...loop.count, bounds: loop.count.bounds.map((bound) => ({ ...bound, ...change(bound) })) },
  });
  it.each([
    ["another step", altered(moving, ({ step }) => ({ step: step + 1 }))],
    ["a sum without its constant", altered(falling, ({ sum }) => ({ sum: { ...sum, constant: 0 } }))],
    ["limits of another size", altered(moving, () => ({ need: 2 }))],
    [
      "32 bits that are not looked at",
      {
        ...narrow,
        count: { ...narrow.count, bounds: narrow.count.bounds.filter(({ base }) => base !== undefined) },
      },
    ],
    ["rounds that are shorter", { ...moving, count: { ...moving.count, shortest: 9 } }],
  ] as const)("%s", async (_, loop) => {
    expect(await isProved(wrongRound(loop))).toBe(false);
  });
});
