/**
 * What generated code knows of frames: how deep the run is, and for each depth a record at `FRAMES_AT`. Compiled code enters and leaves frames by these alone; the state's list of frames
 * follows when the machine is called (`jit/frames.ts`).
 */
import { FRAMES_AT, memoryWords } from "./memory.ts";

export const FRAME_SIZE = 32;

/** Offsets in a record. */
export const FRAME = {
  /** u32: the record of the stack's region, that of the last frame of this depth if there is none; 0 if there has never been one. */
  stack: 0,
  /** u32: not 0 if the state has no frame for this: the slot that it returns to, with `CALLED_BACK` if a helper has called it. */
  pending: 4,
  /** The rest is of functions that bpf_loop calls. u32: how often it has done so before, and how often it will in all. */
  done: 8,
  runs: 12,
  /** u32: the record of the region of what the function is given, and the function's first slot; i64: the value of what it is given. */
  contextRegion: 16,
  entry: 20,
  context: 24,
} as const;

/** In `pending`. */
export const CALLED_BACK = 2 ** 31;

/** u32: the depth, 0 for the main program, times `FRAME_SIZE`. */
export const DEPTH_AT = FRAMES_AT;
/** The record of depth 0. There is one more than there are frames, whose stack is never there. */
export const FIRST_FRAME_AT = FRAMES_AT + FRAME_SIZE;

const word = (depth: number, offset: number): number => (FIRST_FRAME_AT + FRAME_SIZE * depth + offset) >> 2;

export const depthNow = (): number => (memoryWords[DEPTH_AT >> 2] ?? 0) / FRAME_SIZE;

export function setDepth(depth: number): void {
  memoryWords[DEPTH_AT >> 2] = FRAME_SIZE * depth;
}

/** A word of the record of a depth, by its offset. */
export const frameWord = (depth: number, offset: number): number => memoryWords[word(depth, offset)] ?? 0;

export function setFrameWord(depth: number, offset: number, value: number): void {
  memoryWords[word(depth, offset)] = value;
}
