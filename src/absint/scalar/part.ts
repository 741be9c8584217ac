/**
 * A part of the scalar product: what is known of one width of a register, 64 bits or its low 32, as a tnum, an unsigned and a
 * signed interval.
 *
 * γ(p) = γ(tnum) ∩ { x : umin ≤ᵤ x ≤ᵤ umax } ∩ { x : smin ≤ₛ x ≤ₛ smax }. Well formed: the tnum is, umin ≤ᵤ umax, smin ≤ₛ smax.
 * A part that is not well formed stands for the empty set; only a refinement makes one.
 */
import {
  all,
  and,
  constant,
  eq,
  ite,
  not,
  sle,
  smax,
  smin,
  ule,
  umax,
  umin,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import * as tnum from "./tnum.ts";

export interface Part<N extends number> {
  readonly tnum: tnum.Tnum<N>;
  readonly umin: Term<N>;
  readonly umax: Term<N>;
  readonly smin: Term<N>;
  readonly smax: Term<N>;
}

/** The least and greatest signed numbers of a width. */
export const signedMin = <N extends number>(width: N): Term<N> => constant(width, 1n << BigInt(width - 1));
export const signedMax = <N extends number>(width: N): Term<N> =>
  constant(width, (1n << BigInt(width - 1)) - 1n);

export function anything<N extends number>(width: N): Part<N> {
  return {
    tnum: tnum.unknown(width),
    umin: constant(width, 0),
    umax: constant(width, -1),
    smin: signedMin(width),
    smax: signedMax(width),
  };
}

export const exactly = <N extends number>(value: Term<N>): Part<N> => ({
  tnum: tnum.exactly(value),
  umin: value,
  umax: value,
  smin: value,
  smax: value,
});

/** Chooses between two parts, component by component. */
export function choose<N extends number>(condition: Term<1>, yes: Part<N>, no: Part<N>): Part<N> {
  return {
    tnum: {
      value: ite(condition, yes.tnum.value, no.tnum.value),
      mask: ite(condition, yes.tnum.mask, no.tnum.mask),
    },
    umin: ite(condition, yes.umin, no.umin),
    umax: ite(condition, yes.umax, no.umax),
    smin: ite(condition, yes.smin, no.smin),
    smax: ite(condition, yes.smax, no.smax),
  };
}

/** Least upper bound of each component. */
export function join<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  return {
    tnum: tnum.join(a.tnum, b.tnum),
    umin: umin(a.umin, b.umin),
    umax: umax(a.umax, b.umax),
    smin: smin(a.smin, b.smin),
    smax: smax(a.smax, b.smax),
  };
}

/** Greatest lower bound of each component; not well formed if a component's intersection is empty. */
export function intersect<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  return {
    tnum: tnum.intersect(a.tnum, b.tnum),
    umin: umax(a.umin, b.umin),
    umax: umin(a.umax, b.umax),
    smin: smax(a.smin, b.smin),
    smax: smin(a.smax, b.smax),
  };
}

/** Whether γ(inner) ⊆ γ(outer) can be told component by component. */
export function includes<N extends number>(outer: Part<N>, inner: Part<N>): Term<1> {
  const { value, mask } = outer.tnum;
  const zero = constant(value.width, 0);
  const insideTnum = and(
    eq(and(inner.tnum.mask, not(mask)), zero),
    eq(and(inner.tnum.value, not(mask)), value),
  );
  return all(
    insideTnum,
    ule(outer.umin, inner.umin),
    ule(inner.umax, outer.umax),
    sle(outer.smin, inner.smin),
    sle(inner.smax, outer.smax),
  );
}
