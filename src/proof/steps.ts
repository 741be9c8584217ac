/**
 * Proof in steps: each follows from premises and earlier steps that it names, and of everything else it may be ignorant.
 *
 * A step that uses few facts and forgets how their terms are made is a small question, where the whole is a large one. What holds for all
 * values of a forgotten term holds for the one that it has; what follows from some of the facts follows from all.
 */
import { variable } from "../semantics/term/build.ts";
import { type Term, variablesOf } from "../semantics/term/node.ts";
import { substitution } from "../semantics/term/substitute.ts";
import { bits, type Claim, cut, type Method } from "./methods.ts";
import type { Obligation } from "./theorem.ts";

export interface Step {
  readonly name: string;
  readonly holds: Term<1>;
  /** Premises of the claim, or what earlier steps show. */
  readonly from: readonly Term<1>[];
  /** Terms that become new variables in this step; constants stay as they are. */
  readonly forgets?: readonly Term[];
  readonly by?: Method;
}

/**
 * Terms that can be forgotten, each once. Variables are among them: steps that differ in nothing but what their terms are called become the
 * same question, which is asked once.
 */
const forgotten = (terms: readonly Term[]): readonly Term[] => [
  ...new Set(terms.filter(({ op }) => op !== "const")),
];

/** What steps ask, nameless, by their method and by their terms: proofs by cases and of several parts repeat their steps. */
const known = new WeakMap<Method, Map<string, readonly Obligation[]>>();

const idsOf = (terms: readonly Term[]): string => terms.map(({ id }) => id).join(" ");

function obligationsOf(
  claim: Claim,
  { name, holds, from, forgets = [], by = bits }: Step,
): readonly Obligation[] {
  const byTerms = known.get(by) ?? new Map<string, readonly Obligation[]>();
  known.set(by, byTerms);
  const key = [from, [holds], forgets].map(idsOf).join(";");
  const made = byTerms.get(key) ?? cut([], forgotten(forgets), by)({ name: "", premises: from, goal: holds });
  byTerms.set(key, made);
  return made.map((obligation) => ({
    ...obligation,
    name: `${claim.name}, ${name}${obligation.name}`,
  }));
}

/** The last step of a proof. */
export interface End {
  /** What connects the goal to facts. */
  readonly connecting?: readonly Term<1>[];
  /** Facts, of which those are used that speak of nothing but what the goal speaks of, or what connects it. */
  readonly from: readonly Term<1>[];
  readonly forgets: readonly Term[];
}

function usedAtLast(goal: Term<1>, { connecting = [], from, forgets }: End): readonly Term<1>[] {
  const replace = substitution(
    new Map(forgotten(forgets).map((t, i) => [t, variable(`forgotten ${i}`, t.width)])),
  );
  const mentioned = new Set<Term>(variablesOf([goal, ...connecting].map((t) => replace(t))));
  return [
    ...connecting,
    ...from.filter((fact) => variablesOf([replace(fact)]).every((v) => mentioned.has(v))),
  ];
}

/** The steps that lead to what `wanted` uses, in their order. */
function leadingTo(steps: readonly Step[], wanted: readonly Term<1>[], claim: Claim): readonly Step[] {
  const needed = new Set(wanted);
  const given = new Set(claim.premises);
  const shown = new Set<Term<1>>();
  const first = steps.filter(({ holds }) => {
    const isNew = !given.has(holds) && !shown.has(holds);
    shown.add(holds);
    return isNew;
  });
  const used = first.toReversed().filter((step) => {
    if (!needed.has(step.holds)) return false;
    for (const fact of step.from) needed.add(fact);
    return true;
  });
  return used.toReversed();
}

/**
 * By steps, of which the last shows the goal; of that step's facts those count that concern the goal, and of the other steps those that
 * lead to them. Throws an error if a step uses what is not known before it.
 */
export const inSteps =
  (steps: readonly Step[], last: End): Method =>
  (claim) => {
    const from = usedAtLast(claim.goal, last);
    const end: Step = { name: "at last", holds: claim.goal, from, forgets: last.forgets };
    const known = new Set(claim.premises);
    return [...leadingTo(steps, end.from, claim), end].flatMap((step) => {
      const missing = step.from.findIndex((fact) => !known.has(fact));
      if (missing >= 0) throw new Error(`${claim.name}, ${step.name}: fact ${missing} is not known`);
      known.add(step.holds);
      return obligationsOf(claim, step);
    });
  };

/** A method's obligations, each once: proofs by cases and of several parts repeat their lemmas. */
export const eachOnce =
  (by: Method): Method =>
  (claim) => {
    const keyOf = ({ logic, premises, goal }: Obligation): string =>
      `${logic} ${premises.map(({ id }) => id).join(",")} ${goal.id}`;
    return [...new Map(by(claim).map((obligation) => [keyOf(obligation), obligation])).values()];
  };
