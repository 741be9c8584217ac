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

/**
 * The remainders of those numbers that are not below their divisors, which are not 0, in one to three pieces. No remainder has
 * its upper bit set: it is less than half its dividend.
 */
export function reduced<N extends number>(a: Piece<N>, b: Piece<N>): readonly Piece<N>[] {
  const { width } = a.least;
  const [zero, one, most] = [constant(width, 0), constant(width, 1), constant(width, -1)];
  const x = fromOn(a, b.least);
  const some = and(x.some, b.some);
  const [dmin, dmax] = [b.least, b.greatest];
  const isConstant = eq(dmin, dmax);
  const first = umax(udiv(x.least, dmax), one);
  const last = udiv(x.greatest, dmin);
  const oneQuotient = eq(first, last);

  // A constant divisor: the dividends with the first quotient, and with the last.
  const [start, end] = [mul(first, dmin), mul(last, dmin)];
  const beforeNext = add(start, sub(dmin, one));
  const minus = (p: Piece<N>, product: Term<N>, when: Term<1>): Piece<N> =>
    tightBetween(
      and(p.some, when),
      tnum.sub(p.bits, tnum.exactly(product)),
      sub(p.least, product),
      sub(p.greatest, product),
    );
  const firsts = minus(upTo(x, ite(ult(beforeNext, start), most, beforeNext)), start, and(some, isConstant));
  const lasts = minus(fromOn(x, end), end, all(some, isConstant, not(oneQuotient)));

  // Any divisors: what remains of a dividend's low bits, if all divisors are multiples of a power of two.
  const possible = tnum.possible(b.bits);
  const high = neg(and(possible, neg(possible)));
  const lowBits = { value: and(x.bits.value, not(high)), mask: or(and(x.bits.mask, not(high)), high) };
  const difference = tnum.sub(x.bits, b.bits);
  const isDifference = and(oneQuotient, eq(first, one));
  const bits = {
    value: ite(isDifference, difference.value, lowBits.value),
    mask: ite(isDifference, difference.mask, lowBits.mask),
  };
  const largest = mul(first, dmax);
  const least = ite(and(oneQuotient, ule(largest, x.least)), sub(x.least, largest), zero);
  const byQuotient = ite(oneQuotient, sub(x.greatest, start), udiv(sub(x.greatest, first), add(first, one)));
  const rest = between(bits, least, umin(sub(dmax, one), byQuotient));
  const isMore = or(not(isConstant), ult(one, sub(last, first)));
  return [firsts, lasts, { ...rest, some: all(rest.some, some, isMore) }];
}

export function mod<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const { width } = a.umin;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const dividends = halves(a);
  const [clear, set] = halves(b);
  const byZero = and(clear.some, eq(clear.least, zero));
  const positive = fromOn(clear, one);
  const greatest = ite(set.some, set.greatest, clear.greatest);
  const result = orAnything(
    unite(
      { ...caseOf(dividends[0]), some: and(byZero, dividends[0].some) },
      { ...caseOf(dividends[1]), some: and(byZero, dividends[1].some) },
      ...dividends.map((p) => caseOf(unchanged(p, greatest))),
      ...dividends.flatMap((p) => reduced(p, positive).map(caseOf)),
      ...reduced(dividends[1], set).map(caseOf),
    ),
  );
  return byPairs(a, b, (x, y) => ite(eq(y, zero), x, urem(x, y)), result);
}
