/**
 * Abstract signed division and remainder, with RFC 9669's results x s/ 0 = 0, x s% 0 = x, minimum s/ -1 = minimum, minimum s% -1 = 0.
 * They are division and remainder of magnitudes, with the sign put back; the magnitude of the minimum is right as an unsigned number.
 */
import { and, constant, eq, ite, neg as minus, srem, sub, ult } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { neg } from "./alu.ts";
import { type Divisors, divisorsOf, quotients } from "./divide.ts";
import { byPairs } from "./few.ts";
import { exactly, type Part } from "./part.ts";
import {
  type Case,
  caseOf,
  fromOn,
  halves,
  joined,
  orAnything,
  type Piece,
  tightBetween,
  unite,
} from "./piece.ts";
import { reduced, unchanged } from "./remainder.ts";
import * as tnum from "./tnum.ts";

/** The magnitudes of negative numbers. */
export function magnitudes<N extends number>({ some, least, greatest, bits }: Piece<N>): Piece<N> {
  const negated = tnum.sub(tnum.exactly(constant(least.width, 0)), bits);
  return tightBetween(some, negated, minus(greatest), minus(least));
}

/** The case of the numbers that those of another are the negatives of. */
export const negated = <N extends number>({ some, part }: Case<N>): Case<N> => ({ some, part: neg(part) });

/** How a case gets its sign: `negated`, or in proofs a wrong way. */
export type Signing = typeof negated;

/** The quotients, by what the divisor is and the signs of both. */
export interface SignedQuotients<N extends number> {
  readonly byZero: Case<N>;
  /** By 1 and by -1, of a dividend that is not negative and of one that is. */
  readonly byOne: readonly [Case<N>, Case<N>];
  readonly byMinusOne: readonly [Case<N>, Case<N>];
  /** By 2 or more and by -2 or less, likewise. */
  readonly byMore: readonly [Case<N>, Case<N>];
  readonly byLess: readonly [Case<N>, Case<N>];
}

export function signedQuotients<N extends number>(
  a: Part<N>,
  b: Part<N>,
  signed: Signing = negated,
): SignedQuotients<N> {
  const [positive, below] = halves(a);
  const negative = magnitudes(below);
  const [clear, set] = halves(b);
  const [by, byNegative]: readonly [Divisors<N>, Divisors<N>] = [
    divisorsOf(clear),
    divisorsOf(magnitudes(set)),
  ];
  const itself = (p: Piece<N>, when: Term<1>): Case<N> => ({ ...caseOf(p), some: and(when, p.some) });
  return {
    byZero: { some: by.zero, part: exactly(constant(a.umin.width, 0)) },
    byOne: [itself(positive, by.one), itself(below, by.one)],
    byMinusOne: [signed(itself(positive, byNegative.one)), signed(itself(below, byNegative.one))],
    byMore: [caseOf(quotients(positive, by.more)), signed(caseOf(quotients(negative, by.more)))],
    byLess: [
      signed(caseOf(quotients(positive, byNegative.more))),
      caseOf(quotients(negative, byNegative.more)),
    ],
  };
}

export function sdiv<N extends number>(a: Part<N>, b: Part<N>, signed: Signing = negated): Part<N> {
  const { byZero, byOne, byMinusOne, byMore, byLess } = signedQuotients(a, b, signed);
  return orAnything(unite(byZero, ...byOne, ...byMinusOne, ...byMore, ...byLess));
}

/** The remainders of those negative dividends whose magnitudes are below their divisors': themselves. What is known of their bits stays so. */
export function unchangedNegative<N extends number>(a: Piece<N>, greatestDivisor: Term<N>): Piece<N> {
  const one = constant(greatestDivisor.width, 1);
  const same = fromOn(a, minus(sub(greatestDivisor, one)));
  return { ...same, some: and(same.some, ult(one, greatestDivisor)) };
}

/** The remainders of one half of the dividends: of those below their divisors in magnitude, and of the magnitudes of the others with the sign put back. */
interface RemaindersOfHalf<N extends number> {
  readonly unchanged: Case<N>;
  readonly reduced: readonly [Case<N>, Case<N>, Case<N>];
}

/** The remainders, by what the divisor is and the half that the dividend is in. */
export interface SignedRemainders<N extends number> {
  readonly byZero: readonly [Case<N>, Case<N>];
  /** The magnitudes of the divisors that are not 0. */
  readonly divisor: Piece<N>;
  readonly others: readonly [RemaindersOfHalf<N>, RemaindersOfHalf<N>];
}

export function signedRemainders<N extends number>(
  a: Part<N>,
  b: Part<N>,
  signed: Signing = negated,
): SignedRemainders<N> {
  const { width } = a.umin;
  const [positive, below] = halves(a);
  const [clear, set] = halves(b);
  const byZero = and(clear.some, eq(clear.least, constant(width, 0)));
  const divisor = joined(fromOn(clear, constant(width, 1)), magnitudes(set));
  const itself = (p: Piece<N>): Case<N> => ({ ...caseOf(p), some: and(byZero, p.some) });
  const byDivisor = (r: Piece<N>): Case<N> => caseOf({ ...r, some: and(r.some, divisor.some) });
  const ofHalf = (
    same: Piece<N>,
    p: Piece<N>,
    sign: (remainders: Case<N>) => Case<N>,
  ): RemaindersOfHalf<N> => {
    const [first, last, other] = reduced(p, divisor);
    return {
      unchanged: byDivisor(same),
      reduced: [sign(byDivisor(first)), sign(byDivisor(last)), sign(byDivisor(other))],
    };
  };
  return {
    byZero: [itself(positive), itself(below)],
    divisor,
    others: [
      ofHalf(unchanged(positive, divisor.greatest), positive, (r) => r),
      ofHalf(unchangedNegative(below, divisor.greatest), magnitudes(below), signed),
    ],
  };
}

/** The remainders of operands that can be many numbers. */
export function manySignedRemainders<N extends number>(
  a: Part<N>,
  b: Part<N>,
  signed: Signing = negated,
): Part<N> {
  const { byZero, others } = signedRemainders(a, b, signed);
  return orAnything(unite(...byZero, ...others.flatMap((half) => [half.unchanged, ...half.reduced])));
}

/** The signed remainder of two numbers. */
export const signedRemainder = <N extends number>(x: Term<N>, y: Term<N>): Term<N> =>
  ite(eq(y, constant(x.width, 0)), x, srem(x, y));

export const smod = <N extends number>(a: Part<N>, b: Part<N>, signed: Signing = negated): Part<N> =>
  byPairs(a, b, signedRemainder, manySignedRemainders(a, b, signed));
