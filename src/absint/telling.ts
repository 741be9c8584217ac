/**
 * Words that tell states apart: a few words of a live state, and what they must be for another one to include it. A look at them is less than a look at either state.
 */
import { allocatePermanent } from "./arena.ts";
import { frameOfPlace, indexOfPlace, isWholeSpill, isZeroScalar } from "./inclusion.ts";
import {
  constantLow,
  FIELD,
  isConstant,
  isPacketPointer,
  KIND,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  umaxOf,
  uminOf,
} from "./register.ts";
import { LAYOUT } from "./scalar/operators.ts";
import { frameCount, REGISTERS, registerAt, slotAt, spilledAt } from "./state.ts";

/** A word that is always 0. */
const ZERO = allocatePermanent(8) >> 2;

/**
 * What `tellingWords` writes: indices into `arena.i32`, of words of a live state, and what they are compared with. A state is ruled out if `same` is not `value`, `base` and `low` together are less than
 * `least`, `base` and `high` together more than `most`, or `range` is less than `leastRange`. Next to all that are ruled out are so by the first.
 */
export const TELLING = {
  same: 0,
  value: 1,
  base: 2,
  low: 3,
  least: 4,
  high: 5,
  most: 6,
  range: 7,
  leastRange: 8,
} as const;
/** How many numbers that is. */
export const TELLING_WORDS = 9;

/**
 * Whether the words that `facts` has from `at` on rule out the live state that they are of.
 *
 * @param live  `arena.i32`, which who asks often looks up once
 */
export function isToldApart(live: Int32Array, facts: Int32Array, at: number): boolean {
  if (live[facts[at] ?? 0] !== facts[at + TELLING.value]) return true;
  const base = live[facts[at + TELLING.base] ?? 0] ?? 0;
  return (
    ((base + (live[facts[at + TELLING.low] ?? 0] ?? 0)) | 0) < (facts[at + TELLING.least] ?? 0) ||
    ((base + (live[facts[at + TELLING.high] ?? 0] ?? 0)) | 0) > (facts[at + TELLING.most] ?? 0) ||
    (live[facts[at + TELLING.range] ?? 0] ?? 0) < (facts[at + TELLING.leastRange] ?? 0)
  );
}

/** Words that rule out nothing. */
export function tellNothing(to: Int32Array, at: number): void {
  to[at + TELLING.same] = ZERO;
  to[at + TELLING.value] = 0;
  to[at + TELLING.base] = ZERO;
  to[at + TELLING.low] = ZERO;
  to[at + TELLING.least] = 0;
  to[at + TELLING.high] = ZERO;
  to[at + TELLING.most] = 0;
  to[at + TELLING.range] = ZERO;
  to[at + TELLING.leastRange] = 0;
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
  const frame = frameOfPlace(place);
  const index = indexOfPlace(place);
  if (frame >= frameCount(outer) || frame >= frameCount(inner)) return;
  if (index < REGISTERS)
    return tellingOfRegister(registerAt(outer, frame, index), registerAt(inner, frame, index), to, at);
  const s = index - REGISTERS;
  tellingOfSlot(slotAt(outer, frame, s), slotAt(inner, frame, s), to, at);
}

/** Words that tell states apart in a slot, as `tellingWords`. */
export function tellingOfSlot(own: number, other: number, to: Int32Array, at: number): void {
  tellNothing(to, at);
  // Eight bytes that are 0 are a number, too.
  if (!isWholeSpill(own) || isZeroScalar(spilledAt(own))) return;
  tellingOfRegister(spilledAt(own), spilledAt(other), to, at);
}

/** Words that tell states apart in a register, as `tellingWords`. */
export function tellingOfRegister(own: number, other: number, to: Int32Array, at: number): void {
  tellNothing(to, at);
  const kind = kindOf(own);
  if (kind === KIND.none) return;
  const isNumber = kind === KIND.scalar;
  if (kindOf(other) !== kind) return tellKind(other, kind, to, at);
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
  to[at + TELLING.same] = address >> 2;
  to[at + TELLING.value] = value;
}

/** The kind of the register at `other` must be `kind`. */
export const tellKind = (other: number, kind: number, to: Int32Array, at: number): void =>
  tellWord(to, at, other + FIELD.kind, kind);
