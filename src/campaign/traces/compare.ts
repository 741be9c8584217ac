/** The same operations on several systems, held against each other after each. */
import type { Operation } from "../../kernel/operation.ts";
import type { Answer, Observation, System } from "../../kernel/system.ts";
import { Unsupported } from "../../semantics/errors.ts";

/** A system with its name. */
export interface Contender {
  readonly name: string;
  readonly system: System & {
    /** Waits for what is freed a little later, as long as it is not as expected. */
    readonly settle?: (expected: Observation["alive"]) => void;
  };
}

/** What one system has of an operation. */
export interface Outcome {
  readonly name: string;
  readonly answer: Answer;
  readonly observation: Observation;
}

/** An operation after which the systems are not the same. */
export interface Difference {
  /** Index of the operation. */
  readonly step: number;
  readonly operation: Operation;
  /** In what they differ: `result`, `out.names`, `alive`, `processes`, `pins`. */
  readonly what: string;
  /** What each has there, as text, in the order of the systems. */
  readonly values: readonly { readonly name: string; readonly value: string }[];
}

/** An operation that a system does not have. */
export interface Missing {
  readonly step: number;
  readonly operation: Operation;
  readonly name: string;
  readonly message: string;
}

export interface Comparison {
  /** The first, if they are not the same. */
  readonly difference?: Difference;
  /** What systems did not have: each was left out from there on. */
  readonly missing: readonly Missing[];
}

/** Aspects by name, as text. Of what was written only what the first system knows of. */
function aspects({ answer, observation }: Outcome, known: Answer): readonly (readonly [string, string])[] {
  const { alive, processes, pins } = observation;
  return [
    ["result", String(answer.result)],
    ...Object.keys(known.out ?? {}).map(
      (field) => [`out.${field}`, JSON.stringify(answer.out?.[field])] as const,
    ),
    ["alive", JSON.stringify([alive.map, alive.program, alive.link, alive.btf])],
    ["processes", JSON.stringify([...processes].sort(([a], [b]) => a - b))],
    ["pins", JSON.stringify(pins)],
  ];
}

/** In what the outcomes of an operation differ, if they do. */
function differenceOf(
  step: number,
  operation: Operation,
  outcomes: readonly Outcome[],
): Difference | undefined {
  const [first] = outcomes;
  if (first === undefined) return undefined;
  const all = outcomes.map((outcome) => aspects(outcome, first.answer));
  for (const [index, [what, expected]] of (all[0] ?? []).entries()) {
    if (all.every((each) => each[index]?.[1] === expected)) continue;
    const values = outcomes.map(({ name }, at) => ({ name, value: all[at]?.[index]?.[1] ?? "" }));
    return { step, operation, what, values };
  }
  return undefined;
}

/** The systems that do the operation, with their answers; those that cannot are told. */
function answers(
  step: number,
  operation: Operation,
  systems: readonly Contender[],
  missing: Missing[],
): readonly (readonly [Contender, Answer])[] {
  return systems.flatMap((contender) => {
    const { name, system } = contender;
    try {
      return [[contender, system.do(operation)] as const];
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      missing.push({ step, operation, name, message: error.message });
      return [];
    }
  });
}

/**
 * Does the operations on all systems until they differ.
 * @param seen  told of each operation that was done, with what the systems have of it
 */
export function compareTrace(
  operations: readonly Operation[],
  systems: readonly Contender[],
  seen?: (step: number, operation: Operation, outcomes: readonly Outcome[]) => void,
): Comparison {
  const missing: Missing[] = [];
  let left = systems;
  for (const [step, operation] of operations.entries()) {
    const answered = answers(step, operation, left, missing);
    left = answered.map(([contender]) => contender);
    let expected: Observation["alive"] | undefined;
    const outcomes = answered.map(([{ name, system }, answer]): Outcome => {
      if (expected !== undefined) system.settle?.(expected);
      const observation = system.observe();
      expected ??= observation.alive;
      return { name, answer, observation };
    });
    if (outcomes.length === 0) break;
    seen?.(step, operation, outcomes);
    const difference = differenceOf(step, operation, outcomes);
    if (difference !== undefined) return { difference, missing };
  }
  return { missing };
}
