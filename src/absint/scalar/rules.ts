/**
 * Synchronisation: what one component of a scalar tells another. Each rule is sound by itself (it keeps every x in γ) and only
 * tightens what it touches, so any sequence of them is sound. The order is data: `ORDER` is applied until nothing is left to
 * gain in practice, which two passes reach.
 */
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  extract,
  ite,
  not,
  or,
  sext,
  sge,
  slt,
  smax,
  smin,
  ugt,
  ult,
  umax,
  umin,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { signedMin } from "./part.ts";
import type { Scalar } from "./product.ts";
import * as tnum from "./tnum.ts";

export interface Rule {
  readonly name: string;
  readonly apply: (s: Scalar) => Scalar;
}

const LOW = constant(64, 0xffffffffn);
const HIGH = constant(64, 0xffffffff00000000n);
const high = (x: Term<64>): Term<32> => extract(32, x, 32);
const lowHalf = (x: Term<64>): Term<32> => extract(32, x);
const signOf = <N extends number>(x: Term<N>): Term<1> => extract(1, x, x.width - 1);

/** The signed bounds of a tnum: the sign bit, if unknown, is set for the least and clear for the greatest. */
export function signedBounds<N extends number>(t: tnum.Tnum<N>): readonly [Term<N>, Term<N>] {
  const sign = signedMin(t.value.width);
  return [or(t.value, and(t.mask, sign)), or(t.value, and(t.mask, not(sign)))];
}

export interface Intervals<N extends number> {
  readonly umin: Term<N>;
  readonly umax: Term<N>;
  readonly smin: Term<N>;
  readonly smax: Term<N>;
}

/** If the signed bounds agree in sign, signed and unsigned order agree between them. */
export function unsignedFromSigned<N extends number>(i: Intervals<N>): Intervals<N> {
  const same = eq(signOf(i.smin), signOf(i.smax));
  return {
    ...i,
    umin: ite(same, umax(i.umin, i.smin), i.umin),
    umax: ite(same, umin(i.umax, i.smax), i.umax),
  };
}

/** If the unsigned bounds agree in sign, signed and unsigned order agree between them. */
export function signedFromUnsigned<N extends number>(i: Intervals<N>): Intervals<N> {
  const same = eq(signOf(i.umin), signOf(i.umax));
  return {
    ...i,
    smin: ite(same, smax(i.smin, i.umin), i.smin),
    smax: ite(same, smin(i.smax, i.umax), i.smax),
  };
}

/**
 * If the signed interval crosses zero, its unsigned image is [0, smax] and [smin, max]. An unsigned interval that misses one of
 * the two leaves only the other.
 */
export function oneSideOfZero<N extends number>(i: Intervals<N>): Intervals<N> {
  const zero = constant(i.smin.width, 0);
  const crosses = and(slt(i.smin, zero), sge(i.smax, zero));
  const negative = and(crosses, ugt(i.umin, i.smax));
  const positive = and(crosses, ult(i.umax, i.smin));
  return {
    umin: ite(negative, umax(i.umin, i.smin), i.umin),
    umax: ite(positive, umin(i.umax, i.smax), i.umax),
    smin: ite(positive, zero, i.smin),
    smax: ite(negative, constant(i.smin.width, -1), i.smax),
  };
}

const intervals64 = (s: Scalar): Intervals<64> => s;
const intervals32 = (s: Scalar): Intervals<32> => ({
  umin: s.umin32,
  umax: s.umax32,
  smin: s.smin32,
  smax: s.smax32,
});
const with64 = (s: Scalar, { umin, umax, smin, smax }: Intervals<64>): Scalar => ({
  ...s,
  umin,
  umax,
  smin,
  smax,
});
const with32 = (s: Scalar, i: Intervals<32>): Scalar => ({
  ...s,
  umin32: i.umin,
  umax32: i.umax,
  smin32: i.smin,
  smax32: i.smax,
});

/**
 * What 64-bit bounds say of the low halves between them. With one upper half the low halves bound them, unsigned, and signed too if
 * they agree in sign. From one upper half to the next the low halves run through all ones to 0: in signed order, if they
 * start below zero and end above.
 */
function boundLowHalves(s: Scalar, least: Term<64>, greatest: Term<64>): Scalar {
  const [from, to] = [lowHalf(least), lowHalf(greatest)];
  const same = eq(high(least), high(greatest));
  const next = eq(add(high(least), constant(32, 1)), high(greatest));
  const inOrder = or(and(same, eq(signOf(from), signOf(to))), all(next, signOf(from), not(signOf(to))));
  return {
    ...s,
    umin32: ite(same, umax(s.umin32, from), s.umin32),
    umax32: ite(same, umin(s.umax32, to), s.umax32),
    smin32: ite(inOrder, smax(s.smin32, from), s.smin32),
    smax32: ite(inOrder, smin(s.smax32, to), s.smax32),
  };
}

const RULES = {
  /** The unknown bits all 0 and all 1 bound a tnum. */
  "tnum to u64": (s) => ({
    ...s,
    umin: umax(s.umin, s.tnum.value),
    umax: umin(s.umax, tnum.possible(s.tnum)),
  }),
  "tnum to s64": (s) => {
    const [least, greatest] = signedBounds(s.tnum);
    return { ...s, smin: smax(s.smin, least), smax: smin(s.smax, greatest) };
  },
  "tnum to u32": (s) => ({
    ...s,
    umin32: umax(s.umin32, lowHalf(s.tnum.value)),
    umax32: umin(s.umax32, lowHalf(tnum.possible(s.tnum))),
  }),
  "tnum to s32": (s) => {
    const [least, greatest] = signedBounds(tnum.truncate(32, s.tnum));
    return { ...s, smin32: smax(s.smin32, least), smax32: smin(s.smax32, greatest) };
  },
  "s64 to u64": (s) => with64(s, unsignedFromSigned(intervals64(s))),
  "u64 to s64": (s) => with64(s, signedFromUnsigned(intervals64(s))),
  "one side of zero 64": (s) => with64(s, oneSideOfZero(intervals64(s))),
  "s32 to u32": (s) => with32(s, unsignedFromSigned(intervals32(s))),
  "u32 to s32": (s) => with32(s, signedFromUnsigned(intervals32(s))),
  "one side of zero 32": (s) => with32(s, oneSideOfZero(intervals32(s))),
  "u64 to 32": (s) => boundLowHalves(s, s.umin, s.umax),
  "s64 to 32": (s) => boundLowHalves(s, s.smin, s.smax),
  /** x has at least the upper half of its least value and at least the least low half. */
  "u32 to u64": (s) => ({
    ...s,
    umin: umax(s.umin, or(and(s.umin, HIGH), zext(64, s.umin32))),
    umax: umin(s.umax, or(and(s.umax, HIGH), zext(64, s.umax32))),
  }),
  "u32 to s64": (s) => ({
    ...s,
    smin: smax(s.smin, or(and(s.smin, HIGH), zext(64, s.umin32))),
    smax: smin(s.smax, or(and(s.smax, HIGH), zext(64, s.umax32))),
  }),
  /** A 64-bit number that is a signed 32-bit number is the sign extension of its low half. */
  "s32 to s64": (s) => {
    const isInt32 = and(eq(sext(64, lowHalf(s.smin)), s.smin), eq(sext(64, lowHalf(s.smax)), s.smax));
    return {
      ...s,
      smin: ite(isInt32, smax(s.smin, sext(64, s.smin32)), s.smin),
      smax: ite(isInt32, smin(s.smax, sext(64, s.smax32)), s.smax),
    };
  },
  "u64 to tnum": (s) => ({ ...s, tnum: refined(s.tnum, tnum.fromRange(s.umin, s.umax)) }),
  "u32 to tnum": (s) => {
    const range = tnum.fromRange(s.umin32, s.umax32);
    const lifted = { value: zext(64, range.value), mask: or(HIGH, zext(64, range.mask)) };
    return { ...s, tnum: refined(s.tnum, lifted) };
  },
} as const satisfies Record<string, (s: Scalar) => Scalar>;

/**
 * The tnum with what `other` adds. Where they conflict the scalar is empty; value and mask then overlap, which is how an empty
 * tnum is told from the rest.
 */
function refined(own: tnum.Tnum<64>, other: tnum.Tnum<64>): tnum.Tnum<64> {
  const both = tnum.intersect(own, other);
  const empty = any(tnum.conflict(own, other), emptyTnum(own), emptyTnum(other));
  return {
    value: ite(empty, LOW, both.value),
    mask: ite(empty, LOW, both.mask),
  };
}

const emptyTnum = (t: tnum.Tnum<64>): Term<1> => not(eq(and(t.value, t.mask), constant(64, 0)));

const PASS: readonly (keyof typeof RULES)[] = [
  "tnum to u64",
  "tnum to s64",
  "tnum to u32",
  "tnum to s32",
  "s64 to u64",
  "u64 to s64",
  "one side of zero 64",
  "u64 to 32",
  "s64 to 32",
  "s32 to u32",
  "u32 to s32",
  "one side of zero 32",
  "u32 to u64",
  "u32 to s64",
  "s32 to s64",
  "u64 to s64",
  "s64 to u64",
  "u64 to tnum",
  "u32 to tnum",
];

/** The rules in the order in which synchronisation applies them. */
export const ORDER: readonly Rule[] = [...PASS, ...PASS].map((name) => ({ name, apply: RULES[name] }));

/** Every rule once, by name: what the proofs go through. */
export const ALL_RULES: readonly Rule[] = Object.entries(RULES).map(([name, apply]) => ({ name, apply }));

/** All components as tight as the rules make them. */
export const synchronised = (s: Scalar): Scalar => ORDER.reduce((state, rule) => rule.apply(state), s);
