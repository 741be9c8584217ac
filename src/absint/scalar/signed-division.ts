/**
 * Abstract signed division and remainder, with RFC 9669's results x s/ 0 = 0, x s% 0 = x, minimum s/ -1 = minimum, minimum s% -1 = 0.
 * They are division and remainder of magnitudes, with the sign put back; the magnitude of the minimum is right as an unsigned number.
 */
import { and, constant, eq, ite, neg as minus, srem } from "../../semantics/term/build.ts";
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
function magnitudes<N extends number>({ some, least, greatest, bits }: Piece<N>): Piece<N> {
  const negated = tnum.sub(tnum.exactly(constant(least.width, 0)), bits);
  return tightBetween(some, negated, minus(greatest), minus(least));
}

const negated = <N extends number>({ some, part }: Case<N>): Case<N> => ({ some, part: neg(part) });

export function sdiv<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const dividends = halves(a);
  const [positive, negative] = [dividends[0], magnitudes(dividends[1])];
  const [clear, set] = halves(b);
  const [by, byNegative]: readonly [Divisors<N>, Divisors<N>] = [
    divisorsOf(clear),
    divisorsOf(magnitudes(set)),
  ];
  const itself = (p: Piece<N>, when: Term<1>): Case<N> => ({ ...caseOf(p), some: and(when, p.some) });
  return orAnything(
    unite(
      { some: by.zero, part: exactly(constant(a.umin.width, 0)) },
      ...dividends.map((p) => itself(p, by.one)),
      ...dividends.map((p) => negated(itself(p, byNegative.one))),
      caseOf(quotients(positive, by.more)),
      caseOf(quotients(negative, byNegative.more)),
      negated(caseOf(quotients(positive, byNegative.more))),
      negated(caseOf(quotients(negative, by.more))),
    ),
  );
}

export function smod<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const { width } = a.umin;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const dividends = halves(a);
  const [clear, set] = halves(b);
  const byZero = and(clear.some, eq(clear.least, zero));
  const divisor = joined(fromOn(clear, one), magnitudes(set));
  const remainders = (p: Piece<N>): readonly Case<N>[] =>
    [unchanged(p, divisor.greatest), ...reduced(p, divisor)].map((r) =>
      caseOf({ ...r, some: and(r.some, divisor.some) }),
    );
  const result = orAnything(
    unite(
      { ...caseOf(dividends[0]), some: and(byZero, dividends[0].some) },
      { ...caseOf(dividends[1]), some: and(byZero, dividends[1].some) },
      ...remainders(dividends[0]),
      ...remainders(magnitudes(dividends[1])).map(negated),
    ),
  );
  return byPairs(a, b, (x, y) => ite(eq(y, zero), x, srem(x, y)), result);
}
