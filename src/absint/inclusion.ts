/**
 * The order on states: `stateIncludes(outer, inner)` implies γ(inner) ⊆ γ(outer).
 *
 * It is what pruning relies on and what the certificate checker confirms, so it decides by the states alone: what an outer state does
 * not care about must be `none` in it. Relations are compared through ids: registers that share an id in the outer state promise
 * something about each other, so they must share one in the inner state too. Linked numbers must differ by what they differ by in the outer
 * state: all deltas of a class may be shifted by the same number. A pointer is its fixed offset and its variable part together: where the fixed
 * offsets differ, the difference is counted to the variable part.
 *
 * Ghosts (state.ts) are compared one by one; an outer state with fewer says nothing of the others.
 */
import { allocatePermanent, arena } from "./arena.ts";
import { referenceId, referenceKind } from "./references.ts";
import {
  constantHigh,
  constantLow,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  KIND,
  kindOf,
  objectOf,
  offOf,
  REGISTER_BYTES,
  rangeOf,
  referenceOf,
  setConstant,
  smallConstant,
  umaxOf,
  uminOf,
} from "./register.ts";
import { scalarIncludes, tightAluOperator, unknownScalarAt } from "./scalar/operators.ts";
import {
  BYTE,
  budgetFrame,
  callbackObject,
  callbackOf,
  depthOf,
  frameCount,
  functionOf,
  ghostAt,
  ghostCount,
  isUnused,
  MAX_FRAMES,
  REGISTERS,
  RUNS,
  referenceCount,
  registerAt,
  returnTo,
  sameShared,
  sectionsOf,
  sharedFirst,
  sharedLast,
  slotAt,
  slotByte,
  spilledAt,
} from "./state.ts";

/**
 * The inner id that each outer id stands for, in this comparison, and by how much deltas are greater in the inner state: for packet pointers
 * it is the fixed offset that is greater, for other pointers 0.
 */
const outerIds: number[] = [];
const innerIds: number[] = [];
const shifts: number[] = [];
let ids = 0;

/** In place of an id: constants differ by known numbers. Their shift is from 0. */
const CONSTANTS = -1;
/** Related to nothing else. */
const NOTHING = 0;

/** The first of an outer class says what it stands for, the others must agree. */
function sameRelation(outerId: number, innerId: number, shift: number): boolean {
  for (let i = 0; i < ids; i += 1) {
    if (outerIds[i] === outerId) return innerId !== NOTHING && innerIds[i] === innerId && shifts[i] === shift;
  }
  outerIds[ids] = outerId;
  innerIds[ids] = innerId;
  shifts[ids] = shift;
  ids += 1;
  return true;
}

function linkIncludes(outer: number, inner: number): boolean {
  const id = idOf(inner);
  if (id === 0) {
    const constant = smallConstant(inner);
    if (constant === undefined || formOf(outer) < 0) return sameRelation(idOf(outer), NOTHING, 0);
    return sameRelation(idOf(outer), CONSTANTS, constant - deltaOf(outer));
  }
  // Fewer bits are too little where more are promised.
  const enough = formOf(outer) > 0 ? formOf(inner) >= formOf(outer) : formOf(inner) === formOf(outer);
  return sameRelation(idOf(outer), enough ? id : NOTHING, deltaOf(inner) - deltaOf(outer));
}

/** Registers of one state and of another, after `beginIds`: what ids stand for goes over from one question to the next. */
export function registerIncludes(outer: number, inner: number): boolean {
  const kind = kindOf(outer);
  if (kind === KIND.none) return true;
  if (kindOf(inner) !== kind) return false;
  if (kind !== KIND.scalar) return pointerIncludes(kind, outer, inner);
  return valueIncludes(outer, inner) && (idOf(outer) === 0 || linkIncludes(outer, inner));
}

function pointerIncludes(kind: number, outer: number, inner: number): boolean {
  if (objectOf(outer) !== objectOf(inner)) return false;
  const shift = offOf(inner) - offOf(outer);
  if (!(shift === 0 ? valueIncludes(outer, inner) : shiftedIncludes(outer, inner, shift))) return false;
  if (!isPacketPointer(kind)) {
    if (!sameReference(referenceOf(outer), referenceOf(inner))) return false;
    return idOf(outer) === 0 || sameRelation(idOf(outer), idOf(inner), 0);
  }
  // A range of 0 says nothing.
  const range = rangeOf(inner);
  if (rangeOf(outer) > 0 && (range === 0 || rangeOf(outer) > range - shift)) return false;
  if (idOf(outer) === 0) return true;
  const constant = idOf(inner) === 0 ? smallConstant(inner) : undefined;
  return constant === undefined
    ? sameRelation(idOf(outer), idOf(inner), shift)
    : sameRelation(idOf(outer), CONSTANTS, constant + shift);
}

const SHIFT = allocatePermanent(REGISTER_BYTES);
const SHIFTED = allocatePermanent(REGISTER_BYTES);

/** Whether the variable part of `inner` plus `shift`, a number of 33 bits, is one of the outer pointer's. */
function shiftedIncludes(outer: number, inner: number, shift: number): boolean {
  // The most frequent case: neither has a variable part.
  if (isConstant(outer) || isElsewhere(outer, inner, shift)) return false;
  setConstant(SHIFT, shift | 0, Math.floor(shift / 4294967296));
  tightAluOperator("add", 64)(inner, SHIFT, SHIFTED);
  return scalarIncludes(outer, SHIFTED) === 1;
}

/**
 * Whether `inner` plus `shift` is no part of `outer` for a reason that is seen at once: it lies further down or up, or its lowest bits, as far as `outer` knows
 * them, are others.
 */
function isElsewhere(outer: number, inner: number, shift: number): boolean {
  const low = uminOf(inner) + shift;
  const high = umaxOf(inner) + shift;
  // No carry out of 64 bits, and no rounding.
  if (low >= 0 && high <= 4294967296 && (low < uminOf(outer) || high > umaxOf(outer))) return true;
  const m = arena.i32;
  const o = outer >> 2;
  const i = inner >> 2;
  const unknown = m[o + 2] ?? 0;
  // The bits below the lowest unknown one.
  const known = (unknown & -unknown) - 1;
  return ((m[i + 2] ?? 0) & known) !== 0 || ((((m[i] ?? 0) + shift) ^ (m[o] ?? 0)) & known) !== 0;
}

/** So many of the first pairs of ids are those of what is held. */
let held = 0;

/** A pointer that rests on a reference may stand for one that rests on the same: of what is held, the same thing. */
function sameReference(outer: number, inner: number): boolean {
  // A negative id is the same thing in every state.
  if (outer <= NOTHING || inner <= NOTHING) return outer === inner;
  for (let i = 0; i < held; i += 1) if (innerIds[i] === inner) return outerIds[i] === outer;
  return sameRelation(outer, inner, 0);
}

/** The scalar parts alone. A constant, the most frequent case, is compared without a call. */
function valueIncludes(outer: number, inner: number): boolean {
  if (!isConstant(outer)) return scalarIncludes(outer, inner) === 1;
  const m = arena.i32;
  const o = outer >> 2;
  const i = inner >> 2;
  return m[o] === m[i] && m[o + 1] === m[i + 1] && isConstant(inner);
}

/** Four bytes of a spill. */
const SPILL_WORD = BYTE.spill * 0x01010101;

/** Whether a whole register is spilled in a slot. */
export const isWholeSpill = (slot: number): boolean =>
  arena.i32[slot >> 2] === SPILL_WORD && arena.i32[(slot >> 2) + 1] === SPILL_WORD;

const isAll = (slot: number, kind: number): boolean => {
  for (let i = 0; i < 8; i += 1) if (slotByte(slot, i) !== kind) return false;
  return true;
};

const isUnknown = (register: number, scratch: number): boolean => {
  if (kindOf(register) !== KIND.scalar || idOf(register) !== 0) return false;
  unknownScalarAt(scratch);
  return scalarIncludes(register, scratch) === 1;
};

/** Whether a register is the number 0. */
export const isZeroScalar = (register: number): boolean =>
  kindOf(register) === KIND.scalar &&
  isConstant(register) &&
  constantLow(register) === 0 &&
  constantHigh(register) === 0;

function byteIncludes(outer: number, inner: number, innerSpill: number): boolean {
  switch (outer) {
    case BYTE.invalid:
      return true;
    case BYTE.misc:
      return (
        inner === BYTE.misc ||
        inner === BYTE.zero ||
        (inner === BYTE.spill && kindOf(innerSpill) === KIND.scalar)
      );
    case BYTE.zero:
      return inner === BYTE.zero || (inner === BYTE.spill && isZeroScalar(innerSpill));
    default:
      return false;
  }
}

function slotIncludes(outer: number, inner: number, scratch: number): boolean {
  if (slotByte(outer, 0) === BYTE.object) {
    const [record, other] = [spilledAt(outer), spilledAt(inner)];
    // Of a record that is a number this word says what it is (transfer/counted-slots.ts).
    if (kindOf(record) === KIND.scalar && rangeOf(record) !== rangeOf(other)) return false;
    return isAll(inner, BYTE.object) && registerIncludes(record, other);
  }
  if (slotByte(outer, 0) === BYTE.spill) {
    const spill = spilledAt(outer);
    // The most frequent case: whole registers on both sides.
    if (isWholeSpill(outer) && isWholeSpill(inner)) return registerIncludes(spill, spilledAt(inner));
    if (slotByte(inner, 0) === BYTE.spill) {
      for (let i = 0; i < 8; i += 1) {
        const [o, n] = [slotByte(outer, i), slotByte(inner, i)];
        if ((o === BYTE.spill) !== (n === BYTE.spill)) return false;
        if (o !== BYTE.spill && !byteIncludes(o, n, spilledAt(inner))) return false;
      }
      return registerIncludes(spill, spilledAt(inner));
    }
    // Eight bytes that are not a spill are read as one number: any number, or zero.
    if (!isAll(outer, BYTE.spill)) return false;
    if (isAll(inner, BYTE.zero)) {
      return (isZeroScalar(spill) && idOf(spill) === 0) || isUnknown(spill, scratch);
    }
    for (let i = 0; i < 8; i += 1) if (slotByte(inner, i) === BYTE.invalid) return false;
    return isUnknown(spill, scratch);
  }
  for (let i = 0; i < 8; i += 1) {
    if (!byteIncludes(slotByte(outer, i), slotByte(inner, i), spilledAt(inner))) return false;
  }
  return true;
}

/** Places of a frame: its registers, then its slots, in a power of two. */
const PLACE_BITS = 7;
const PLACES = 1 << PLACE_BITS;
export const frameOfPlace = (place: number): number => place >> PLACE_BITS;
/** A register's number, or that of a slot and `REGISTERS`. */
export const indexOfPlace = (place: number): number => place & (PLACES - 1);
/** No place by itself: what `firstDifference` gives for any other difference. */
export const ELSEWHERE = MAX_FRAMES * PLACES;

/**
 * Whether every machine state that `inner` stands for is one that `outer` stands for. Says no when it cannot tell.
 *
 * @param scratch  the address of a register that may be overwritten
 */
export const stateIncludes = (outer: number, inner: number, scratch: number): boolean =>
  firstDifference(outer, inner, scratch) < 0;

/**
 * Whether a place alone, as `firstDifference` gave it, shows that `outer` does not include `inner`: a cheap question to ask first, about the
 * place that made the difference the last time.
 */
export function differsIn(outer: number, inner: number, place: number, scratch: number): boolean {
  const frame = frameOfPlace(place);
  const index = indexOfPlace(place);
  if (frame < 0 || frame >= frameCount(outer) || frameCount(outer) !== frameCount(inner)) return false;
  forgetIds();
  if (index < REGISTERS)
    return !registerIncludes(registerAt(outer, frame, index), registerAt(inner, frame, index));
  const s = index - REGISTERS;
  return s < depthOf(outer, frame) && !slotOfIncludes(slotAt(outer, frame, s), inner, frame, s, scratch);
}

/** -1 if `outer` includes `inner` (see `stateIncludes`); else the place in which it does not, or `ELSEWHERE`. */
export function firstDifference(outer: number, inner: number, scratch: number): number {
  const frames = frameCount(outer);
  if (frameCount(inner) !== frames || !beginIds(outer, inner)) return ELSEWHERE;
  // The innermost frame differs most often.
  for (let f = frames - 1; f >= 0; f -= 1) {
    if (!sameCall(outer, inner, f)) return ELSEWHERE;
    let at = registerAt(outer, f, 0);
    let other = registerAt(inner, f, 0);
    for (let r = 0; r < REGISTERS; r += 1) {
      if (!registerIncludes(at, other)) return f * PLACES + r;
      at += REGISTER_BYTES;
      other += REGISTER_BYTES;
    }
    const depth = depthOf(outer, f);
    for (let s = 0; s < depth; s += 1) {
      if (!slotOfIncludes(slotAt(outer, f, s), inner, f, s, scratch)) return f * PLACES + REGISTERS + s;
    }
  }
  return ghostsInclude(outer, inner) ? -1 : ELSEWHERE;
}

/** From here on ids stand for nothing yet. */
export function forgetIds(): void {
  ids = 0;
  held = 0;
}

/** Whether the same is held, in the same sections. Of what is asked from here on, ids stand for the same in all answers. */
export function beginIds(outer: number, inner: number): boolean {
  forgetIds();
  if (!referencesInclude(outer, inner)) return false;
  held = ids;
  return true;
}

/** The ghosts of one state and of another: to be asked last. */
export function ghostsInclude(outer: number, inner: number): boolean {
  const count = ghostCount(outer);
  if (ghostCount(inner) < count) return false;
  for (let g = 0; g < count; g += 1) {
    const [at, other] = [ghostAt(outer, g), ghostAt(inner, g)];
    if (!registerIncludes(at, other) || !budgetIncludes(rangeOf(at), rangeOf(other))) return false;
  }
  return true;
}

/** What a ghost's range says of a frame's budget (state.ts) follows from what another's does. */
const budgetIncludes = (outer: number, inner: number): boolean =>
  outer === 0 || (budgetFrame(outer) === budgetFrame(inner) && outer <= inner);

/** Whether the same functions are active, called from the same places, and in calls that call back at the same stage. */
export function sameFrames(a: number, b: number): boolean {
  if (frameCount(a) !== frameCount(b)) return false;
  for (let f = 0; f < frameCount(a); f += 1) {
    if (!sameCall(a, b, f)) return false;
  }
  return true;
}

/**
 * The frame's function, where it goes on, what called it, what slots are shared, and whether it is in a call that calls back: a state without RUNS is at a call's start, from where it
 * goes on otherwise than from between two runs.
 */
const sameCall = (outer: number, inner: number, f: number): boolean =>
  kindOf(registerAt(outer, f, RUNS)) === kindOf(registerAt(inner, f, RUNS)) &&
  functionOf(outer, f) === functionOf(inner, f) &&
  returnTo(outer, f) === returnTo(inner, f) &&
  callbackOf(outer, f) === callbackOf(inner, f) &&
  callbackObject(outer, f) === callbackObject(inner, f) &&
  sameShared(outer, inner, f);

/** How many words `callWords` writes of each frame. */
export const CALL_WORDS = 7;

/** What `sameCall` compares of a frame, at `at`. */
export function callWords(state: number, f: number, to: Int32Array, at: number): void {
  to[at] = kindOf(registerAt(state, f, RUNS));
  to[at + 1] = functionOf(state, f);
  to[at + 2] = returnTo(state, f);
  to[at + 3] = callbackOf(state, f);
  to[at + 4] = callbackObject(state, f);
  to[at + 5] = sharedFirst(state, f);
  to[at + 6] = sharedLast(state, f);
}

/** The same is held, in the same order, in the same sections: pairs the ids of what is held, before any register does. */
function referencesInclude(outer: number, inner: number): boolean {
  const count = referenceCount(outer);
  if (referenceCount(inner) !== count || sectionsOf(outer) !== sectionsOf(inner)) return false;
  for (let i = 0; i < count; i += 1) {
    if (referenceKind(outer, i) !== referenceKind(inner, i)) return false;
    const [id, innerId] = [referenceId(outer, i), referenceId(inner, i)];
    // A negative id is the same thing in every state.
    if (id < 0 ? id !== innerId : innerId < 0 || !sameRelation(id, innerId, 0)) return false;
  }
  return true;
}

/**
 * A slot of one state and slot `s` of a frame of another, as `registerIncludes`.
 *
 * @param slot  its address in the state that is to include the other
 */
export function slotOfIncludes(
  slot: number,
  inner: number,
  frame: number,
  s: number,
  scratch: number,
): boolean {
  return s < depthOf(inner, frame) ? slotIncludes(slot, slotAt(inner, frame, s), scratch) : isUnused(slot);
}
