/**
 * Abstract unsigned division, with RFC 9669's result x / 0 = 0. The quotient grows with the dividend and shrinks as the divisor grows.
 * Divisors 0 and 1 are apart from the others: of the quotients by two or more none has its upper bit set.
 */
import { and, constant, eq, udiv } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { exactly, type Part } from "./part.ts";
import {
  type Case,
  caseOf,
  fromOn,
  halves,
  orAnything,
  type Piece,
  tightBetween,
  unite,
  whole,
} from "./piece.ts";
import * as tnum from "./tnum.ts";

/** The quotients of two tight pieces. The divisors are two or more. */
export const quotients = <N extends number>(a: Piece<N>, b: Piece<N>): Piece<N> =>
  tightBetween(
    and(a.some, b.some),
    tnum.unknown(a.least.width),
    udiv(a.least, b.greatest),
    udiv(a.greatest, b.least),
  );

/** Divisors by what they do: whether 0 and 1 are among them, and those that are more. */
export interface Divisors<N extends number> {
  readonly zero: Term<1>;
  readonly one: Term<1>;
  readonly more: Piece<N>;
}

/** Of a tight piece. */
export function divisorsOf<N extends number>(p: Piece<N>): Divisors<N> {
  const { width } = p.least;
  const [zero, one, two] = [constant(width, 0), constant(width, 1), constant(width, 2)];
  const positive = fromOn(p, one);
  return {
    zero: and(p.some, eq(p.least, zero)),
    one: and(positive.some, eq(positive.least, one)),
    more: fromOn(p, two),
  };
}

/** The results by zero, by one of a dividend of either sign, and by more, first such as are not negative. */
export function divisionCases<N extends number>(
  a: Part<N>,
  b: Part<N>,
): readonly [Case<N>, Case<N>, Case<N>, Case<N>, Case<N>] {
  const dividends = halves(a);
  const [clear, set] = halves(b);
  const { zero, one, more } = divisorsOf(clear);
  const itself = (p: Piece<N>): Case<N> => ({ ...caseOf(p), some: and(one, p.some) });
  return [
    { some: zero, part: exactly(constant(a.umin.width, 0)) },
    itself(dividends[0]),
    itself(dividends[1]),
    caseOf(quotients(whole(dividends), more)),
    caseOf(quotients(whole(dividends), set)),
  ];
}

export const div = <N extends number>(a: Part<N>, b: Part<N>): Part<N> =>
  orAnything(unite(...divisionCases(a, b)));
