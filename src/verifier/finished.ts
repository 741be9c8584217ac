/**
 * States of finished checkpoints. In most of a dozen registers and of all slots they say nothing, so what is kept of them is short: a list of the places in which they do say something, in
 * one block that is read from its beginning on. States that come there are held against the list, and `expand` makes a state of it again.
 *
 * Nothing rests on the lists being right: the certificate has the states that are made of them, and the checker compares those.
 *
 * A block has its length and where its places begin, in bytes; what `packBare` writes; and the places. Of each there are two words, what it is (`WHAT`) and where it is in live states, and behind
 * them the register or slot as it was, unless that is a number of which nothing is known.
 */
import { allocate, allocatePermanent, arena, copyBytes, release } from "../absint/arena.ts";
import {
  beginIds,
  ELSEWHERE,
  forgetIds,
  ghostsInclude,
  isWholeSpill,
  registerIncludes,
  slotOfIncludes,
} from "../absint/inclusion.ts";
import { demand, type Marks, noteSlotRead } from "../absint/origins.ts";
import { copyRegister, idOf, KIND, kindOf, REGISTER_BYTES, setUnknown } from "../absint/register.ts";
import { LAYOUT, scalarIncludes, unknownScalarAt } from "../absint/scalar/operators.ts";
import {
  BYTE,
  CARRIED,
  depthOf,
  frameCount,
  isUnused,
  liveRegister,
  liveSlot,
  MAX_FRAMES,
  MOST_BARE_BYTES,
  packBare,
  packedBytes,
  registerAt,
  SLOT_BYTES,
  STACK_BYTES,
  setSlotByte,
  slotAt,
  slotByte,
  spilledAt,
  unpackBare,
} from "../absint/state.ts";
import { tellingOfRegister, tellingOfSlot, tellKind } from "../absint/telling.ts";
import { SCRATCH } from "../absint/transfer/machine.ts";
import { demandGhosts, demandSaid } from "./generalise.ts";

const HEADER_BYTES = 8;

const WHAT = {
  /** The register's number, or the slot's; above it the frame's. */
  number: 0x7f,
  frame: 7,
  slot: 1 << 12,
  /** A number, or a whole one that is spilled, of which nothing is known. */
  any: 1 << 13,
  /** A number, or one that is spilled, of which something is said. */
  says: 1 << 14,
  /** A slot that has bytes that are 0 by themselves. */
  zeros: 1 << 15,
} as const;

const frameOf = (what: number): number => (what >> WHAT.frame) & (MAX_FRAMES - 1);
const numberOf = (what: number): number => what & WHAT.number;

const PLACE_BYTES = 8;
const MOST_BYTES =
  HEADER_BYTES +
  MOST_BARE_BYTES +
  MAX_FRAMES *
    (CARRIED.length * (PLACE_BYTES + REGISTER_BYTES) + (STACK_BYTES / 8) * (PLACE_BYTES + SLOT_BYTES));
/** Where blocks are written before it is known how long they are. */
const DRAFT = allocatePermanent(MOST_BYTES);

/** A slot in which any number is spilled. */
const ANY_SLOT = allocatePermanent(SLOT_BYTES);
for (let i = 0; i < 8; i += 1) setSlotByte(ANY_SLOT, i, BYTE.spill);
setUnknown(spilledAt(ANY_SLOT));

const word = (at: number): number => arena.i32[at >> 2] ?? 0;
const setWord = (at: number, value: number): void => {
  arena.i32[at >> 2] = value;
};

const bytesOf = (block: number): number => word(block);
const bareOf = (block: number): number => block + HEADER_BYTES;
const firstPlace = (block: number): number => block + word(block + 4);
const kept = (place: number): number => place + PLACE_BYTES;
const nextPlace = (place: number, what: number): number => {
  if ((what & WHAT.any) !== 0) return place + PLACE_BYTES;
  return place + PLACE_BYTES + ((what & WHAT.slot) === 0 ? REGISTER_BYTES : SLOT_BYTES);
};

/** Makes the block of a state, in either layout; to be released by `releaseFinished`. */
export function finish(state: number): number {
  unknownScalarAt(SCRATCH.value);
  let at = DRAFT + HEADER_BYTES;
  at += packBare(state, at);
  setWord(DRAFT + 4, at - DRAFT);
  // The innermost frame differs most often.
  for (let f = frameCount(state) - 1; f >= 0; f -= 1) {
    for (const r of CARRIED) {
      const register = registerAt(state, f, r);
      if (kindOf(register) === KIND.none) continue;
      const what = r | (f << WHAT.frame) | saidOf(register);
      setWord(at, what);
      setWord(at + 4, liveRegister(f, r));
      if ((what & WHAT.any) === 0) copyRegister(register, kept(at));
      at = nextPlace(at, what);
    }
    const depth = depthOf(state, f);
    for (let s = 0; s < depth; s += 1) {
      const slot = slotAt(state, f, s);
      if (isUnused(slot)) continue;
      const what = s | (f << WHAT.frame) | WHAT.slot | saidOfSlot(slot);
      setWord(at, what);
      setWord(at + 4, liveSlot(f, s));
      if ((what & WHAT.any) === 0) copyBytes(kept(at), slot, SLOT_BYTES);
      at = nextPlace(at, what);
    }
  }
  const bytes = at - DRAFT;
  setWord(DRAFT, bytes);
  const block = allocate(bytes);
  copyBytes(block, DRAFT, bytes);
  return block;
}

export const releaseFinished = (block: number): void => release(block, bytesOf(block));

/** Whether a register is a number that says something, or one that does not. */
function saidOf(at: number): number {
  if (kindOf(at) !== KIND.scalar) return 0;
  if (idOf(at) !== 0 || !mayBeAny(at)) return WHAT.says;
  return scalarIncludes(at, SCRATCH.value) === 1 ? WHAT.any : WHAT.says;
}

/** Whether no bit of a number is known. */
const mayBeAny = (at: number): boolean => word(at + LAYOUT.mask) === -1 && word(at + LAYOUT.mask + 4) === -1;

function saidOfSlot(slot: number): number {
  const said = slotByte(slot, 0) === BYTE.spill ? saidOf(spilledAt(slot)) : 0;
  if (isWholeSpill(slot)) return said;
  let zeros = 0;
  for (let i = 0; i < 8; i += 1) if (slotByte(slot, i) === BYTE.zero) zeros = WHAT.zeros;
  return (said & ~WHAT.any) | zeros;
}

/** Bytes of the state that `expand` makes. */
export const expandedBytes = (block: number): number => packedBytes(bareOf(block));

/** Makes the state of a block again, packed, in a block of `expandedBytes(block)` bytes. */
export function expand(block: number, to: number): void {
  unpackBare(bareOf(block), to);
  const end = block + bytesOf(block);
  for (let place = firstPlace(block); place < end; ) {
    const what = word(place);
    if ((what & WHAT.slot) !== 0) expandSlot(place, what, slotAt(to, frameOf(what), numberOf(what)));
    else if ((what & WHAT.any) !== 0) setUnknown(registerAt(to, frameOf(what), numberOf(what)));
    else copyRegister(kept(place), registerAt(to, frameOf(what), numberOf(what)));
    place = nextPlace(place, what);
  }
}

function expandSlot(place: number, what: number, slot: number): void {
  copyBytes(slot, (what & WHAT.any) === 0 ? kept(place) : ANY_SLOT, SLOT_BYTES);
}

/**
 * -1 if the state of a block includes the live state `inner`, in which the same calls are active (shapes.ts); else the address of the place in which it does not, or
 * `ELSEWHERE`.
 */
export function firstUnmet(block: number, inner: number): number {
  const bare = bareOf(block);
  if (!beginIds(bare, inner)) return ELSEWHERE;
  const end = block + bytesOf(block);
  for (let place = firstPlace(block); place < end; ) {
    const what = word(place);
    if (!includesAt(place, what, inner)) return place;
    place = nextPlace(place, what);
  }
  return ghostsInclude(bare, inner) ? -1 : ELSEWHERE;
}

/** Whether the state of a block that includes the live state `inner` knows as much of each number of which it says something. */
export function saysAllOf(block: number, inner: number): boolean {
  const end = block + bytesOf(block);
  for (let place = firstPlace(block); place < end; ) {
    const what = word(place);
    if ((what & WHAT.says) !== 0) {
      const isSlot = (what & WHAT.slot) !== 0;
      const own = inner + word(place + 4);
      const [said, known] = isSlot ? [spilledAt(kept(place)), spilledAt(own)] : [kept(place), own];
      if (scalarIncludes(known, said) !== 1) return false;
    }
    place = nextPlace(place, what);
  }
  return true;
}

/** Whether a place alone, as `firstUnmet` gave it, shows that its state does not include `inner`. */
export function isUnmet(place: number, inner: number): boolean {
  forgetIds();
  return !includesAt(place, word(place), inner);
}

function includesAt(place: number, what: number, inner: number): boolean {
  const own = inner + word(place + 4);
  if ((what & WHAT.slot) !== 0) return slotIncludesAt(place, what, inner, own);
  if ((what & WHAT.any) === 0) return registerIncludes(kept(place), own);
  return kindOf(own) === KIND.scalar || registerIncludes(spilledAt(ANY_SLOT), own);
}

function slotIncludesAt(place: number, what: number, inner: number, own: number): boolean {
  const [frame, s] = [frameOf(what), numberOf(what)];
  if ((what & WHAT.any) === 0) return slotOfIncludes(kept(place), inner, frame, s, SCRATCH.value);
  if (s < depthOf(inner, frame) && isWholeSpill(own) && kindOf(spilledAt(own)) === KIND.scalar) return true;
  return slotOfIncludes(ANY_SLOT, inner, frame, s, SCRATCH.value);
}

/** Words that tell the live state `inner` apart, as `tellingWords` writes them, from a place that `firstUnmet` gave. */
export function tellUnmet(place: number, inner: number, to: Int32Array, at: number): void {
  const what = word(place);
  const own = inner + word(place + 4);
  const isSlot = (what & WHAT.slot) !== 0;
  if ((what & WHAT.any) !== 0) tellKind(isSlot ? spilledAt(own) : own, KIND.scalar, to, at);
  else if (isSlot) tellingOfSlot(kept(place), own, to, at);
  else tellingOfRegister(kept(place), own, to, at);
}

/** The state of a block covers `inner`, a live state whose paths end here: what it says, those may have used. */
export function demandMet(block: number, inner: number, marks: Marks): void {
  const end = block + bytesOf(block);
  for (let place = firstPlace(block); place < end; ) {
    const what = word(place);
    const own = inner + word(place + 4);
    if ((what & WHAT.slot) !== 0) demandOfSlot(place, what, own, marks);
    else if ((what & WHAT.says) !== 0) demandSaid(marks, kept(place), own);
    place = nextPlace(place, what);
  }
  demandGhosts(bareOf(block), inner, marks, SCRATCH.value);
}

function demandOfSlot(place: number, what: number, own: number, marks: Marks): void {
  noteSlotRead(marks, frameOf(what), numberOf(what), own);
  if (slotByte(own, 0) !== BYTE.spill) return;
  if ((what & WHAT.says) !== 0) demandSaid(marks, spilledAt(kept(place)), spilledAt(own));
  if ((what & WHAT.zeros) !== 0 && kindOf(spilledAt(own)) === KIND.scalar) demand(marks, spilledAt(own));
}
