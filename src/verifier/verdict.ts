/** What a verification comes to. */
import type { Errno } from "../absint/transfer/rejection.ts";
import type { Certificate } from "./certificate.ts";

export interface Statistics {
  /** Instructions executed on abstract states, over all paths. */
  readonly processed: number;
  readonly maxStatesPerInsn: number;
  readonly totalStates: number;
  readonly peakStates: number;
}

export type Verdict =
  | {
      readonly verdict: "accept";
      readonly certificate: Certificate;
      /** No run executes more instructions than this; what a tail call goes on with is not counted. */
      readonly longestRun: bigint;
      readonly statistics: Statistics;
    }
  | {
      readonly verdict: "reject";
      readonly errno: Errno;
      /** The kernel's words; several lines where the kernel has several. */
      readonly message: string;
      /** The message in the words of Linux 6.18, which explanations know; absent if they are the same. */
      readonly usual?: string;
      /** The instruction that is refused; undefined if it is the program as a whole. */
      readonly insn: number | undefined;
      /** The instructions that lead there, from 0 or the start of a global function on, each as it was executed. */
      readonly path: readonly number[];
      readonly statistics: Statistics;
    }
  | {
      readonly verdict: "unsupported";
      /** What is not modelled, by name. */
      readonly feature: string;
      readonly insn: number | undefined;
      readonly statistics: Statistics;
    };
