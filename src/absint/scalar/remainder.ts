/**
 * Abstract unsigned remainder, with RFC 9669's result x % 0 = x.
 *
 * For one quotient q the remainder x - q · d grows with x and shrinks as d grows. For several quotients it begins at 0 again; then
 * it is below every divisor, and since r + q · (r + 1) ≤ r + q · d = x, at most (x - q) / (q + 1) for the least quotient q.
 */
import {
  add,
  all,
  and,
  constant,
  eq,
  ite,
  mul,
  neg,
  not,
  or,
  sub,
  udiv,
  ule,
  ult,
  umax,
  umin,
  urem,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { byPairs } from "./few.ts";
import type { Part } from "./part.ts";
import {
  between,
  type Case,
  caseOf,
  fromOn,
  halves,
  orAnything,
  type Piece,
  tightBetween,
  unite,
  upTo,
} from "./piece.ts";
import * as tnum from "./tnum.ts";

/** The remainders of those dividends that are below their divisors: themselves. */
export const unchanged = <N extends number>(a: Piece<N>, greatestDivisor: Term<N>): Piece<N> =>
  upTo(a, sub(greatestDivisor, constant(greatestDivisor.width, 1)));

/** Dividends that are not below their divisors, which are not 0, with the quotients of the two. */
export interface Division<N extends number> {
  readonly some: Term<1>;
  readonly dividends: Piece<N>;
  readonly divisors: Piece<N>;
  readonly isConstant: Term<1>;
  /** The least and the greatest quotient, and whether they are one. */
  readonly first: Term<N>;
  readonly last: Term<N>;
  readonly oneQuotient: Term<1>;
  /** The quotients times the least divisor. */
  readonly start: Term<N>;
  readonly end: Term<N>;
}

export function division<N extends number>(a: Piece<N>, divisors: Piece<N>): Division<N> {
  const dividends = fromOn(a, divisors.least);
  const first = umax(udiv(dividends.least, divisors.greatest), constant(a.least.width, 1));
  const last = udiv(dividends.greatest, divisors.least);
  return {
    some: and(dividends.some, divisors.some),
    dividends,
    divisors,
    isConstant: eq(divisors.least, divisors.greatest),
    first,
    last,
    oneQuotient: eq(first, last),
    start: mul(first, divisors.least),
    end: mul(last, divisors.least),
  };
}

/** The greatest dividend with the first quotient, if the divisor is constant. */
export function beforeSecond<N extends number>({ divisors, start }: Division<N>): Term<N> {
  const { width } = start;
  const before = add(start, sub(divisors.least, constant(width, 1)));
  return ite(ult(before, start), constant(width, -1), before);
}

/** Dividends minus a product that none of them is below. */
const minus = <N extends number>(p: Piece<N>, product: Term<N>, when: Term<1>): Piece<N> =>
  tightBetween(
    and(p.some, when),
    tnum.sub(p.bits, tnum.exactly(product)),
    sub(p.least, product),
    sub(p.greatest, product),
  );

/** By a constant: the remainders of the dividends with the first quotient, and of those with the last. */
export const firsts = <N extends number>(d: Division<N>): Piece<N> =>
  minus(upTo(d.dividends, beforeSecond(d)), d.start, and(d.some, d.isConstant));

export const lasts = <N extends number>(d: Division<N>): Piece<N> =>
  minus(fromOn(d.dividends, d.end), d.end, all(d.some, d.isConstant, not(d.oneQuotient)));

/** What remains of the low bits of dividends whose divisors are multiples of a power of two: the bits from `high` on are not known. */
export function lowBits<N extends number>({ dividends, divisors }: Division<N>) {
  const possible = tnum.possible(divisors.bits);
  const high = neg(and(possible, neg(possible)));
  const { value, mask } = dividends.bits;
  return { high, bits: { value: and(value, not(high)), mask: or(and(mask, not(high)), high) } };
}

/** Where the remainders by any divisors are. */
export function limits<N extends number>(d: Division<N>) {
  const { dividends, divisors, first, oneQuotient, start } = d;
  const { width } = first;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const low = lowBits(d).bits;
  const difference = tnum.sub(dividends.bits, divisors.bits);
  const isDifference = and(oneQuotient, eq(first, one));
  const largest = mul(first, divisors.greatest);
  const bySeveral = udiv(sub(dividends.greatest, first), add(first, one));
  const byQuotient = ite(oneQuotient, sub(dividends.greatest, start), bySeveral);
  return {
    bits: {
      value: ite(isDifference, difference.value, low.value),
      mask: ite(isDifference, difference.mask, low.mask),
    },
    largest,
    least: ite(and(oneQuotient, ule(largest, dividends.least)), sub(dividends.least, largest), zero),
    bySeveral,
    byQuotient,
    greatest: umin(sub(divisors.greatest, one), byQuotient),
  };
}

/** How the limits are found: `limits`, or in proofs a wrong way. */
export type Bounds = typeof limits;

/** The remainders by any divisors; by a constant, of quotients between the first and the last. */
export function others<N extends number>(d: Division<N>, bounds: Bounds = limits): Piece<N> {
  const { bits, least, greatest } = bounds(d);
  const rest = between(bits, least, greatest);
  const isMore = or(not(d.isConstant), ult(constant(d.first.width, 1), sub(d.last, d.first)));
  return { ...rest, some: all(rest.some, d.some, isMore) };
}

/**
 * The remainders of those numbers that are not below their divisors, which are not 0, in one to three pieces. No remainder has
 * its upper bit set: it is less than half its dividend.
 */
export function reduced<N extends number>(
  a: Piece<N>,
  b: Piece<N>,
  bounds: Bounds = limits,
): readonly [Piece<N>, Piece<N>, Piece<N>] {
  const d = division(a, b);
  return [firsts(d), lasts(d), others(d, bounds)];
}

type Cases<N extends number> = readonly [Case<N>, Case<N>, Case<N>];

/** The remainders, by what the divisor is and the half that the dividend is in. */
export interface Remainders<N extends number> {
  readonly byZero: readonly [Case<N>, Case<N>];
  /** Of dividends that are below a divisor. */
  readonly unchanged: readonly [Case<N>, Case<N>];
  /** By divisors that are not negative, of both halves; and by others, of negative numbers. */
  readonly byClear: readonly [Cases<N>, Cases<N>];
  readonly bySet: Cases<N>;
}

const asCases = <N extends number>([p, q, r]: readonly [Piece<N>, Piece<N>, Piece<N>]): Cases<N> => [
  caseOf(p),
  caseOf(q),
  caseOf(r),
];

export function remainders<N extends number>(a: Part<N>, b: Part<N>, bounds: Bounds = limits): Remainders<N> {
  const { width } = a.umin;
  const [below, above] = halves(a);
  const [clear, set] = halves(b);
  const byZero = and(clear.some, eq(clear.least, constant(width, 0)));
  const positive = fromOn(clear, constant(width, 1));
  const greatest = ite(set.some, set.greatest, clear.greatest);
  const itself = (p: Piece<N>): Case<N> => ({ ...caseOf(p), some: and(byZero, p.some) });
  return {
    byZero: [itself(below), itself(above)],
    unchanged: [caseOf(unchanged(below, greatest)), caseOf(unchanged(above, greatest))],
    byClear: [asCases(reduced(below, positive, bounds)), asCases(reduced(above, positive, bounds))],
    bySet: asCases(reduced(above, set, bounds)),
  };
}

/** The remainders of operands that can be many numbers. */
export function manyRemainders<N extends number>(a: Part<N>, b: Part<N>, bounds: Bounds = limits): Part<N> {
  const { byZero, unchanged: same, byClear, bySet } = remainders(a, b, bounds);
  return orAnything(unite(...byZero, ...same, ...byClear[0], ...byClear[1], ...bySet));
}

/** The remainder of two numbers. */
export const remainder = <N extends number>(x: Term<N>, y: Term<N>): Term<N> =>
  ite(eq(y, constant(x.width, 0)), x, urem(x, y));

export const mod = <N extends number>(a: Part<N>, b: Part<N>, bounds: Bounds = limits): Part<N> =>
  byPairs(a, b, remainder, manyRemainders(a, b, bounds));
