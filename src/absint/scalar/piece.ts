/**
 * Pieces: numbers between two ends, with what is known of their bits. Operators that are monotone only on numbers of one sign, or
 * only on one side of some number, cut their operands into pieces, treat each and join the results.
 *
 * γ(p) = { x ∈ γ(bits) : least ≤ᵤ x ≤ᵤ greatest } if `some`, else empty. A piece is tight if its ends are in it.
 */
import {
  all,
  and,
  constant,
  eq,
  ite,
  umax as larger,
  ne,
  or,
  sge,
  slt,
  umin as smaller,
  smax,
  smin,
  ule,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { greatestTo, leastFrom } from "./exchange.ts";
import { anything, choose, join, type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

export interface Piece<N extends number> {
  readonly some: Term<1>;
  readonly least: Term<N>;
  readonly greatest: Term<N>;
  readonly bits: tnum.Tnum<N>;
}

/** The numbers of `bits` from `from` to `to`, tight; `some` says whether there are any. */
export function between<N extends number>(bits: tnum.Tnum<N>, from: Term<N>, to: Term<N>): Piece<N> {
  const [least, greatest] = [leastFrom(bits, from), greatestTo(bits, to)];
  const some = all(ule(from, least), ule(least, greatest), ule(greatest, to));
  return tightBetween(some, bits, least, greatest);
}

/** What of a tight piece is `from` or more. */
export function fromOn<N extends number>(p: Piece<N>, from: Term<N>): Piece<N> {
  const least = leastFrom(p.bits, larger(p.least, from));
  const some = all(p.some, ule(from, p.greatest));
  return tightBetween(some, p.bits, least, p.greatest);
}

/** What of a tight piece is `to` or less. */
export function upTo<N extends number>(p: Piece<N>, to: Term<N>): Piece<N> {
  const greatest = greatestTo(p.bits, smaller(p.greatest, to));
  return tightBetween(and(p.some, ule(p.least, to)), p.bits, p.least, greatest);
}

/** Where the numbers of one sign are looked for, and whether the components allow that sign at all. */
export interface Range<N extends number> {
  readonly bits: tnum.Tnum<N>;
  readonly from: Term<N>;
  readonly to: Term<N>;
  readonly may: Term<1>;
}

/** Where the numbers of a part are that are not negative, and those that are. */
export function ranges<N extends number>(p: Part<N>): readonly [nonNegative: Range<N>, negative: Range<N>] {
  const width = p.umin.width;
  const [zero, minusOne] = [constant(width, 0), constant(width, -1)];
  const [sign, rest] = [signedMin(width), signedMax(width)];
  const { value, mask } = p.tnum;
  return [
    {
      bits: { value: and(value, rest), mask: and(mask, rest) },
      from: larger(p.umin, smax(p.smin, zero)),
      to: smaller(p.umax, and(p.smax, rest)),
      may: and(sge(p.smax, zero), eq(and(value, sign), zero)),
    },
    {
      bits: { value: or(value, sign), mask: and(mask, rest) },
      from: larger(p.umin, or(p.smin, sign)),
      to: smaller(p.umax, smin(p.smax, minusOne)),
      may: and(slt(p.smin, zero), ne(and(or(value, mask), sign), zero)),
    },
  ];
}

function half<N extends number>({ bits, from, to, may }: Range<N>): Piece<N> {
  const inside = between(bits, from, to);
  return orNothing({ ...inside, some: and(inside.some, may) });
}

/** The numbers of a part that are not negative, and those that are. Both are tight. */
export function halves<N extends number>(p: Part<N>): readonly [nonNegative: Piece<N>, negative: Piece<N>] {
  const [clear, set] = ranges(p);
  return [half(clear), half(set)];
}

/** An empty piece is all zeros, so that what is made of halves depends on nothing but the numbers in them. */
function orNothing<N extends number>({ some, least, greatest, bits }: Piece<N>): Piece<N> {
  const orZero = (x: Term<N>): Term<N> => ite(some, x, constant(x.width, 0));
  return {
    some,
    least: orZero(least),
    greatest: orZero(greatest),
    bits: { value: orZero(bits.value), mask: orZero(bits.mask) },
  };
}

/** A piece of numbers of one sign, as a part. */
export const asPart = <N extends number>({ least, greatest, bits }: Piece<N>): Part<N> => ({
  tnum: bits,
  umin: least,
  umax: greatest,
  smin: least,
  smax: greatest,
});

/** A piece as a case of the result. */
export const caseOf = <N extends number>(p: Piece<N>): Case<N> => ({ some: p.some, part: asPart(p) });

/** The numbers from `least` to `greatest`, both of which are in `bits`: what they have in common is in the bits, too. */
export const tightBetween = <N extends number>(
  some: Term<1>,
  bits: tnum.Tnum<N>,
  least: Term<N>,
  greatest: Term<N>,
): Piece<N> => ({ some, least, greatest, bits: tnum.intersect(bits, tnum.fromRange(least, greatest)) });

/** A result that is there only in some cases. */
export interface Case<N extends number> {
  readonly some: Term<1>;
  readonly part: Part<N>;
}

/** The join of those cases that are there. */
export function unite<N extends number>(first: Case<N>, ...rest: readonly Case<N>[]): Case<N> {
  return rest.reduce(
    (before, { some, part }) => ({
      some: or(before.some, some),
      part: choose(before.some, choose(some, join(before.part, part), before.part), part),
    }),
    first,
  );
}

/** The part of a case; what holds no number becomes what holds all. */
export const orAnything = <N extends number>({ some, part }: Case<N>): Part<N> =>
  choose(some, part, anything(part.umin.width));

/** What is in one of two pieces, as one; tight if they are. */
export function joined<N extends number>(p: Piece<N>, q: Piece<N>): Piece<N> {
  const either = (x: Term<N>, y: Term<N>, both: Term<N>): Term<N> => ite(p.some, ite(q.some, both, x), y);
  const bits = tnum.join(p.bits, q.bits);
  return {
    some: or(p.some, q.some),
    least: either(p.least, q.least, smaller(p.least, q.least)),
    greatest: either(p.greatest, q.greatest, larger(p.greatest, q.greatest)),
    bits: {
      value: either(p.bits.value, q.bits.value, bits.value),
      mask: either(p.bits.mask, q.bits.mask, bits.mask),
    },
  };
}

/** Both halves as one piece. */
export const whole = <N extends number>([clear, set]: readonly [Piece<N>, Piece<N>]): Piece<N> =>
  joined(clear, set);
