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
  FIELD,
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
import { LAYOUT, scalarIncludes, tightAluOperator, unknownScalarAt } from "./scalar/operators.ts";
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

function registerIncludes(outer: number, inner: number): boolean {
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

const isWholeSpill = (slot: number): boolean =>
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

const isZeroScalar = (register: number): boolean =>
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
  const frame = place >> PLACE_BITS;
  const index = place & (PLACES - 1);
  if (frame < 0 || frame >= frameCount(outer) || frameCount(outer) !== frameCount(inner)) return false;
  ids = 0;
  held = 0;
  if (index < REGISTERS)
    return !registerIncludes(registerAt(outer, frame, index), registerAt(inner, frame, index));
  const slot = index - REGISTERS;
  return slot < depthOf(outer, frame) && !slotOfIncludes(outer, inner, frame, slot, scratch);
}

/** A word that is always 0. */
const ZERO = allocatePermanent(8) >> 2;

/**
 * What `tellingWords` writes: indices into `arena.i32`, of words of a live state, and what they are compared with. A state is ruled out if `base` and `low` together are less than `least`, `base` and
 * `high` together more than `most`, or `range` is less than `leastRange`.
 */
const TELLING = { base: 0, low: 1, least: 2, high: 3, most: 4, range: 5, leastRange: 6 } as const;
/** How many numbers that is. */
export const TELLING_WORDS = 7;

/** Whether the words that `facts` has from `at` on rule out the live state that they are of. */
export function isToldApart(facts: Int32Array, at: number): boolean {
  const live = arena.i32;
  const base = live[facts[at] ?? 0] ?? 0;
  return (
    ((base + (live[facts[at + TELLING.low] ?? 0] ?? 0)) | 0) < (facts[at + TELLING.least] ?? 0) ||
    ((base + (live[facts[at + TELLING.high] ?? 0] ?? 0)) | 0) > (facts[at + TELLING.most] ?? 0) ||
    (live[facts[at + TELLING.range] ?? 0] ?? 0) < (facts[at + TELLING.leastRange] ?? 0)
  );
}

/** Words that rule out nothing. */
export function tellNothing(to: Int32Array, at: number): void {
  to.fill(0, at, at + TELLING_WORDS);
  for (const word of [TELLING.base, TELLING.low, TELLING.high, TELLING.range]) to[at + word] = ZERO;
}

/** Bounds of numbers that are told apart by their low halves, and offsets, are no larger: sums of two do not overflow. */
const SMALL = 2 ** 29;

/**
 * Words that tell two states apart in a place, as `firstDifference` gave it: the kind, the object, a constant's low half, a number's bounds, the bounds of a pointer's offset and its range. The
 * words are those of the live state `inner`: they say of every state in its place that it is not included in `outer`, if they rule it out.
 *
 * @param to  gets at `at` what `TELLING` says
 */
export function tellingWords(outer: number, inner: number, place: number, to: Int32Array, at: number): void {
  tellNothing(to, at);
  const frame = place >> PLACE_BITS;
  const index = place & (PLACES - 1);
  if (frame >= frameCount(outer) || frame >= frameCount(inner)) return;
  let own = 0;
  let other = 0;
  if (index < REGISTERS) [own, other] = [registerAt(outer, frame, index), registerAt(inner, frame, index)];
  else {
    const slot = slotAt(outer, frame, index - REGISTERS);
    // Eight bytes that are 0 are a number, too.
    if (!isWholeSpill(slot) || isZeroScalar(spilledAt(slot))) return;
    [own, other] = [spilledAt(slot), spilledAt(slotAt(inner, frame, index - REGISTERS))];
  }
  const kind = kindOf(own);
  if (kind === KIND.none) return;
  const isNumber = kind === KIND.scalar;
  if (kindOf(other) !== kind) return tellWord(to, at, other + FIELD.kind, kind);
  if (!isNumber && objectOf(own) !== objectOf(other))
    return tellWord(to, at, other + FIELD.object, objectOf(own));
  if (isConstant(own))
    tellWord(to, at, isNumber ? other : other + FIELD.off, isNumber ? constantLow(own) : offOf(own));
  else if (umaxOf(own) <= SMALL) {
    const off = isNumber ? 0 : offOf(own);
    if (!isNumber) to[at + TELLING.base] = (other + FIELD.off) >> 2;
    to[at + TELLING.low] = (other + LAYOUT.umin) >> 2;
    to[at + TELLING.least] = off + uminOf(own);
    to[at + TELLING.high] = (other + LAYOUT.umax) >> 2;
    to[at + TELLING.most] = off + umaxOf(own);
  }
  if (!isPacketPointer(kind) || rangeOf(own) === 0 || !isConstant(own)) return;
  to[at + TELLING.range] = (other + FIELD.range) >> 2;
  to[at + TELLING.leastRange] = rangeOf(own);
}

/** One word, at an address, must be `value`. */
function tellWord(to: Int32Array, at: number, address: number, value: number): void {
  to[at + TELLING.base] = address >> 2;
  to[at + TELLING.least] = value;
  to[at + TELLING.most] = value;
}

/** -1 if `outer` includes `inner` (see `stateIncludes`); else the place in which it does not, or `ELSEWHERE`. */
export function firstDifference(outer: number, inner: number, scratch: number): number {
  const frames = frameCount(outer);
  if (frameCount(inner) !== frames || ghostCount(inner) < ghostCount(outer)) return ELSEWHERE;
  ids = 0;
  if (!referencesInclude(outer, inner)) return ELSEWHERE;
  held = ids;
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
      if (!slotOfIncludes(outer, inner, f, s, scratch)) return f * PLACES + REGISTERS + s;
    }
  }
  for (let g = 0; g < ghostCount(outer); g += 1) {
    const [at, other] = [ghostAt(outer, g), ghostAt(inner, g)];
    if (!registerIncludes(at, other) || !budgetIncludes(rangeOf(at), rangeOf(other))) return ELSEWHERE;
  }
  return -1;
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

/** @param s  a slot in use in `outer` */
function slotOfIncludes(outer: number, inner: number, frame: number, s: number, scratch: number): boolean {
  const slot = slotAt(outer, frame, s);
  return s < depthOf(inner, frame) ? slotIncludes(slot, slotAt(inner, frame, s), scratch) : isUnused(slot);
}
