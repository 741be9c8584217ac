/**
 * The abstract scalar: a tnum and four intervals, over 64 bits and over the low 32.
 *
 * γ(s) = { x : x ∈ γ(tnum), umin ≤ᵤ x ≤ᵤ umax, smin ≤ₛ x ≤ₛ smax, and the same of the low 32 bits with the 32-bit intervals }.
 * The low half has no tnum of its own: it is the low half of the one there is.
 */
import {
  all,
  and,
  constant,
  eq,
  extract,
  ne,
  not,
  or,
  sle,
  slt,
  smax,
  smin,
  ule,
  ult,
  umax,
  umin,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import * as part from "./part.ts";
import { anything, type Part } from "./part.ts";
import * as tnum from "./tnum.ts";

export interface Scalar {
  readonly tnum: tnum.Tnum<64>;
  readonly umin: Term<64>;
  readonly umax: Term<64>;
  readonly smin: Term<64>;
  readonly smax: Term<64>;
  readonly umin32: Term<32>;
  readonly umax32: Term<32>;
  readonly smin32: Term<32>;
  readonly smax32: Term<32>;
}

export const wide = ({ tnum, umin, umax, smin, smax }: Scalar): Part<64> => ({
  tnum,
  umin,
  umax,
  smin,
  smax,
});

export const low = (s: Scalar): Part<32> => ({
  tnum: tnum.truncate(32, s.tnum),
  umin: s.umin32,
  umax: s.umax32,
  smin: s.smin32,
  smax: s.smax32,
});

/** The scalar whose halves were computed apart; what the low half's tnum knows more is put into the whole. */
export function combine(whole: Part<64>, half: Part<32>): Scalar {
  const above = constant(64, 0xffffffff00000000n);
  const lowered = {
    value: zext(64, half.tnum.value),
    mask: or(above, zext(64, half.tnum.mask)),
  };
  return { ...whole, tnum: tnum.intersect(whole.tnum, lowered), ...renamed(half) };
}

const renamed = (half: Part<32>) => ({
  umin32: half.umin,
  umax32: half.umax,
  smin32: half.smin,
  smax32: half.smax,
});

/** A 64-bit result of whose low half nothing more is known; synchronisation fills it in. */
export const fromWide = (whole: Part<64>): Scalar => ({ ...whole, ...renamed(anything(32)) });

/** A 32-bit result, zero-extended as RFC 9669 section 4.1 wants. */
export function zeroExtended(half: Part<32>): Scalar {
  return {
    tnum: tnum.zeroExtend(64, half.tnum),
    umin: zext(64, half.umin),
    umax: zext(64, half.umax),
    smin: zext(64, half.umin),
    smax: zext(64, half.umax),
    ...renamed(half),
  };
}

export const exactly = (value: Term<64>): Scalar => ({
  ...part.exactly(value),
  ...renamed(part.exactly(extract(32, value))),
});

export const unknownScalar = (): Scalar => fromWide(anything(64));

/** Whether a component is empty, so that the scalar stands for no value at all. */
export const isEmpty = (s: Scalar): Term<1> =>
  or(
    or(ult(s.umax, s.umin), slt(s.smax, s.smin)),
    or(
      or(ult(s.umax32, s.umin32), slt(s.smax32, s.smin32)),
      ne(and(s.tnum.value, s.tnum.mask), constant(64, 0)),
    ),
  );

/** Whether γ(inner) ⊆ γ(outer) can be told component by component. */
export const includes = (outer: Scalar, inner: Scalar): Term<1> =>
  and(
    part.includes(wide(outer), wide(inner)),
    all(
      ule(outer.umin32, inner.umin32),
      ule(inner.umax32, outer.umax32),
      sle(outer.smin32, inner.smin32),
      sle(inner.smax32, outer.smax32),
    ),
  );

export function join(a: Scalar, b: Scalar): Scalar {
  return {
    ...part.join(wide(a), wide(b)),
    umin32: umin(a.umin32, b.umin32),
    umax32: umax(a.umax32, b.umax32),
    smin32: smin(a.smin32, b.smin32),
    smax32: smax(a.smax32, b.smax32),
  };
}

/** Whether the concrete `x` is in γ(s): the definition above, for proofs and cross-checks. */
export function contains(s: Scalar, x: Term<64>): Term<1> {
  const half = extract(32, x);
  return all(
    eq(and(x, not(s.tnum.mask)), s.tnum.value),
    ule(s.umin, x),
    ule(x, s.umax),
    sle(s.smin, x),
    sle(x, s.smax),
    ule(s.umin32, half),
    ule(half, s.umax32),
    sle(s.smin32, half),
    sle(half, s.smax32),
  );
}
