/**
 * The checkpoints at one instruction that states which come there are compared with. There may be dozens, and next to all of them differ in one
 * register or spilled one whose kind, bounds or offset tell. `Seen` keeps beside them what those must be, so that to rule one out takes the look at a few words, and none at
 * the state, which lies far off.
 */
import {
  differsIn,
  ELSEWHERE,
  isToldApart,
  sameFrames,
  TELLING_WORDS,
  tellingWords,
  tellNothing,
} from "../absint/inclusion.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** How often a checkpoint may miss, for each hit and one more, before it is not looked at again. */
const PATIENCE = 64;

/** The checkpoints at one instruction, and beside each a record of `RECORD` words in `facts`. */
export interface Seen {
  readonly checkpoints: Checkpoint[];
  facts: Int32Array;
  /** Those of them that are not finished. */
  readonly open: Checkpoint[];
}

/** What `tellingWords` writes, then the facts, then a word that is not used. */
const RECORD = 12;
const FACT = {
  /** The place that ruled the checkpoint out the last time, as `firstDifference` says. */
  hint: TELLING_WORDS,
  /** Misses until it is not looked at any more. */
  patience: TELLING_WORDS + 1,
  /** Where the checkpoint's state is. */
  state: TELLING_WORDS + 2,
} as const;

export const newSeen = (): Seen => ({
  checkpoints: [],
  facts: new Int32Array(4 * RECORD),
  open: [],
});

export function addSeen(seen: Seen, checkpoint: Checkpoint): void {
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
  seen.facts[at + FACT.state] = checkpoint.at;
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
  tellNothing(facts, checkpoints.lastIndexOf(checkpoint) * RECORD);
}

/** The last checkpoint that is not finished and in whose state the same calls are active as in `state`. */
export const lastOpen = ({ open }: Seen, state: number): Checkpoint | undefined =>
  open.findLast(({ at }) => sameFrames(at, state));

/**
 * The last of the checkpoints before `end` that may cover the live state `state`, as far as is seen without looking at it: -1 if there is none. Those that were passed
 * have missed, if that is to be noted; some may go, which are not before the one that is given.
 *
 * @param scratch  the address of a register that may be overwritten
 */
export function nextCandidate(
  seen: Seen,
  end: number,
  note: boolean,
  state: number,
  scratch: number,
): number {
  const { facts } = seen;
  for (let i = end - 1; i >= 0; i -= 1) {
    const at = i * RECORD;
    if (
      !isToldApart(facts, at) &&
      !differsIn(facts[at + FACT.state] ?? 0, state, facts[at + FACT.hint] ?? 0, scratch)
    ) {
      return i;
    }
    if (note) noteMiss(seen, i);
  }
  return -1;
}

/** The live state `state` differs from a checkpoint in `place`. */
export function noteDifference(
  { checkpoints, facts }: Seen,
  index: number,
  place: number,
  state: number,
): void {
  const at = index * RECORD;
  facts[at + FACT.hint] = place;
  const checkpoint = checkpoints[index];
  if (checkpoint !== undefined) tellingWords(checkpoint.at, state, place, facts, at);
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
