/** Verifying a program: the control-flow check, the exploration, and the verdict with its evidence. */
import { reset } from "../absint/arena.ts";
import { Rejection } from "../absint/transfer/rejection.ts";
import { Unsupported } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { admit } from "./admission.ts";
import type { Certificate } from "./certificate.ts";
import { checkCertificate, STEP_LIMIT } from "./check-certificate.ts";
import type { ExplorationObserver, Progress } from "./exploration.ts";
import { explore, INSN_LIMIT } from "./explore.ts";
import { Path } from "./path.ts";
import { timerFunctions } from "./roots.ts";
import { StackUse } from "./stack-use.ts";
import type { Statistics, Verdict } from "./verdict.ts";
import { worded } from "./words.ts";
import { writeCertificate } from "./write-certificate.ts";

/**
 * Verifies `program`, by its loader's privileges. Verifications take turns: they share one memory. What is accepted has had its certificate
 * confirmed: a mistake in the exploration is an assertion that fails, never a wrong accept.
 *
 * @param observer  sees every step, for a log
 * @param rules  the kernel whose rules hold
 * @param limit  instructions that may be processed
 * @param confirmLimit  steps on all paths together after which the certificate counts as not confirmed
 */
export function verify(
  program: Program,
  observer?: ExplorationObserver,
  rules: Rules = DEFAULT_RULES,
  limit = INSN_LIMIT,
  confirmLimit = STEP_LIMIT,
): Verdict {
  reset();
  const progress: Progress = {
    limit,
    processed: 0,
    totalStates: 0,
    peakStates: 0,
    maxStatesPerInsn: 0,
    path: new Path(),
    machine: undefined,
  };
  const statistics = (): Statistics => {
    const { processed, totalStates, peakStates, maxStatesPerInsn } = progress;
    return { processed, totalStates, peakStates, maxStatesPerInsn };
  };
  try {
    const flow = admit(program, rules.profile);
    const stackUse = new StackUse();
    const explored = explore(program, flow, progress, stackUse, observer, rules);
    progress.path.cut(0);
    stackUse.check(program, flow, timerFunctions(explored.map(({ root }) => root)), rules.profile);
    const certificate = writeCertificate(explored);
    const longestRun = requireConfirmed(program, certificate, rules, confirmLimit);
    return { verdict: "accept", certificate, longestRun, statistics: statistics() };
  } catch (error) {
    const insn = progress.path.last();
    if (error instanceof Rejection) {
      return {
        verdict: "reject",
        ...worded(rules.profile, error),
        insn,
        path: progress.path.from(0),
        statistics: statistics(),
      };
    }
    if (error instanceof Unsupported) {
      return { verdict: "unsupported", feature: error.message, insn, statistics: statistics() };
    }
    throw error;
  }
}

/** Gives the number of instructions that no run exceeds. */
function requireConfirmed(program: Program, certificate: Certificate, rules: Rules, limit: number): bigint {
  const check = checkCertificate(program, certificate, limit, rules);
  if (!check.ok) throw new Error(`the certificate is not confirmed: node ${check.node}: ${check.reason}`);
  return check.longestRun;
}
