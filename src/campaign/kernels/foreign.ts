/**
 * Runs of programs that are no probes: what they are given is made as for our own verifier's programs, with contexts, sockets and all that a kernel has around it. Of these programs only a fault counts.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import { runProgram } from "../run-program.ts";
import type { Examined } from "./examine.ts";

/** Instructions after which a run is given up; that says nothing of the program. */
const BUDGET = 4096;

/** The machine looks for faults, so what it is told of the program is that it is refused. */
const REFUSED: Verdict = {
  verdict: "reject",
  errno: "EINVAL",
  message: "",
  insn: undefined,
  path: [],
  statistics: { processed: 0, maxStatesPerInsn: 0, totalStates: 0, peakStates: 0 },
};

/**
 * What is known of a program that a kernel accepts, with runs of the machine on inputs drawn from the seed.
 *
 * @param followed  what runs on plain packets showed beside the kernel's log
 */
export function searchForFault(
  program: Program,
  seed: number,
  count: number,
  rules: Rules,
  followed: Examined,
): Examined {
  let searched: ReturnType<typeof runProgram>;
  try {
    searched = runProgram(program, REFUSED, seed, count, [], rules, BUDGET);
  } catch (error) {
    if (error instanceof Unsupported) return followed;
    throw error;
  }
  const { runs, witness } = searched;
  const violations = [...followed.violations];
  if (witness?.outcome.kind === "fault" && violations.every(({ oracle }) => oracle !== "hole")) {
    const { fault, insn, message } = witness.outcome;
    const { packet, seed: chance } = witness;
    const name = program.insns[insn]?.row.name ?? "the start";
    const input = { packet, value: new Uint8Array(0), seed: chance };
    violations.push({ oracle: "hole", cause: `${fault} at ${name}`, insn, message, input });
  }
  const steps = runs.reduce((sum, run) => sum + run.steps, followed.steps);
  return { ...followed, violations, runs: followed.runs + runs.length, steps };
}
