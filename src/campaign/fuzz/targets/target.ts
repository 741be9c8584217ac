/** Whose verifier a campaign tests. */
import type { Program } from "../../../semantics/program/program.ts";

/** What a verifier says of a program. */
export interface Answer {
  readonly verdict: "accept" | "reject" | "unsupported";
  /** The reason of a rejection, or what is not modelled. */
  readonly message: string;
  readonly insn?: number;
  /** Instructions that it processed, if it says so. */
  readonly processed?: number;
  /** What the target did in place of an answer, each time that it was asked about this program: it does not survive it. */
  readonly lost?: string;
}

export interface Answers {
  /** One a program, in their order. */
  readonly answers: readonly Answer[];
  /** How often the target had to be begun anew for them. */
  readonly restarts: number;
}

/** A verifier beside ours. Ours needs none: its verdicts are there already. */
export interface Target {
  readonly name: string;
  /** @throws InputError  if it answers nothing at all: it cannot be started, ends at once, or speaks something else */
  readonly ask: (programs: readonly Program[]) => Promise<Answers>;
  readonly close: () => Promise<void>;
}
