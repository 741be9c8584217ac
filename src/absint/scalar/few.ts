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

/** 2 to the number of unknown bits, or `LIMIT` + 1 if that is more than `LIMIT`. */
function byUnknownBits(mask: Term, unknown = 0): Term<typeof COUNT> {
  const { width } = mask;
  if (2 ** unknown > LIMIT) return constant(COUNT, LIMIT + 1);
  const withoutLowest = and(mask, sub(mask, constant(width, 1)));
  return ite(
    eq(mask, constant(width, 0)),
    constant(COUNT, 2 ** unknown),
    byUnknownBits(withoutLowest, unknown + 1),
  );
}

/** At least as many as there are numbers in a piece, or `LIMIT` + 1 if there may be more than `LIMIT`. */
function sizeOf<N extends number>({ some, least, greatest, bits }: Piece<N>): Term<typeof COUNT> {
  const { width } = least;
  const distance = smaller(sub(greatest, least), constant(width, Math.min(LIMIT, 2 ** width - 1)));
  const low: Term<typeof COUNT> = width < COUNT ? zext(COUNT, distance) : extract(COUNT, distance);
  const byEnds = add(low, constant(COUNT, 1));
  return ite(some, smaller(byEnds, byUnknownBits(bits.mask)), constant(COUNT, 0));
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
