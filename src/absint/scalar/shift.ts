/**
 * Abstract shifts. Counts are taken modulo the width (RFC 9669 section 4.1). The results of all possible counts are joined, by a loop that
 * a known count goes through once; for one count and a tight piece of the operand a shift is the best there is.
 */
import {
  add,
  all,
  and,
  ashr,
  constant,
  eq,
  fold,
  ite,
  lshr,
  not,
  or,
  shl,
  sub,
  ule,
  ult,
  xor,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { greatestTo, leastFrom } from "./exchange.ts";
import { choose, join, type Part, signedMax, signedMin } from "./part.ts";
import { asPart, halves, orAnything, type Piece, whole } from "./piece.ts";
import * as tnum from "./tnum.ts";

/** What a shift by `count`, less than the width, makes of a tight piece of numbers of one sign. */
export type Shift = <N extends number>(a: Piece<N>, count: Term<N>) => Part<N>;

/** Numbers of `bits` between two of them: the best part. Across the signs, all of `bits` around the place where the sign changes is between. */
function inOrder<N extends number>(bits: tnum.Tnum<N>, least: Term<N>, greatest: Term<N>): Part<N> {
  const sign = signedMin(least.width);
  const crosses = and(ult(least, sign), ule(sign, greatest));
  return {
    tnum: tnum.intersect(bits, tnum.fromRange(least, greatest)),
    umin: least,
    umax: greatest,
    smin: ite(crosses, or(bits.value, sign), least),
    smax: ite(crosses, and(tnum.possible(bits), not(sign)), greatest),
  };
}

/** What a left shift of a piece depends on. */
interface Windows<N extends number> {
  /** The piece's bits and ends, shifted. */
  readonly bits: tnum.Tnum<N>;
  readonly least: Term<N>;
  readonly greatest: Term<N>;
  /** Whether all numbers lie in one window, or in no more than two. */
  readonly one: Term<1>;
  readonly two: Term<1>;
}

export function windowsOf<N extends number>(a: Piece<N>, count: Term<N>): Windows<N> {
  const { width } = a.least;
  const staying = lshr(constant(width, -1), count);
  const shift = (x: Term<N>): Term<N> => shl(x, count);
  const second = leastFrom(a.bits, add(or(a.least, staying), constant(width, 1)));
  return {
    bits: tnum.mapBits(a.bits, shift),
    least: shift(a.least),
    greatest: shift(a.greatest),
    one: ule(xor(a.least, a.greatest), staying),
    two: ule(xor(second, a.greatest), staying),
  };
}

/**
 * The bits that stay count up to a window's end and begin anew. Numbers of one window stay in order; those of several reach the end of the
 * first and the beginning of the last, and if there are any between, both.
 */
const lshBy: Shift = (a, count) => {
  const { bits, least, greatest, one, two } = windowsOf(a, count);
  const [start, end] = [bits.value, tnum.possible(bits)];
  return choose(
    one,
    inOrder(bits, least, greatest),
    choose(two, join(inOrder(bits, least, end), inOrder(bits, start, greatest)), inOrder(bits, start, end)),
  );
};

const inPlace =
  (shift: <N extends number>(x: Term<N>, count: Term<N>) => Term<N>): Shift =>
  (a, count) => {
    const by = (x: typeof a.least) => shift(x, count);
    return asPart({
      some: a.some,
      least: by(a.least),
      greatest: by(a.greatest),
      bits: tnum.mapBits(a.bits, by),
    });
  };

/** What the low bits of a piece's numbers are, which is what they are modulo the width. */
export interface LowBits<N extends number> {
  /** The least number past those that the least one shares its upper bits with. */
  readonly second: Term<N>;
  /** Whether all have one choice of upper bits, or no more than two. */
  readonly one: Term<1>;
  readonly two: Term<1>;
  /** How far the low bits go on from those of the least, beginning anew after the greatest. */
  readonly span: Term<N>;
  /** Whether some number has these low bits. */
  readonly has: (count: Term<N>) => Term<1>;
}

/** Of a tight piece. The low bits count up with the upper ones fixed, and begin anew with the next upper ones. */
export function lowBitsOf<N extends number>({ some, least, greatest, bits }: Piece<N>): LowBits<N> {
  const { width } = least;
  const low = constant(width, width - 1);
  const second = leastFrom(bits, add(or(least, low), constant(width, 1)));
  const one = ule(xor(least, greatest), low);
  const two = ule(xor(second, greatest), low);
  const apart = ult(and(greatest, low), and(least, low));
  const distance = (to: Term<N>): Term<N> => and(sub(to, least), low);
  const span = ite(or(one, and(two, apart)), distance(greatest), low);
  const known = and(low, not(bits.mask));
  const has = (count: Term<N>): Term<1> =>
    all(some, ule(distance(count), span), eq(and(count, known), and(bits.value, low)));
  return { second, one, two, span, has };
}

/**
 * The counts modulo the width: those that are gone through, and the next one after another. Where one of them is not possible, `instead` is a
 * possible one.
 */
export function countsOf<N extends number>(
  b: Part<N>,
): {
  readonly from: Term<N>;
  readonly to: Term<N>;
  readonly range: Piece<N>;
  readonly next: (count: Term<N>) => Term<N>;
  readonly instead: (count: Term<N>) => Term<N>;
} {
  const { width } = b.umin;
  const low = constant(width, width - 1);
  const [clear, set] = halves(b);
  const { some, least, greatest, bits: all } = whole([clear, set]);
  const bits = tnum.mapBits(all, (x) => and(x, low));
  // Masking keeps the order of counts that differ in their masked bits alone.
  const inOrder = ule(xor(least, greatest), low);
  const from = ite(inOrder, and(least, low), constant(width, 0));
  const to = ite(inOrder, and(greatest, low), low);
  const next = (count: Term<N>): Term<N> =>
    or(bits.value, and(add(or(count, not(bits.mask)), constant(width, 1)), bits.mask));
  const [clearLow, setLow] = [lowBitsOf(clear), lowBitsOf(set)];
  const possible = and(ite(clear.some, clear.least, set.least), low);
  const instead = (count: Term<N>): Term<N> =>
    ite(or(clearLow.has(count), setLow.has(count)), count, possible);
  return {
    from,
    to,
    range: { some, least: leastFrom(bits, from), greatest: greatestTo(bits, to), bits },
    next,
    instead,
  };
}

function isEverything<N extends number>(p: Part<N>): Term<1> {
  const { width } = p.umin;
  return all(
    eq(p.tnum.value, constant(width, 0)),
    eq(p.tnum.mask, constant(width, -1)),
    eq(p.umin, constant(width, 0)),
    eq(p.umax, constant(width, -1)),
    eq(p.smin, signedMin(width)),
    eq(p.smax, signedMax(width)),
  );
}

/** The first of two pieces, or the second if the first is empty. */
const either = <N extends number>(p: Piece<N>, q: Piece<N>): Piece<N> => ({
  some: or(p.some, q.some),
  least: ite(p.some, p.least, q.least),
  greatest: ite(p.some, p.greatest, q.greatest),
  bits: {
    value: ite(p.some, p.bits.value, q.bits.value),
    mask: ite(p.some, p.bits.mask, q.bits.mask),
  },
});

/** The halves of a part; one that is not there is replaced by the other. */
export function piecesOf<N extends number>(a: Part<N>): readonly [Piece<N>, Piece<N>] {
  const [clear, set] = halves(a);
  return [either(clear, set), either(set, clear)];
}

/** The join of `shift` over both halves of `a` and every count that `b` may hold. */
function byUnknown<N extends number>(a: Part<N>, b: Part<N>, shift: Shift): Part<N> {
  const { width } = a.umin;
  const pieces = piecesOf(a);
  const shifted = (count: Term<N>): Part<N> => join(shift(pieces[0], count), shift(pieces[1], count));
  const { range, next, instead } = countsOf(b);
  const start = shifted(instead(range.least));
  const [, value, mask, umin, umax, smin, smax] = fold({
    widths: [width, width, width, width, width, width, width],
    count: width - 1,
    init: [range.least, start.tnum.value, start.tnum.mask, start.umin, start.umax, start.smin, start.smax],
    condition: ([count, value, mask, umin, umax, smin, smax]) =>
      and(ult(count, range.greatest), not(isEverything({ tnum: { value, mask }, umin, umax, smin, smax }))),
    step: ([count, value, mask, umin, umax, smin, smax]) => {
      const following = next(count);
      const p = join({ tnum: { value, mask }, umin, umax, smin, smax }, shifted(instead(following)));
      return [following, p.tnum.value, p.tnum.mask, p.umin, p.umax, p.smin, p.smax];
    },
  });
  const some = and(pieces[0].some, range.some);
  return orAnything({ some, part: { tnum: { value, mask }, umin, umax, smin, smax } });
}

export const SHIFTS = { lsh: lshBy, rsh: inPlace(lshr), arsh: inPlace(ashr) } as const;

export const lsh = <N extends number>(a: Part<N>, b: Part<N>): Part<N> => byUnknown(a, b, SHIFTS.lsh);
export const rsh = <N extends number>(a: Part<N>, b: Part<N>): Part<N> => byUnknown(a, b, SHIFTS.rsh);
export const arsh = <N extends number>(a: Part<N>, b: Part<N>): Part<N> => byUnknown(a, b, SHIFTS.arsh);
