/**
 * What theorems about scalars are made of: abstract operands with a number in each, membership component by component, wrong versions.
 */
import { COMPONENTS, type Component, componentsOf, symbolic } from "../../absint/scalar/components.ts";
import { type Scalar, unknownScalar } from "../../absint/scalar/product.ts";
import {
  add,
  and,
  constant,
  eq,
  extract,
  not,
  or,
  sle,
  sub,
  truth,
  ule,
  variable,
} from "../../semantics/term/build.ts";
import { type Term, termsIn } from "../../semantics/term/node.ts";

/** The components that are stated together: a tnum, and the two ends of each interval. */
export const GROUPS = ["tnum", "u64", "s64", "u32", "s32"] as const;
export type Group = (typeof GROUPS)[number];

const MEMBERS: Readonly<Record<Group, readonly Component[]>> = {
  tnum: ["value", "mask"],
  u64: ["umin", "umax"],
  s64: ["smin", "smax"],
  u32: ["umin32", "umax32"],
  s32: ["smin32", "smax32"],
};

/** An abstract operand, all free variables, and the number in it. */
export interface Operand {
  readonly scalar: Scalar;
  readonly value: Term<64>;
}

/** The destination and the source of everything that theorems speak of: `a` with `x` in it and `b` with `y`. */
export const A: Operand = { scalar: symbolic("a"), value: variable("x", 64) };
export const B: Operand = { scalar: symbolic("b"), value: variable("y", 64) };

/** A part of a statement about a scalar, with the components that it is about. */
export interface Part {
  readonly name: string;
  readonly components: readonly Component[];
  readonly holds: Term<1>;
}

/** That `value` is in γ(scalar), in parts by group: product.ts's `contains`. */
export function membership(
  { tnum, ...s }: Scalar,
  value: Term<64>,
): Readonly<Record<Group, readonly Part[]>> {
  const half = extract(32, value);
  const part = (name: Component, holds: Term<1>): Part => ({ name, components: [name], holds });
  const bits = eq(and(value, not(tnum.mask)), tnum.value);
  return {
    tnum: [{ name: "bits", components: MEMBERS.tnum, holds: bits }],
    u64: [part("umin", ule(s.umin, value)), part("umax", ule(value, s.umax))],
    s64: [part("smin", sle(s.smin, value)), part("smax", sle(value, s.smax))],
    u32: [part("umin32", ule(s.umin32, half)), part("umax32", ule(half, s.umax32))],
    s32: [part("smin32", sle(s.smin32, half)), part("smax32", sle(half, s.smax32))],
  };
}

/** That a scalar is well formed, in parts by group. */
export function wellFormed({ tnum, ...s }: Scalar): Readonly<Record<Group, Part>> {
  const part = (group: Group, holds: Term<1>): Part => ({
    name: "well formed",
    components: MEMBERS[group],
    holds,
  });
  return {
    tnum: part("tnum", eq(and(tnum.value, tnum.mask), constant(64, 0))),
    u64: part("u64", ule(s.umin, s.umax)),
    s64: part("s64", sle(s.smin, s.smax)),
    u32: part("u32", ule(s.umin32, s.umax32)),
    s32: part("s32", sle(s.smin32, s.smax32)),
  };
}

/** The parts of a disjunction. */
export const disjuncts = (term: Term<1>): readonly Term<1>[] =>
  term.op === "or" ? [...disjuncts(truth(term.left)), ...disjuncts(truth(term.right))] : [term];

/** The components of `scalar`, all variables, that occur in a term. */
function mentioned(scalar: Scalar, term: Term): ReadonlySet<Component> {
  const terms = componentsOf(scalar);
  const inside = termsIn([term]);
  return new Set(COMPONENTS.filter((c) => inside.has(terms[c])));
}

const aboutAny = (parts: readonly Part[], components: ReadonlySet<Component>): readonly Term<1>[] =>
  parts.filter((part) => part.components.some((c) => components.has(c))).map(({ holds }) => holds);

/**
 * What may be taken for granted of operands: the number is in the scalar. Of that, what concerns the components which `goal` mentions; what
 * follows from fewer premises follows, and is found sooner.
 */
export const membersOf = (operands: readonly Operand[], goal: Term): readonly Term<1>[] =>
  operands.flatMap(({ scalar, value }) =>
    aboutAny(Object.values(membership(scalar, value)).flat(), mentioned(scalar, goal)),
  );

/** That the operands are well formed, as far as it concerns what `goal` mentions. */
export const wellFormedOperands = (operands: readonly Operand[], goal: Term): readonly Term<1>[] =>
  operands.flatMap(({ scalar }) => aboutAny(Object.values(wellFormed(scalar)), mentioned(scalar, goal)));

/** Whether a group of a scalar says nothing at all: no theorem is needed. Equal terms are one. */
export function isTop(scalar: Scalar, group: Group): boolean {
  const [terms, tops] = [componentsOf(scalar), componentsOf(unknownScalar())];
  return MEMBERS[group].every((c) => terms[c] === tops[c]);
}

/** A scalar with an end or a bit changed: the least wrong version there is. */
export interface Changed {
  readonly name: string;
  readonly scalar: Scalar;
}

const one = <N extends number>(t: Term<N>): Term<N> => constant(t.width, 1);

/** The scalars that say less than `s` in one group. */
export function loosened(s: Scalar, group: Group): readonly Changed[] {
  const named = (scalar: Partial<Scalar>): readonly Changed[] => [
    { name: "what it had is forgotten", scalar: { ...s, ...scalar } },
  ];
  switch (group) {
    case "tnum":
      return named({ tnum: { value: constant(64, 0), mask: constant(64, -1) } });
    case "u64":
      return named({ umin: constant(64, 0), umax: constant(64, -1) });
    case "s64":
      return named({ smin: constant(64, 2n ** 63n), smax: constant(64, 2n ** 63n - 1n) });
    case "u32":
      return named({ umin32: constant(32, 0), umax32: constant(32, -1) });
    case "s32":
      return named({ smin32: constant(32, 2n ** 31n), smax32: constant(32, 2n ** 31n - 1n) });
  }
}

/** The scalars that say a little more than `s` in one group. */
export function tightened(s: Scalar, group: Group): readonly Changed[] {
  const up = <N extends number>(t: Term<N>): Term<N> => add(t, one(t));
  const down = <N extends number>(t: Term<N>): Term<N> => sub(t, one(t));
  const { value, mask } = s.tnum;
  const named = (name: string, scalar: Scalar): Changed => ({ name, scalar });
  switch (group) {
    case "tnum":
      return [
        named("its lowest unknown bit is taken for 0", {
          ...s,
          tnum: { value, mask: and(mask, down(mask)) },
        }),
        named("its lowest unknown bit is taken for 1", {
          ...s,
          tnum: { value: or(value, and(mask, sub(constant(64, 0), mask))), mask: and(mask, down(mask)) },
        }),
      ];
    case "u64":
      return [
        named("umin one higher", { ...s, umin: up(s.umin) }),
        named("umax one lower", { ...s, umax: down(s.umax) }),
      ];
    case "s64":
      return [
        named("smin one higher", { ...s, smin: up(s.smin) }),
        named("smax one lower", { ...s, smax: down(s.smax) }),
      ];
    case "u32":
      return [
        named("umin32 one higher", { ...s, umin32: up(s.umin32) }),
        named("umax32 one lower", { ...s, umax32: down(s.umax32) }),
      ];
    case "s32":
      return [
        named("smin32 one higher", { ...s, smin32: up(s.smin32) }),
        named("smax32 one lower", { ...s, smax32: down(s.smax32) }),
      ];
  }
}

/** The scalar with the ends of each interval exchanged, and mask added to the value. */
export const exchanged = (s: Scalar): Scalar => ({
  tnum: { value: s.tnum.mask, mask: s.tnum.mask },
  umin: s.umax,
  umax: s.umin,
  smin: s.smax,
  smax: s.smin,
  umin32: s.umax32,
  umax32: s.umin32,
  smin32: s.smax32,
  smax32: s.smin32,
});
