/**
 * What low bits of factors say of the ends of their products, however often these wrap around.
 *
 * The lowest bit of a product is the product of its factors' lowest bits, unless that is past the upper end. So a product can be 0 only if two
 * factors' lowest bits make 0 modulo 2^N, and the least signed number, whose lowest bit is the highest one, only if they make that or 0.
 */
import {
  add,
  and,
  constant,
  eq,
  ite,
  lshr,
  mul,
  neg,
  not,
  or,
  sub,
  xor,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { signedMax, signedMin } from "./part.ts";
import type { Piece } from "./piece.ts";
import * as tnum from "./tnum.ts";

/** The bits below the lowest one of a number: all for 0. */
export const below = <N extends number>(x: Term<N>): Term<N> => and(not(x), sub(x, constant(x.width, 1)));

/**
 * The number of a tight piece, next to the least one, that may have most zeros below its lowest bit: at the highest bit in which the two ends differ
 * it has a 1, and below that no bit that need not be there. If there is none it is the least number.
 */
export function roundest<N extends number>({ least, greatest, bits }: Piece<N>): Term<N> {
  const rest = lshr(tnum.smear(xor(least, greatest)), constant(least.width, 1));
  return or(and(greatest, not(rest)), and(bits.value, rest));
}

/** The bits that are below the lowest one in some number of a tight piece; none if the piece is empty. */
export const belowAll = <N extends number>(p: Piece<N>): Term<N> =>
  ite(p.some, or(below(p.least), below(roundest(p))), constant(p.least.width, 0));

/** The highest lowest bit of any number in two tight pieces; 0 if there is 0 among them. */
const highestLowest = <N extends number>(
  [p, q]: readonly [Piece<N>, Piece<N>],
  all: typeof belowAll = belowAll,
): Term<N> => add(or(all(p), all(q)), constant(p.least.width, 1));

/** The product of two operands' highest lowest bits, the operands in halves. */
export const lowestOfProducts = <N extends number>(
  a: readonly [Piece<N>, Piece<N>],
  b: readonly [Piece<N>, Piece<N>],
  all: typeof belowAll = belowAll,
): Term<N> => mul(highestLowest(a, all), highestLowest(b, all));

/**
 * The least that products can be, if `lowest` is `lowestOfProducts` of the operands and `bits` are the products'. If it is not 0, unsigned, or the
 * least number, signed, it is that and one bit more, the lowest that a product may have.
 */
export function leastByLowest<N extends number>(
  lowest: Term<N>,
  bits: tnum.Tnum<N>,
): { readonly umin: Term<N>; readonly smin: Term<N> } {
  const { width } = lowest;
  const possible = tnum.possible(bits);
  const [zero, sign] = [constant(width, 0), signedMin(width)];
  const first = and(possible, neg(possible));
  return {
    umin: ite(eq(lowest, zero), zero, first),
    smin: ite(or(eq(lowest, zero), eq(lowest, sign)), sign, or(sign, first)),
  };
}

/** The bits by which two odd numbers differ whose product ends in three 1s: 1 · 7 and 3 · 5 modulo 8. None if so small a number has not all three. */
const apart = <N extends number>(width: N): Term<N> => constant(width, width > 3 ? 6 : 0);

/**
 * The greatest that products of numbers of two tnums can be. The greatest number, in either order, ends in three 1s; if the factors do not allow
 * that, it is less by one, or by two if `bits`, the products', say that it is odd.
 */
export function greatestByLowBits<N extends number>(
  a: tnum.Tnum<N>,
  b: tnum.Tnum<N>,
  bits: tnum.Tnum<N>,
): { readonly umax: Term<N>; readonly smax: Term<N> } {
  const { width } = a.value;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const alike = not(or(xor(a.value, b.value), or(a.mask, b.mask)));
  const less = ite(eq(and(alike, apart(width)), zero), zero, add(one, and(bits.value, one)));
  return { umax: not(less), smax: sub(signedMax(width), less) };
}
