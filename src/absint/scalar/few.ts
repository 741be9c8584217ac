/**
 * Operands that can be only few numbers: an operation is done on every pair of them, and the result is the best there is.
 *
 * The pairs are gone through in a loop, in unsigned order. Its invariant: the result holds what comes of every pair that lies before
 * the one it is at. If the loop ends early, for whatever reason, its result is not used.
 */
import {
  add,
  and,
  constant,
  eq,
  extract,
  fold,
  ite,
  umax as larger,
  mul,
  not,
  or,
  umin as smaller,
  smax,
  smin,
  sub,
  ule,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { choose, type Part, signedMax, signedMin } from "./part.ts";
import { halves, joined, type Piece } from "./piece.ts";
import type { Tnum } from "./tnum.ts";

/** How many pairs are few. */
const LIMIT = 128;
/** Counts of numbers are of so many bits; anything over `LIMIT` may count as that. */
const COUNT = 9;

/** The numbers of a part in their order. */
export interface Sequence<N extends number> {
  readonly first: Term<N>;
  readonly last: Term<N>;
  readonly next: (x: Term<N>) => Term<N>;
}

/** The member of a tnum that comes after one of its members. */
export function successor<N extends number>({ value, mask }: Tnum<N>, x: Term<N>): Term<N> {
  return or(value, and(add(or(x, not(mask)), constant(x.width, 1)), mask));
}

/** The numbers of two halves that are tight. */
export function sequence<N extends number>([clear, set]: readonly [Piece<N>, Piece<N>]): Sequence<N> {
  const { bits } = joined(clear, set);
  const last = ite(set.some, set.greatest, clear.greatest);
  const turn = ite(and(clear.some, set.some), clear.greatest, last);
  return {
    first: ite(clear.some, clear.least, set.least),
    last,
    next: (x) => ite(eq(x, turn), set.least, successor(bits, x)),
  };
}

/**
 * How many numbers there are from `least` to `greatest`, both among them, of those that differ in the bits of `mask`: one more than the bits
 * of the greatest, taken together as a number, less those of the least. If the bits are too many, more than `LIMIT`.
 */
function byUnknownBits<N extends number>(
  mask: Term<N>,
  least: Term<N>,
  greatest: Term<N>,
  unknown = 0,
): Term<typeof COUNT> {
  const zero = constant(mask.width, 0);
  const none = eq(mask, zero);
  if (2 ** unknown > LIMIT) return ite(none, constant(COUNT, 1), constant(COUNT, 2 * LIMIT));
  const others = and(mask, sub(mask, constant(mask.width, 1)));
  const lowest = xor(mask, others);
  const place = (x: Term<N>): Term<typeof COUNT> =>
    ite(eq(and(x, lowest), zero), constant(COUNT, 0), constant(COUNT, 2 ** unknown));
  const more = byUnknownBits(others, least, greatest, unknown + 1);
  return ite(none, constant(COUNT, 1), add(more, sub(place(greatest), place(least))));
}

/** At least as many as there are numbers in a tight piece, or more than `LIMIT` if there may be more than that. */
function sizeOf<N extends number>({ some, least, greatest, bits }: Piece<N>): Term<typeof COUNT> {
  const { width } = least;
  const distance = smaller(sub(greatest, least), constant(width, Math.min(LIMIT, 2 ** width - 1)));
  const low: Term<typeof COUNT> = width < COUNT ? zext(COUNT, distance) : extract(COUNT, distance);
  const byEnds = add(low, constant(COUNT, 1));
  return ite(some, smaller(byEnds, byUnknownBits(bits.mask, least, greatest)), constant(COUNT, 0));
}

/** What comes of all pairs, if they are few. */
export interface Pairs<N extends number> {
  readonly few: Term<1>;
  /** Whether some of them are still to come at the loop's end. */
  readonly going: Term<1>;
  readonly exact: Part<N>;
}

export function pairs<N extends number>(
  a: Part<N>,
  b: Part<N>,
  operation: (x: Term<N>, y: Term<N>) => Term<N>,
): Pairs<N> {
  const { width } = a.umin;
  const [as, bs] = [halves(a), halves(b)];
  const [xs, ys] = [sequence(as), sequence(bs)];
  const double = (x: Term): Term<18> => zext(18, x);
  const [m, n] = [add(sizeOf(as[0]), sizeOf(as[1])), add(sizeOf(bs[0]), sizeOf(bs[1]))];
  const count = mul(double(m), double(n));
  const few = and(ule(constant(18, 1), count), ule(count, constant(18, LIMIT)));
  const [, , going, all, any, umin, umax, least, greatest] = fold({
    widths: [width, width, 1, width, width, width, width, width, width],
    count: LIMIT,
    init: [
      xs.first,
      ys.first,
      few,
      constant(width, -1),
      constant(width, 0),
      constant(width, -1),
      constant(width, 0),
      signedMax(width),
      signedMin(width),
    ],
    condition: ([, , going]) => going,
    step: ([x, y, , all, any, umin, umax, least, greatest]) => {
      const z = operation(x, y);
      const [lastX, lastY] = [eq(x, xs.last), eq(y, ys.last)];
      return [
        ite(lastY, xs.next(x), x),
        ite(lastY, ys.first, ys.next(y)),
        not(and(lastX, lastY)),
        and(all, z),
        or(any, z),
        smaller(umin, z),
        larger(umax, z),
        smin(least, z),
        smax(greatest, z),
      ];
    },
  });
  const exact: Part<N> = {
    tnum: { value: all, mask: xor(all, any) },
    umin,
    umax,
    smin: least,
    smax: greatest,
  };
  return { few, going, exact };
}

/** The result for two operands: by pairs if they are few, else `otherwise`. */
export function byPairs<N extends number>(
  a: Part<N>,
  b: Part<N>,
  operation: (x: Term<N>, y: Term<N>) => Term<N>,
  otherwise: Part<N>,
): Part<N> {
  const { few, going, exact } = pairs(a, b, operation);
  return choose(and(few, not(going)), exact, otherwise);
}
