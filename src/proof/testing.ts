/** For tests of proofs: the built-in solver started from source, and small theorems whose outcome is plain. */
import { add, constant, eq, FALSE, ult, variable } from "../semantics/term/build.ts";
import type { Term } from "../semantics/term/node.ts";
import type { Answer, Question, Solver } from "./question.ts";
import type { Obligation, Theorem } from "./theorem.ts";
import type { ChildOptions } from "./z3-process.ts";

/** How a process runs TypeScript: the test runner's own options are of no use to it. */
export const FROM_SOURCE: ChildOptions = { nodeOptions: ["--import", import.meta.resolve("tsx")] };

export const X: Term<8> = variable("x", 8);
export const Y: Term<8> = variable("y", 8);
const seven = constant(8, 7);

export const obligation = (goal: Term<1>, premises: readonly Term<1>[] = []): Obligation => ({
  name: "only",
  logic: "bits",
  premises,
  goal,
});

/** A theorem about 8 bits, with a wrong version that its own negation is. */
export const theorem = (
  name: string,
  obligations: readonly Obligation[],
  more: Partial<Theorem> = {},
): Theorem => ({
  name,
  subject: name.split("/")[0] ?? name,
  says: "sound",
  width: 8,
  full: true,
  inputs: "any",
  obligations: () => obligations,
  wrong: [],
  ...more,
});

/** x + y = y + x. */
export const TRUE_ONE: Obligation = obligation(eq(add(X, Y), add(Y, X)));
/** x < 7, which 7 refutes. */
export const FALSE_ONE: Obligation = obligation(ult(X, seven));
/** x = y if x < 0: no x is. */
export const EMPTY_ONE: Obligation = obligation(eq(X, Y), [ult(X, constant(8, 0))]);
/** x < 7 if false. */
export const ABSURD_ONE: Obligation = obligation(ult(X, seven), [FALSE]);

/** A solver that answers as it is told. */
export const fakeSolver = (
  answer: (question: Question) => Answer | Promise<Answer>,
  name = "fake 1",
): Solver => ({
  name: () => name,
  prepare: async () => undefined,
  ask: async (question) => answer(question),
  stop: () => undefined,
});
