/** The verdicts that are compared, in one form: ours, and a kernel's. */
import { GuestFailure } from "../../oracle/guest/failure.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { loadProgram } from "../../oracle/linux/load.ts";
import { parseKernelLog } from "../../oracle/linux/log.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import type { CheckedVerdict } from "../check-report.ts";
import { complaintOf } from "./complaint.ts";

/** An answer of another verifier, or why it gave none. */
export type OtherAnswer = CheckedVerdict | { readonly incomparable: string };

/** A verdict as reports have it. @param ms how long it took */
export function checkedVerdict(verdict: Verdict, ms: number): CheckedVerdict {
  const { processed } = verdict.statistics;
  switch (verdict.verdict) {
    case "accept":
      return { verdict: "accept", processed, ms };
    case "reject": {
      const { errno, message, insn } = verdict;
      return { verdict: "reject", errno, message, ...(insn === undefined ? {} : { insn }), processed, ms };
    }
    case "unsupported": {
      const { feature, insn } = verdict;
      return {
        verdict: "unsupported",
        message: feature,
        ...(insn === undefined ? {} : { insn }),
        processed,
        ms,
      };
    }
  }
}

/** A kernel may keep no addresses of its variables. */
const UNKNOWN_SYMBOL = /failed to find the address for kernel symbol/;

/** Where the reasons stand: characters at the log's end. */
const TAIL = 1 << 16;

/** What a kernel's verifier says of a program, or what kept the program from it. */
export function kernelAnswer(kernel: Kernel, program: Program, now: () => number): OtherAnswer {
  try {
    const start = now();
    let result = loadProgram(program, { kernel });
    if (result.verdict === "reject" && result.stage === "btf") {
      // As libbpf does with a kernel that is older than the types: most programs do without.
      result = loadProgram(program, { kernel, withBtf: false });
    }
    const ms = now() - start;
    const processed = result.processed === undefined ? {} : { processed: result.processed };
    if (result.verdict === "accept") {
      result.close();
      return { verdict: "accept", ...processed, ms };
    }
    const { stage, errno, message, log } = result;
    if (stage !== "program") return { incomparable: message };
    if (log.trim() === "") return { incomparable: `refused before its verification: ${message}` };
    const { reasons } = parseKernelLog(log.slice(-TAIL));
    const words = reasons.length === 0 ? message : reasons.join("\n");
    if (complaintOf(words) === "attachment" || UNKNOWN_SYMBOL.test(words)) return { incomparable: message };
    return { verdict: "reject", errno, message: words, ...processed, ms };
  } catch (error) {
    if (error instanceof Unsupported || error instanceof InputError) return { incomparable: error.message };
    // The program brought a kernel down: no verdict, and a finding about that kernel.
    if (error instanceof GuestFailure) return { incomparable: error.message };
    throw error;
  }
}
