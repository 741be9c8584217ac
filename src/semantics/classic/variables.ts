/** The variables that the effects of classic instructions speak of. */
import { variable } from "../term/build.ts";
import type { Term } from "../term/node.ts";

/** The accumulator before the instruction. */
export const A: Term<32> = variable("a", 32);
/** The index register before the instruction. */
export const X: Term<32> = variable("x", 32);
/** The instruction's own operand. */
export const K: Term<32> = variable("k", 32);
/** The scratch word that `k` names. */
export const WORD: Term<32> = variable("word", 32);
/** What the packet holds at the instruction's address, by size in bytes, read as a little-endian number. */
export const LOADED = {
  1: variable("loaded", 8),
  2: variable("loaded", 16),
  4: variable("loaded", 32),
} as const;
/** The packet's length in bytes; that of `struct seccomp_data` for seccomp. */
export const LENGTH: Term<32> = variable("length", 32);
/** What Linux knows of the packet beside its bytes: the number that an extension asks for. */
export const FIELD: Term<32> = variable("field", 32);
