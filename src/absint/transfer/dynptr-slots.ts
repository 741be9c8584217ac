/**
 * Dynptrs on the stack: sixteen bytes in two slots that the kernel alone reads and writes.
 *
 * γ: the two slots are `BYTE.object` throughout, with records of kind `dynptr`: `object` is the kind of dynptr, `off` 0 in the slot with the lower address
 * and 8 in the other, and `reference` the same number in both, the dynptr's life. There is a dynptr of that kind, or an empty one. If its kind is
 * *owning* (`isOwning`), its life is a reference that the state holds, and the memory is there until that is released. The others own nothing: their memory
 * is there whatever becomes of the dynptr, but memory of a packet only until the packet changes.
 *
 * A slice, memory that a pointer was given to, carries the dynptr's life as its `reference`. Kernels let some slices die when the dynptr is
 * overwritten, or all of them; for safety that need not be, since what owns memory cannot be overwritten.
 */
import { allows } from "../../semantics/profile/lookup.ts";
import { noteSlotRead, setRewritten } from "../origins.ts";
import {
  FLAG,
  KIND,
  kindOf,
  objectOf,
  offOf,
  referenceOf,
  setOff,
  setPointer,
  setReference,
} from "../register.ts";
import { BYTE, clearSlot, depthOf, frameCount, setSlotByte, slotAt, slotByte, spilledAt } from "../state.ts";
import type { Machine } from "./machine.ts";
import { endPointers } from "./privileges.ts";
import { reject } from "./rejection.ts";

/** The kinds of dynptrs: what a record has as its `object`. */
export const DYNPTR = {
  local: 1,
  ringbuf: 2,
  skb: 3,
  xdp: 4,
  skbMeta: 5,
  /** Of any kind: the argument of a global function, and copies of it. Its memory is held by whoever made it, if it is owned. */
  any: 6,
  file: 7,
} as const;
export type DynptrKind = (typeof DYNPTR)[keyof typeof DYNPTR];

/** Slots of a dynptr. */
const SLOTS = 2;

/** Whether the dynptr's memory is held by the program and has to be given back. */
export const isOwning = (kind: number): boolean => kind === DYNPTR.ringbuf || kind === DYNPTR.file;

/** Whether the memory may lie in the packet, and so move. */
export const isInPacket = (kind: number): boolean =>
  kind === DYNPTR.skb || kind === DYNPTR.xdp || kind === DYNPTR.skbMeta || kind === DYNPTR.any;

/** Whether its slices may be the program's own buffer: the memory may be in several pieces, or elsewhere. */
export const mayGiveBuffer = (kind: number): boolean => isInPacket(kind) || kind === DYNPTR.file;

/** Whether what is written through it may make the packet move. */
export const isPacketBuffer = (kind: number): boolean =>
  kind === DYNPTR.skb || kind === DYNPTR.skbMeta || kind === DYNPTR.any;

/** A dynptr that may be used. */
export interface Dynptr {
  readonly kind: number;
  /** What its slices carry as their reference; 0 for those that the kernel keeps. */
  readonly life: number;
}

/** The record of an object in a slot of the frame; undefined if there is none. */
function recordAt(m: Machine, frame: number, slot: number): number | undefined {
  if (slot < 0 || slot >= depthOf(m.state, frame)) return undefined;
  const at = slotAt(m.state, frame, slot);
  return slotByte(at, 0) === BYTE.object ? spilledAt(at) : undefined;
}

/** Whether the slot is a part of a dynptr. */
export function isDynptrSlot(m: Machine, frame: number, slot: number): boolean {
  const record = recordAt(m, frame, slot);
  return record !== undefined && kindOf(record) === KIND.dynptr;
}

/** Whether the slot is a part of a dynptr that owns its memory. */
export function isOwningSlot(m: Machine, frame: number, slot: number): boolean {
  const record = recordAt(m, frame, slot);
  return record !== undefined && kindOf(record) === KIND.dynptr && isOwning(objectOf(record));
}

/** Makes the slot and the one above it a dynptr. Both are part of the frame, and no object. */
export function putDynptr(m: Machine, frame: number, slot: number, kind: number, life: number): void {
  for (let half = 0; half < SLOTS; half += 1) {
    const at = slotAt(m.state, frame, slot - half);
    for (let i = 0; i < 8; i += 1) setSlotByte(at, i, BYTE.object);
    const record = spilledAt(at);
    setPointer(record, KIND.dynptr, kind);
    setOff(record, 8 * half);
    setReference(record, life);
    setRewritten(at, true);
  }
}

/** The dynptr that begins in the slot; undefined if none does. */
export function dynptrIn(m: Machine, frame: number, slot: number): Dynptr | undefined {
  const [low, high] = [recordAt(m, frame, slot), recordAt(m, frame, slot - 1)];
  for (const s of [slot, slot - 1]) {
    if (s >= 0 && s < depthOf(m.state, frame)) noteSlotRead(m.marks, frame, s, slotAt(m.state, frame, s));
  }
  if (low === undefined || high === undefined) return undefined;
  const whole =
    isHalf(low, 0) &&
    isHalf(high, 8) &&
    objectOf(low) === objectOf(high) &&
    referenceOf(low) === referenceOf(high);
  return whole ? { kind: objectOf(low), life: referenceOf(low) } : undefined;
}

const isHalf = (record: number, off: number): boolean =>
  kindOf(record) === KIND.dynptr && offOf(record) === off;

/**
 * The slot is about to be written by something else: the dynptr that it is a part of is none any more, and pointers to its memory are
 * numbers. One that owns its memory must be released first.
 */
export function overwriteDynptr(m: Machine, frame: number, slot: number): void {
  const record = recordAt(m, frame, slot);
  if (record === undefined || kindOf(record) !== KIND.dynptr) return;
  noteSlotRead(m.marks, frame, slot, slotAt(m.state, frame, slot));
  if (isOwning(objectOf(record))) reject("EINVAL", "cannot overwrite referenced dynptr");
  const life = referenceOf(record);
  removeDynptrs(m, life);
  forgetSlices(m, life);
}

/** No dynptr of this life is left on any frame's stack; their bytes are as if never written. */
export function removeDynptrs(m: Machine, life: number): void {
  for (let frame = 0; frame < frameCount(m.state); frame += 1) {
    for (let slot = 0; slot < depthOf(m.state, frame); slot += 1) {
      const record = recordAt(m, frame, slot);
      if (record === undefined || kindOf(record) !== KIND.dynptr || referenceOf(record) !== life) continue;
      clearSlot(slotAt(m.state, frame, slot));
      setRewritten(slotAt(m.state, frame, slot), true);
    }
  }
}

/** Slices of packets, and those that are only read, stay what they are where the kernel has it so. */
function forgetSlices(m: Machine, life: number): void {
  const flags = allows(m.profile, "lasting_slices") ? 0 : FLAG.inPacket | FLAG.readOnly;
  endPointers(m, (at) => (kindOf(at) & ~(FLAG.orNull | flags)) === KIND.memory && referenceOf(at) === life);
}
