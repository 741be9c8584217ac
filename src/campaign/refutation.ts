/** What a run of theorems refuted, each with its counterexample made small and, where it can be, a program that shows it. */
import { type Counterexample, counterexampleOf } from "../proof/counterexample.ts";
import type { Outcome } from "../proof/prove.ts";
import type { TheoremReport } from "../proof/run.ts";
import type { Theorem } from "../proof/theorem.ts";
import { type Exhibit, exhibit } from "./exhibit.ts";

export interface Refutation {
  readonly theorem: Theorem;
  /** The wrong version that was refuted, as it should be; the theorem itself if there is none. */
  readonly wrong?: string;
  readonly obligation: string;
  readonly counterexample: Counterexample;
  readonly exhibit?: Exhibit;
}

function refutationOf(theorem: Theorem, outcome: Outcome, wrong?: string): readonly Refutation[] {
  if (outcome.kind !== "refuted") return [];
  const { obligation, model } = outcome;
  const counterexample = counterexampleOf(obligation, model);
  const { shown } = counterexample;
  const title = [theorem.name, ...(wrong === undefined ? [] : [wrong])].join(": ");
  return [
    {
      theorem,
      ...(wrong === undefined ? {} : { wrong }),
      obligation: obligation.name,
      counterexample,
      ...(shown === undefined ? {} : { exhibit: exhibit(title, shown) }),
    },
  ];
}

/** The refutations of theorems. */
export const refutationsOf = (reports: readonly TheoremReport[]): readonly Refutation[] =>
  reports.flatMap(({ theorem, result }) => (result.kind === "refuted" ? refutationOf(theorem, result) : []));

/** The refutations of wrong versions. */
export const wrongRefutationsOf = (reports: readonly TheoremReport[]): readonly Refutation[] =>
  reports.flatMap(({ theorem, wrong }) =>
    wrong.flatMap((report) => refutationOf(theorem, report.outcome, report.wrong.name)),
  );
