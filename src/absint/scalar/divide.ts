/**
 * Abstract division and remainder, with RFC 9669's results: x / 0 = 0, x % 0 = x, minimum s/ -1 = minimum, minimum s% -1 = 0.
 * The divisor is split into what is zero, positive and negative, since the quotient is monotone on each; the results are joined.
 */
import {
  all,
  and,
  constant,
  eq,
  ite,
  mul,
  ne,
  neg as negTerm,
  sdiv as sdivTerm,
  sge,
  sgt,
  sle,
  slt,
  smax,
  smin,
  sub,
  udiv as udivTerm,
  ult,
  umax,
  umin,
  urem,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { isNonNegative } from "./alu.ts";
import { anything, choose, exactly, join, type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

const isExactly = <N extends number>(p: Part<N>, value: Term<N>): Term<1> =>
  and(eq(p.umin, value), eq(p.umax, value));

/** Joins what comes of a zero divisor and of the others, each only if the divisor may be so. */
function byZero<N extends number>(divisor: Part<N>, zero: Part<N>, others: Part<N>): Part<N> {
  const nothing = constant(divisor.umin.width, 0);
  const mayBeZero = and(eq(divisor.umin, nothing), eq(divisor.tnum.value, nothing));
  return choose(isExactly(divisor, nothing), zero, choose(mayBeZero, join(zero, others), others));
}

export function div<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const width = a.umin.width;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const least = umax(b.umin, one);
  const [low, high] = [udivTerm(a.umin, umax(b.umax, one)), udivTerm(a.umax, least)];
  const quotient: Part<N> = { ...anything(width), umin: low, umax: high };
  return byZero(b, exactly(zero), quotient);
}

export function mod<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const width = a.umin.width;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const divisor = umax(b.umax, one);
  const isConstant = eq(b.umin, b.umax);
  // By a power of two the remainder is the low bits.
  const powerOfTwo = and(isConstant, eq(and(divisor, sub(divisor, one)), zero));
  const lowBits = tnum.mapBits(a.tnum, (x) => and(x, sub(divisor, one)));
  // All dividends with one quotient: the remainder grows with the dividend.
  const oneQuotient = and(isConstant, eq(udivTerm(a.umin, divisor), udivTerm(a.umax, divisor)));
  const greatest = umin(a.umax, sub(divisor, one));
  const bounded: Part<N> = {
    ...anything(width),
    umin: ite(oneQuotient, urem(a.umin, divisor), zero),
    umax: ite(oneQuotient, urem(a.umax, divisor), greatest),
    tnum: {
      value: ite(powerOfTwo, lowBits.value, zero),
      mask: ite(powerOfTwo, lowBits.mask, constant(width, -1)),
    },
  };
  const unchanged = ult(a.umax, b.umin);
  return byZero(b, a, choose(unchanged, a, bounded));
}

/** The signed quotients' bounds for divisors between `from` and `to`, both of one sign: the extremes are at corners. */
function quotients<N extends number>(a: Part<N>, from: Term<N>, to: Term<N>): Part<N> {
  const width = a.umin.width;
  const q = [
    sdivTerm(a.smin, from),
    sdivTerm(a.smin, to),
    sdivTerm(a.smax, from),
    sdivTerm(a.smax, to),
  ] as const;
  return {
    ...anything(width),
    smin: smin(smin(q[0], q[1]), smin(q[2], q[3])),
    smax: smax(smax(q[0], q[1]), smax(q[2], q[3])),
  };
}

export function sdiv<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const width = a.umin.width;
  const [zero, one, minusOne] = [constant(width, 0), constant(width, 1), constant(width, -1)];
  const mayBePositive = sgt(b.smax, zero);
  const mayBeNegative = slt(b.smin, zero);
  const positive = quotients(a, smax(b.smin, one), smax(b.smax, one));
  const negative = quotients(a, smin(b.smin, minusOne), smin(b.smax, minusOne));
  // minimum / -1 wraps: nothing is known of a range that may hold it, unless it is the only one.
  const mayWrap = all(eq(a.smin, signedMin(width)), sle(b.smin, minusOne), sge(b.smax, minusOne));
  const onlyWraps = and(
    and(eq(a.smax, signedMin(width)), eq(a.smin, signedMin(width))),
    and(eq(b.smin, minusOne), eq(b.smax, minusOne)),
  );
  const nonZero = choose(mayBePositive, choose(mayBeNegative, join(positive, negative), positive), negative);
  const quotient = choose(onlyWraps, exactly(signedMin(width)), choose(mayWrap, anything(width), nonZero));
  // Where neither operand is negative, the unsigned quotient is the same one and knows more.
  const unsigned = div(a, b);
  const signed = byZero(b, exactly(zero), quotient);
  return choose(and(isNonNegative(a), isNonNegative(b)), unsigned, signed);
}

export function smod<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const width = a.umin.width;
  const zero = constant(width, 0);
  const magnitude = (x: Term<N>): Term<N> => ite(slt(x, zero), negTerm(x), x);
  // |remainder| < |divisor|, and at most |dividend|, with the dividend's sign. |minimum| is right as an unsigned number.
  const limit = sub(umax(umax(magnitude(b.smin), magnitude(b.smax)), constant(width, 1)), constant(width, 1));
  const limitSigned = umin(limit, signedMax(width));
  const bounded: Part<N> = {
    ...anything(width),
    smin: ite(sge(a.smin, zero), zero, smax(a.smin, negTerm(limitSigned))),
    smax: ite(sle(a.smax, zero), zero, smin(a.smax, limitSigned)),
  };
  const constants = all(eq(a.smin, a.smax), eq(b.smin, b.smax), ne(b.smin, zero));
  const exact = sub(a.smin, mul(sdivTerm(a.smin, b.smin), b.smin));
  const unsigned = mod(a, b);
  const signed = choose(constants, exactly(exact), byZero(b, a, bounded));
  return choose(and(isNonNegative(a), isNonNegative(b)), unsigned, signed);
}
