/** What a run of theorems refuted, each with its counterexample made small and, where there can be one, a program that shows it. */
import { type Counterexample, counterexampleOf, type Shown } from "../proof/counterexample.ts";
import type { Outcome } from "../proof/prove.ts";
import type { TheoremReport } from "../proof/run.ts";
import type { Theorem, Wrong } from "../proof/theorem.ts";
import { type Exhibit, exhibit } from "./exhibit.ts";
import { search } from "./search.ts";

export interface Refutation {
  readonly theorem: Theorem;
  /** The wrong version that was refuted, as it should be; the theorem itself if there is none. */
  readonly wrong?: string;
  /** What was refuted: the claim itself, a case of it, or a step of its proof. */
  readonly obligation: string;
  readonly values: Counterexample["values"];
  readonly shown: ShownAs;
}

export type ShownAs =
  | {
      readonly kind: "program";
      readonly shown: Shown;
      readonly exhibit: Exhibit;
      /** If what was refuted is a step: values that refute the claim as a whole, found by trial. */
      readonly whole?: Counterexample["values"];
    }
  /** None was found that refutes the claim as a whole: nothing but a step of its proof is known to be wrong. */
  | { readonly kind: "not found" }
  /** What is claimed says less than could be said, or nothing of runs: nothing escapes from it. */
  | { readonly kind: "no run" };

type Refuted = Extract<Outcome, { readonly kind: "refuted" }>;

function refutationOf(theorem: Theorem, { obligation, model }: Refuted, wrong?: Wrong): Refutation {
  const { values, shown } = counterexampleOf(obligation, model);
  const title = [theorem.name, ...(wrong === undefined ? [] : [wrong.name])].join(": ");
  return {
    theorem,
    ...(wrong === undefined ? {} : { wrong: wrong.name }),
    obligation: obligation.name,
    values,
    shown:
      shown === undefined
        ? shownAsWhole(title, wrong ?? theorem, model)
        : { kind: "program", shown, exhibit: exhibit(title, shown) },
  };
}

/** A step has no program: the claim that it is a step of may have one. */
function shownAsWhole(title: string, { whole }: Wrong | Theorem, near: Refuted["model"]): ShownAs {
  if (whole === undefined) return { kind: "no run" };
  const found = search(whole(), near);
  if (found === undefined) return { kind: "not found" };
  const { shown, values } = counterexampleOf(found.obligation, found.model);
  if (shown === undefined) throw new Error(`${title}: ${found.obligation.name} has no witness`);
  return { kind: "program", shown, exhibit: exhibit(title, shown), whole: values };
}

/** The refutations of theorems. */
export const refutationsOf = (reports: readonly TheoremReport[]): readonly Refutation[] =>
  reports.flatMap(({ theorem, result }) =>
    result.kind === "refuted" ? [refutationOf(theorem, result)] : [],
  );

/** The refutations of wrong versions. */
export const wrongRefutationsOf = (reports: readonly TheoremReport[]): readonly Refutation[] =>
  reports.flatMap(({ theorem, wrong: versions }) =>
    versions.flatMap(({ wrong, outcome }) =>
      outcome.kind === "refuted" ? [refutationOf(theorem, outcome, wrong)] : [],
    ),
  );

/** The programs, each of which has to return 1 in the machine. */
export const exhibitsOf = (refutations: readonly Refutation[]): readonly Exhibit[] =>
  refutations.flatMap(({ shown }) => (shown.kind === "program" ? [shown.exhibit] : []));
