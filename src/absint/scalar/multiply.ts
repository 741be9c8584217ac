/**
 * Abstract multiplication. Among numbers of one sign the product is monotone in each factor, so that its extremes come of the factors'
 * ends. Products are taken at twice the width, where they are exact.
 */
import {
  add,
  and,
  constant,
  eq,
  extract,
  ite,
  mul as mulTerm,
  sext,
  smax,
  smin,
  umax,
  umin,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { byPairs } from "./few.ts";
import { type Part, signedMax, signedMin } from "./part.ts";
import { type Case, halves, orAnything, type Piece, unite, whole } from "./piece.ts";
import { belowAll, greatestByLowBits, leastByLowest, lowestOfProducts } from "./product-ends.ts";
import type { Tnum } from "./tnum.ts";
import { multiply } from "./tnum-multiply.ts";

/**
 * What is known of the low halves of the numbers of twice the width from `least` to `greatest`, signed: they are in order if all have
 * one upper half, and in signed order if the upper half is the same once half a window is added.
 */
export function lowHalves<N extends number>(width: N, least: Term, greatest: Term): Omit<Part<N>, "tnum"> {
  const low = (x: Term): Term<N> => extract(width, x);
  const high = (x: Term): Term<N> => extract(width, x, width);
  const shifted = (x: Term): Term => add(x, constant(x.width, 1n << BigInt(width - 1)));
  const whole = eq(high(least), high(greatest));
  const wholeSigned = eq(high(shifted(least)), high(shifted(greatest)));
  return {
    umin: ite(whole, low(least), constant(width, 0)),
    umax: ite(whole, low(greatest), constant(width, -1)),
    smin: ite(wholeSigned, low(least), signedMin(width)),
    smax: ite(wholeSigned, low(greatest), signedMax(width)),
  };
}

/** The product of two signed numbers, at twice their width. */
export const signedProduct = <N extends number>(x: Term<N>, y: Term<N>): Term => {
  const double: number = 2 * x.width;
  return mulTerm(sext(double, x), sext(double, y));
};

/** The product of two unsigned numbers, at twice their width. */
export const unsignedProduct = <N extends number>(x: Term<N>, y: Term<N>): Term => {
  const double: number = 2 * x.width;
  return mulTerm(zext(double, x), zext(double, y));
};

type Factors<N extends number> = readonly [Term<N>, Term<N>];

/** The factors of the least and of the greatest product of numbers of one sign each, signed. */
export function corners<N extends number>(
  a: Piece<N>,
  b: Piece<N>,
): readonly [least: Factors<N>, greatest: Factors<N>] {
  const isNegative = (p: Piece<N>): Term<1> => extract(1, p.least, p.least.width - 1);
  const [negativeA, negativeB] = [isNegative(a), isNegative(b)];
  return [
    [ite(negativeB, a.greatest, a.least), ite(negativeA, b.greatest, b.least)],
    [ite(negativeB, a.least, a.greatest), ite(negativeA, b.least, b.greatest)],
  ];
}

/**
 * What the ends of two pieces say by themselves, unsigned: more than the halves do if a factor may be 0 or 1 and the other has either
 * sign.
 */
export function unsignedRange<N extends number>(
  a: Piece<N>,
  b: Piece<N>,
): readonly [least: Term<N>, greatest: Term<N>] {
  const [least, greatest] = [unsignedProduct(a.least, b.least), unsignedProduct(a.greatest, b.greatest)];
  const { umin, umax } = lowHalves(a.least.width, least, greatest);
  return [umin, umax];
}

/** What the bounds of products are made by. */
export interface Means {
  readonly bits: typeof multiply;
  readonly corners: typeof corners;
  readonly belowAll: typeof belowAll;
}

export const MEANS: Means = { bits: multiply, corners, belowAll };

/** The products of a half of one part with a half of the other. The bits of each are those of all. */
export function productOfHalves<N extends number>(
  bits: Tnum<N>,
  x: Piece<N>,
  y: Piece<N>,
  means: Means = MEANS,
): Case<N> {
  const [least, greatest] = means.corners(x, y);
  const ends = lowHalves(x.least.width, signedProduct(...least), signedProduct(...greatest));
  return { some: and(x.some, y.some), part: { tnum: bits, ...ends } };
}

/** The products of the numbers of two parts, however many they are. */
export function products<N extends number>(a: Part<N>, b: Part<N>, means: Means = MEANS): Part<N> {
  const [[a0, a1], [b0, b1]] = [halves(a), halves(b)];
  const [as, bs] = [whole([a0, a1]), whole([b0, b1])];
  const bits = means.bits(as.bits, bs.bits);
  const lows = leastByLowest(lowestOfProducts([a0, a1], [b0, b1], means.belowAll), bits);
  const highs = greatestByLowBits(as.bits, bs.bits, bits);
  const product = (x: Piece<N>, y: Piece<N>): Case<N> => productOfHalves(bits, x, y, means);
  const bySigns = orAnything(unite(product(a0, b0), product(a0, b1), product(a1, b0), product(a1, b1)));
  const [least, greatest] = unsignedRange(as, bs);
  return {
    ...bySigns,
    umin: umax(umax(bySigns.umin, least), lows.umin),
    umax: umin(umin(bySigns.umax, greatest), highs.umax),
    smin: smax(bySigns.smin, lows.smin),
    smax: smin(bySigns.smax, highs.smax),
  };
}

export const mul = <N extends number>(a: Part<N>, b: Part<N>, means: Means = MEANS): Part<N> =>
  byPairs(a, b, (x, y) => mulTerm(x, y), products(a, b, means));
