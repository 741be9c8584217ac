/**
 * Abstract byte swaps: the best of each component, half by half (halves.ts). On a tnum a swap is exact. The ends of an interval come of the
 * numbers that are least and greatest by their bytes from the lowest on.
 */
import {
  and,
  bswap,
  concat,
  constant,
  extract,
  ite,
  not,
  or,
  smax,
  smin,
  ule,
  umax,
  umin,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { leastFrom } from "./exchange.ts";
import { type Arc, negative, notNegative } from "./halves.ts";
import type { Part } from "./part.ts";
import * as tnum from "./tnum.ts";

/** The bytes of x in reverse order. Bytes have 8 bits but where all operands are gone through, at small widths. */
function reversed<N extends number>(x: Term<N>, byte: number): Term<N> {
  const { width } = x;
  if (byte === 8) return bswap(x);
  let result: Term = extract(byte, x);
  for (let low = byte; low < width; low += byte) result = concat(low + byte, result, extract(byte, x, low));
  // The width is x's own: as many bytes, in another order.
  return extract(width, result);
}

/** The least number from `from` on whose `low` lowest bits are those of `first`, and whose other bits are as a tnum with this mask has them. */
export function agreeingFrom<N extends number>(
  from: Term<N>,
  mask: Term<N>,
  first: Term<N>,
  low: number,
): Term<N> {
  const free = and(mask, constant(from.width, -1n << BigInt(low)));
  return leastFrom({ value: and(first, not(free)), mask: free }, from);
}

/**
 * Of the numbers of a tnum in an arc the one that is least by its bytes from the lowest on, unsigned. `first` is the least of all in that order: the
 * more low bytes a number has of those, the better, and of numbers with as many the least one is best. (A greater one that has a less byte there has another
 * byte above it: one with the byte of `first` would lie between the two.)
 */
export function leastByLowBytes<N extends number>(
  { from, to }: Arc<N>,
  { mask }: tnum.Tnum<N>,
  byte: number,
  first: Term<N>,
): Term<N> {
  let found = from;
  for (let low = 0; low < from.width; low += byte) {
    const next = agreeingFrom(from, mask, first, low);
    found = ite(and(ule(from, next), ule(next, to)), next, found);
  }
  return found;
}

export const complement = <N extends number>({ from, to }: Arc<N>): Arc<N> => ({
  from: not(to),
  to: not(from),
});

/** The complements of a tnum's numbers. */
export const inverse = <N extends number>(t: tnum.Tnum<N>): tnum.Tnum<N> => ({
  value: not(tnum.possible(t)),
  mask: t.mask,
});

/** All unknown bits are 0, but `sign` is 1. */
export const leastOf = <N extends number>({ value, mask }: tnum.Tnum<N>, sign: Term<N>): Term<N> =>
  or(value, and(mask, sign));

/** The least and the greatest number of an arc and a tnum, once swapped; `sign` is zero for unsigned order, else the sign bit of the lowest byte. */
function swappedArc<N extends number>(arc: Arc<N>, t: tnum.Tnum<N>, byte: number, sign: Term<N>): Arc<N> {
  const opposite = inverse(t);
  return {
    from: reversed(leastByLowBytes(arc, t, byte, leastOf(t, sign)), byte),
    to: not(reversed(leastByLowBytes(complement(arc), opposite, byte, leastOf(opposite, sign)), byte)),
  };
}

/** The part with its bytes in reverse order. The width is a multiple of a byte. */
export function swap<N extends number>(a: Part<N>, byte = 8): Part<N> {
  const { width } = a.umin;
  const [zero, sign] = [constant(width, 0), constant(width, 1n << BigInt(byte - 1))];
  const halves = [notNegative(a), negative(a)] as const;
  const [p, n] = [swappedArc(halves[0], a.tnum, byte, zero), swappedArc(halves[1], a.tnum, byte, zero)];
  const [q, m] = [swappedArc(halves[0], a.tnum, byte, sign), swappedArc(halves[1], a.tnum, byte, sign)];
  return {
    tnum: tnum.mapBits(a.tnum, (x) => reversed(x, byte)),
    umin: umin(p.from, n.from),
    umax: umax(p.to, n.to),
    smin: smin(q.from, m.from),
    smax: smax(q.to, m.to),
  };
}
