/** No run of a program faults that the verifier under test accepts. */
import type { CheckedRun } from "../../check-report.ts";
import { violationsOf } from "./kernel.ts";
import type { Oracle, Violation } from "./oracle.ts";

function violation(run: CheckedRun): readonly Violation[] {
  const { outcome } = run;
  if (outcome.kind !== "fault") return [];
  return [
    { oracle: "fault", insn: outcome.insn, message: `an accepted program faults: ${outcome.message}`, run },
  ];
}

export const fault: Oracle = {
  name: "fault",
  judge({ answer, ran, kernel }) {
    if (answer.verdict !== "accept") return [];
    if (kernel !== undefined) return violationsOf("fault", "hole", kernel);
    const own = ran.violations.find(({ kind }) => kind === "fault");
    // Of a program that we reject and the target accepts, a run that faults is our witness.
    const run = own?.run ?? ran.witness;
    return run === undefined ? [] : violation(run);
  },
};
