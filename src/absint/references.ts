/**
 * What a program has acquired and must give back before it ends: kernel objects, records of ring buffers, locks. In the order of
 * acquisition, each under an id that the pointers carry as their `reference`.
 *
 * γ: an abstract state stands for concrete ones in which exactly these are held.
 */
import { Unsupported } from "../semantics/errors.ts";
import { arena } from "./arena.ts";
import {
  MAX_FRAMES,
  MAX_REFERENCES,
  referenceAt,
  referenceCount,
  STACK_BYTES,
  setReferenceCount,
} from "./state.ts";

export const REFERENCE = {
  /** An object that a helper or kernel function gave out. */
  object: 1,
  /** A spin lock; the id is the one of the pointer that it was taken through, or negative for the lock of a certain map. */
  lock: 2,
  /** Saved interrupt flags; the id is their place on the stack. */
  interrupts: 3,
  /** An iterator; the id is its place on the stack. */
  iterator: 4,
  /** A resilient spin lock, and one that was taken with interrupts off; ids are as those of spin locks. */
  resilientLock: 5,
  resilientLockIrq: 6,
  /** A dynptr of a file that the program holds, and may give back only after it. */
  heldFile: 7,
} as const;

/** Whether the reference is a lock of any kind. */
export const isLock = (kind: number): boolean =>
  kind === REFERENCE.lock || kind === REFERENCE.resilientLock || kind === REFERENCE.resilientLockIrq;

export type ReferenceKind = (typeof REFERENCE)[keyof typeof REFERENCE];

/** Ids of places are below those of locks. */
const PLACES = 1 << 20;
const SLOTS = STACK_BYTES / 8;

/** The id of what lies in a certain stack slot: the same in every state. */
export const placeId = (frame: number, slot: number): number => -PLACES - frame * SLOTS - slot;
export const isPlaceId = (id: number): boolean => id <= -PLACES && id > -PLACES - MAX_FRAMES * SLOTS;
/** The frame of a place that `isPlaceId` has told for one. */
export const placeFrame = (id: number): number => Math.floor((-id - PLACES) / SLOTS);

/** An id as messages have it. */
export const shownId = (id: number): number => (isPlaceId(id) ? 1 - PLACES - id : id);

const word = (at: number): number => arena.i32[at >> 2] ?? 0;

export interface Reference {
  readonly id: number;
  readonly kind: number;
  /** The instruction that acquired it. */
  readonly insn: number;
}

/** The reference at a position, in the order of acquisition. */
export function referenceOfState(state: number, index: number): Reference {
  const at = referenceAt(state, index);
  const rest = word(at + 4);
  return { id: word(at), kind: rest & 0xff, insn: rest >>> 8 };
}

export const referenceId = (state: number, index: number): number => word(referenceAt(state, index));
export const referenceKind = (state: number, index: number): number =>
  word(referenceAt(state, index) + 4) & 0xff;

/**
 * Adds a reference.
 *
 * @throws Unsupported  if the state holds as many as it can
 */
export function acquireReference(state: number, id: number, kind: ReferenceKind, insn: number): void {
  const count = referenceCount(state);
  if (count === MAX_REFERENCES) throw new Unsupported(`more than ${MAX_REFERENCES} references held at once`);
  const at = referenceAt(state, count);
  arena.i32[at >> 2] = id;
  arena.i32[(at >> 2) + 1] = kind | (insn << 8);
  setReferenceCount(state, count + 1);
}

/** Whether the reference with this id is held. */
export function holdsReference(state: number, id: number): boolean {
  for (let i = 0; i < referenceCount(state); i += 1) if (referenceId(state, i) === id) return true;
  return false;
}

/** Whether a lock with this id is held that is meant, by its kind. */
export function holdsLockReference(state: number, id: number, isMeant: (kind: number) => boolean): boolean {
  for (let i = 0; i < referenceCount(state); i += 1) {
    if (referenceId(state, i) === id && isMeant(referenceKind(state, i))) return true;
  }
  return false;
}

/** Removes the lock of that kind with this id; says whether it was held. The lock of an object may have the id of the object. */
export const releaseLockReference = (
  state: number,
  id: number,
  kind: ReferenceKind = REFERENCE.lock,
): boolean => removeReference(state, id, (found) => found === kind);

/** Removes the reference with this id that is no lock; says whether it was held. */
export const releaseReference = (state: number, id: number): boolean =>
  removeReference(state, id, (kind) => !isLock(kind));

function removeReference(state: number, id: number, isMeant: (kind: number) => boolean): boolean {
  const count = referenceCount(state);
  for (let i = 0; i < count; i += 1) {
    if (referenceId(state, i) !== id || !isMeant(referenceKind(state, i))) continue;
    const at = referenceAt(state, i);
    const end = referenceAt(state, count);
    arena.u8.copyWithin(at, at + 8, end);
    // Equal states are equal bytes.
    arena.u8.fill(0, end - 8, end);
    setReferenceCount(state, count - 1);
    return true;
  }
  return false;
}

/** The position of the reference that was acquired last of those of a kind; -1 if there is none. */
export const lastReference = (state: number, kind: ReferenceKind): number =>
  lastOf(state, (found) => found === kind);

/** The position of the lock that was taken last; -1 if none is held. */
export const lastLock = (state: number): number => lastOf(state, isLock);

function lastOf(state: number, isMeant: (kind: number) => boolean): number {
  let i = referenceCount(state) - 1;
  while (i >= 0 && !isMeant(referenceKind(state, i))) i -= 1;
  return i;
}
