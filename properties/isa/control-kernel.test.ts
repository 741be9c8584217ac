/**
 * Claim: the instructions that compute nothing of their own (jumps without a condition, near and far, calls of the program's functions, constants of 64 bits) do here, interpreted and
 * compiled, what they do on the running kernel.
 */
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadRaw } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import { runRaw } from "../../src/vm/raw.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/isa/control-kernel skipped: ${kernel.reason}`);

const FAR = "r0 += 3\n".repeat(33_000);
/** Over the code in between at first, through it the second time. */
const turns = (goto: string, between: string): string => `
    r0 = 1
    r6 = 0
   again:
    r6 += 1
    if r6 == 2 goto through
    ${goto} over
   through:
    ${between}
   over:
    r0 *= 5
    if r6 == 2 goto end
    ${goto} again
   end:
    exit`;

const constants = [
  "0x0",
  "0x7fffffff",
  "0x80000000",
  "0xffffffff",
  "0x100000000",
  "0x7fffffffffffffff",
  "0x8000000000000000",
  "0xffffffffffffffff",
  "0xffffffff80000000",
];

/** Programs, by name; their result has 64 bits. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ["goto", turns("goto", "r0 += 3\n")],
  ["gotol, over what no other jump reaches", turns("gotol", FAR)],
  [
    "calls: arguments, the result, and what callers keep",
    `r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\nr6 = 600\nr7 = 7000\nr8 = 80000\nr9 = 900000
     *(u64 *)(r10 -8) = 13
     call one
     r1 = *(u64 *)(r10 -8)
     r0 += r1\nr0 += r6\nr0 += r7\nr0 += r8\nr0 += r9
     exit
    one:
     r6 = r1\nr7 = r2\nr8 = r3\nr9 = r4
     *(u64 *)(r10 -8) = 77
     r0 = r5\nr0 <<= 40
     r0 += r6\nr0 += r7\nr0 += r8\nr0 += r9
     r1 = r0
     call two
     exit
    two:
     r0 = r1\nr6 = 1\nr7 = 2\nr8 = 3\nr9 = 4
     exit`,
  ],
  [
    "calls into the caller's stack",
    `r1 = r10\nr1 += -8\n*(u64 *)(r10 -8) = 5\ncall store\nr0 = *(u64 *)(r10 -8)\nexit
    store:
     r2 = *(u64 *)(r1 +0)\nr2 <<= 33\n*(u64 *)(r1 +0) = r2\nr0 = 0\nexit`,
  ],
  ...constants.map((n) => [`the constant ${n}`, `r0 = ${n} ll\nexit`] as const),
];

/** A word of the result. */
const half = (text: string, isHigh: boolean): string =>
  isHigh ? `call whole\nr0 >>= 32\nexit\nwhole:\n${text}` : `call whole\nexit\nwhole:\n${text}`;

describe.skipIf(!kernel.ok)(`control agrees with the kernel${because}`, () => {
  test.each(PROGRAMS)("%s", (_, text) => {
    for (const isHigh of [false, true]) {
      const insns = assemble(half(text, isHigh));
      const loaded = loadRaw({ type: "xdp", insns: encode(insns) }, { logLevel: 0 });
      if (loaded.verdict === "reject") throw new Error(loaded.message);
      const run = testRun(loaded.fd, { packet: new Uint8Array(64) });
      loaded.close();
      if (!run.ran) throw new Error(run.message);
      for (const how of ["interpreted", "compiled"] as const) {
        const here = runRaw(insns, new Uint8Array(0), how);
        if (here.outcome === "fault") throw new Error(here.fault.message);
        expect(Number(here.r0 & 0xffff_ffffn), how).toBe(run.retval);
      }
    }
  });
});
