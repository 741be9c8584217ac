/**
 * What a certificate proves of a program, as far as its code gains by it. Facts are taken on trust: with a wrong one a program may read and write whatever lies in the machine's
 * memory, though never anything outside of it.
 */

/** By slot, what holds whenever the instruction is executed. */
export const FACT = {
  /** Nothing is known: every check is made. */
  none: 0,
  /** The load, store or atomic operation is within bytes in which nothing but the bytes matters (map values, packets, memory of helpers), and aligned as it must be. */
  bytes: 1,
  /** It is within a stack, aligned, of bytes that have been written if it is a load; a load gives a number. */
  stack: 2,
} as const;

/** For each slot one of `FACT`. */
export type Facts = Uint8Array;
