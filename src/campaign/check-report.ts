/** What checking one program comes to: what the terminal, the JSON lines and the HTML report are made of. Plain data. */
import type { Program } from "../semantics/program/program.ts";
import type { FaultKind } from "../vm/fault.ts";

/** A verdict in the words of the contract (ARCHITECTURE.md, "Verdicts"). */
export interface CheckedVerdict {
  readonly verdict: "accept" | "reject" | "unsupported";
  readonly errno?: string;
  /** One or several lines; the last says what is wrong. For `unsupported`, the feature. */
  readonly message?: string;
  /** The instruction that is refused. */
  readonly insn?: number;
  readonly processed?: number;
  readonly ms: number;
}

/** One run of the machine. */
export interface CheckedRun {
  /** The packet or context that went in (the other is empty), and the seed of everything else, so that the run can be repeated. */
  readonly packet: Uint8Array;
  readonly context: Uint8Array;
  readonly seed: number;
  readonly steps: number;
  /** `r0` as a hexadecimal number, or the fault's message. */
  readonly outcome:
    | { readonly kind: "exit"; readonly r0: string }
    | { readonly kind: "fault"; readonly fault: FaultKind; readonly insn: number; readonly message: string }
    | { readonly kind: "unsupported"; readonly feature: string };
}

/** A step at which the machine was outside the abstract state that should have covered it, or an accepted program that faulted or ran longer than it may. */
export interface Violation {
  readonly kind: "containment" | "fault" | "termination";
  readonly insn: number;
  readonly message: string;
  readonly run: CheckedRun;
}

/**
 * How our verdict stands beside the kernel's. `explained` is a difference whose reason is known: `reason` says it. `unsafe` is
 * the one that must not be: the machine faults where a verifier accepted.
 */
export type Agreement =
  | { readonly kind: "same" }
  | { readonly kind: "not compared"; readonly reason: string }
  | { readonly kind: "explained"; readonly reason: string }
  | { readonly kind: "different" };

export interface ProgramReport {
  readonly file: string;
  readonly program: Program;
  readonly verdict: CheckedVerdict;
  /** The verifier's log: of the refused path, or of the whole exploration if it is short. */
  readonly log: string;
  /** Accepted programs: the certificate, and whether the checker confirms it. */
  readonly certificate?: {
    readonly nodes: number;
    readonly bytes: number;
    readonly confirmed: boolean;
    readonly reason?: string;
  };
  readonly runs: readonly CheckedRun[];
  /** Instructions (slots) that some run executed, and how many there are. */
  readonly coverage: { readonly executed: number; readonly total: number };
  readonly violations: readonly Violation[];
  /** Rejected programs: the run that faults, if one was found. */
  readonly witness?: CheckedRun;
  readonly kernel?: CheckedVerdict;
  readonly agreement: Agreement;
  /** What the corpus expects, where the file is part of it, and whether it holds. */
  readonly expectation?: { readonly verdict: string; readonly holds: boolean; readonly reason?: string };
}

/** A file that could not be read at all, or a program in it that could not be built. */
export interface UnreadableReport {
  readonly file: string;
  readonly program?: string;
  readonly message: string;
}

/** A program whose check, or a file whose reading, ended in a broken invariant: a bug of ours, whatever the input is. */
export interface FaultReport {
  readonly file: string;
  readonly program?: string;
  readonly error: unknown;
}

export interface CheckSummary {
  readonly reports: readonly ProgramReport[];
  readonly unreadable: readonly UnreadableReport[];
  readonly faults: readonly FaultReport[];
  /** What was compared with, or why nothing was: "Linux 6.18.44" or the reason. */
  readonly kernel:
    | { readonly compared: true; readonly release: string }
    | { readonly compared: false; readonly reason: string };
  readonly seed: number;
  /** Runs of each program that were asked for. */
  readonly runs: number;
  readonly seconds: number;
}

/** Whether a program's report has anything that must not be: exit status 1. */
export function isFinding(report: ProgramReport): boolean {
  return (
    report.violations.length > 0 ||
    report.agreement.kind === "different" ||
    report.certificate?.confirmed === false ||
    report.expectation?.holds === false
  );
}
