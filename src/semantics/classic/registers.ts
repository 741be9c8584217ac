/** Where a converted filter keeps the classic machine's registers: Linux's choice. */
import { SCRATCH_WORDS } from "./instruction.ts";

export const REGISTERS = { A: 0, X: 7, CONTEXT: 6, NUMBER: 2, STACK: 10 } as const;

/** The stack's offset of a scratch word. */
export const scratchOffset = (word: number): number => -4 * (SCRATCH_WORDS - word);
