/**
 * Conditional jumps: what is decided is so for all numbers in the operands, and what an edge teaches keeps every pair of numbers that takes
 * it. The condition is that of the instruction table; `jnset` is the edge on which `jset` does not jump.
 */
import {
  CONDITIONS,
  type Condition,
  decideScalars,
  NEGATION,
  refineScalars,
} from "../../absint/scalar/branch.ts";
import type { Scalar } from "../../absint/scalar/product.ts";
import { DST, SRC } from "../../semantics/isa/row.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import { constant, eq, not } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { bits, type Claim, cases } from "../methods.ts";
import type { Obligation, Theorem, Witness, Wrong } from "../theorem.ts";
import { A, B, disjuncts, GROUPS, type Group, membership, membersOf, tightened } from "./scalar.ts";

type Width = 32 | 64;

/** Whether the numbers in the operands satisfy the condition, by the instruction table. */
export function concreteCondition(condition: Condition, width: Width): Term<1> {
  if (condition === "jnset") return not(concreteCondition("jset", width));
  for (const { operation } of ROWS)
    if (operation.kind === "jump" && operation.op === condition && operation.width === width)
      return substitution(new Map<Term, Term>([[DST, A.value] as const, [SRC, B.value] as const]))(
        operation.taken,
      );
  throw new Error(`no row for ${condition} at ${width} bits`);
}

/** The reasons for which a decision, a chain of choices between constants, comes out as `outcome`: a disjunct each. */
function reasons(decision: Term, outcome: bigint): readonly Term<1>[] {
  if (decision.op !== "ite") return [];
  const { condition, ifTrue, ifFalse } = decision;
  const here = ifTrue.op === "const" && ifTrue.value === outcome ? disjuncts(condition) : [];
  return [...here, ...reasons(ifFalse, outcome)];
}

/** The two claims of a decision: what holds always, and never, and so the edge on which no numbers go. */
const decisions = (condition: Condition, width: Width, decision: Term<2>) => {
  const taken = concreteCondition(condition, width);
  const claim = (name: string, outcome: bigint, goal: Term<1>, edge: Condition) => ({
    name,
    outcome,
    decided: eq(decision, constant(2, outcome)),
    goal,
    witness: {
      instruction: { kind: "jump", condition: edge, width },
      operands: [A, B],
      escapes: "reached",
    } satisfies Witness,
  });
  return [claim("always", 1n, taken, NEGATION[condition]), claim("never", 0n, not(taken), condition)];
};

const decisionHolds = (condition: Condition, width: Width, decision: Term<2>): readonly Obligation[] =>
  decisions(condition, width, decision).flatMap(({ name, outcome, decided, goal, witness }) => {
    const by = cases(
      reasons(decision, outcome).map((when, i) => ({
        name: `reason ${i + 1}`,
        when,
        // What is not about the reason is of no use, and in the way.
        by: (c: Claim) => bits({ ...c, witness, premises: [...membersOf([A, B], when), when] }),
      })),
    );
    return by({ name, premises: [decided], goal });
  });

/** The same for all reasons at once. */
const decisionAsOne = (condition: Condition, width: Width, decision: Term<2>): readonly Obligation[] =>
  decisions(condition, width, decision).flatMap(({ name, decided, goal, witness }) =>
    bits({ name, premises: [...membersOf([A, B], decided), decided], goal, witness }),
  );

function decisionTheorem(condition: Condition, width: Width): Theorem {
  const decision = decideScalars(condition, width, A.scalar, B.scalar);
  const opposite = decideScalars(NEGATION[condition], width, A.scalar, B.scalar);
  return {
    name: `${condition}${width}/decide/sound`,
    subject: `${condition}${width}`,
    says: "sound",
    width,
    full: true,
    inputs: "any",
    obligations: () => decisionHolds(condition, width, decision),
    whole: () => decisionAsOne(condition, width, decision),
    wrong: [
      {
        name: "the other way round",
        obligations: () => decisionHolds(condition, width, opposite),
        whole: () => decisionAsOne(condition, width, opposite),
      },
    ],
  };
}

/** On the edge where the condition holds, the number in one operand is in what it is refined to. */
function refinementHolds(
  condition: Condition,
  width: Width,
  refined: Scalar,
  value: Term<64>,
  group: Group,
): readonly Obligation[] {
  const taken = concreteCondition(condition, width);
  return membership(refined, value)[group].flatMap(({ name, components, holds }) =>
    bits({
      name,
      premises: [...membersOf([A, B], holds), taken],
      goal: holds,
      witness: {
        instruction: { kind: "jump", condition, width },
        operands: [A, B],
        escapes: { value, component: components[0] ?? "value", from: refined },
      },
    }),
  );
}

const SIDES = [
  { side: "dst", value: A.value, scalar: A.scalar, index: 0 },
  { side: "src", value: B.value, scalar: B.scalar, index: 1 },
] as const;

function refinementTheorems(condition: Condition, width: Width): readonly Theorem[] {
  const refined = refineScalars(condition, width, A.scalar, B.scalar);
  return SIDES.flatMap(({ side, value, scalar, index }) =>
    GROUPS.filter((group) => changes(refined[index], scalar, group)).map((group): Theorem => {
      const wrong: readonly Wrong[] = tightened(refined[index], group).map((w) => ({
        name: w.name,
        obligations: () => refinementHolds(condition, width, w.scalar, value, group),
      }));
      return {
        name: `${condition}${width}/refine/${side}/${group}/sound`,
        subject: `${condition}${width}`,
        says: "sound",
        width,
        full: true,
        inputs: "any",
        obligations: () => refinementHolds(condition, width, refined[index], value, group),
        wrong,
      };
    }),
  );
}

/** Whether refinement touches a group at all: statements about it differ. */
function changes(after: Scalar, before: Scalar, group: Group): boolean {
  const [a, b] = [membership(after, A.value)[group], membership(before, A.value)[group]];
  return a.some(({ holds }, i) => holds !== b[i]?.holds);
}

export const branchTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) =>
    CONDITIONS.flatMap((condition) => [
      decisionTheorem(condition, width),
      ...refinementTheorems(condition, width),
    ]),
  );
