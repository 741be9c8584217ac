/**
 * Conditional jumps: what the abstract operands decide, and what either edge teaches about both operands.
 *
 * `decide` gives ALWAYS or NEVER only if every pair of concrete operands agrees. `refine` keeps every pair for which the condition
 * holds; the negated condition has an operator of its own, so one function serves both edges.
 */

import type { JumpOp } from "../../semantics/isa/instruction.ts";
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  ite,
  ne,
  not,
  or,
  sge,
  sgt,
  sle,
  slt,
  smax,
  smin,
  sub,
  uge,
  ugt,
  ule,
  ult,
  umax,
  umin,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { intersect, type Part } from "./part.ts";
import { combine, low, type Scalar, wide } from "./product.ts";
import * as tnum from "./tnum.ts";

/** A jump's condition, or the negation of one that has no opposite in the instruction set. */
export type Condition = JumpOp | "jnset";

export const NEGATION: Readonly<Record<Condition, Condition>> = {
  jeq: "jne",
  jne: "jeq",
  jgt: "jle",
  jle: "jgt",
  jge: "jlt",
  jlt: "jge",
  jsgt: "jsle",
  jsle: "jsgt",
  jsge: "jslt",
  jslt: "jsge",
  jset: "jnset",
  jnset: "jset",
};

export const CONDITIONS = Object.keys(NEGATION).filter((key): key is Condition => key in NEGATION);

const zeroOf = <N extends number>(p: Part<N>): Term<N> => constant(p.umin.width, 0);

type Surely = <N extends number>(a: Part<N>, b: Part<N>) => Term<1>;

/** Whether the condition surely holds. */
const HOLDS: Readonly<Record<Condition, Surely>> = {
  jeq: (a, b) =>
    any(
      all(eq(a.umin, a.umax), eq(b.umin, b.umax), eq(a.umin, b.umin)),
      all(eq(a.smin, a.smax), eq(b.smin, b.smax), eq(a.smin, b.smin)),
      all(tnum.isConstant(a.tnum), tnum.isConstant(b.tnum), eq(a.tnum.value, b.tnum.value)),
    ),
  jne: (a, b) =>
    any(
      ult(a.umax, b.umin),
      ult(b.umax, a.umin),
      slt(a.smax, b.smin),
      slt(b.smax, a.smin),
      tnum.conflict(a.tnum, b.tnum),
    ),
  jgt: (a, b) => ugt(a.umin, b.umax),
  jge: (a, b) => uge(a.umin, b.umax),
  jlt: (a, b) => ult(a.umax, b.umin),
  jle: (a, b) => ule(a.umax, b.umin),
  jsgt: (a, b) => sgt(a.smin, b.smax),
  jsge: (a, b) => sge(a.smin, b.smax),
  jslt: (a, b) => slt(a.smax, b.smin),
  jsle: (a, b) => sle(a.smax, b.smin),
  jset: (a, b) => ne(and(a.tnum.value, b.tnum.value), zeroOf(a)),
  jnset: (a, b) => eq(and(tnum.possible(a.tnum), tnum.possible(b.tnum)), zeroOf(a)),
};

/** 1 if the condition holds for all operands, 0 if for none, 2 if that is not known. */
export function decide<N extends number>(condition: Condition, a: Part<N>, b: Part<N>): Term<2> {
  const [no, yes, open] = [constant(2, 0), constant(2, 1), constant(2, 2)];
  return ite(HOLDS[condition](a, b), yes, ite(HOLDS[NEGATION[condition]](a, b), no, open));
}

/**
 * `decide` for a jump of `width` on whole scalars. 64-bit operands whose low halves differ, or share a bit, do so themselves; nothing else
 * about whole numbers follows from their low halves.
 */
export function decideScalars(condition: Condition, width: 32 | 64, a: Scalar, b: Scalar): Term<2> {
  const [no, yes] = [constant(2, 0), constant(2, 1)];
  if (width === 32) return decide(condition, low(a), low(b));
  const decision = decide(condition, wide(a), wide(b));
  const negation = NEGATION[condition];
  if (BY_HALF.has(condition)) return ite(HOLDS[condition](low(a), low(b)), yes, decision);
  if (BY_HALF.has(negation)) return ite(HOLDS[negation](low(a), low(b)), no, decision);
  return decision;
}

const BY_HALF: ReadonlySet<Condition> = new Set(["jne", "jset"]);

type Pair<N extends number> = readonly [Part<N>, Part<N>];

/** Without the constant `b`, an interval that ends there ends one earlier. */
function without<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const one = constant(a.umin.width, 1);
  const isConstant = eq(b.umin, b.umax);
  const at = (end: Term<N>): Term<1> => and(isConstant, eq(end, b.umin));
  return {
    tnum: a.tnum,
    umin: ite(at(a.umin), add(a.umin, one), a.umin),
    umax: ite(at(a.umax), sub(a.umax, one), a.umax),
    smin: ite(at(a.smin), add(a.smin, one), a.smin),
    smax: ite(at(a.smax), sub(a.smax, one), a.smax),
  };
}

/** If `a` and `b` can share just one bit, a common bit must be that one. */
function sharedBit<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const shared = and(tnum.possible(a.tnum), tnum.possible(b.tnum));
  const single = eq(and(shared, sub(shared, constant(shared.width, 1))), zeroOf(a));
  const bit = ite(single, shared, zeroOf(a));
  return { ...a, tnum: { value: or(a.tnum.value, bit), mask: and(a.tnum.mask, not(bit)) } };
}

/** No common bit: where `b` is surely 1, `a` is 0. */
function noSharedBit<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  return {
    ...a,
    tnum: { value: and(a.tnum.value, not(b.tnum.value)), mask: and(a.tnum.mask, not(b.tnum.value)) },
  };
}

const oneOf = <N extends number>(p: Part<N>): Term<N> => constant(p.umin.width, 1);

type Narrow = <N extends number>(a: Part<N>, b: Part<N>) => Pair<N>;

const less: Narrow = (a, b) => [
  { ...a, umax: umin(a.umax, sub(b.umax, oneOf(b))) },
  { ...b, umin: umax(b.umin, add(a.umin, oneOf(a))) },
];
const atMost: Narrow = (a, b) => [
  { ...a, umax: umin(a.umax, b.umax) },
  { ...b, umin: umax(b.umin, a.umin) },
];
const signedLess: Narrow = (a, b) => [
  { ...a, smax: smin(a.smax, sub(b.smax, oneOf(b))) },
  { ...b, smin: smax(b.smin, add(a.smin, oneOf(a))) },
];
const signedAtMost: Narrow = (a, b) => [
  { ...a, smax: smin(a.smax, b.smax) },
  { ...b, smin: smax(b.smin, a.smin) },
];
const swapped = <N extends number>([a, b]: Pair<N>): Pair<N> => [b, a];

const REFINEMENTS: Readonly<Record<Condition, Narrow>> = {
  jeq: (a, b) => {
    const both = intersect(a, b);
    return [both, both];
  },
  jne: (a, b) => [without(a, b), without(b, a)],
  jlt: less,
  jle: atMost,
  jgt: (a, b) => swapped(less(b, a)),
  jge: (a, b) => swapped(atMost(b, a)),
  jslt: signedLess,
  jsle: signedAtMost,
  jsgt: (a, b) => swapped(signedLess(b, a)),
  jsge: (a, b) => swapped(signedAtMost(b, a)),
  jset: (a, b) => [sharedBit(a, b), sharedBit(b, a)],
  jnset: (a, b) => [noSharedBit(a, b), noSharedBit(b, a)],
};

/**
 * The operands where the condition holds, given that it can (`decide` does not say never). A part that comes out not well formed
 * says that it cannot after all.
 */
export const refine = <N extends number>(condition: Condition, a: Part<N>, b: Part<N>): Pair<N> =>
  REFINEMENTS[condition](a, b);

/** `refine` for a jump of `width` on whole scalars. */
export function refineScalars(
  condition: Condition,
  width: 32 | 64,
  a: Scalar,
  b: Scalar,
): readonly [Scalar, Scalar] {
  if (width === 32) {
    const [c, d] = refine(condition, low(a), low(b));
    return [combine(wide(a), c), combine(wide(b), d)];
  }
  const [c, d] = refine(condition, wide(a), wide(b));
  // Equal numbers have equal low halves, whose bounds may say more. Nothing else about a whole number is so about its low half.
  const [e, f] = condition === "jeq" ? refine(condition, low(a), low(b)) : [low(a), low(b)];
  return [combine(c, e), combine(d, f)];
}
