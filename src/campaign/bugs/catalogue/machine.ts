/** Faults of what runs: instructions and helpers that do something else than the verifier takes them to do. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("R");

const ALU = "semantics/isa/alu";
const RESULT =
  "result: width === 32 ? widen(entry.result(low32(DST), low32(SRC), 32)) : entry.result(DST, SRC, 64),";

export const MACHINE: readonly SeededBug[] = [
  bug(
    "mod32-by-zero-keeps-the-upper-half",
    "machine",
    "CVE-2021-3444, 9b00f1b78809",
    "a 32-bit remainder by zero leaves the upper half of its destination",
    edit(
      ALU,
      RESULT,
      'result: width === 32 && op === "mod" ? ite(eq(low32(SRC), constant(32, 0)), DST, widen(entry.result(low32(DST), low32(SRC), 32))) : width === 32 ? widen(entry.result(low32(DST), low32(SRC), 32)) : entry.result(DST, SRC, 64),',
    ),
  ),
  bug(
    "div32-tests-the-whole-divisor",
    "machine",
    "CVE-2021-3600, e88b2c6e5a4d",
    "a 32-bit division asks whether all 64 bits of its divisor are zero",
    edit(
      ALU,
      RESULT,
      'result: width === 32 && op === "div" ? ite(eq(SRC, constant(64, 0)), constant(64, 0), ite(eq(low32(SRC), constant(32, 0)), constant(64, 0xffffffffn), widen(entry.result(low32(DST), low32(SRC), 32)))) : width === 32 ? widen(entry.result(low32(DST), low32(SRC), 32)) : entry.result(DST, SRC, 64),',
    ),
  ),
  bug(
    "sdiv32-of-the-minimum",
    "machine",
    "CVE-2026-31525",
    "a signed 32-bit division of the least number gives 0",
    edit(
      ALU,
      "unlessZero(src, sdiv(dst, src), constant(n, 0))",
      "unlessZero(src, n === 32 ? ite(eq(dst, constant(n, 0x80000000n)), constant(n, 0), sdiv(dst, src)) : sdiv(dst, src), constant(n, 0))",
    ),
  ),
  bug(
    "cmpxchg32-keeps-the-upper-half",
    "machine",
    "39491867ace5, 2021: zero extension of 32-bit compare and exchange",
    "a 32-bit compare and exchange that succeeds leaves the upper half of register 0",
    edit(
      "semantics/isa/atomic",
      "r0: widen(loaded(size)),",
      "r0: ite(eq(loaded(size), operand(size, R0)), R0, widen(loaded(size))),",
    ),
  ),
  bug(
    "movsx32-without-zero-extension",
    "machine",
    "zero extension of sign-extending moves, Linux 6.6",
    "a sign-extending move of 32 bits fills the upper half with the sign",
    edit(ALU, "result: widen(sext(width, extract(from, SRC))),", "result: sext(64, extract(from, SRC)),"),
  ),
  bug(
    "swap16-keeps-the-rest",
    "machine",
    "byte swaps of 16 bits, Linux 6.6",
    "a byte swap of 16 bits leaves the bits above",
    edit(
      ALU,
      "result: widen(entry.swap(extract(bits, DST))) },",
      "result: bits === 16 ? or(and(DST, constant(64, -65536n)), widen(entry.swap(extract(bits, DST)))) : widen(entry.swap(extract(bits, DST))) },",
    ),
  ),
  bug(
    "shift32-count-of-64-bits",
    "machine",
    "shift counts in interpreters",
    "a 32-bit shift takes its count modulo 64, so that large counts clear all",
    edit(ALU, "return and(src, constant(width, width - 1));", "return and(src, constant(width, 63));"),
  ),
  bug(
    "jsgt32-without-sign",
    "machine",
    "conditional jumps of 32 bits in just-in-time compilers and interpreters, 2019",
    "a signed comparison of 32 bits compares unsigned",
    edit(
      "semantics/isa/jump",
      "taken: (dst, src) => sgt(dst, src) },",
      "taken: (dst, src, n) => (n === 32 ? ugt(dst, src) : sgt(dst, src)) },",
    ),
  ),
  bug(
    "one-tail-call-more",
    "machine",
    "MAX_TAIL_CALL_CNT off by one, 2021",
    "a program may do one tail call more than it should",
    edit("vm/helpers/output", "call.run.tailCalls < MAX_TAIL_CALLS", "call.run.tailCalls <= MAX_TAIL_CALLS"),
  ),
];
