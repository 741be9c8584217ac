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
  fold,
  ite,
  umax as larger,
  mul,
  ne,
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
/** Counts of numbers are of so many bits: twice what `gathered` may give, for two halves. */
const COUNT = 10;

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

/** Unknown bits whose numbers `LIMIT` is enough for. */
const BITS = Math.log2(LIMIT);

/** The bits of x that are in `mask`, one beside the other: as a number if that is less than `LIMIT`, or more. */
function gathered<N extends number>(x: Term<N>, mask: Term<N>, place = 0): Term<typeof COUNT> {
  const zero = constant(mask.width, 0);
  const isIn = (bits: Term<N>): Term<1> => ne(and(x, bits), zero);
  const number = (value: number): Term<typeof COUNT> => constant(COUNT, value);
  if (place === BITS) return ite(isIn(mask), number(2 * LIMIT), number(0));
  const others = and(mask, sub(mask, constant(mask.width, 1)));
  const lowest = ite(isIn(xor(mask, others)), number(2 ** place), number(0));
  return or(lowest, gathered(x, others, place + 1));
}

/** How many numbers there are in a tight piece, if they are few, or more than `LIMIT`: unknown bits count up, and carry over the others. */
function sizeOf<N extends number>({ some, least, greatest, bits: { mask } }: Piece<N>): Term<typeof COUNT> {
  const distance = and(sub(and(greatest, mask), and(least, mask)), mask);
  return ite(some, add(gathered(distance, mask), constant(COUNT, 1)), constant(COUNT, 0));
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
  const double = (x: Term): Term<20> => zext(20, x);
  const [m, n] = [add(sizeOf(as[0]), sizeOf(as[1])), add(sizeOf(bs[0]), sizeOf(bs[1]))];
  const count = mul(double(m), double(n));
  const few = and(ule(constant(20, 1), count), ule(count, constant(20, LIMIT)));
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
