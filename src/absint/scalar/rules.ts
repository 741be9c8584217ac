/**
 * Synchronisation: what one component of a scalar tells another. Each rule is sound by itself (it keeps every x in γ) and only
 * tightens what it touches, so any sequence of them is sound. The order is data: a pass is `ORDER`, and passes are made until the scalar is
 * settled, at most `MAX_PASSES`. On nearly all results of operators one is enough.
 */
import {
  add,
  and,
  any,
  constant,
  eq,
  extract,
  fold,
  ite,
  lshr,
  ne,
  not,
  or,
  sext,
  sle,
  slt,
  smax,
  smin,
  TRUE,
  ult,
  umax,
  umin,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import {
  type PartRule,
  refined,
  tnumToSigned,
  tnumToUnsigned,
  unsignedAndSigned,
  unsignedToTnum,
} from "./exchange.ts";
import { low, type Scalar, wide } from "./product.ts";
import * as tnum from "./tnum.ts";

export interface Rule {
  readonly name: string;
  readonly apply: (s: Scalar) => Scalar;
}

const HIGH = constant(64, 0xffffffff00000000n);
const ZERO = constant(64, 0);
const lowHalf = (x: Term<64>): Term<32> => extract(32, x);

const on64 =
  (rule: PartRule) =>
  (s: Scalar): Scalar => ({ ...s, ...rule(wide(s)) });

/** For rules that leave the tnum as it is. */
const on32 =
  (rule: PartRule) =>
  (s: Scalar): Scalar => {
    const { umin, umax, smin, smax } = rule(low(s));
    return { ...s, umin32: umin, umax32: umax, smin32: smin, smax32: smax };
  };

const sameHigh = (a: Term<64>, b: Term<64>): Term<1> => eq(lshr(xor(a, b), constant(64, 32)), ZERO);

/** The multiple of 2^32 that is nearest to x: x is that plus its low half, taken as a signed number. */
const nearest = (x: Term<64>): Term<64> => and(add(x, constant(64, 0x80000000n)), HIGH);

/**
 * Whether all numbers from `a` up to `b`, modulo 2^64, are near the same multiple of 2^32, so that their order is that of their low halves
 * as signed numbers. The ends may be near the same one also if the numbers go all the way round; then their low halves fall.
 */
const nearTheSame = (a: Term<64>, b: Term<64>): Term<1> =>
  and(
    sameHigh(add(a, constant(64, 0x80000000n)), add(b, constant(64, 0x80000000n))),
    sle(lowHalf(a), lowHalf(b)),
  );

/** Signed low halves of the numbers from `least` to `greatest`. */
function boundSignedHalves(s: Scalar, least: Term<64>, greatest: Term<64>): Scalar {
  const near = nearTheSame(least, greatest);
  return {
    ...s,
    smin32: ite(near, smax(s.smin32, lowHalf(least)), s.smin32),
    smax32: ite(near, smin(s.smax32, lowHalf(greatest)), s.smax32),
  };
}

/**
 * The ends of the numbers from `least` to `greatest` whose low halves are within the signed bounds. An interval without numbers may come
 * out with some, so whoever asks keeps its own ends where they are tighter.
 */
function withSignedHalves(s: Scalar, least: Term<64>, greatest: Term<64>): readonly [Term<64>, Term<64>] {
  const near = nearTheSame(least, greatest);
  const end = (half: Term<32>): Term<64> => add(nearest(least), sext(64, half));
  return [
    ite(near, end(smax(s.smin32, lowHalf(least))), least),
    ite(near, end(smin(s.smax32, lowHalf(greatest))), greatest),
  ];
}

/** `end` with another low half. */
const withLow = (end: Term<64>, half: Term<32>): Term<64> => or(and(end, HIGH), zext(64, half));

const RULES = {
  "tnum to u64": on64(tnumToUnsigned),
  "tnum to s64": on64(tnumToSigned),
  "tnum to u32": on32(tnumToUnsigned),
  "tnum to s32": on32(tnumToSigned),
  "u64 and s64": on64(unsignedAndSigned),
  "u32 and s32": on32(unsignedAndSigned),
  /** With one upper half, the low halves of the ends bound the low halves. */
  "u64 to u32": (s) => {
    const same = sameHigh(s.umin, s.umax);
    return {
      ...s,
      umin32: ite(same, umax(s.umin32, lowHalf(s.umin)), s.umin32),
      umax32: ite(same, umin(s.umax32, lowHalf(s.umax)), s.umax32),
    };
  },
  "u64 to s32": (s) => boundSignedHalves(s, s.umin, s.umax),
  "s64 to s32": (s) => boundSignedHalves(s, s.smin, s.smax),
  "s32 to u64": (s) => {
    const [least, greatest] = withSignedHalves(s, s.umin, s.umax);
    return { ...s, umin: umax(s.umin, least), umax: umin(s.umax, greatest) };
  },
  "s32 to s64": (s) => {
    const [least, greatest] = withSignedHalves(s, s.smin, s.smax);
    return { ...s, smin: smax(s.smin, least), smax: smin(s.smax, greatest) };
  },
  /** x has at least the upper half of its least value and at least the least low half. */
  "u32 to u64": (s) => ({
    ...s,
    umin: umax(s.umin, withLow(s.umin, s.umin32)),
    umax: umin(s.umax, withLow(s.umax, s.umax32)),
  }),
  "u32 to s64": (s) => ({
    ...s,
    smin: smax(s.smin, withLow(s.smin, s.umin32)),
    smax: smin(s.smax, withLow(s.smax, s.umax32)),
  }),
  "u64 to tnum": on64(unsignedToTnum),
  "u32 to tnum": (s) => {
    const range = tnum.fromRange(s.umin32, s.umax32);
    const lifted = { value: zext(64, range.value), mask: or(HIGH, zext(64, range.mask)) };
    return { ...s, tnum: refined(s.tnum, lifted) };
  },
} as const satisfies Record<string, (s: Scalar) => Scalar>;

const PASS: readonly (keyof typeof RULES)[] = [
  "tnum to u64",
  "tnum to s64",
  "u64 and s64",
  "tnum to u32",
  "tnum to s32",
  "u64 to u32",
  "s64 to s32",
  "u64 to s32",
  "u32 and s32",
  // Next to those that go the other way, whose tests they share.
  "s32 to s64",
  "s32 to u64",
  "u32 to u64",
  "u32 to s64",
  "u64 to tnum",
  "u32 to tnum",
];

/** The rules in the order in which a pass applies them. */
export const ORDER: readonly Rule[] = PASS.map((name) => ({ name, apply: RULES[name] }));

/** Every rule once, by name: what the proofs go through. */
export const ALL_RULES: readonly Rule[] = Object.entries(RULES).map(([name, apply]) => ({ name, apply }));

/** Passes at most. Two settle all but one scalar in thousands, however contradictory its components are. */
export const MAX_PASSES = 4;

/**
 * Whether another pass may gain something, after one: an unsigned end is not in the tnum, or the two 64-bit intervals no longer agree on which
 * signs there are. Other rules have nothing left to say; that is what a test finds.
 */
function unsettled(s: Scalar): Term<1> {
  const { value, mask } = s.tnum;
  const known = not(mask);
  const wrong = and(or(xor(s.umin, value), xor(s.umax, value)), known);
  const half = lowHalf(value);
  const wrongLow = and(or(xor(s.umin32, half), xor(s.umax32, half)), lowHalf(known));
  return any(
    ne(or(wrong, zext(64, wrongLow)), ZERO),
    ult(s.smax, s.umin),
    ult(s.umax, s.smin),
    slt(xor(xor(s.umin, s.umax), xor(s.smin, s.smax)), ZERO),
  );
}

/** All components as tight as the rules make them. */
export function synchronised(s: Scalar): Scalar {
  const [value, mask, umin, umax, smin, smax, umin32, umax32, smin32, smax32] = fold({
    widths: [64, 64, 64, 64, 64, 64, 32, 32, 32, 32, 1],
    count: MAX_PASSES,
    init: [
      s.tnum.value,
      s.tnum.mask,
      s.umin,
      s.umax,
      s.smin,
      s.smax,
      s.umin32,
      s.umax32,
      s.smin32,
      s.smax32,
      TRUE,
    ],
    condition: (state) => state[10],
    step: ([value, mask, umin, umax, smin, smax, umin32, umax32, smin32, smax32]) => {
      const before = { tnum: { value, mask }, umin, umax, smin, smax, umin32, umax32, smin32, smax32 };
      const after = ORDER.reduce<Scalar>((state, rule) => rule.apply(state), before);
      return [
        after.tnum.value,
        after.tnum.mask,
        after.umin,
        after.umax,
        after.smin,
        after.smax,
        after.umin32,
        after.umax32,
        after.smin32,
        after.smax32,
        unsettled(after),
      ];
    },
  });
  return { tnum: { value, mask }, umin, umax, smin, smax, umin32, umax32, smin32, smax32 };
}
