/** The words of the machine's memory by which compiled code and the machine tell each other where they are, at `CONTROL_AT`. */
import { CONTROL_AT, memoryWords } from "../memory.ts";

const BASE = CONTROL_AT + 64;

export const CONTROL = {
  /** i64: how many more instructions may be executed. */
  fuel: BASE,
  /** u32: the slot of the exit by which a function has ended. */
  exit: BASE + 8,
  /** u32: how often may_goto has fallen through in a function that leaves the rest to the interpreter. */
  loops: BASE + 12,
} as const;

const WORD = 2 ** 32;

export function fuelLeft(): number {
  return ((memoryWords[(CONTROL.fuel >> 2) + 1] ?? 0) | 0) * WORD + (memoryWords[CONTROL.fuel >> 2] ?? 0);
}

export function setFuel(fuel: number): void {
  memoryWords[CONTROL.fuel >> 2] = fuel;
  memoryWords[(CONTROL.fuel >> 2) + 1] = Math.floor(fuel / WORD);
}
