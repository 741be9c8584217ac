/**
 * One theorem, decided: its obligations go to the solvers, and their answers make an outcome. Nothing but `unsat` from every solver that
 * is asked, with premises that can hold, is a proof; and a model counts as a counterexample only if the obligation's terms, computed with
 * its values, say so.
 */
import { TRUE } from "../semantics/term/build.ts";
import { type Environment, evaluator } from "../semantics/term/concrete.ts";
import { variablesOf } from "../semantics/term/node.ts";
import type { Logic } from "../semantics/term/z3.ts";
import { hashOf, hashOfObligation } from "./ledger.ts";
import type { MakeSolver, Pool, Timed } from "./pool.ts";
import { someValues } from "./possible.ts";
import type { Answer, Question } from "./question.ts";
import { type Obligation, obligationText, premisesText, type Theorem, type Wrong } from "./theorem.ts";

/** The solvers that decide, and how long each may take for an obligation. */
export interface Provers {
  readonly pool: Pool;
  /** Those asked of each logic; at least one. If there are two they have to agree. */
  readonly solvers: Readonly<Record<Logic, readonly MakeSolver[]>>;
  readonly timeoutMs: number;
}

/** An answer with the solver that gave it. */
export interface Opinion {
  readonly solver: string;
  readonly answer: Answer["result"];
}

export type Outcome =
  | { readonly kind: "proved" }
  /** These values make the premises 1 and the goal 0. */
  | { readonly kind: "refuted"; readonly obligation: Obligation; readonly model: Environment }
  /** No values make the premises 1. */
  | { readonly kind: "vacuous"; readonly obligation: Obligation }
  /** Neither proved nor refuted, for this reason. */
  | { readonly kind: "unknown"; readonly obligation: Obligation; readonly reason: string }
  | {
      readonly kind: "disagreement";
      readonly obligation: Obligation;
      readonly opinions: readonly Opinion[];
      /** The question as text. */
      readonly text: string;
    };

export interface Decided {
  readonly outcome: Outcome;
  readonly obligations: number;
  /** Spent by solvers. */
  readonly seconds: number;
  /** Names and versions of those that answered. */
  readonly solvers: readonly string[];
}

const NOTHING_WANTED: Question["wanted"] = [];

/** The worst comes first: it is the theorem's outcome. */
const ORDER: readonly Outcome["kind"][] = ["disagreement", "vacuous", "refuted", "unknown", "proved"];

/** Asks the solvers; what several obligations ask alike is asked once. */
export class Prover {
  readonly #provers: Provers;
  /** Whether premises can hold, by their text. */
  readonly #possible = new Map<string, Promise<Timed>>();
  /** What theorems asked before, by hash. */
  readonly #decided = new Map<string, Promise<Decided>>();

  constructor(provers: Provers) {
    this.#provers = provers;
  }

  /** Decides all obligations of a theorem. */
  async theorem(theorem: Theorem): Promise<Decided & { readonly hash: string }> {
    const obligations = theorem.obligations();
    const decided = await Promise.all(obligations.map((obligation) => this.#once(obligation)));
    return { ...together(decided), hash: hashOf(obligations) };
  }

  /** Proofs share lemmas: what was proved for one theorem costs nothing for the next. */
  async #once(obligation: Obligation, signal?: AbortSignal): Promise<Decided> {
    const key = hashOfObligation(obligation);
    const known = this.#decided.get(key);
    const decided = known === undefined ? undefined : await known;
    if (decided?.outcome.kind === "proved") return { ...decided, seconds: 0 };
    const deciding = this.obligation(obligation, signal);
    this.#decided.set(key, deciding);
    return deciding;
  }

  /**
   * Looks for a counterexample among the obligations of a wrong version. Once there is one, what has not been asked is not asked any
   * more. The outcome is a refutation if there is one, whatever else there is.
   */
  async wrong({ obligations }: Wrong): Promise<Decided> {
    const found = new AbortController();
    const decided = await Promise.all(
      obligations().map(async (obligation) => {
        const one = await this.#once(obligation, found.signal);
        if (one.outcome.kind === "refuted") found.abort();
        return one;
      }),
    );
    const refuted = decided.find(({ outcome }) => outcome.kind === "refuted");
    const all = together(decided);
    return refuted === undefined ? all : { ...all, outcome: refuted.outcome };
  }

  async obligation(obligation: Obligation, signal?: AbortSignal): Promise<Decided> {
    const { logic, premises, goal } = obligation;
    const wanted = variablesOf([...premises, goal]).map(({ name, width }) => ({ name, width }));
    const text = obligationText(obligation);
    const question = { text, logic, timeoutMs: this.#provers.timeoutMs, wanted };
    const timed = await Promise.all(
      this.#provers.solvers[logic].map((solver) => this.#provers.pool.ask(solver, question, signal)),
    );
    const outcome = outcomeOf(obligation, text, timed);
    const solvers = timed.map(({ solver }) => solver);
    const seconds = timed.reduce((sum, one) => sum + one.seconds, 0);
    if (outcome.kind !== "proved" || premises.every((premise) => premise === TRUE))
      return { outcome, obligations: 1, seconds, solvers };
    // The reading of integers adds assertions of its own, so there the text is what has to be possible.
    if (logic === "bits" && someValues(premises) !== undefined)
      return { outcome, obligations: 1, seconds, solvers };
    const possible = await this.#premisesHold(obligation);
    return {
      outcome: possible.outcome ?? outcome,
      obligations: 1,
      seconds: seconds + possible.seconds,
      solvers,
    };
  }

  /** What is wrong with the premises, if something is. */
  async #premisesHold(
    obligation: Obligation,
  ): Promise<{ readonly outcome?: Outcome; readonly seconds: number }> {
    const text = premisesText(obligation);
    const known = this.#possible.get(text);
    const { logic } = obligation;
    const { pool, solvers, timeoutMs } = this.#provers;
    const [solver] = solvers[logic];
    if (solver === undefined) throw new Error(`no solver for ${logic}`);
    const asked = known ?? pool.ask(solver, { text, logic, timeoutMs, wanted: NOTHING_WANTED });
    this.#possible.set(text, asked);
    const { answer, seconds } = await asked;
    const spent = known === undefined ? seconds : 0;
    if (answer.result === "sat") return { seconds: spent };
    if (answer.result === "unsat") return { outcome: { kind: "vacuous", obligation }, seconds: spent };
    const reason = `whether the premises can hold: ${reasonOf(answer)}`;
    return { outcome: { kind: "unknown", obligation, reason }, seconds: spent };
  }
}

/** Several obligations as one: all have to be proved. */
function together(decided: readonly Decided[]): Decided {
  const outcomes = decided.map(({ outcome }) => outcome);
  const kind = ORDER.find((each) => outcomes.some((outcome) => outcome.kind === each));
  const outcome = outcomes.find((each) => each.kind === kind);
  if (outcome === undefined) throw new Error("a theorem without obligations");
  return {
    outcome,
    obligations: decided.length,
    seconds: decided.reduce((sum, { seconds }) => sum + seconds, 0),
    solvers: [...new Set(decided.flatMap(({ solvers }) => solvers))],
  };
}

const reasonOf = (answer: Answer): string =>
  answer.result === "unknown" ? answer.reason : answer.result === "error" ? answer.message : answer.result;

function outcomeOf(obligation: Obligation, text: string, timed: readonly Timed[]): Outcome {
  const answers = timed.map(({ answer }) => answer);
  if (answers.every(({ result }) => result === "unsat")) return { kind: "proved" };
  const decided = new Set(answers.map(({ result }) => result).filter((r) => r === "sat" || r === "unsat"));
  if (decided.size > 1) {
    const opinions = timed.map(({ solver, answer }) => ({ solver, answer: answer.result }));
    return { kind: "disagreement", obligation, opinions, text };
  }
  const model = answers.find((answer) => answer.result === "sat");
  if (model !== undefined) return counterexample(obligation, model.values);
  const reason = timed
    .filter(({ answer }) => answer.result !== "unsat")
    .map(({ solver, answer }) => (timed.length === 1 ? reasonOf(answer) : `${solver}: ${reasonOf(answer)}`))
    .join("; ");
  return { kind: "unknown", obligation, reason };
}

/** Whether the values make the premises 1 and the goal 0, by the terms' concrete reading. */
export function refutes({ premises, goal }: Obligation, model: Environment): boolean {
  const value = evaluator(model);
  return premises.every((premise) => value(premise) === 1n) && value(goal) === 0n;
}

function counterexample(obligation: Obligation, values: readonly bigint[]): Outcome {
  const variables = variablesOf([...obligation.premises, obligation.goal]);
  const model = new Map(variables.map((v, i) => [v, values[i] ?? 0n]));
  if (refutes(obligation, model)) return { kind: "refuted", obligation, model };
  return { kind: "unknown", obligation, reason: "the solver's model is no counterexample" };
}
