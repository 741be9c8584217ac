/** Fuzzing with the machine: what is accepted runs, and at each step the machine has to be inside of the certificate's state. */
import { TOO_LONG } from "../../../verifier/check-certificate.ts";
import { runProgram } from "../../run-program.ts";
import { searching, verifyShort } from "./search.ts";

const RUNS = 8;

const NOT_CONFIRMED = "the certificate is not confirmed";

/** Whether a checker gave up: that it takes long is no mistake. */
export const gaveUp = (message: string): boolean => message.endsWith(TOO_LONG);

/** Whether an error says that the verifier's own checker did not confirm what the exploration accepts. */
export const isUnconfirmed = (error: unknown): error is Error =>
  error instanceof Error && error.message.startsWith(NOT_CONFIRMED);

export const containment = searching(() => (program, seed) => {
  try {
    const verdict = verifyShort(program);
    if (verdict.verdict !== "accept") return undefined;
    const [violation] = runProgram(program, verdict, seed, RUNS).violations;
    return violation === undefined ? undefined : `insn ${violation.insn}: ${violation.message}`;
  } catch (error) {
    // That is another instrument's finding.
    if (isUnconfirmed(error)) return undefined;
    throw error;
  }
});
