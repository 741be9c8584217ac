/**
 * Tristate numbers: for each bit 0, 1 or unknown.
 *
 * γ(value, mask) = { x : x & ~mask = value }. Invariant: value & mask = 0. Order: a ⊑ b iff γ(a) ⊆ γ(b).
 * Sources: Vishwanathan, Shachnai, Narayana, Nagarakatte, "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers"
 * (CGO 2022), for addition and subtraction; the kernel's kernel/bpf/tnum.c names the same functions.
 */
import {
  add as addTerm,
  and as andTerm,
  constant,
  eq,
  extract,
  lshr,
  ne,
  not,
  or as orTerm,
  sext,
  sub as subTerm,
  xor as xorTerm,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";

export interface Tnum<N extends number> {
  readonly value: Term<N>;
  readonly mask: Term<N>;
}

export const exactly = <N extends number>(value: Term<N>): Tnum<N> => ({
  value,
  mask: constant(value.width, 0),
});

export const unknown = <N extends number>(width: N): Tnum<N> => ({
  value: constant(width, 0),
  mask: constant(width, -1),
});

/** The largest value, unsigned: every unknown bit 1. */
export const possible = <N extends number>(a: Tnum<N>): Term<N> => orTerm(a.value, a.mask);

export const isConstant = <N extends number>(a: Tnum<N>): Term<1> => eq(a.mask, constant(a.mask.width, 0));

const known = <N extends number>(value: Term<N>, mask: Term<N>): Tnum<N> => ({
  value: andTerm(value, not(mask)),
  mask,
});

export function add<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  const values = addTerm(a.value, b.value);
  const carries = xorTerm(addTerm(addTerm(a.mask, b.mask), values), values);
  return known(values, orTerm(carries, orTerm(a.mask, b.mask)));
}

export function sub<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  const values = subTerm(a.value, b.value);
  const borrows = xorTerm(addTerm(values, a.mask), subTerm(values, b.mask));
  return known(values, orTerm(borrows, orTerm(a.mask, b.mask)));
}

export function and<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  const value = andTerm(a.value, b.value);
  return { value, mask: andTerm(andTerm(possible(a), possible(b)), not(value)) };
}

export function or<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  const value = orTerm(a.value, b.value);
  return { value, mask: andTerm(orTerm(a.mask, b.mask), not(value)) };
}

export function xor<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  return known(xorTerm(a.value, b.value), orTerm(a.mask, b.mask));
}

/** Greatest lower bound; meaningless if the two conflict (see `conflict`). */
export function intersect<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  return known(orTerm(a.value, b.value), andTerm(a.mask, b.mask));
}

/** Whether no number is in both: a bit known to be 0 in one and 1 in the other. */
export function conflict<N extends number>(a: Tnum<N>, b: Tnum<N>): Term<1> {
  const differ = xorTerm(a.value, b.value);
  return ne(andTerm(differ, not(orTerm(a.mask, b.mask))), constant(a.value.width, 0));
}

/** Least upper bound. */
export function join<N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  return known(a.value, orTerm(orTerm(a.mask, b.mask), xorTerm(a.value, b.value)));
}

/** Every bit at or below the highest bit set in `a`. */
export function smear<N extends number>(a: Term<N>): Term<N> {
  let result: Term<N> = a;
  for (let distance = 1; distance < a.width; distance *= 2) {
    result = orTerm(result, lshr(result, constant(a.width, distance)));
  }
  return result;
}

/** The best tnum for the unsigned interval [min, max]: their common leading bits. */
export function fromRange<N extends number>(min: Term<N>, max: Term<N>): Tnum<N> {
  const varying = smear(xorTerm(min, max));
  return known(min, varying);
}

export const zeroExtend = <N extends number>(width: N, a: Tnum<number>): Tnum<N> => ({
  value: zext(width, a.value),
  mask: zext(width, a.mask),
});

/** Sign extension: an unknown sign makes every copy of it unknown. */
export const signExtend = <N extends number>(width: N, a: Tnum<number>): Tnum<N> => ({
  value: sext(width, a.value),
  mask: sext(width, a.mask),
});

export const truncate = <N extends number>(width: N, a: Tnum<number>): Tnum<N> => ({
  value: extract(width, a.value),
  mask: extract(width, a.mask),
});

/** A map over bits that never mixes them (shift by a known count, byte swap) is exact on a tnum. */
export const mapBits = <N extends number, M extends number>(
  a: Tnum<N>,
  map: (bits: Term<N>) => Term<M>,
): Tnum<M> => ({ value: map(a.value), mask: map(a.mask) });
