/**
 * The checkpoints at one instruction that states which come there are compared with. There may be dozens, and next to all of them differ in one
 * register that is a constant or a pointer with a constant offset in them. `Seen` keeps what it must be beside them, so that to rule one out takes the look
 * at one word.
 */
import { arena } from "../absint/arena.ts";
import { ELSEWHERE, tellingWord } from "../absint/inclusion.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** How often a checkpoint may miss, for each hit and one more, before it is not looked at again. */
const PATIENCE = 64;

/** Lists of one length. */
export interface Seen {
  readonly checkpoints: Checkpoint[];
  /** The places that ruled them out the last time, as `firstDifference` says. */
  readonly hints: number[];
  /** The word of the live state (an index into `arena.i32`) that must be the one in `values`; negative, if at least that; or one of `NO_WORD`. */
  readonly words: number[];
  readonly values: number[];
  /** Misses until it is not looked at any more. */
  readonly patience: number[];
}

/** No word belongs to a state whose index is so small. */
const NO_WORD = { yet: 0, atAll: 1 } as const;

export const newSeen = (): Seen => ({ checkpoints: [], hints: [], words: [], values: [], patience: [] });

export function addSeen(seen: Seen, checkpoint: Checkpoint): void {
  seen.checkpoints.push(checkpoint);
  seen.hints.push(ELSEWHERE);
  seen.words.push(NO_WORD.yet);
  seen.values.push(0);
  seen.patience.push(PATIENCE);
}

export function removeSeen(seen: Seen, index: number): void {
  for (const list of [seen.checkpoints, seen.hints, seen.words, seen.values, seen.patience]) {
    list.splice(index, 1);
  }
}

/** Whether a word alone shows that a checkpoint does not cover the live state. */
export function isRuledOut({ words, values }: Seen, index: number): boolean {
  const word = words[index] ?? NO_WORD.yet;
  if (word > NO_WORD.atAll) return arena.i32[word] !== values[index];
  return word < 0 && (arena.i32[-word] ?? 0) < (values[index] ?? 0);
}

/** The live state `state` differs from a checkpoint in `place`. */
export function noteDifference(seen: Seen, index: number, place: number, state: number): void {
  const checkpoint = seen.checkpoints[index];
  if (checkpoint === undefined || (seen.hints[index] === place && seen.words[index] !== NO_WORD.yet)) return;
  seen.hints[index] = place;
  seen.words[index] = NO_WORD.yet;
  // Only a finished checkpoint stays as it is; and what may be used inside of a loop alone is to be looked at in full.
  if (checkpoint.rank < 0 || checkpoint.loops.length > 0) return;
  const telling = tellingWord(checkpoint.at, state, place);
  seen.words[index] = telling === undefined ? NO_WORD.atAll : telling.atLeast ? -telling.word : telling.word;
  seen.values[index] = telling?.value ?? 0;
}

/** It did not cover a state that is to be stored: one that keeps missing is taken away; it stays what its parents rest on. */
export function noteMiss(seen: Seen, index: number): void {
  const left = (seen.patience[index] ?? 0) - 1;
  seen.patience[index] = left;
  if (left < 0) removeSeen(seen, index);
}

export function noteHit(seen: Seen, index: number): void {
  seen.patience[index] = (seen.patience[index] ?? 0) + PATIENCE;
}
