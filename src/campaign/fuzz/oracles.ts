/** What a generated program is held against, each under its own name. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import { verify } from "../../verifier/verify.ts";
import type { CheckedRun } from "../check-report.ts";
import { runProgram } from "../run-program.ts";
import type { Oracle } from "./oracle-names.ts";

/** Something that did not hold. */
export interface Violation {
  readonly oracle: Oracle;
  readonly message: string;
  /** The instruction, where there is one. */
  readonly insn?: number;
  readonly run?: CheckedRun;
}

export interface CrossCheck {
  readonly verdict: Verdict["verdict"];
  /** The reason of a rejection or what is not modelled, without its numbers. */
  readonly reason?: string;
  readonly processed: number;
  readonly states: number;
  readonly runs: number;
  readonly steps: number;
  /** Rejected programs: whether some run faulted. */
  readonly faulted: boolean;
  /** Machine runs ended by something that the machine does not model. */
  readonly unmodelled?: string;
  readonly violation?: Violation;
}

export interface CrossCheckSettings {
  readonly rules: Rules;
  readonly runs: number;
  readonly oracles: ReadonlySet<Oracle>;
}

/** A message without what differs between equal causes: its numbers and registers. */
export const causeOf = (message: string): string =>
  (message.split("\n").at(-1) ?? "")
    .replaceAll(/\b[Rr]\d+\b/g, "R#")
    .replaceAll(/-?\b(0x[0-9a-f]+|\d+)\b/g, "#");

/** Verifies a program, and runs it along its certificate, or in search of a fault. Equal seeds give equal answers. */
export function crossCheck(program: Program, seed: number, settings: CrossCheckSettings): CrossCheck {
  const { oracles } = settings;
  try {
    return check(program, seed, settings);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Unsupported) throw error;
    const oracle = error.message.startsWith("the certificate is not confirmed") ? "certificate" : "crash";
    // A certificate was written for what was accepted; of what broke before there is no verdict.
    const nothing = {
      verdict: oracle === "certificate" ? "accept" : "unsupported",
      processed: 0,
      states: 0,
      runs: 0,
      steps: 0,
      faulted: false,
    } as const;
    return oracles.has(oracle) ? { ...nothing, violation: { oracle, message: error.message } } : nothing;
  }
}

function check(program: Program, seed: number, { rules, runs, oracles }: CrossCheckSettings): CrossCheck {
  const verdict = verify(program, undefined, rules);
  const { processed, totalStates } = verdict.statistics;
  const ran = runProgram(program, verdict, seed, runs, [], rules);
  const [first] = ran.violations;
  const unmodelled = ran.runs.flatMap(({ outcome }) =>
    outcome.kind === "unsupported" ? [outcome.feature] : [],
  )[0];
  const violation =
    first === undefined
      ? undefined
      : { oracle: oracleOf(first.message), message: first.message, insn: first.insn, run: first.run };
  return {
    verdict: verdict.verdict,
    ...(verdict.verdict === "accept"
      ? {}
      : { reason: causeOf(verdict.verdict === "reject" ? verdict.message : verdict.feature) }),
    processed,
    states: totalStates,
    runs: ran.runs.length,
    steps: ran.runs.reduce((sum, run) => sum + run.steps, 0),
    faulted: ran.witness !== undefined,
    ...(unmodelled === undefined ? {} : { unmodelled }),
    ...(violation === undefined || !oracles.has(violation.oracle) ? {} : { violation }),
  };
}

function oracleOf(message: string): Oracle {
  if (message.startsWith("an accepted program faults: no end")) return "termination";
  if (message.startsWith("an accepted program faults")) return "fault";
  return message.startsWith("the run is longer than") ? "termination" : "containment";
}
