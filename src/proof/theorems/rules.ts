/**
 * The deduction rules of synchronisation, each by itself: a rule keeps every number in the scalar, and loosens nothing. Any sequence of such
 * rules does the same, so there is no theorem about the sequence.
 */
import { type Component, componentsOf } from "../../absint/scalar/components.ts";
import type { Scalar } from "../../absint/scalar/product.ts";
import { ALL_RULES } from "../../absint/scalar/rules.ts";
import { and, constant, eq, not, sle, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits } from "../methods.ts";
import type { Obligation, Theorem } from "../theorem.ts";
import {
  A,
  exchanged,
  GROUPS,
  type Group,
  loosened,
  membership,
  membersOf,
  tightened,
  wellFormed,
} from "./scalar.ts";

type Apply = (s: Scalar) => Scalar;

/** The groups of components that a rule changes. */
function touched(rule: Apply): readonly Group[] {
  const [before, after] = [componentsOf(A.scalar), componentsOf(rule(A.scalar))];
  return GROUPS.filter((group) =>
    wellFormed(A.scalar)[group].components.some((c: Component) => before[c] !== after[c]),
  );
}

function keeps(result: Scalar, group: Group): readonly Obligation[] {
  return membership(result, A.value)[group].flatMap(({ name, components, holds }) =>
    bits({
      name,
      premises: membersOf([A], holds),
      goal: holds,
      witness: {
        operands: [A],
        escapes: { value: A.value, component: components[0] ?? "value", from: result },
      },
    }),
  );
}

/** That a group of `after` says at least what it said in the operand, which holds a number. */
function tightens(after: Scalar, group: Group): readonly Obligation[] {
  const before = A.scalar;
  const goals: Readonly<Record<Group, readonly (readonly [string, Term<1>])[]>> = {
    tnum: [
      ["mask", eq(and(after.tnum.mask, not(before.tnum.mask)), constant(64, 0))],
      ["value", eq(and(after.tnum.value, not(before.tnum.mask)), before.tnum.value)],
    ],
    u64: [
      ["umin", ule(before.umin, after.umin)],
      ["umax", ule(after.umax, before.umax)],
    ],
    s64: [
      ["smin", sle(before.smin, after.smin)],
      ["smax", sle(after.smax, before.smax)],
    ],
    u32: [
      ["umin32", ule(before.umin32, after.umin32)],
      ["umax32", ule(after.umax32, before.umax32)],
    ],
    s32: [
      ["smin32", sle(before.smin32, after.smin32)],
      ["smax32", sle(after.smax32, before.smax32)],
    ],
  };
  return goals[group].flatMap(([name, goal]) => bits({ name, premises: membersOf([A], goal), goal }));
}

const WIDTHS: Readonly<Record<Group, 32 | 64>> = { tnum: 64, u64: 64, s64: 64, u32: 32, s32: 32 };

function form(result: Scalar, group: Group): readonly Obligation[] {
  const { name, holds } = wellFormed(result)[group];
  return bits({ name, premises: membersOf([A], holds), goal: holds });
}

export const ruleTheorems = (): readonly Theorem[] =>
  ALL_RULES.flatMap(({ name: rule, apply }) =>
    touched(apply).flatMap((group): readonly Theorem[] => {
      const result = apply(A.scalar);
      const common = { subject: rule, width: WIDTHS[group], full: true, inputs: "any" } as const;
      return [
        {
          ...common,
          name: `rule/${rule}/${group}/sound`,
          says: "sound",
          obligations: () => keeps(result, group),
          wrong: tightened(result, group).map(({ name, scalar }) => ({
            name,
            obligations: () => keeps(scalar, group),
          })),
        },
        {
          ...common,
          name: `rule/${rule}/${group}/reductive`,
          says: "reductive",
          obligations: () => tightens(result, group),
          wrong: loosened(result, group).map(({ name, scalar }) => ({
            name,
            obligations: () => tightens(scalar, group),
          })),
        },
        {
          ...common,
          name: `rule/${rule}/${group}/well-formed`,
          says: "well-formed",
          obligations: () => form(result, group),
          // What is not well formed holds no number: those in the operand escape from it.
          whole: () => keeps(result, group),
          wrong: [
            {
              name: "ends exchanged, or value and mask",
              obligations: () => form(exchanged(result), group),
              whole: () => keeps(exchanged(result), group),
            },
          ],
        },
      ];
    }),
  );
