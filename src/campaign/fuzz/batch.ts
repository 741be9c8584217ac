/** What a campaign, or a run of a corpus, asks of a process, and what is answered. All of an answer follows from the job. */
import type { Recipe } from "../generate/recipe.ts";
import type { Input } from "../kernels/inputs.ts";
import type { EntryAnswer, EntryJob } from "../regression/entry.ts";
import type { CodeCoverage } from "./code-coverage.ts";
import type { OracleName } from "./oracle-names.ts";
import type { Violation } from "./oracles/oracle.ts";
import type { Plan } from "./recipes.ts";
import type { Reached } from "./semantic.ts";
import type { Tally } from "./stats.ts";

export const KERNEL_SOURCES = ["probes", "generated"] as const;
export type KernelSource = (typeof KERNEL_SOURCES)[number];

export interface Settings {
  readonly runs: number;
  readonly oracles: readonly OracleName[];
  readonly profile?: string;
  /** Whose verifier is under test: ours by default. */
  readonly target?: string;
  /** What kernels under test get: probes, whose runs are followed through the kernel's log (default), or the programs that other targets get. */
  readonly source?: KernelSource;
  /** A kernel that is asked too about what the one under test accepts. */
  readonly beside?: string;
  /** How many of a hundred programs are mutants of the corpus (default: none). */
  readonly mutants?: number;
  /** What is told of coverage: nothing, the semantic map, or code too. */
  readonly coverage?: "none" | "semantic" | "code";
}

/** The programs of a range of seeds. */
export interface Range {
  readonly first: number;
  readonly count: number;
  readonly settings: Settings;
  /** Nothing: all are drawn anew. */
  readonly plan?: Plan;
}

export type Job =
  /** Cross-check them. */
  | (Range & { readonly kind: "batch" })
  /** Make the program of a finding small. */
  | {
      readonly kind: "reduce";
      readonly seed: number;
      /** Of the program, if that is not the one of the seed; or the program itself, where there is no recipe. */
      readonly recipe?: Recipe;
      readonly bundle?: string;
      readonly key: string;
      /** What was seen of it: enough where the verifier under test cannot be asked again. */
      readonly violation?: Violation;
      readonly settings: Settings;
    }
  /** Say whether a program still shows what was found of it. */
  | {
      readonly kind: "replay";
      readonly bundle: string;
      readonly seed: number;
      /** What a kernel's program is run on. */
      readonly input?: Input;
      readonly settings: Settings;
    }
  /** Say which of them run some code. */
  | (Range & { readonly kind: "locate"; readonly code: CodeCoverage })
  /** Leave out what recipes need not have for what they reach. */
  | { readonly kind: "trim"; readonly recipes: readonly ReachingRecipe[]; readonly settings: Settings }
  /** Check an entry of a corpus. */
  | (EntryJob & { readonly kind: "entry" });

interface ReachingRecipe {
  readonly recipe: Recipe;
  readonly entries: readonly number[];
}

export interface Found {
  readonly key: string;
  readonly seed: number;
  readonly recipe?: Recipe;
  /** The program, where there is no recipe. */
  readonly bundle?: string;
  readonly violation: Violation;
}

/** Sums over a batch. */
export interface BatchResult {
  readonly tally: Tally;
  /** How often each reason was given for a rejection, and what was not modelled. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly unmodelled: ReadonlyMap<string, number>;
  /** The reasons that were given for rejections of programs that no run makes fault. */
  readonly harmless?: ReadonlyMap<string, number>;
  /** What our verifier and the one under test say, as `accept / packet bounds`, where both were asked and are not the same. */
  readonly verdicts: ReadonlyMap<string, number>;
  readonly found: readonly Found[];
  readonly reached?: Reached;
  readonly code?: CodeCoverage;
}

/** The program that a finding came down to, and what was seen of it. */
export interface Reduced {
  readonly bundle: string;
  readonly violation: Violation;
  readonly instructions: number;
  /** A bundle that goes on from a kernel's wrong bound to memory that is not there. */
  readonly hole?: string;
}

/** The verifier under test is not one that can be asked: the campaign ends, with this for a reason. */
export interface Unusable {
  readonly unusable: string;
}

/** Seeds, the first ones of each. */
export interface Located {
  readonly seeds: readonly number[];
}

export interface Trimmed {
  readonly recipes: readonly Recipe[];
}

export interface Replayed {
  readonly shown: readonly Violation[];
}

export type JobAnswer = BatchResult | Unusable | Replayed | Reduced | Located | Trimmed | EntryAnswer;
