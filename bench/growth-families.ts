/** Programs of any size, of one kind each: what bench/growth.ts measures. */
import { assemble } from "../src/semantics/isa/assemble.ts";
import type { Program } from "../src/semantics/program/program.ts";

export interface Family {
  readonly name: string;
  /** What `n` counts. */
  readonly counts: string;
  readonly sizes: readonly number[];
  readonly make: (n: number) => Program;
}

function program(maps: Program["maps"], asm: readonly string[]): Program {
  return {
    name: "growth",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns: assemble(asm),
    maps,
    lines: [],
    functions: [],
  };
}

const times = (n: number, lines: (i: number) => readonly string[]): string[] =>
  Array.from({ length: n }, (_, i) => lines(i)).flat();

const arrayOf = (valueSize: number): Program["maps"] => [
  { name: "values", type: "array", keySize: 4, valueSize, maxEntries: 1, flags: 0 },
];

const END = ["out:", "r0 = 2", "exit"];
const PACKET = ["r7 = *(u32 *)(r1 +4)", "r6 = *(u32 *)(r1 +0)"];

const LINEAR = [64, 256, 1024, 4096, 16384];
const SHORT = [64, 256, 1024, 4096];

export const FAMILIES: readonly Family[] = [
  {
    name: "arithmetic",
    counts: "rounds of a generator of random numbers, of unknown seed",
    sizes: LINEAR,
    make: (n) =>
      program(
        [],
        ["r6 = *(u32 *)(r1 +12)", ...times(n, () => ["r7 = r6", "r7 <<= 13", "r6 ^= r7", "r6 += 7"]), ...END],
      ),
  },
  {
    name: "branches",
    counts: "comparisons whose two sides meet again",
    sizes: LINEAR,
    make: (n) =>
      program(
        [],
        [
          "r6 = 0",
          ...times(n, (i) => ["r2 = *(u32 *)(r1 +12)", `if r2 == ${i} goto m${i}`, `r6 = ${i}`, `m${i}:`]),
          ...END,
        ],
      ),
  },
  {
    name: "sums of choices",
    counts:
      "choices that each add to a number that is an index at last: as many states at the n-th as there are sums",
    sizes: [16, 64, 128, 256, 512],
    make: (n) =>
      program(arrayOf(n + 8), [
        "r8 = *(u32 *)(r1 +12)",
        "r6 = 0",
        ...times(n, (i) => [`if r8 == ${i} goto m${i}`, "r6 += 1", "r7 = r8", "r7 += r6", `m${i}:`]),
        "r0 = map_value[0]+0",
        "r0 += r6",
        "r1 = *(u8 *)(r0 +0)",
        ...END,
      ]),
  },
  {
    name: "look-ups",
    counts: "look-ups in a map, each checked and read",
    sizes: SHORT,
    make: (n) =>
      program(arrayOf(8), [
        ...times(n, (i) => [
          `*(u32 *)(r10 -4) = ${i}`,
          "r2 = r10",
          "r2 += -4",
          "r1 = map[0]",
          "call 1",
          `if r0 == 0 goto m${i}`,
          "r6 = *(u64 *)(r0 +0)",
          `m${i}:`,
        ]),
        ...END,
      ]),
  },
  {
    name: "headers",
    counts: "checks of a packet's length, each with a load behind it",
    sizes: SHORT,
    make: (n) =>
      program(
        [],
        [
          ...PACKET,
          ...times(n, (i) => [
            "r2 = r6",
            `r2 += ${2 * i + 2}`,
            "if r2 > r7 goto out",
            `r3 = *(u16 *)(r6 +${2 * i})`,
          ]),
          ...END,
        ],
      ),
  },
  {
    name: "options",
    counts: "parts of a packet of unknown length, each found by the one before",
    sizes: [16, 64, 256, 1024, 4096],
    make: (n) =>
      program(
        [],
        [
          ...PACKET,
          ...times(n, () => [
            "r2 = r6",
            "r2 += 1",
            "if r2 > r7 goto out",
            "r3 = *(u8 *)(r6 +0)",
            "r3 &= 15",
            "r6 += r3",
          ]),
          ...END,
        ],
      ),
  },
  {
    name: "calls",
    counts: "calls of a function that branches",
    sizes: SHORT,
    make: (n) =>
      program(
        [],
        [
          "r6 = r1",
          ...times(n, () => ["r1 = r6", "call f"]),
          ...END,
          "f:",
          "r0 = *(u32 *)(r1 +12)",
          "if r0 > 7 goto g",
          "r0 += 1",
          "g:",
          "exit",
        ],
      ),
  },
  {
    name: "spills",
    counts: "numbers that are spilled, filled and compared",
    sizes: SHORT,
    make: (n) =>
      program(
        [],
        [
          "r6 = r1",
          ...times(n, (i) => [
            "r2 = *(u32 *)(r6 +12)",
            `*(u64 *)(r10 -${8 * (i % 32) + 8}) = r2`,
            `r3 = *(u64 *)(r10 -${8 * (i % 32) + 8})`,
            `if r3 > ${i} goto m${i}`,
            `*(u64 *)(r10 -${8 * ((i + 1) % 32) + 8}) = r3`,
            `m${i}:`,
          ]),
          ...END,
        ],
      ),
  },
  {
    name: "loop",
    counts: "passages of a loop over the bytes of a map's value",
    sizes: [64, 256, 1024, 4096, 16384, 65536],
    make: (n) =>
      program(arrayOf(n), [
        "r0 = map_value[0]+0",
        "r6 = 0",
        "r7 = 0",
        "l:",
        "r1 = r0",
        "r1 += r6",
        "r2 = *(u8 *)(r1 +0)",
        "r7 ^= r2",
        "r6 += 1",
        `if r6 < ${n} goto l`,
        ...END,
      ]),
  },
];
