/** Whose verifier a campaign tests. */
import type { Program } from "../../../semantics/program/program.ts";

/** What a verifier says of a program. */
export interface Answer {
  readonly verdict: "accept" | "reject" | "unsupported";
  /** The reason of a rejection, or what is not modelled. */
  readonly message: string;
  readonly insn?: number;
}

/** A verifier beside ours. Ours needs none: its verdicts are there already. */
export interface Target {
  readonly name: string;
  /** One answer a program, in their order. */
  readonly ask: (programs: readonly Program[]) => Promise<readonly Answer[]>;
  readonly close: () => Promise<void>;
}
