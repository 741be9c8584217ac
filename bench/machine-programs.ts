/**
 * The programs of the machine's benchmark: each as an XDP program, which reads and writes its packet, and as a program on bare memory (r1 points to it), which other
 * machines run. What they compute in their loops is the same.
 */
import { FUNCTION_TYPES, TYPES_OF_PROGRAMS } from "../src/campaign/generate/types.ts";
import { assemble } from "../src/semantics/isa/assemble.ts";
import type { Program, Slots } from "../src/semantics/program/program.ts";

export interface Case {
  readonly name: string;
  /** Bytes of memory or packet that the program needs. */
  readonly bytes: number;
  /** How often the whole loop is gone round on bare memory, so that a run takes long enough to be timed from outside. */
  readonly repeats: number;
  /** How often the loop is gone round in a packet program, and how often where the kernel's verifier has to follow every round. */
  readonly rounds: number;
  readonly verifiableRounds: number;
  /** The loop, with the data in r2. It may use r0 and r3 to r8. */
  readonly body: (rounds: number) => string;
  /** A function that it calls, of two arguments, and whether a helper of the kernel does so. */
  readonly function?: { readonly text: string; readonly calledBy: "program" | "helper" };
}

export const CASES: readonly Case[] = [
  {
    name: "arithmetic loop",
    bytes: 64,
    repeats: 20,
    rounds: 10_000_000,
    verifiableRounds: 100_000,
    body: (rounds) => `
      r0 = 1
      r3 = ${rounds}
    again:
      r0 *= 33
      r0 ^= r3
      r0 += 7
      r3 -= 1
      if r3 != 0 goto again`,
  },
  {
    name: "byte copy, 1,500 bytes",
    bytes: 3000,
    repeats: 100_000,
    rounds: 1500,
    verifiableRounds: 1500,
    body: (rounds) => `
      r3 = 0
    again:
      r4 = r2
      r4 += r3
      r5 = *(u8 *)(r4 +0)
      *(u8 *)(r4 +1500) = r5
      r3 += 1
      if r3 < ${rounds} goto again`,
  },
  {
    name: "32-bit hash, 1,500 bytes",
    bytes: 1500,
    repeats: 100_000,
    rounds: 1500,
    verifiableRounds: 1500,
    body: (rounds) => `
      r3 = 0
      w0 = 0
    again:
      r4 = r2
      r4 += r3
      r5 = *(u8 *)(r4 +0)
      w0 += w5
      w6 = w0
      w6 <<= 10
      w0 += w6
      w6 = w0
      w6 >>= 6
      w0 ^= w6
      r3 += 1
      if r3 < ${rounds} goto again`,
  },
  {
    name: "branches, by chance",
    bytes: 64,
    repeats: 20,
    rounds: 1_000_000,
    verifiableRounds: 10_000,
    body: (rounds) => `
      r0 = 1
      r3 = ${rounds}
      r4 = 12345
    again:
      r4 *= 1103515245
      r4 += 12345
      r5 = r4
      r5 >>= 16
      r5 &= 3
      if r5 == 0 goto zero
      if r5 == 1 goto one
      if r5 == 2 goto two
      r0 += 1
      goto next
    zero:
      r0 += 3
      goto next
    one:
      r0 ^= 5
      goto next
    two:
      r0 -= 1
    next:
      r3 -= 1
      if r3 != 0 goto again`,
  },
  {
    name: "branches in turn",
    bytes: 64,
    repeats: 20,
    rounds: 1_000_000,
    verifiableRounds: 10_000,
    body: (rounds) => `
      r0 = 1
      r3 = ${rounds}
    again:
      r5 = r3
      r5 &= 3
      if r5 == 0 goto zero
      if r5 == 1 goto one
      if r5 == 2 goto two
      r0 += 1
      goto next
    zero:
      r0 += 3
      goto next
    one:
      r0 ^= 5
      goto next
    two:
      r0 -= 1
    next:
      r3 -= 1
      if r3 != 0 goto again`,
  },
  {
    name: "loads and stores on the stack",
    bytes: 64,
    repeats: 20,
    rounds: 1_000_000,
    verifiableRounds: 100_000,
    body: (rounds) => `
      r3 = ${rounds}
      r4 = 0
      *(u64 *)(r10 -8) = r4
    again:
      r4 = *(u64 *)(r10 -8)
      r4 += 3
      *(u64 *)(r10 -8) = r4
      r3 -= 1
      if r3 != 0 goto again
      r0 = 0`,
  },
  {
    name: "calls of a function",
    bytes: 64,
    repeats: 20,
    rounds: 1_000_000,
    verifiableRounds: 10_000,
    body: (rounds) => `
      r6 = ${rounds}
      r7 = 1
    again:
      r1 = r7
      r2 = r6
      call function
      r7 = r0
      r6 -= 1
      if r6 != 0 goto again`,
    function: {
      calledBy: "program",
      text: `
      r0 = r1
      r0 *= 33
      r0 ^= r2
      exit`,
    },
  },
  {
    name: "bpf_loop",
    bytes: 64,
    repeats: 20,
    rounds: 1_000_000,
    verifiableRounds: 1_000_000,
    body: (rounds) => `
      *(u64 *)(r10 -8) = 0
      r1 = ${rounds}
      r2 = func function
      r3 = r10
      r3 += -8
      r4 = 0
      call bpf_loop`,
    function: {
      calledBy: "helper",
      text: `
      r3 = *(u64 *)(r2 +0)
      r3 += r1
      *(u64 *)(r2 +0) = r3
      r0 = 0
      exit`,
    },
  },
];

const functionText = (given: Case): string =>
  given.function === undefined ? "" : `function:\n${given.function.text}`;

/** @param repeats  how often the whole loop is gone round */
export function packetProgram(given: Case, rounds: number, repeats = 1): Program {
  const { name, bytes, body } = given;
  const [before, behind] =
    repeats === 1 ? ["", ""] : [`r9 = ${repeats}\nrepeat:`, "r9 -= 1\nif r9 != 0 goto repeat"];
  const insns = assemble(`
      r2 = *(u32 *)(r1 +0)
      r3 = *(u32 *)(r1 +4)
      r4 = r2
      r4 += ${bytes}
      if r4 > r3 goto out
      ${before}
      ${body(rounds)}
      ${behind}
    out:
      r0 = 2
      exit
    ${functionText(given)}`);
  const plain = { name, type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [] } as const;
  if (given.function?.calledBy !== "helper") return { ...plain, functions: [] };
  // The kernel wants to know the types of functions that helpers call.
  const at = insns.length - assemble(given.function.text).length;
  const functions = [
    { insn: 0, name: "main", typeId: FUNCTION_TYPES.main },
    { insn: at, name: "function", typeId: FUNCTION_TYPES.callback, linkage: "static" as const },
  ];
  return { ...plain, functions, btf: TYPES_OF_PROGRAMS };
}

/** Ends with a hash of nothing in particular in r0, which is the same wherever it runs. */
export function rawProgram(given: Case, repeats: number): Slots {
  const { body, rounds } = given;
  return assemble(`
      r9 = ${repeats}
      r2 = r1
    repeat:
      ${body(rounds)}
      r9 -= 1
      if r9 != 0 goto repeat
      exit
    ${functionText(given)}`);
}
