/** Loops that are counted (`src/vm/jit/counted.ts`) end as interpreted ones do, whatever they reach: what is left out are checks that could not have failed. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { both } from "./jit-pair.ts";
import { MAPS } from "./jit-programs.ts";

function program(asm: string): Program {
  const insns = assemble(asm, { maps: MAPS });
  return { name: "p", type: "xdp", license: "GPL", flags: [], insns, maps: MAPS, lines: [], functions: [] };
}

/** Where r6 begins. */
const bases = fc.constantFrom(
  "r6 = r7",
  "r6 = r8",
  "r6 = r7\nif r9 & 1 goto begin\nr6 = r8",
  "r6 = r7\nif r9 & 1 goto begin\nr6 = 4096",
  "r6 = r10\nr6 += -16",
  "r6 = r1",
);
const steps = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(16, 100, 2 ** 30, -(2 ** 31)));
const size = fc.constantFrom("u8", "u16", "u32", "u64");
const offset = fc.oneof(fc.integer({ min: -4, max: 20 }), fc.integer({ min: -100, max: 100 }));

/** Addresses in r4, from the pointer in r6, the numbers in r2 (with 64 bits) and r3 (with 32), and r9, which does not change. */
const address = fc.constantFrom(
  "r4 = r6",
  "r4 = r6\nr4 += r2",
  "r4 = r2\nr4 += r6\nr4 += 3",
  "r4 = r6\nr4 += r3",
  "w5 = w3\nr4 = r6\nr4 += r5",
  "r4 = r6\nr4 += r9",
  "r4 = r6\nr4 -= r2",
  "r4 = r6\nr4 += r2\nr4 += r3",
);
const access = fc
  .tuple(address, size, offset, fc.constantFrom("load", "load", "store", "immediate"))
  .map(([lines, width, off, kind]) => {
    const place = `*(${width} *)(r4 ${off < 0 ? "-" : "+"}${Math.abs(off)})`;
    if (kind === "load") return `${lines}\nr5 = ${place}\nr0 += r5`;
    return kind === "store" ? `${lines}\n${place} = r0` : `${lines}\n${place} = 7`;
  });
const change = fc
  .tuple(fc.constantFrom("r6", "r2", "r2", "w3", "w3", "w2"), steps)
  .map(([register, by]) => `${register} += ${by}`);
const other = fc.constantFrom("r0 *= 3", "r2 = 5", "w3 = w2", "r9 += 1", "w3 <<= 1");
/** Of one time round; some of it under conditions, and with ways out. */
const piece = fc.oneof(
  { weight: 5, arbitrary: access.map((text) => (_: number) => text) },
  { weight: 3, arbitrary: change.map((text) => (_: number) => text) },
  { weight: 1, arbitrary: other.map((text) => (_: number) => text) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.oneof(access, change), fc.integer({ min: 1, max: 8 })).map(
      ([text, mask]) =>
        (n: number) =>
          `if r0 & ${mask} goto skip${n}\n${text}\nskip${n}:`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -4, max: 80 }).map((limit) => (_: number) => `if r2 s> ${limit} goto out`),
  },
);

const start = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.constantFrom(-1, 2 ** 31 - 1, -(2 ** 31)));
const loops = fc
  .tuple(
    bases,
    fc.tuple(start, start, fc.integer({ min: 0, max: 9 })),
    fc.array(piece, { minLength: 1, maxLength: 5 }),
    change,
    fc.tuple(
      fc.constantFrom("r2", "w3", "r3", "r2"),
      fc.constantFrom("<", "!=", "s<", ">"),
      fc.integer({ min: -20, max: 90 }),
    ),
  )
  .map(([base, [wide, narrow, fixed], pieces, last, [counter, than, limit]]) =>
    program(`
      r7 = *(u32 *)(r1 +0)
      r8 = map_value[0]
      *(u64 *)(r10 -16) = 1
      *(u64 *)(r10 -8) = 2
      r0 = 1
      r2 = ${wide}
      w3 = ${narrow}
      r9 = ${fixed}
      ${base}
     begin:
      ${pieces.map((make, n) => make(n)).join("\n")}
      ${last}
      if ${counter} ${than} ${limit} goto begin
     out:
      exit`),
  );

describe("loops over packets, values and the stack", () => {
  const seen = new Map<string, number>();
  test.prop([loops], { numRuns: 200, seed: 6018 })("end alike", (one) => {
    const { interpreted, compiled, endings } = both([one], "fault");
    expect(compiled).toBe(interpreted);
    for (const ending of endings) seen.set(ending, (seen.get(ending) ?? 0) + 1);
  });
  test("in all ways", () => {
    for (const ending of ["exit", "out_of_bounds", "budget"])
      expect(seen.get(ending) ?? 0).toBeGreaterThan(20);
  });
});

const BEFORE = "r7 = *(u32 *)(r1 +0)\nr0 = 0";
/** Loops that leave their region, by what makes it hard to tell when. */
const LEAVING: readonly (readonly [string, string])[] = [
  [
    "the number of 32 bits begins again at 0",
    `r5 = 4294967292 ll
     r6 = r7
     r6 -= r5
     w3 = -4
    begin:
     r4 = r6
     r4 += r3
     r5 = *(u8 *)(r4 +0)
     r0 += r5
     w3 += 1
     r2 = r0
     if r3 != 20 goto begin`,
  ],
  [
    "the upper half of a number is left out",
    `r2 = 4294967290 ll
     r6 = r7
     r6 -= r2
    begin:
     w4 = w2
     r4 += r6
     r5 = *(u8 *)(r4 +0)
     r0 += r5
     r2 += 1
     if r0 < 1000 goto begin`,
  ],
  [
    "few rounds are long ones",
    `r2 = 0
     r3 = 0
    begin:
     r4 = r7
     r4 += r2
     r2 += 1
     r5 = *(u8 *)(r4 +0)
     if r5 s> 0 goto begin
     if r3 > 0 goto begin
     r3 += 1
     ${"r0 += 1\n".repeat(40)}
     goto begin`,
  ],
];

describe("loops that leave their region", () => {
  test.each(LEAVING)("where %s", (_, loop) => {
    const { interpreted, compiled, endings } = both([program(`${BEFORE}\n${loop}\nexit`)], "fault");
    expect(endings).toEqual(["out_of_bounds", "out_of_bounds"]);
    expect(compiled).toBe(interpreted);
  });
});
