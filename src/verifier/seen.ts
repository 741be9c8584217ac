/**
 * The checkpoints at one instruction that states which come there are compared with. There may be dozens, and next to all of them differ in one
 * register or spilled one whose kind, bounds or offset tell. `Seen` keeps beside them what those must be, so that to rule one out takes the look at a few words, and none at
 * the state, which lies far off.
 */
import { arena } from "../absint/arena.ts";
import { differsIn, ELSEWHERE, sameFrames } from "../absint/inclusion.ts";
import { isToldApart, TELLING, TELLING_WORDS, tellingWords, tellNothing } from "../absint/telling.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isUnmet, tellUnmet } from "./finished.ts";

/** How often a checkpoint may miss, for each hit and one more, before it is not looked at again. */
const PATIENCE = 64;

/** The checkpoints at one instruction, and beside each a record of `RECORD` words in `facts`, of `FIRST_WORDS` in `first`, and of one in `patience`. */
export interface Seen {
  readonly checkpoints: Checkpoint[];
  facts: Int32Array;
  /** The words that next to all are ruled out by, close to each other: dozens are looked at for each that is not. */
  first: Int32Array;
  /** Misses until it is not looked at any more. */
  patience: Int32Array;
  /** Those of them that are not finished. */
  readonly open: Checkpoint[];
}

/** What `tellingWords` writes, then the facts. */
const RECORD = 11;
const FACT = {
  /** The place that ruled the checkpoint out the last time, as `firstDifference` says, or `firstUnmet` if it is finished. */
  hint: TELLING_WORDS,
  /** Where the checkpoint's state is; 0 if it is finished. */
  state: TELLING_WORDS + 1,
} as const;

/** The first of what `tellingWords` writes, and what calls are active (shapes.ts). */
const FIRST_WORDS = 3;
const FIRST = { same: 0, value: 1, shape: 2 } as const;

export const newSeen = (): Seen => ({
  checkpoints: [],
  facts: new Int32Array(4 * RECORD),
  first: new Int32Array(4 * FIRST_WORDS),
  patience: new Int32Array(4),
  open: [],
});

function longer(words: Int32Array): Int32Array {
  const made = new Int32Array(2 * words.length);
  made.set(words);
  return made;
}

/** @param shape  of the checkpoint's state */
export function addSeen(seen: Seen, checkpoint: Checkpoint, shape: number): void {
  const index = seen.checkpoints.length;
  if (index === seen.patience.length) {
    seen.facts = longer(seen.facts);
    seen.first = longer(seen.first);
    seen.patience = longer(seen.patience);
  }
  seen.checkpoints.push(checkpoint);
  if (checkpoint.rank < 0) seen.open.push(checkpoint);
  seen.facts[index * RECORD + FACT.state] = checkpoint.rank < 0 ? checkpoint.at : 0;
  seen.first[index * FIRST_WORDS + FIRST.shape] = shape;
  seen.patience[index] = PATIENCE;
  forgetDifference(seen, index);
}

export function removeSeen({ checkpoints, facts, first, patience, open }: Seen, index: number): void {
  const removed = checkpoints[index];
  if (removed === undefined) return;
  const count = checkpoints.length;
  facts.copyWithin(index * RECORD, (index + 1) * RECORD, count * RECORD);
  first.copyWithin(index * FIRST_WORDS, (index + 1) * FIRST_WORDS, count * FIRST_WORDS);
  patience.copyWithin(index, index + 1, count);
  removeAt(checkpoints, index);
  removeAt(open, open.lastIndexOf(removed));
}

/** Takes one out of a list. (`splice` makes a list of what it takes out.) */
function removeAt(list: Checkpoint[], index: number): void {
  if (index < 0) return;
  for (let i = index + 1; i < list.length; i += 1) {
    const next = list[i];
    if (next !== undefined) list[i - 1] = next;
  }
  list.pop();
}

/** A checkpoint is finished, and its state is another from now on: what it was told apart by does not hold any more. */
export function noteFinished(seen: Seen, checkpoint: Checkpoint): void {
  const at = seen.open.lastIndexOf(checkpoint);
  if (at < 0) return;
  removeAt(seen.open, at);
  const index = seen.checkpoints.lastIndexOf(checkpoint);
  if (index < 0) return;
  seen.facts[index * RECORD + FACT.state] = 0;
  forgetDifference(seen, index);
}

/** Nothing is known any more of what tells a checkpoint's state apart. */
function forgetDifference(seen: Seen, index: number): void {
  tellNothing(seen.facts, index * RECORD);
  seen.facts[index * RECORD + FACT.hint] = ELSEWHERE;
  copyFirst(seen, index);
}

/** Copies the first words of what tells a checkpoint's state apart to where they are looked at. */
function copyFirst({ facts, first }: Seen, index: number): void {
  first[index * FIRST_WORDS + FIRST.same] = facts[index * RECORD + TELLING.same] ?? 0;
  first[index * FIRST_WORDS + FIRST.value] = facts[index * RECORD + TELLING.value] ?? 0;
}

/** The last checkpoint that is not finished and in whose state the same calls are active as in `state`. */
export const lastOpen = ({ open }: Seen, state: number): Checkpoint | undefined =>
  open.findLast(({ at }) => sameFrames(at, state));

/**
 * The last of the checkpoints before `end` that may cover the live state `state`, as far as is seen without looking at it: -1 if there is none. Those that were passed
 * have missed, if that is to be noted; some may go, which are not before the one that is given.
 *
 * @param shape  of the state
 * @param scratch  the address of a register that may be overwritten
 */
export function nextCandidate(
  seen: Seen,
  end: number,
  note: boolean,
  state: number,
  shape: number,
  scratch: number,
): number {
  const { facts, first } = seen;
  const live = arena.i32;
  let i = end - 1;
  for (; i >= 0; i -= 1) {
    const at = i * FIRST_WORDS;
    if (live[first[at] ?? 0] !== first[at + FIRST.value] || first[at + FIRST.shape] !== shape) continue;
    const record = i * RECORD;
    if (!isToldApart(live, facts, record) && !differsAsBefore(facts, record, state, scratch)) break;
  }
  if (note) for (let missed = end - 1; missed > i; missed -= 1) noteMiss(seen, missed);
  return i;
}

/** Whether the state differs in the place that made the difference the last time. */
function differsAsBefore(facts: Int32Array, at: number, state: number, scratch: number): boolean {
  const hint = facts[at + FACT.hint] ?? 0;
  if (hint === ELSEWHERE) return false;
  const outer = facts[at + FACT.state] ?? 0;
  return outer === 0 ? isUnmet(hint, state) : differsIn(outer, state, hint, scratch);
}

/** The live state `state` differs from a checkpoint in `place`, as `firstDifference` gives it, or `firstUnmet` if the checkpoint is finished. */
export function noteDifference(seen: Seen, index: number, place: number, state: number): void {
  const { checkpoints, facts } = seen;
  const at = index * RECORD;
  facts[at + FACT.hint] = place;
  const checkpoint = checkpoints[index];
  if (checkpoint === undefined || place === ELSEWHERE) tellNothing(facts, at);
  else if (checkpoint.rank >= 0) tellUnmet(place, state, facts, at);
  else tellingWords(checkpoint.at, state, place, facts, at);
  copyFirst(seen, index);
}

/** It did not cover a state that is to be stored: one that keeps missing is taken away; it stays what its parents rest on. */
export function noteMiss(seen: Seen, index: number): void {
  const left = (seen.patience[index] ?? 0) - 1;
  seen.patience[index] = left;
  if (left < 0) removeSeen(seen, index);
}

export function noteHit({ patience }: Seen, index: number): void {
  patience[index] = (patience[index] ?? 0) + PATIENCE;
}
