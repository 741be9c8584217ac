/** One program against all oracles: it is verified, its certificate confirmed, it runs along it, and each oracle looks at what came of that. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { ExplorationObserver } from "../../verifier/exploration.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import { verify } from "../../verifier/verify.ts";
import { NEAR, type ProgramRuns, runProgram } from "../run-program.ts";
import type { Case, Oracle, Violation } from "./oracles/oracle.ts";
import type { Answer } from "./targets/target.ts";

export interface CrossCheckSettings {
  readonly rules: Rules;
  readonly runs: number;
  readonly oracles: readonly Oracle[];
  /** Sees the verification. */
  readonly observer?: ExplorationObserver;
  /** Instructions that may be processed; `MOST_PROCESSED` by default. */
  readonly mostProcessed?: number;
}

export interface CrossCheck {
  readonly case: Case;
  /** The reason of a rejection or what is not modelled, without its numbers. */
  readonly reason?: string;
  /** What ended machine runs that the machine does not model. */
  readonly unmodelled?: string;
  /** The first thing that did not hold. */
  readonly violation?: Violation;
}

/** A message without what differs between equal causes: its numbers and registers. */
export const causeOf = (message: string): string =>
  (message.split("\n").at(-1) ?? "")
    .replaceAll(/\b[Rr]\d+\b/g, "R#")
    .replaceAll(/-?\b(0x[0-9a-f]+|\d+)\b/g, "#");

/** Of a program that the machine has not run. */
export const NO_RUNS: ProgramRuns = { runs: [], coverage: { executed: 0, total: 0 }, violations: [] };

/** What our own verdict is as an answer. */
function answerOf(verdict: Verdict | undefined): Answer {
  if (verdict === undefined) return { verdict: "unsupported", message: "the verifier broke" };
  if (verdict.verdict === "accept") return { verdict: "accept", message: "" };
  const message = verdict.verdict === "reject" ? verdict.message : verdict.feature;
  return { verdict: verdict.verdict, message, ...(verdict.insn === undefined ? {} : { insn: verdict.insn }) };
}

/** Instructions that may be processed for one program of a campaign: what needs more is refused as too large. */
export const MOST_PROCESSED = 20_000;
/**
 * The same for one that was generated. Few need more than 2,000 (loops in loops: 4 of 22,000), and the time for them grows faster than their number: with 20,000 those four took a third of the
 * time of all.
 */
export const MOST_OF_GENERATED = 2000;
/**
 * Steps that confirming a certificate may take for each instruction that may be processed. It takes fewer than are processed but for what a generalised state adds; a certificate that is
 * wrong may have no end of them, and making its program small asks hundreds of times.
 */
const CONFIRMED_FOR_ONE = 50;

/**
 * Everything about a program that oracles look at. Equal seeds give equal cases.
 *
 * @param answer  what the verifier under test says, if that is not ours
 */
function caseOf(
  program: Program,
  seed: number,
  { rules, runs, observer, mostProcessed = MOST_PROCESSED }: CrossCheckSettings,
  answer: Answer | undefined,
): Case {
  let verdict: Verdict | undefined;
  let ran = NO_RUNS;
  let broken: Error | undefined;
  try {
    verdict = verify(program, observer, rules, mostProcessed, CONFIRMED_FOR_ONE * mostProcessed);
    ran = runProgram(program, verdict, seed, runs, [], rules, NEAR);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Unsupported) throw error;
    broken = error;
  }
  return { program, seed, rules, answer: answer ?? answerOf(verdict), verdict, ran, broken };
}

/** Verifies a program, and runs it along its certificate, or in search of a fault; then asks the oracles until one says no. */
export function crossCheck(
  program: Program,
  seed: number,
  settings: CrossCheckSettings,
  answer?: Answer,
): CrossCheck {
  const given = caseOf(program, seed, settings, answer);
  const ended = given.ran.runs.find(({ outcome }) => outcome.kind === "unsupported")?.outcome;
  const unmodelled = ended?.kind === "unsupported" ? ended.feature : undefined;
  let violation: Violation | undefined;
  for (const { judge } of settings.oracles) if ((violation = judge(given)[0]) !== undefined) break;
  return {
    case: given,
    ...(given.answer.verdict === "accept" ? {} : { reason: causeOf(given.answer.message) }),
    ...(unmodelled === undefined ? {} : { unmodelled }),
    ...(violation === undefined ? {} : { violation }),
  };
}
