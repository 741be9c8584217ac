/**
 * Linked numbers: what an instruction leaves of a link (register.ts says what one is), and what one number of a class tells the others.
 *
 * Every function here is sound by what it is made of. A link is kept where the new number is the old one plus a constant, or has low bits
 * that are; anything else ends it. What is told goes through the abstract addition and the refinement by equality. A constant is in no
 * class: its value says more.
 */
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { arena } from "../arena.ts";
import { addOrigins, demand, type Marks, useLink } from "../origins.ts";
import {
  constantHigh,
  constantLow,
  copyScalarPart,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  KIND,
  kindOf,
  setConstant,
  setLink,
  smallConstant,
  umaxOf,
  uminOf,
  unlink,
  WHOLE,
} from "../register.ts";
import { branchOperators, SCALAR_BYTES, synchronise, tightAluOperator } from "../scalar/operators.ts";
import { forEachRegister, takeId } from "../state.ts";
import { SCRATCH } from "./machine.ts";

const U32_MAX = 0xffffffff;

/**
 * Makes sure that copies of the low `bits` bits of the number at `source` are linked to it. A link of less is given up: that two numbers are
 * equal is worth more.
 */
export function beginLink(state: number, source: number, bits = WHOLE): void {
  if (isConstant(source)) return;
  if (idOf(source) === 0 || formOf(source) < bits) setLink(source, takeId(state), 0, WHOLE);
}

/**
 * To be called before all but the low `bits` bits of the number at `at` change, unless it is no greater than `greatest`: changes its link
 * to what is true of the result.
 */
export function cutLink(at: number, bits: number, greatest: number): void {
  if (idOf(at) === 0 || umaxOf(at) <= greatest) return;
  if (formOf(at) < 0) unlink(at);
  else setLink(at, idOf(at), deltaOf(at), Math.min(formOf(at), bits));
}

/** To be called before the number at `at`, which is linked, becomes `at op source`: changes its link to what is true of the result. */
export function carryLink(op: AluOp, width: 32 | 64, at: number, source: number): void {
  const constant = isConstant(source)
    ? width === 64
      ? smallConstant(source)
      : constantLow(source)
    : undefined;
  switch (op) {
    case "add":
    case "sub":
      if (constant === undefined) return unlink(at);
      return moveLink(at, op === "add" ? constant : -constant, width);
    case "and":
      return isConstant(source) ? maskLink(at, source, width) : unlink(at);
    case "le32":
      return cutLink(at, 32, U32_MAX);
    case "lsh":
    case "rsh":
    case "arsh":
      if (constant === undefined || width === 32 || constant < 1 || constant > 63) return unlink(at);
      return shiftLink(at, op === "lsh", constant);
    default:
      unlink(at);
  }
}

/** The number becomes itself plus `constant`, an integer, modulo 2^width. */
function moveLink(at: number, constant: number, width: 32 | 64): void {
  const form = formOf(at);
  if (form < 0) return unlink(at);
  const delta = deltaOf(at) + constant;
  const unwrapped =
    width === 64 || (umaxOf(at) <= U32_MAX && uminOf(at) + constant >= 0 && umaxOf(at) + constant <= U32_MAX);
  const left = unwrapped ? form : Math.min(form, 32);
  if (left <= 32 || delta === (delta | 0)) setLink(at, idOf(at), delta, left);
  else unlink(at);
}

/** How many of the lowest bits are ones. */
const trailingOnes = (word: number): number => (word === -1 ? 32 : 31 - Math.clz32(~word & (word + 1)));

/** Only some bits stay, and the lowest of them are whole. */
function maskLink(at: number, mask: number, width: 32 | 64): void {
  const bits = trailingOnes(constantLow(mask));
  if (bits === 0) unlink(at);
  else if (bits < 32 || width === 32 || constantHigh(mask) !== -1) cutLink(at, bits, 2 ** bits - 1);
}

/** A number that was shifted left and is shifted back has the low bits that it had. */
function shiftLink(at: number, left: boolean, count: number): void {
  const form = formOf(at);
  if (left && form >= WHOLE - count) setLink(at, idOf(at), deltaOf(at), -count);
  else if (!left && form === -count) setLink(at, idOf(at), deltaOf(at), WHOLE - count);
  else unlink(at);
}

/**
 * The two numbers are equal from now on, at 64 bits: what is linked to one is linked to the other. Not if all that is known are some low
 * bits of both.
 */
export function linkEqual(marks: Marks, state: number, left: number, right: number): void {
  const [a, b] = [idOf(left), idOf(right)];
  if (isConstant(left) || isConstant(right) || (a !== 0 && a === b)) return;
  if (b === 0) {
    if (a === 0) beginLink(state, left);
    setLink(right, idOf(left), deltaOf(left), formOf(left));
    return;
  }
  if (a === 0) return setLink(left, b, deltaOf(right), formOf(right));
  if (formOf(left) !== WHOLE || formOf(right) !== WHOLE) return;
  useLink(marks, a);
  useLink(marks, b);
  const distance = deltaOf(left) - deltaOf(right);
  forEachRegister(state, (at) => {
    if (idOf(at) !== b || kindOf(at) !== KIND.scalar) return;
    const delta = deltaOf(at) + distance;
    if (delta === (delta | 0)) setLink(at, a, delta, formOf(at));
    else unlink(at);
  });
}

function sameScalars(a: number, b: number): boolean {
  for (let i = 0; i < SCALAR_BYTES; i += 4) {
    if (arena.i32[(a + i) >> 2] !== arena.i32[(b + i) >> 2]) return false;
  }
  return true;
}

const [NOTHING, SOMETHING, IMPOSSIBLE] = [0, 1, 2];

/** What the number at `from` says of the one at `at`, of the same class. Says whether that was anything new. */
function learn(from: number, at: number): number {
  const bits = Math.min(formOf(from), formOf(at));
  const distance = deltaOf(at) - deltaOf(from);
  if (bits === WHOLE && distance === 0) {
    if (sameScalars(from, at)) return NOTHING;
    copyScalarPart(from, at);
    return SOMETHING;
  }
  // Fewer bits than 32 say all of a number that has no more, and little of others.
  const greatest = 2 ** bits - 1;
  if (bits < 0 || (bits < 32 && umaxOf(at) > greatest)) return NOTHING;
  const width = bits === WHOLE ? 64 : 32;
  // The distance is an integer of 33 bits.
  setConstant(SCRATCH.right, distance | 0, Math.floor(distance / 4294967296));
  tightAluOperator("add", width)(from, SCRATCH.right, SCRATCH.value);
  if (bits < 32 && umaxOf(SCRATCH.value) > greatest) {
    setConstant(SCRATCH.right, greatest, 0);
    tightAluOperator("and", 64)(SCRATCH.value, SCRATCH.right, SCRATCH.value);
  }
  copyScalarPart(at, SCRATCH.left);
  branchOperators("jeq", width).taken(at, SCRATCH.value);
  if (synchronise(at) !== 0) return IMPOSSIBLE;
  return sameScalars(at, SCRATCH.left) ? NOTHING : SOMETHING;
}

/** What the number at `from` says of the variable part of a packet pointer of its class: that it is what the class counts from. */
function learnVariable(from: number, at: number): number {
  if (formOf(from) !== WHOLE) return NOTHING;
  const distance = -deltaOf(from);
  setConstant(SCRATCH.right, distance | 0, Math.floor(distance / 4294967296));
  tightAluOperator("add", 64)(from, SCRATCH.right, SCRATCH.value);
  copyScalarPart(at, SCRATCH.left);
  branchOperators("jeq", 64).taken(at, SCRATCH.value);
  if (synchronise(at) !== 0) return IMPOSSIBLE;
  return sameScalars(at, SCRATCH.left) ? NOTHING : SOMETHING;
}

/**
 * What was learnt of the number at `from` is told to all of its class in `state`. Says whether there can be such numbers at all.
 * Overwrites `SCRATCH.left`, `SCRATCH.right` and `SCRATCH.value`.
 */
export function tellLinked(marks: Marks, state: number, from: number): boolean {
  return idOf(from) === 0 || tellClass(marks, state, from);
}

function tellClass(marks: Marks, state: number, from: number): boolean {
  const id = idOf(from);
  let possible = true;
  forEachRegister(state, (at) => {
    if (!possible || at === from || idOf(at) !== id) return;
    const kind = kindOf(at);
    if (kind !== KIND.scalar && !isPacketPointer(kind)) return;
    const told = kind === KIND.scalar ? learn(from, at) : learnVariable(from, at);
    if (told === NOTHING) return;
    useLink(marks, id);
    addOrigins(from, at);
    // A state keeps all that it says of a pointer, whether or not anything depends on it: so what told a pointer something is needed.
    if (kind !== KIND.scalar) demand(marks, from);
    if (told === IMPOSSIBLE) {
      demand(marks, at);
      demand(marks, from);
      possible = false;
    } else if (kind === KIND.scalar && isConstant(at)) unlink(at);
  });
  if (isConstant(from)) unlink(from);
  return possible;
}
