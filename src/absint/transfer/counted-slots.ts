/**
 * Objects on the stack that the kernel keeps there for the program and that are no dynptrs: open-coded iterators, and interrupt flags that were saved.
 *
 * γ: all eight bytes of the slot are `BYTE.object`, and its record is a number whose `range` word says what the slot is:
 * - 1: interrupt flags; 3: those that were saved with a lock. The number is 0.
 * - `(code + 1) << 5 | part << 1 | expired`: part `part` of an iterator that the function at position `code` of the profile's kernel functions made. Part 0 is the one with
 *   the lowest address. Its number is how many elements the iterator will give at most; those of the other parts are 0. An expired one belonged
 *   to an RCU section that is over, and must not be used.
 *
 * Both are held until they are given back: by a reference whose id is the slot's place (references.ts).
 */
import type { KfuncFacts } from "../../semantics/profile/profile.ts";
import { noteSlotRead, setRewritten } from "../origins.ts";
import { KIND, kindOf, rangeOf, setConstant, setRange } from "../register.ts";
import { BYTE, clearSlot, depthOf, frameCount, setSlotByte, slotAt, slotByte, spilledAt } from "../state.ts";
import type { Machine } from "./machine.ts";

const [FLAGS, FLAGS_OF_LOCK] = [1, 3];
const [EXPIRED, PARTS, CODE_SHIFT] = [1, 0xf, 5];

/** A slot of an active frame. */
export interface SlotPlace {
  readonly frame: number;
  readonly slot: number;
}

/** What a record says of an iterator's slot. */
export interface IteratorPart {
  /** The address of the record: its number is how many elements are left at most, in part 0. */
  readonly at: number;
  readonly part: number;
  /** The function that made it. */
  readonly maker: KfuncFacts;
  readonly expired: boolean;
}

/** The record in a slot if it is one of those here; undefined otherwise. */
function recordAt(m: Machine, { frame, slot }: SlotPlace): number | undefined {
  if (slot < 0 || slot >= depthOf(m.state, frame)) return undefined;
  const at = slotAt(m.state, frame, slot);
  noteSlotRead(m.marks, frame, slot, at);
  if (slotByte(at, 0) !== BYTE.object || kindOf(spilledAt(at)) !== KIND.scalar) return undefined;
  return spilledAt(at);
}

/** Whether an object of any kind has the slot. */
export function hasObject(m: Machine, { frame, slot }: SlotPlace): boolean {
  if (slot < 0 || slot >= depthOf(m.state, frame)) return false;
  const at = slotAt(m.state, frame, slot);
  noteSlotRead(m.marks, frame, slot, at);
  return slotByte(at, 0) === BYTE.object;
}

/** Whether flags in the slot were saved with a lock; undefined if there are none. */
export function flagsIn(m: Machine, place: SlotPlace): { readonly ofLock: boolean } | undefined {
  const record = recordAt(m, place);
  const word = record === undefined ? 0 : rangeOf(record);
  return word === FLAGS || word === FLAGS_OF_LOCK ? { ofLock: word === FLAGS_OF_LOCK } : undefined;
}

export function iteratorPart(m: Machine, place: SlotPlace): IteratorPart | undefined {
  const at = recordAt(m, place);
  if (at === undefined) return undefined;
  const word = rangeOf(at);
  const maker = m.profile.kfuncs[(word >> CODE_SHIFT) - 1];
  return maker === undefined
    ? undefined
    : { at, part: (word >> 1) & PARTS, maker, expired: (word & EXPIRED) !== 0 };
}

/** Makes a slot of the frame, which is no object, one; gives the address of its record, whose number is 0. */
function putRecord(m: Machine, { frame, slot }: SlotPlace, word: number): number {
  const at = slotAt(m.state, frame, slot);
  for (let i = 0; i < 8; i += 1) setSlotByte(at, i, BYTE.object);
  setConstant(spilledAt(at), 0, 0);
  setRange(spilledAt(at), word);
  setRewritten(at, true);
  return spilledAt(at);
}

export function putFlags(m: Machine, place: SlotPlace, ofLock: boolean): void {
  putRecord(m, place, ofLock ? FLAGS_OF_LOCK : FLAGS);
}

/** Puts a part of an iterator that `maker` makes; gives the address of its number. */
export function putIteratorPart(m: Machine, place: SlotPlace, maker: KfuncFacts, part: number): number {
  const code = m.profile.kfuncs.indexOf(maker);
  return putRecord(m, place, ((code + 1) << CODE_SHIFT) | (part << 1));
}

/** The object is gone; its bytes are as if never written. */
export function removeObject(m: Machine, { frame, slot }: SlotPlace): void {
  clearSlot(slotAt(m.state, frame, slot));
  setRewritten(slotAt(m.state, frame, slot), true);
}

/** Marks every iterator that `belongs` says as expired. */
export function expireIterators(m: Machine, belongs: (maker: KfuncFacts) => boolean): void {
  for (let frame = 0; frame < frameCount(m.state); frame += 1) {
    for (let slot = 0; slot < depthOf(m.state, frame); slot += 1) {
      const found = iteratorPart(m, { frame, slot });
      if (found !== undefined && belongs(found.maker)) setRange(found.at, rangeOf(found.at) | EXPIRED);
    }
  }
}
