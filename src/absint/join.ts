/**
 * Upper bounds of states: what holds in both of two states of one path. What a loop's head is given as an invariant is made here.
 *
 * Nothing rests on a bound being one: whoever uses it asks `stateIncludes`.
 *
 * Links are found: numbers that differ by the same constant in both states are linked in the bound, and so are the variable parts of packet
 * pointers. So a counter and an offset that move together stay together.
 */
import { allocatePermanent, arena } from "./arena.ts";
import { sameFrames } from "./inclusion.ts";
import { referenceId, referenceKind } from "./references.ts";
import {
  baseOf,
  component32,
  component64,
  copyScalarPart,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  KIND,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  REGISTER_BYTES,
  rangeOf,
  referenceOf,
  setConstant,
  setId,
  setLink,
  setNone,
  setOff,
  setRange,
  smallConstant,
  unlink,
  WHOLE,
} from "./register.ts";
import {
  joinScalars,
  LAYOUT,
  scalarIncludes,
  synchronise,
  tightAluOperator,
  widenScalars,
} from "./scalar/operators.ts";
import {
  BYTE,
  budgetFrame,
  CARRIED,
  clearSlot,
  depthOf,
  forEachRegister,
  frameCount,
  ghostAt,
  ghostCount,
  referenceCount,
  registerAt,
  sectionsOf,
  setSlotByte,
  slotAt,
  slotByte,
  spilledAt,
  takeId,
  unpack,
} from "./state.ts";

const SHIFT = allocatePermanent(REGISTER_BYTES);
const SHIFTED = allocatePermanent(REGISTER_BYTES);

/** In place of the id of a class: numbers that are constants count from 0. */
const CONSTANTS = -1;

/** What a number counts from in one state, and how far it is from there. */
interface Position {
  readonly from: number;
  readonly delta: number;
  readonly form: number;
}

/** Numbers of one class in either state, at the same distance from each other in both: a class of the bound. */
interface JoinedClass {
  readonly first: number;
  readonly second: number;
  readonly shift: number;
  readonly id: number;
  members: number;
}

/**
 * Makes `out`, a live state, an upper bound of `first` and `second`. Says no if there is none: other functions are active, or something else is held.
 */
export function joinStates(first: number, second: number, out: number): boolean {
  if (!sameFrames(first, second) || !sameHeld(first, second)) return false;
  if (ghostCount(first) !== ghostCount(second)) return false;
  unpack(first, out);
  const classes: JoinedClass[] = [];
  for (let f = 0; f < frameCount(out); f += 1) {
    for (const r of CARRIED) {
      joinRegister(out, registerAt(out, f, r), registerAt(second, f, r), classes);
    }
    for (let s = 0; s < depthOf(out, f); s += 1) {
      const slot = slotAt(out, f, s);
      if (s >= depthOf(second, f)) clearSlot(slot);
      else joinSlot(out, slot, slotAt(second, f, s), classes);
    }
  }
  for (let g = 0; g < ghostCount(out); g += 1) {
    const [at, other] = [ghostAt(out, g), ghostAt(second, g)];
    const [a, b] = [rangeOf(at), rangeOf(other)];
    joinRegister(out, at, other, classes);
    setRange(at, budgetFrame(a) === budgetFrame(b) ? Math.min(a, b) : 0);
  }
  dropSingles(out, classes);
  return true;
}

/** Both hold the same references under the same ids, in the same sections. */
function sameHeld(first: number, second: number): boolean {
  if (referenceCount(first) !== referenceCount(second) || sectionsOf(first) !== sectionsOf(second))
    return false;
  for (let i = 0; i < referenceCount(first); i += 1) {
    if (referenceId(first, i) !== referenceId(second, i)) return false;
    if (referenceKind(first, i) !== referenceKind(second, i)) return false;
  }
  return true;
}

function idFor(state: number, classes: JoinedClass[], a: Position, b: Position): number {
  const shift = b.delta - a.delta;
  let found = classes.find((c) => c.first === a.from && c.second === b.from && c.shift === shift);
  if (found === undefined) {
    found = { first: a.from, second: b.from, shift, id: takeId(state), members: 0 };
    classes.push(found);
  }
  found.members += 1;
  return found.id;
}

/** A link to nothing else says nothing. */
function dropSingles(state: number, classes: readonly JoinedClass[]): void {
  for (const { id, members } of classes) {
    if (members > 1) continue;
    forEachRegister(state, (at) => {
      if (kindOf(at) === KIND.scalar && idOf(at) === id) unlink(at);
    });
  }
}

/** `at`, in the state `out`, becomes a bound of what it is and of `other`. */
function joinRegister(out: number, at: number, other: number, classes: JoinedClass[]): void {
  const kind = kindOf(at);
  if (kind === KIND.none) return;
  if (kindOf(other) !== kind) return setNone(at);
  if (kind === KIND.scalar) joinNumber(out, at, other, classes);
  else joinPointer(out, at, other, classes);
}

function positionOf(at: number): Position | undefined {
  const constant = smallConstant(at);
  if (constant !== undefined) return { from: CONSTANTS, delta: constant, form: WHOLE };
  return idOf(at) === 0 ? undefined : { from: idOf(at), delta: deltaOf(at), form: formOf(at) };
}

function sameScalar(a: number, b: number): boolean {
  return scalarIncludes(a, b) === 1 && scalarIncludes(b, a) === 1;
}

function joinNumber(out: number, at: number, other: number, classes: JoinedClass[]): void {
  if (isConstant(at) && sameScalar(at, other)) return;
  const [a, b] = [positionOf(at), positionOf(other)];
  joinScalars(at, other, at);
  synchronise(at);
  if (a === undefined || b === undefined) return unlink(at);
  const form = a.form > 0 && b.form > 0 ? Math.min(a.form, b.form) : a.form === b.form ? a.form : 0;
  if (form === 0) return unlink(at);
  setLink(at, idFor(out, classes, a, b), a.delta, form);
}

/** Kinds of pointers that may have any variable part. */
const MOVABLE: ReadonlySet<number> = new Set([
  KIND.stack,
  KIND.mapValue,
  KIND.packet,
  KIND.packetMeta,
  KIND.memory,
]);

function joinPointer(out: number, at: number, other: number, classes: JoinedClass[]): void {
  if (objectOf(at) !== objectOf(other) || referenceOf(at) !== referenceOf(other)) return setNone(at);
  const shift = offOf(other) - offOf(at);
  const same = shift === 0 && sameScalar(at, other);
  if (isPacketPointer(kindOf(at))) {
    if (!same || idOf(at) !== idOf(other)) return joinPacketPointer(out, at, other, classes);
    setRange(at, Math.min(rangeOf(at), rangeOf(other)));
    return;
  }
  if (idOf(at) !== idOf(other)) {
    const named = mayBeNull(kindOf(at)) && idOf(at) !== 0 && idOf(other) !== 0;
    setId(at, named ? idFor(out, classes, pointerId(at), pointerId(other)) : 0);
  }
  if (same) return;
  if (mayBeNull(kindOf(at)) || !MOVABLE.has(baseOf(kindOf(at)))) return setNone(at);
  joinVariable(at, other, shift);
}

const pointerId = (at: number): Position => ({ from: idOf(at), delta: 0, form: WHOLE });

/** The variable part, counted from the fixed offset of the first. */
function joinVariable(at: number, other: number, shift: number): void {
  setConstant(SHIFT, shift | 0, Math.floor(shift / 4294967296));
  tightAluOperator("add", 64)(other, SHIFT, SHIFTED);
  joinScalars(at, SHIFTED, at);
  synchronise(at);
}

function joinPacketPointer(out: number, at: number, other: number, classes: JoinedClass[]): void {
  const constant = smallConstant(at);
  if (constant !== undefined && constant !== 0) {
    // Numbers that are constants count from 0, and so must this.
    setOff(at, offOf(at) + constant);
    setRange(at, rangeOf(at) === 0 ? 0 : rangeOf(at) + constant);
    setConstantPart(at);
  }
  const shift = offOf(other) - offOf(at);
  const [a, b] = [packetPosition(at, 0), packetPosition(other, shift)];
  joinVariable(at, other, shift);
  setId(at, a === undefined || b === undefined ? takeId(out) : idFor(out, classes, a, b));
  const range = rangeOf(other) === 0 ? 0 : rangeOf(other) - shift;
  setRange(at, Math.max(Math.min(rangeOf(at), range), 0));
}

function setConstantPart(at: number): void {
  setConstant(SHIFT, 0, 0);
  copyScalarPart(SHIFT, at);
}

function packetPosition(at: number, shift: number): Position | undefined {
  if (idOf(at) !== 0) return { from: idOf(at), delta: shift, form: WHOLE };
  const constant = smallConstant(at);
  return constant === undefined ? undefined : { from: CONSTANTS, delta: constant + shift, form: WHOLE };
}

/** How many bytes from the lowest on hold a spilled register. */
function spilledBytes(slot: number): number {
  let bytes = 0;
  while (bytes < 8 && slotByte(slot, bytes) === BYTE.spill) bytes += 1;
  return bytes;
}

function joinSlot(out: number, slot: number, other: number, classes: JoinedClass[]): void {
  const [bytes, kind] = [spilledBytes(slot), slotByte(slot, 0)];
  if (kind === BYTE.object || slotByte(other, 0) === BYTE.object) {
    const at = spilledAt(slot);
    const same =
      kind === slotByte(other, 0) &&
      (kindOf(at) !== KIND.scalar || rangeOf(at) === rangeOf(spilledAt(other)));
    if (same) joinRegister(out, at, spilledAt(other), classes);
    if (!same || kindOf(at) === KIND.none) clearSlot(slot);
    return;
  }
  if (bytes > 0 && bytes === spilledBytes(other)) {
    joinRegister(out, spilledAt(slot), spilledAt(other), classes);
    if (kindOf(spilledAt(slot)) === KIND.none) return clearSlot(slot);
    for (let i = bytes; i < 8; i += 1) setSlotByte(slot, i, joinByte(slot, other, i));
    return;
  }
  const kinds = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => joinByte(slot, other, i));
  clearSlot(slot);
  kinds.forEach((byte, i) => setSlotByte(slot, i, byte));
}

function joinByte(slot: number, other: number, index: number): number {
  const [a, b] = [plainByte(slot, index), plainByte(other, index)];
  if (a === BYTE.invalid || b === BYTE.invalid) return BYTE.invalid;
  return a === BYTE.zero && b === BYTE.zero ? BYTE.zero : BYTE.misc;
}

/** What a byte is if it is not to be read as part of a register. */
function plainByte(slot: number, index: number): number {
  const kind = slotByte(slot, index);
  if (kind !== BYTE.spill) return kind;
  const spilled = spilledAt(slot);
  if (kindOf(spilled) !== KIND.scalar) return BYTE.invalid;
  return smallConstant(spilled) === 0 ? BYTE.zero : BYTE.misc;
}

// --- Widening

/**
 * Makes `out`, a live state, a bound of `older` and `newer` that goes beyond both wherever the newer one goes beyond the older: to the next of
 * `limits`, which are numbers with a sign, ascending, or as far as scalar/widen.ts does. Says no if there is none.
 */
export function widenStates(older: number, newer: number, out: number, limits: readonly bigint[]): boolean {
  if (!joinStates(older, newer, out)) return false;
  for (let f = 0; f < frameCount(out); f += 1) {
    for (const r of CARRIED) widenRegister(registerAt(older, f, r), registerAt(out, f, r), limits);
    for (let s = 0; s < Math.min(depthOf(out, f), depthOf(older, f)); s += 1) {
      const [slot, was] = [slotAt(out, f, s), slotAt(older, f, s)];
      const kind = slotByte(slot, 0);
      const holds = (kind === BYTE.spill || kind === BYTE.object) && slotByte(was, 0) === kind;
      if (holds) widenRegister(spilledAt(was), spilledAt(slot), limits);
    }
  }
  return true;
}

const JOINED = allocatePermanent(REGISTER_BYTES);

function widenRegister(older: number, at: number, limits: readonly bigint[]): void {
  const kind = kindOf(at);
  if (kind === KIND.none || kindOf(older) !== kind || scalarIncludes(older, at) === 1) return;
  copyScalarPart(at, JOINED);
  widenScalars(older, at, at);
  for (const interval of INTERVALS) comeBack(older, at, interval, limits);
  synchronise(at);
}

/** A scalar's intervals, by their components. */
interface Interval {
  readonly least: number;
  readonly greatest: number;
  readonly bits: 32 | 64;
  readonly signed: boolean;
}

const INTERVALS: readonly Interval[] = [
  { least: LAYOUT.umin, greatest: LAYOUT.umax, bits: 64, signed: false },
  { least: LAYOUT.smin, greatest: LAYOUT.smax, bits: 64, signed: true },
  { least: LAYOUT.umin32, greatest: LAYOUT.umax32, bits: 32, signed: false },
  { least: LAYOUT.smin32, greatest: LAYOUT.smax32, bits: 32, signed: true },
];

function boundOf(at: number, offset: number, { bits, signed }: Interval): bigint {
  const value = bits === 64 ? component64(at, offset) : BigInt(component32(at, offset));
  return signed ? BigInt.asIntN(bits, value) : value;
}

function setBound(at: number, offset: number, bits: 32 | 64, value: bigint): void {
  if (bits === 64) arena.u64[(at + offset) >> 3] = BigInt.asUintN(64, value);
  else arena.i32[(at + offset) >> 2] = Number(BigInt.asIntN(32, value));
}

/** Bounds that widening moved go back to the nearest limit that the joined number keeps to. */
function comeBack(older: number, at: number, interval: Interval, limits: readonly bigint[]): void {
  const { least, greatest, bits } = interval;
  const bound = (register: number, offset: number): bigint => boundOf(register, offset, interval);
  const [top, bottom] = [bound(JOINED, greatest), bound(JOINED, least)];
  const above = limits.find((limit) => limit >= top);
  if (top > bound(older, greatest) && above !== undefined && above < bound(at, greatest)) {
    setBound(at, greatest, bits, above);
  }
  const below = limits.findLast((limit) => limit <= bottom);
  if (bottom < bound(older, least) && below !== undefined && below > bound(at, least)) {
    setBound(at, least, bits, below);
  }
}
