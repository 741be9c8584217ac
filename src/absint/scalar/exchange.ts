/**
 * What the components of one part tell each other: the rules of synchronisation that concern a single width, at any width.
 *
 * Each keeps every number in γ and only tightens. Of a part that holds nothing some component may become better known than it is; such a part
 * stays recognisably empty: the tnum with value and mask overlapping, or an interval that ends before it begins.
 */
import {
  add,
  and,
  constant,
  ite,
  not,
  or,
  sge,
  slt,
  smax,
  smin,
  sub,
  ult,
  umax,
  umin,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

export type PartRule = <N extends number>(p: Part<N>) => Part<N>;

/**
 * How far down a bound agrees with the tnum: the known bits and all those at or below the highest bit in which the two differ. The others,
 * unknown bits above that one, are all that can be counted up or down.
 */
function fixed<N extends number>({ value, mask }: tnum.Tnum<N>, bound: Term<N>) {
  const below = tnum.fromRange(value, and(bound, not(mask))).mask;
  return { below, bits: or(not(mask), below), nearest: or(and(bound, mask), value) };
}

/** The least member of `t` at or above `bound`, unsigned; if there is none, the least of all. */
export function leastFrom<N extends number>(t: tnum.Tnum<N>, bound: Term<N>): Term<N> {
  const { bits, nearest } = fixed(t, bound);
  // Where the tnum has a 0 that the bound does not have, the next number above is wanted: set bits let the carry through.
  const next = zext(bound.width, ult(nearest, bound));
  return or(t.value, and(add(or(bound, bits), next), not(bits)));
}

/** The greatest member of `t` at or below `bound`, unsigned; if there is none, the greatest of all. */
export function greatestTo<N extends number>(t: tnum.Tnum<N>, bound: Term<N>): Term<N> {
  const { below, bits, nearest } = fixed(t, bound);
  const free = not(bits);
  // As above, downwards: cleared bits let the borrow through.
  const next = zext(bound.width, ult(bound, nearest));
  return or(or(t.value, and(sub(and(bound, free), next), free)), and(t.mask, below));
}

/** The ends of an interval are members of the tnum. */
export const tnumToUnsigned: PartRule = (p) => ({
  ...p,
  umin: umax(p.umin, leastFrom(p.tnum, p.umin)),
  umax: umin(p.umax, greatestTo(p.tnum, p.umax)),
});

/** The sign bit, if unknown, is set for the least number and clear for the greatest. */
export const tnumToSigned: PartRule = (p) => {
  const { value, mask } = p.tnum;
  const sign = signedMin(value.width);
  return {
    ...p,
    smin: smax(p.smin, or(value, and(mask, sign))),
    smax: smin(p.smax, or(value, and(mask, not(sign)))),
  };
};

/**
 * Together the intervals leave one of the non-negative numbers, from max(umin, smin) to min(umax, smax), and one of the negative ones,
 * where the unsigned order is the signed one too. If one is empty the other is all there is. If both are, the signed interval becomes the emptiest.
 */
export const unsignedAndSigned: PartRule = (p) => {
  const { width } = p.umin;
  const zero = constant(width, 0);
  const minusOne = constant(width, -1);
  const [least, greatest] = [umax(p.umin, smax(p.smin, zero)), umin(p.umax, p.smax)];
  const noneNonNegative = or(slt(p.smax, zero), ult(greatest, least));
  const [leastNegative, greatestNegative] = [umax(p.umin, p.smin), umin(p.umax, smin(p.smax, minusOne))];
  const noneNegative = or(sge(p.smin, zero), ult(greatestNegative, leastNegative));
  return {
    ...p,
    umin: ite(noneNonNegative, leastNegative, least),
    umax: ite(noneNegative, greatest, greatestNegative),
    smin: ite(noneNegative, ite(noneNonNegative, signedMax(width), least), leastNegative),
    smax: ite(noneNonNegative, ite(noneNegative, signedMin(width), greatestNegative), greatest),
  };
};

/** The leading bits that the ends of an interval share. */
export const unsignedToTnum: PartRule = (p) => ({
  ...p,
  tnum: refined(p.tnum, tnum.fromRange(p.umin, p.umax)),
});

/**
 * What `own` and the well-formed `other` know together. Bits in which they contradict each other end up in value and mask, as do those that
 * `own` had in both.
 */
export function refined<N extends number>(own: tnum.Tnum<N>, other: tnum.Tnum<N>): tnum.Tnum<N> {
  const contradicted = and(xor(own.value, other.value), not(or(own.mask, other.mask)));
  return {
    value: or(own.value, other.value),
    mask: or(and(own.mask, or(other.mask, own.value)), contradicted),
  };
}
