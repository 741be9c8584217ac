/**
 * What the future of a state really uses of it, so that states that differ in nothing else are found to be covered.
 *
 * Between two checkpoints of an exploration every number carries its *origins*: the registers and stack slots of the last checkpoint that
 * it was computed from. Where a transfer function lets a number's value decide something (which way a jump goes, whether an access is in
 * bounds) it *demands* the number, and with it its origins. Where it reads a stack slot that was not rewritten since the checkpoint, it notes
 * that too, and which links taught something. What was never demanded, read or taught may be forgotten in the checkpoint's state.
 *
 * Nothing rests on this being right: what is forgotten too much is found missing when the certificate is checked.
 *
 * Origins are a set of 96 bits in the register's record: bit r for register r (0 … 9) and bit 10 + s for slot s (0 … 63) of the
 * checkpoint's frame, bit 74 for anything in its callers' frames, bit 75 + g for ghost g, bits 83 and 84 for the hidden registers. Bit 95, in the record of a slot, says that the slot
 * was rewritten.
 */
import { arena } from "./arena.ts";
import {
  CARRIED,
  depthOf,
  FP,
  frameCount,
  ghostAt,
  ghostCount,
  MAX_GHOSTS,
  RUNS,
  registerAt,
  slotAt,
  spilledAt,
} from "./state.ts";

/** The three words of the set, in the last bytes of a register's record. */
const WORDS = 21;
const SLOT_BIT = 10;
const CALLERS_BIT = 74;
const GHOST_BIT = 75;
const HIDDEN_BIT = GHOST_BIT + MAX_GHOSTS;
const REWRITTEN = 1 << 31;

export interface Marks {
  /** The origins that were demanded: the three words of the set. */
  demanded0: number;
  demanded1: number;
  demanded2: number;
  /** The slots of the checkpoint's frame that were read as the checkpoint left them: the first 32, the other 32. */
  slotsRead0: number;
  slotsRead1: number;
  /** Whether any slot of its callers was. */
  callersRead: boolean;
  /** The ids of links through which one number told something of another; undefined if there was none. */
  links: Set<number> | undefined;
  /** The checkpoint's frame. */
  readonly frame: number;
}

export const newMarks = (frame: number): Marks => ({
  demanded0: 0,
  demanded1: 0,
  demanded2: 0,
  slotsRead0: 0,
  slotsRead1: 0,
  callersRead: false,
  links: undefined,
  frame,
});

/** Makes `to` all that either of both is. The links are left out: their ids are those of one state. */
export function addMarks(to: Marks, from: Marks): void {
  to.demanded0 |= from.demanded0;
  to.demanded1 |= from.demanded1;
  to.demanded2 |= from.demanded2;
  to.slotsRead0 |= from.slotsRead0;
  to.slotsRead1 |= from.slotsRead1;
  to.callersRead ||= from.callersRead;
}

/** Whether `all` is at least what `part` is, but for the links. */
export const includesMarks = (all: Marks, part: Marks): boolean =>
  (part.demanded0 & ~all.demanded0) === 0 &&
  (part.demanded1 & ~all.demanded1) === 0 &&
  (part.demanded2 & ~all.demanded2) === 0 &&
  (part.slotsRead0 & ~all.slotsRead0) === 0 &&
  (part.slotsRead1 & ~all.slotsRead1) === 0 &&
  (all.callersRead || !part.callersRead);

const wordsAt = (register: number): number => (register >> 2) + WORDS;

/** The origins of what is computed from both are those of either: adds those of `from` to `to`. */
export function addOrigins(from: number, to: number): void {
  const m = arena.i32;
  const f = wordsAt(from);
  const t = wordsAt(to);
  m[t] = (m[t] ?? 0) | (m[f] ?? 0);
  m[t + 1] = (m[t + 1] ?? 0) | (m[f + 1] ?? 0);
  m[t + 2] = (m[t + 2] ?? 0) | (m[f + 2] ?? 0);
}

/** Something depends on the value of the number at `register`. */
export function demand(marks: Marks, register: number): void {
  const m = arena.i32;
  const w = wordsAt(register);
  marks.demanded0 |= m[w] ?? 0;
  marks.demanded1 |= m[w + 1] ?? 0;
  marks.demanded2 |= m[w + 2] ?? 0;
}

/** Something was learnt through the link with this id. */
export const useLink = (marks: Marks, id: number): void => {
  marks.links ??= new Set();
  marks.links.add(id);
};

/** The slot's bytes are read. */
export function noteSlotRead(marks: Marks, frame: number, slot: number, slotAddress: number): void {
  if (frame <= marks.frame && !isRewritten(slotAddress)) readSlot(marks, frame, slot);
}

function readSlot(marks: Marks, frame: number, slot: number): void {
  if (frame < marks.frame) marks.callersRead = true;
  else if (slot < 32) marks.slotsRead0 |= 1 << slot;
  else marks.slotsRead1 |= 1 << (slot - 32);
}

/** Something depends on the value of a register, as the checkpoint left it. */
export const demandRegister = (marks: Marks, frame: number, register: number): void =>
  demandBit(marks, frame === marks.frame ? bitOfRegister(register) : CALLERS_BIT);

/** Something depends on the number in a slot, as the checkpoint left it. */
export function demandSlot(marks: Marks, frame: number, slot: number): void {
  demandBit(marks, frame === marks.frame ? SLOT_BIT + slot : CALLERS_BIT);
  readSlot(marks, frame, slot);
}

function demandBit(marks: Marks, bit: number): void {
  const own = 1 << (bit & 31);
  if (bit < 32) marks.demanded0 |= own;
  else if (bit < 64) marks.demanded1 |= own;
  else marks.demanded2 |= own;
}

export const isRewritten = (slotAddress: number): boolean =>
  ((arena.i32[wordsAt(spilledAt(slotAddress)) + 2] ?? 0) & REWRITTEN) !== 0;

export function setRewritten(slotAddress: number, rewritten: boolean): void {
  const w = wordsAt(spilledAt(slotAddress)) + 2;
  const old = arena.i32[w] ?? 0;
  arena.i32[w] = rewritten ? old | REWRITTEN : old & ~REWRITTEN;
}

const wasDemanded = (marks: Marks, bit: number): boolean => {
  const word = bit < 32 ? marks.demanded0 : bit < 64 ? marks.demanded1 : marks.demanded2;
  return (word & (1 << (bit & 31))) !== 0;
};
const bitOfRegister = (register: number): number => (register < FP ? register : HIDDEN_BIT + register - RUNS);
export const wasRegisterDemanded = (marks: Marks, register: number): boolean =>
  wasDemanded(marks, bitOfRegister(register));
export const wasSlotDemanded = (marks: Marks, slot: number): boolean => wasDemanded(marks, SLOT_BIT + slot);
export const wasGhostDemanded = (marks: Marks, ghost: number): boolean =>
  wasDemanded(marks, GHOST_BIT + ghost);
export const wereCallersDemanded = (marks: Marks): boolean => wasDemanded(marks, CALLERS_BIT);
export const wasSlotRead = (marks: Marks, slot: number): boolean =>
  ((slot < 32 ? marks.slotsRead0 : marks.slotsRead1) & (1 << (slot & 31))) !== 0;

function setOrigin(register: number, bit: number): void {
  const m = arena.i32;
  const w = wordsAt(register);
  const own = 1 << (bit & 31);
  m[w] = bit < 32 ? own : 0;
  m[w + 1] = bit >= 32 && bit < 64 ? own : 0;
  m[w + 2] = bit >= 64 ? own : 0;
}

/** Makes a live state the one that origins are counted from: everything is its own origin, no slot is rewritten. */
export function beginOrigins(state: number): void {
  const current = frameCount(state) - 1;
  for (let f = 0; f <= current; f += 1) {
    for (const r of CARRIED) {
      setOrigin(registerAt(state, f, r), f === current ? bitOfRegister(r) : CALLERS_BIT);
    }
    for (let s = 0; s < depthOf(state, f); s += 1) {
      setOrigin(spilledAt(slotAt(state, f, s)), f === current ? SLOT_BIT + s : CALLERS_BIT);
    }
  }
  for (let g = 0; g < ghostCount(state); g += 1) setOrigin(ghostAt(state, g), GHOST_BIT + g);
}
