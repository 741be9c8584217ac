/**
 * Widening: an upper bound of two scalars, chosen so that whoever replaces x by `widen(x, y)` again and again soon changes nothing.
 *
 * What `newer` does not reach beyond stays as it is in `older`. A bound that it does reach beyond goes on to 0, -1 or the next limit of a
 * type of 8, 16, 32 or 64 bits. Of the tnum, the bits below the lowest that became unknown stay known: what a loop adds to a counter keeps its
 * alignment and no more, and what the bounds say of the leading bits synchronisation puts back.
 *
 * So a chain changes an upper bound at most 8 times, a lower one at most 5 times, and the tnum at most once a bit, as long as it is not
 * tightened between.
 */
import { and, constant, ite, neg, not, or, slt, ult } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Part } from "./part.ts";
import { low, type Scalar, wide } from "./product.ts";
import * as tnum from "./tnum.ts";

/** Whether the first lies before the second, on the way that a bound grows. */
type Before = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>) => Term<1>;

const below: Record<"unsigned" | "signed", Before> = { unsigned: ult, signed: slt };
const above: typeof below = { unsigned: (a, b) => ult(b, a), signed: (a, b) => slt(b, a) };

/** The bits of each type that are fewer than `width`, then `width`. */
const sizes = (width: number, types: readonly number[]): readonly bigint[] =>
  [...types.filter((bits) => bits < width), width].map(BigInt);

const upTo = (bits: bigint): bigint => 2n ** bits - 1n;
const SIGNED = [7, 15, 31, 63];
const ALL = [7, 8, 15, 16, 31, 32, 63, 64];

/** `older`, unless it lies before `newer`: then the first of the limits that does not; the last is the farthest there is. */
function grown<N extends number>(
  older: Term<N>,
  newer: Term<N>,
  before: Before,
  limits: readonly bigint[],
): Term<N> {
  const next = limits
    .map((limit) => constant(older.width, limit))
    .reduceRight((farther, limit) => ite(before(limit, newer), farther, limit));
  return ite(before(older, newer), next, older);
}

function widenTnum<N extends number>(older: tnum.Tnum<N>, newer: tnum.Tnum<N>): tnum.Tnum<N> {
  const both = tnum.join(older, newer);
  const changed = and(both.mask, not(older.mask));
  // The lowest bit set and all above it.
  const mask = or(both.mask, or(changed, neg(changed)));
  return { value: and(older.value, not(mask)), mask };
}

function widenPart<N extends number>(older: Part<N>, newer: Part<N>): Part<N> {
  const { width } = older.umin;
  const signedSizes = sizes(width - 1, SIGNED);
  return {
    tnum: widenTnum(older.tnum, newer.tnum),
    umin: grown(older.umin, newer.umin, above.unsigned, [0n]),
    umax: grown(older.umax, newer.umax, below.unsigned, sizes(width, ALL).map(upTo)),
    smin: grown(older.smin, newer.smin, above.signed, [0n, ...signedSizes.map((bits) => -(2n ** bits))]),
    smax: grown(older.smax, newer.smax, below.signed, [-1n, ...sizes(width - 1, ALL).map(upTo)]),
  };
}

/** Holds all that either holds; for the rest see above. */
export function widen(older: Scalar, newer: Scalar): Scalar {
  const half = widenPart(low(older), low(newer));
  return {
    ...widenPart(wide(older), wide(newer)),
    umin32: half.umin,
    umax32: half.umax,
    smin32: half.smin,
    smax32: half.smax,
  };
}
