/**
 * Z3's word on a rejected program that no run has made fault: whether what was refused can happen at all on the path that was refused. Other paths of the program it says nothing of.
 *
 * A proof rests on the terms of the instruction table and on where pointers come from. That something can happen counts only once a run of the machine has shown it: what is not followed (the results of helpers,
 * what memory holds) may be anything for Z3, and not for a run.
 */

import type { Solver } from "../../proof/question.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { any, sub, ugt, ult } from "../../semantics/term/build.ts";
import { type Term, variablesOf } from "../../semantics/term/node.ts";
import { toSmtLib } from "../../semantics/term/smt.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import { complaintOf } from "../compare/complaint.ts";
import { runProgram } from "../run-program.ts";
import { type LastAccess, termsOf } from "./path.ts";
import { word } from "./value.ts";

export type Rejected = Extract<Verdict, { verdict: "reject" }>;

export type Word =
  /** Proved: no run goes the path, or none that goes it accesses what it may not. */
  | { readonly kind: "harmless"; readonly because: "no run goes there" | "the access is inside" }
  /** A run faults there. */
  | { readonly kind: "can fault"; readonly insn: number; readonly message: string }
  | { readonly kind: "not known"; readonly why: string };

export interface Asking {
  readonly solver: Solver;
  /** For each question. */
  readonly timeoutMs: number;
  /** Runs that look for the fault which Z3 says may be: on packets of the lengths that it gives. */
  readonly runs: number;
}

/** Complaints that say that an access may leave its memory or go through null, and nothing else: whether it is aligned or allowed at all is another matter. */
const OF_BOUNDS =
  /offset is outside of the packet|outside of the allowed memory range|unbounded memory access|min value is negative|invalid mem access '\w+_or_null'/;
const BUDGET = 4096;

/** Whether an access leaves its memory, or goes through null; undefined where its size is not known. */
function leaves({ pointer: { region, missing }, at, size }: LastAccess): Term<1> | undefined {
  if (region.size === undefined || region.kind === "stack") return undefined;
  const last = sub(region.size, word(size));
  const outside = any(ult(region.size, word(size)), ugt(at, last));
  return missing === undefined ? outside : any(outside, missing);
}

const notKnown = (why: string): Word => ({ kind: "not known", why });

/** What can be said of a rejected program. @param seed  of the runs that confirm what Z3 takes for possible */
export async function wordOn(
  program: Program,
  rejected: Rejected,
  seed: number,
  rules: Rules,
  asking: Asking,
): Promise<Word> {
  const terms = termsOf(program, rejected.path, rules);
  if (typeof terms === "string") return notKnown(terms);
  const { conditions, access } = terms;
  const isOfBounds = OF_BOUNDS.test(rejected.message);
  const outside = access === undefined || !isOfBounds ? undefined : leaves(access);
  const asked = outside === undefined ? conditions : [...conditions, outside];
  const answer = await asking.solver.ask({
    text: toSmtLib(asked),
    logic: "bits",
    timeoutMs: asking.timeoutMs,
    wanted: variablesOf(asked).map(({ name, width }) => ({ name, width })),
  });
  switch (answer.result) {
    case "unsat":
      return {
        kind: "harmless",
        because: outside === undefined ? "no run goes there" : "the access is inside",
      };
    case "sat":
      break;
    case "unknown":
      return notKnown(`Z3 gives up: ${answer.reason}`);
    default:
      return notKnown(`Z3 does not take the question: ${answer.message}`);
  }
  const lengths = variablesOf(asked).flatMap(({ name }, place) =>
    name.startsWith("packet's length") ? [Number(answer.values[place] ?? 0n)] : [],
  );
  const samples = lengths.filter((length) => length <= 4096).map((length) => new Uint8Array(length));
  const { witness } = runProgram(program, rejected, seed, asking.runs, samples, rules, BUDGET);
  if (witness?.outcome.kind === "fault")
    return { kind: "can fault", insn: witness.outcome.insn, message: witness.outcome.message };
  if (outside !== undefined) return notKnown("it may be, for what is not followed; no run shows it");
  return notKnown(
    isOfBounds
      ? "the pointer was not followed"
      : `the path is possible, and what is refused is no access: ${complaintOf(rejected.message)}`,
  );
}
