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
  umax,
  umin,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { byPairs } from "./few.ts";
import { type Part, signedMax, signedMin } from "./part.ts";
import { type Case, halves, orAnything, type Piece, unite, whole } from "./piece.ts";
import { multiply } from "./tnum-multiply.ts";

/**
 * What is known of the low halves of the numbers of twice the width from `least` to `greatest`, signed: they are in order if all have
 * one upper half, and in signed order if the upper half is the same once half a window is added.
 */
function lowHalves<N extends number>(width: N, least: Term, greatest: Term): Omit<Part<N>, "tnum"> {
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

/** The least and the greatest product, at twice the width. */
function extremes<N extends number>(a: Piece<N>, b: Piece<N>): readonly [least: Term, greatest: Term] {
  const { width } = a.least;
  const double: number = 2 * width;
  const isNegative = (p: Piece<N>): Term<1> => extract(1, p.least, width - 1);
  const product = (x: Term<N>, y: Term<N>): Term => mulTerm(sext(double, x), sext(double, y));
  const [negativeA, negativeB] = [isNegative(a), isNegative(b)];
  return [
    product(ite(negativeB, a.greatest, a.least), ite(negativeA, b.greatest, b.least)),
    product(ite(negativeB, a.least, a.greatest), ite(negativeA, b.least, b.greatest)),
  ];
}

/** What the unsigned ends say by themselves: more than the halves do if a factor may be 0 or 1 and the other has either sign. */
function unsignedRange<N extends number>(
  a: Piece<N>,
  b: Piece<N>,
): readonly [least: Term<N>, greatest: Term<N>] {
  const { width } = a.least;
  const product = (x: Term<N>, y: Term<N>): Term => mulTerm(zext(2 * width, x), zext(2 * width, y));
  const { umin, umax } = lowHalves(width, product(a.least, b.least), product(a.greatest, b.greatest));
  return [umin, umax];
}

export function mul<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const { width } = a.umin;
  const [a0, a1] = halves(a);
  const [b0, b1] = halves(b);
  const [as, bs] = [whole([a0, a1]), whole([b0, b1])];
  const bits = multiply(as.bits, bs.bits);
  const product = (x: Piece<N>, y: Piece<N>): Case<N> => ({
    some: and(x.some, y.some),
    part: { tnum: bits, ...lowHalves(width, ...extremes(x, y)) },
  });
  const bySigns = orAnything(unite(product(a0, b0), product(a0, b1), product(a1, b0), product(a1, b1)));
  const [least, greatest] = unsignedRange(as, bs);
  const result = { ...bySigns, umin: umax(bySigns.umin, least), umax: umin(bySigns.umax, greatest) };
  return byPairs(a, b, (x, y) => mulTerm(x, y), result);
}
