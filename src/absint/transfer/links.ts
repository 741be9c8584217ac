/**
 * Linked numbers: what an instruction leaves of a link (register.ts says what one is), and what one number of a class tells the others.
 *
 * Every function here is sound by what it is made of: a link is kept where the new number is the old one plus a constant, at 64 bits or
 * in the low halves, and goes everywhere else; what is told goes through the abstract addition and the refinement by equality.
 * A constant is in no class: its value says more.
 */
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { arena } from "../arena.ts";
import { addOrigins, demand, type Marks, useLink } from "../origins.ts";
import {
  constantLow,
  copyScalarPart,
  deltaOf,
  idOf,
  isConstant,
  isLowLink,
  KIND,
  kindOf,
  setConstant,
  setLink,
  smallConstant,
  umaxOf,
  uminOf,
  unlink,
} from "../register.ts";
import { aluOperator, branchOperators, SCALAR_BYTES, synchronise } from "../scalar/operators.ts";
import { forEachRegister, takeId } from "../state.ts";
import { SCRATCH } from "./machine.ts";

const U32_MAX = 0xffffffff;

/** Makes sure that copies of the number at `source` are linked to it. */
export function beginLink(state: number, source: number): void {
  if (idOf(source) === 0 && !isConstant(source)) setLink(source, takeId(state), 0, false);
}

/** From now on the link says only what the low halves are: to be called where the high half of a linked number changes. */
export function keepLowLink(at: number): void {
  if (idOf(at) !== 0) setLink(at, idOf(at), deltaOf(at), true);
}

/**
 * To be called before the number at `at` is cut to its low `bits` bits: what of its link is true of the result, which is the number
 * itself if it is no greater than `greatest`.
 */
export function cutLink(at: number, bits: number, greatest: number): void {
  if (idOf(at) === 0 || umaxOf(at) <= greatest) return;
  if (bits === 32) keepLowLink(at);
  else unlink(at);
}

/** To be called before `at` becomes `at op source`: changes its link to what is true of the result. */
export function carryLink(op: AluOp, width: 32 | 64, at: number, source: number): void {
  if (op === "add" || op === "sub") {
    const constant = width === 64 ? smallConstant(source) : lowConstant(source);
    if (constant === undefined) unlink(at);
    else shiftLink(at, op === "add" ? constant : -constant, width);
  } else if (op === "le32" || (op === "and" && isConstant(source) && constantLow(source) === -1)) {
    cutLink(at, 32, U32_MAX);
  } else unlink(at);
}

const lowConstant = (at: number): number | undefined => (isConstant(at) ? constantLow(at) : undefined);

/** The number becomes itself plus `constant`, an integer, modulo 2^width. */
function shiftLink(at: number, constant: number, width: 32 | 64): void {
  const delta = deltaOf(at) + constant;
  const stays =
    width === 64 || (uminOf(at) + constant >= 0 && umaxOf(at) + constant <= U32_MAX && umaxOf(at) <= U32_MAX);
  const low = isLowLink(at) || !stays;
  if (low || delta === (delta | 0)) setLink(at, idOf(at), delta, low);
  else unlink(at);
}

/** The halves of `distance`, an integer of at most 34 bits. */
const setDistance = (at: number, distance: number): void =>
  setConstant(at, distance | 0, Math.floor(distance / 4294967296));

function sameScalars(a: number, b: number): boolean {
  for (let i = 0; i < SCALAR_BYTES; i += 4) {
    if (arena.i32[(a + i) >> 2] !== arena.i32[(b + i) >> 2]) return false;
  }
  return true;
}

const [NOTHING, SOMETHING, IMPOSSIBLE] = [0, 1, 2];

/** What the number at `from` says of the one at `at`, of the same class. Says whether that was anything new. */
function learn(from: number, at: number): number {
  const whole = !isLowLink(from) && !isLowLink(at);
  const distance = deltaOf(at) - deltaOf(from);
  if (whole && distance === 0) {
    if (sameScalars(from, at)) return NOTHING;
    copyScalarPart(from, at);
    return SOMETHING;
  }
  const width = whole ? 64 : 32;
  setDistance(SCRATCH.right, distance);
  aluOperator("add", width)(from, SCRATCH.right, SCRATCH.value);
  synchronise(SCRATCH.value);
  copyScalarPart(at, SCRATCH.left);
  branchOperators("jeq", width).taken(at, SCRATCH.value);
  if (synchronise(at) !== 0) return IMPOSSIBLE;
  return sameScalars(at, SCRATCH.left) ? NOTHING : SOMETHING;
}

/**
 * What was learnt of the number at `from` is told to all of its class in `state`. Says whether there can be such numbers at all.
 * Overwrites `SCRATCH.left`, `SCRATCH.right` and `SCRATCH.value`.
 */
export function tellLinked(marks: Marks, state: number, from: number): boolean {
  const id = idOf(from);
  if (id === 0) return true;
  let possible = true;
  forEachRegister(state, (at) => {
    if (!possible || at === from || idOf(at) !== id || kindOf(at) !== KIND.scalar) return;
    const told = learn(from, at);
    if (told === NOTHING) return;
    useLink(marks, id);
    addOrigins(from, at);
    if (told === IMPOSSIBLE) {
      demand(marks, at);
      demand(marks, from);
      possible = false;
    } else if (isConstant(at)) unlink(at);
  });
  if (isConstant(from)) unlink(from);
  return possible;
}
