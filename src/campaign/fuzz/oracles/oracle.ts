/** What an oracle is: it looks at a program, what verifiers say of it and what the machine did with it, and says what does not hold. */
import type { Rules } from "../../../semantics/profile/rules.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { Verdict } from "../../../verifier/verdict.ts";
import type { CheckedRun } from "../../check-report.ts";
import type { Violation as KernelViolation } from "../../kernels/examine.ts";
import type { Input } from "../../kernels/inputs.ts";
import type { ProgramRuns } from "../../run-program.ts";
import type { OracleName } from "../oracle-names.ts";
import type { Answer } from "../targets/target.ts";

/** A program with all that was found out about it, once for all oracles. */
export interface Case {
  readonly program: Program;
  /** Of the program, where it was generated, and of its inputs. */
  readonly seed: number;
  readonly rules: Rules;
  /** What the verifier under test says: our own, or a target. */
  readonly answer: Answer;
  /** What our verifier says, with the certificate; undefined if it broke. */
  readonly verdict: Verdict | undefined;
  /** The machine's runs: along the certificate if our verifier accepts, in search of a fault if not; none if something broke. */
  readonly ran: ProgramRuns;
  /** What our verifier, its checker or the machine threw that is no verdict. */
  readonly broken: Error | undefined;
  /** What did not hold of a kernel under test, from its log and its runs. */
  readonly kernel?: readonly KernelViolation[];
  /** What another kernel says of a program that the one under test accepts, where there is one. */
  readonly beside?: Answer;
}

/** Something that did not hold. */
export interface Violation {
  readonly oracle: OracleName;
  readonly message: string;
  /** What findings of one cause have in common (default: the message without its numbers). */
  readonly cause?: string;
  /** The instruction, where there is one. */
  readonly insn?: number;
  /** The run that showed it. */
  readonly run?: CheckedRun;
  /** Of a kernel under test: what a run of the program was given, and the kernel's last words if it did not survive it. */
  readonly input?: Input;
  readonly console?: string;
}

export interface Oracle {
  readonly name: OracleName;
  /** Gives the same for the same case, and leaves the case as it is. What takes long looks at some of the seeds only, and says so in its file. */
  readonly judge: (given: Case) => readonly Violation[];
}
