/**
 * What the rows of the instruction table are made of: the variables that their effects speak of, and the parts of an opcode byte.
 * Source: RFC 9669 sections 3 (encoding), 4.1 and 5.3 (results).
 */
import { extract, variable, zext } from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { Field, Fields, Size } from "./instruction.ts";

/** The destination register before the instruction. */
export const DST: Term<64> = variable("dst", 64);
/** The operand: the source register, or the immediate sign-extended to 64 bits. */
export const SRC: Term<64> = variable("src", 64);
/** Register 0 before the instruction. */
export const R0: Term<64> = variable("r0", 64);
/** What memory holds at the address, by access size in bytes, read as a little-endian number. */
export const LOADED = {
  1: variable("loaded", 8),
  2: variable("loaded", 16),
  4: variable("loaded", 32),
  8: variable("loaded", 64),
} as const;

/** The lower half of a register, which 32-bit instructions work on. */
export const low32 = (register: Term<64>): Term<32> => extract(32, register);
/** A 32-bit result as the register that holds it: the upper half becomes 0. */
export const widen = (result: Term): Term<64> => zext(64, result);

/** The lowest three bits of the opcode (RFC 9669 section 3.1). */
export const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;
/** Bit 3 of arithmetic and jump opcodes: whether the operand is a register. */
export const OPERAND_BIT = { imm: 0x00, reg: 0x08, none: 0x00 } as const;
/** Bits 3 and 4 of load and store opcodes. */
export const SIZE_BITS = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
/** The suffix of a load's or store's name. */
export const SIZE_SUFFIX = { 1: "b", 2: "h", 4: "w", 8: "dw" } as const;
export const SIZES: readonly Size[] = [1, 2, 4, 8];

/** Fields of which all are 0 but those given. */
export function fields(used: Partial<Record<keyof Fields, Field>>): Fields {
  return { dst: 0, src: 0, off: 0, imm: 0, immHigh: 0, ...used };
}
