/** The cross-check can fail: runs of one program do not stay inside the certificate of another that knows too much. */
import { describe, expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "../verifier/verify.ts";
import { Machine } from "../vm/machine.ts";
import { CertificateWalk } from "./walk.ts";

const program = (asm: string): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm.split(";")),
  maps: [],
  lines: [],
  functions: [],
});

const PACKET = Uint8Array.from({ length: 64 }, (_, i) => i + 0x81);

/** What a run of `real` shows against the certificate of `claimed`. */
function escapeOf(real: Program, claimed: Program): string | undefined {
  const verdict = verify(claimed);
  if (verdict.verdict !== "accept") throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  const walk = new CertificateWalk(claimed, verdict.certificate);
  walk.start();
  new Machine(real).run({ packet: PACKET }, walk.observe);
  return walk.escape?.message;
}

const READ =
  "r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r4 = r2; r4 += 14; if r4 > r3 goto out; r6 = *(u8 *)(r2 +0); r7 = *(u8 *)(r2 +1)";
const END = "out:; r0 = 2; exit";

test("a run of the certified program stays inside", () => {
  const p = program(`${READ}; r6 &= 15; ${END}`);
  expect(escapeOf(p, p)).toBeUndefined();
});

// The packet begins with 0x81, 0x82. Each claim is what a wrong operator would make of the real instruction.
describe("a wrong abstract operator is found by the first run that it misses", () => {
  test.each([
    ["a mask that is too narrow", "r6 &= 255", "r6 &= 15", /^R6 is 0x81, not scalar\(/],
    ["an addition without its carry", "r6 += r7", "r6 ^= r7", /^R6 is 0x103/],
    [
      "an arithmetic shift taken for a logical one",
      "r6 <<= 56; r6 s>>= 56",
      "r6 <<= 56; r6 >>= 56",
      /^R6 is 0xff/,
    ],
    ["a 32-bit move that keeps the upper half", "r6 = -1; w6 = w6", "r6 = -1; r6 = r6", /^R6 is 0xffffffff/],
    [
      "a branch refined on the wrong side",
      "if r6 < 100 goto out; r0 = 1",
      "if r6 > 100 goto out; r0 = 1",
      /went on to|R6 is/,
    ],
    ["a constant that is another", "r8 = 7", "r8 = 8", /^R8 is 0x7, not 8/],
    ["a store of another value", "*(u64 *)(r10 -8) = 1", "*(u64 *)(r10 -8) = 2", /^fp-8 is 0x1, not 2/],
    ["a pointer moved by another amount", "r8 = r2; r8 += 2", "r8 = r2; r8 += 3", /^R8 is packet \+ 2/],
    ["a pointer into other memory", "r8 = r10", "r8 = r2", /^R8 is stack \+ 0/],
    ["a register that was never written", "r8 = 1; r8 = 1", "r9 = 1; r8 = 1", /^R9 is nothing/],
  ])("%s", (_, real, claimed, message) => {
    expect(escapeOf(program(`${READ}; ${real}; ${END}`), program(`${READ}; ${claimed}; ${END}`))).toMatch(
      message,
    );
  });

  test("a packet that is shorter than claimed", () => {
    const real = program(
      `r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r4 = r2; r4 += 70; if r4 < r3 goto in; r0 = 1; exit; in:; r0 = 2; exit`,
    );
    const claimed = program(
      `r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r4 = r2; r4 += 70; if r4 > r3 goto in; r0 = 1; exit; in:; r0 = 2; exit`,
    );
    expect(escapeOf(real, claimed)).toMatch(/^R[24] is packet/);
  });
});

test("both ways of a jump to the next instruction are followed", () => {
  for (const condition of ["r6 > 100", "r6 < 100"]) {
    const p = program(`${READ}; if ${condition} goto next; next:; r0 = r6; r0 += 1; ${END}`);
    expect(escapeOf(p, p)).toBeUndefined();
  }
});
