/**
 * The checkpoints at one instruction that states which come there are compared with. There may be dozens, and next to all of them differ in one
 * register or spilled one whose kind, bounds or offset tell. `Seen` keeps beside them what those must be, so that to rule one out takes the look at a few words, and none at
 * the state, which lies far off.
 */
import { arena } from "../absint/arena.ts";
import { differsIn, ELSEWHERE, sameFrames } from "../absint/inclusion.ts";
import { isToldApart, TELLING_WORDS, tellingWords, tellNothing } from "../absint/telling.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isUnmet, tellUnmet } from "./finished.ts";

/** How often a checkpoint may miss, for each hit and one more, before it is not looked at again. */
const PATIENCE = 64;

/** The checkpoints at one instruction, and beside each a record of `RECORD` words in `facts`. */
export interface Seen {
  readonly checkpoints: Checkpoint[];
  facts: Int32Array;
  /** Those of them that are not finished. */
  readonly open: Checkpoint[];
}

/** What `tellingWords` writes, then the facts. */
const RECORD = 14;
const FACT = {
  /** The place that ruled the checkpoint out the last time, as `firstDifference` says, or `firstUnmet` if it is finished. */
  hint: TELLING_WORDS,
  /** Misses until it is not looked at any more. */
  patience: TELLING_WORDS + 1,
  /** Where the checkpoint's state is; 0 if it is finished. */
  state: TELLING_WORDS + 2,
  /** What calls are active in it (shapes.ts). */
  shape: TELLING_WORDS + 3,
} as const;

export const newSeen = (): Seen => ({
  checkpoints: [],
  facts: new Int32Array(4 * RECORD),
  open: [],
});

/** @param shape  of the checkpoint's state */
export function addSeen(seen: Seen, checkpoint: Checkpoint, shape: number): void {
  const at = seen.checkpoints.length * RECORD;
  if (at === seen.facts.length) {
    const longer = new Int32Array(2 * at);
    longer.set(seen.facts);
    seen.facts = longer;
  }
  seen.checkpoints.push(checkpoint);
  if (checkpoint.rank < 0) seen.open.push(checkpoint);
  tellNothing(seen.facts, at);
  seen.facts[at + FACT.hint] = ELSEWHERE;
  seen.facts[at + FACT.patience] = PATIENCE;
  seen.facts[at + FACT.state] = checkpoint.rank < 0 ? checkpoint.at : 0;
  seen.facts[at + FACT.shape] = shape;
}

export function removeSeen({ checkpoints, facts, open }: Seen, index: number): void {
  facts.copyWithin(index * RECORD, (index + 1) * RECORD, checkpoints.length * RECORD);
  for (const removed of checkpoints.splice(index, 1)) {
    const at = open.lastIndexOf(removed);
    if (at >= 0) open.splice(at, 1);
  }
}

/** A checkpoint is finished, and its state is another from now on: what it was told apart by does not hold any more. */
export function noteFinished({ checkpoints, facts, open }: Seen, checkpoint: Checkpoint): void {
  const at = open.lastIndexOf(checkpoint);
  if (at < 0) return;
  open.splice(at, 1);
  const record = checkpoints.lastIndexOf(checkpoint) * RECORD;
  if (record < 0) return;
  tellNothing(facts, record);
  facts[record + FACT.hint] = ELSEWHERE;
  facts[record + FACT.state] = 0;
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
  const { facts } = seen;
  const live = arena.i32;
  for (let i = end - 1; i >= 0; i -= 1) {
    const at = i * RECORD;
    if (
      facts[at + FACT.shape] === shape &&
      !isToldApart(live, facts, at) &&
      !differsAsBefore(facts, at, state, scratch)
    ) {
      return i;
    }
    if (note) noteMiss(seen, i);
  }
  return -1;
}

/** Whether the state differs in the place that made the difference the last time. */
function differsAsBefore(facts: Int32Array, at: number, state: number, scratch: number): boolean {
  const hint = facts[at + FACT.hint] ?? 0;
  if (hint === ELSEWHERE) return false;
  const outer = facts[at + FACT.state] ?? 0;
  return outer === 0 ? isUnmet(hint, state) : differsIn(outer, state, hint, scratch);
}

/** The live state `state` differs from a checkpoint in `place`, as `firstDifference` gives it, or `firstUnmet` if the checkpoint is finished. */
export function noteDifference(
  { checkpoints, facts }: Seen,
  index: number,
  place: number,
  state: number,
): void {
  const at = index * RECORD;
  facts[at + FACT.hint] = place;
  const checkpoint = checkpoints[index];
  if (checkpoint === undefined || place === ELSEWHERE) tellNothing(facts, at);
  else if (checkpoint.rank >= 0) tellUnmet(place, state, facts, at);
  else tellingWords(checkpoint.at, state, place, facts, at);
}

/** It did not cover a state that is to be stored: one that keeps missing is taken away; it stays what its parents rest on. */
export function noteMiss(seen: Seen, index: number): void {
  const at = index * RECORD + FACT.patience;
  const left = (seen.facts[at] ?? 0) - 1;
  seen.facts[at] = left;
  if (left < 0) removeSeen(seen, index);
}

export function noteHit({ facts }: Seen, index: number): void {
  const at = index * RECORD + FACT.patience;
  facts[at] = (facts[at] ?? 0) + PATIENCE;
}
