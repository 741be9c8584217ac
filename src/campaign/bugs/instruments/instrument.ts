/** What an instrument is: a way to look for mistakes, with a seed and a budget, that says what it found after how much. */
import type { Rules } from "../../../semantics/profile/rules.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { Task } from "../../check.ts";
import type { CorpusKnowledge } from "../../expectations.ts";
import type { Originals } from "../programs.ts";

/** What an instrument works with. */
export interface Trial {
  readonly seed: number;
  /** Whether the budget is spent. */
  readonly isOver: () => boolean;
  /** To be called where only now begins what the budget is for: time and budget count from here. */
  readonly begins: () => void;
  /** The corpus' bundles. */
  readonly originals: Originals;
  /** The corpus with what is expected of it, by number, and whose rules that is by. */
  readonly corpus: {
    readonly count: number;
    readonly tasks: (index: number) => readonly Task[];
    readonly knowledge: CorpusKnowledge;
    readonly rules?: Rules;
  };
  /** The text of the ledger of proved theorems. */
  readonly ledger: () => string;
  /** Seconds of processor time, of the solvers' processes too, from any start. */
  readonly spent: () => number;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  /** The directory of the sound version's code, as a URL that ends with a slash, and the ending of its modules. */
  readonly sound: { readonly code: string; readonly ending: string };
  /** Names of the theorems that are to be proved; if there are none, those that the ledger does not vouch for. */
  readonly theorems?: readonly string[];
}

/** What came of it. */
export interface Outcome {
  /** What does not hold; absent if nothing was found. */
  readonly evidence?: string;
  /** Programs, obligations or sequences of operations up to that. */
  readonly tried: number;
  /** What showed it, and whether another program shows the same. */
  readonly program?: Program;
  readonly shows?: (program: Program) => boolean;
  /** Operations that showed it, a line each. */
  readonly steps?: readonly string[];
  /** How many theorems the ledger does not vouch for, and the name of the one that was refuted. */
  readonly affected?: number;
  readonly refuted?: string;
  /** Of how many theorems the version is made otherwise than their proofs want, so that they cannot be put. */
  readonly unwritten?: number;
}

/** What is wrong with a program, in words; undefined if nothing is. */
export type Judge = (program: Program, seed: number) => string | undefined;

export interface Instrument {
  readonly run: (trial: Trial) => Outcome | Promise<Outcome>;
  /** Of instruments that look at one program after the other: what they look with. */
  readonly judge?: (trial: Pick<Trial, "sound">) => Judge | Promise<Judge>;
}
