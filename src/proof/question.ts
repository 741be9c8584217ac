/** What is asked of a solver and what it answers, whichever solver it is and wherever it runs. */
import type { Logic } from "../semantics/term/z3.ts";

export interface Question {
  /** Assertions in SMT-LIB 2.6, without `check-sat`. */
  readonly text: string;
  readonly logic: Logic;
  readonly timeoutMs: number;
  /** The constants whose values are wanted of a model. */
  readonly wanted: readonly { readonly name: string; readonly width: number }[];
}

export type Answer =
  /** Nothing makes all assertions true: only this is a proof. */
  | { readonly result: "unsat" }
  /** The wanted constants' values in a model, in their order. */
  | { readonly result: "sat"; readonly values: readonly bigint[] }
  /** The solver gave up: `timeout`, or its own reason. */
  | { readonly result: "unknown"; readonly reason: string }
  /** The question was not understood, or the solver broke. */
  | { readonly result: "error"; readonly message: string };

/** A solver that takes one question at a time. */
export interface Solver {
  /** Name and version. */
  readonly name: () => string;
  /** Starts what takes time to start, so that it does not count as a question's time. What goes wrong shows when it is asked. */
  readonly prepare: () => Promise<void>;
  readonly ask: (question: Question) => Promise<Answer>;
  /** Ends its processes at once; a question that is being answered ends as an error. */
  readonly stop: () => void;
}
