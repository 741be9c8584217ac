/** Generated runs of one program: along its certificate if it was accepted, in search of a fault if it was not. */
import { rightsOf } from "../absint/transfer/rights.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Verdict } from "../verifier/verdict.ts";
import { runnableContext } from "../vm/input.ts";
import type { UninitialisedStack } from "../vm/state.ts";
import type { CheckedRun, Violation } from "./check-report.ts";
import { inputSource } from "./inputs.ts";
import { kernelContext } from "./kernel-world.ts";
import { BUDGET, Runner } from "./runner.ts";
import { CertificateWalk } from "./walk.ts";

export interface ProgramRuns {
  readonly runs: readonly CheckedRun[];
  readonly coverage: { readonly executed: number; readonly total: number };
  readonly violations: readonly Violation[];
  readonly witness?: CheckedRun;
}

/** What becomes of a read of stack that was not written, by what the program may do. @throws Unsupported  as `rightsOf` */
export const stackRule = (program: Program, { profile }: Rules): UninitialisedStack =>
  rightsOf(program, profile).uninitialisedStack ? "allow" : "fault";

/** Instructions of a run that decide whether its input is kept: so the same inputs follow whatever the budget is. */
export const NEAR = 4096;
/** Of campaigns' programs one in so many is compared as a whole where a run comes for the first time: that tests what is taken for what steps may change. */
const THOROUGH = 8;
/** Instructions in all runs of a program together after which no more are begun: long runs are few. */
const ENOUGH = 1_000_000;
/** Violations of one program that are kept: the first says what is wrong. */
const MOST_VIOLATIONS = 3;

/**
 * Runs `program` on up to `count` generated inputs. Takes over the abstract machine's memory.
 *
 * @param samples  packets to begin with
 * @param rules  those by which it was verified
 * @param budget  instructions after which a run is given up
 */
export function runProgram(
  program: Program,
  verdict: Verdict,
  seed: number,
  count: number,
  samples: readonly Uint8Array[] = [],
  rules: Rules = DEFAULT_RULES,
  budget = BUDGET,
): ProgramRuns {
  let total = 0;
  for (const insn of program.insns) if (insn !== undefined) total += 1;
  const known = runnableContext(program) !== undefined || kernelContext(program, rules) !== undefined;
  if (verdict.verdict === "unsupported" || !known) {
    return { runs: [], coverage: { executed: 0, total }, violations: [] };
  }
  const accepted = verdict.verdict === "accept";
  const isThorough = budget >= BUDGET || seed % THOROUGH === 0;
  const walk = accepted
    ? new CertificateWalk(program, verdict.certificate, verdict.longestRun, rules, isThorough)
    : undefined;
  const endless = accepted ? verdict.longestRun <= BigInt(budget) : budget >= BUDGET;
  const uninitialisedStack = stackRule(program, rules);
  const runner = new Runner(program, endless, uninitialisedStack, budget, rules);
  const executed = new Uint8Array(program.insns.length);
  const runs: CheckedRun[] = [];
  const violations: Violation[] = [];
  let witness: CheckedRun | undefined;

  const source = inputSource(program, seed, samples, rules);
  let spent = 0;
  for (let tries = 0; runs.length < count && tries < 2 * count && spent < ENOUGH; tries += 1) {
    const input = source.next();
    let isNew = false;
    walk?.start();
    const run = runner.run(input, (pc, view) => {
      if (view.program === program.name && executed[pc] === 0) {
        executed[pc] = 1;
        if (view.steps < NEAR) isNew = true;
      }
      walk?.observe(pc, view);
    });
    if (run === undefined) continue;
    if (isNew) source.keep(input);
    runs.push(run);
    spent += run.steps;
    // What was left on the way to something that is not modelled was left all the same.
    const problem = walk === undefined ? undefined : problemOf(run, walk.escape);
    if (problem !== undefined) violations.push({ ...problem, run });
    if (run.outcome.kind === "unsupported" || violations.length >= MOST_VIOLATIONS) break;
    if (walk === undefined && run.outcome.kind === "fault") {
      witness = run;
      break;
    }
  }
  let covered = 0;
  for (const one of executed) covered += one;
  return {
    runs,
    coverage: { executed: covered, total },
    violations,
    ...(witness === undefined ? {} : { witness }),
  };
}

/** What must not happen in a run of an accepted program. */
function problemOf(run: CheckedRun, escape: CertificateWalk["escape"]): Omit<Violation, "run"> | undefined {
  if (escape !== undefined) return escape;
  if (run.outcome.kind !== "fault") return undefined;
  const { fault, insn, message } = run.outcome;
  const kind = fault === "budget" ? "termination" : "fault";
  return { kind, insn, message: `an accepted program faults: ${message}` };
}
