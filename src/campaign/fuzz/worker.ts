/** What a process of a campaign does: it cross-checks the programs of a range of seeds, or makes one of them small. */
import { writeBundle } from "../../object/bundle-write.ts";
import { readProfile } from "../../oracle/profiles.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { DEFAULT_RULES } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { programOf, programOfSeed } from "../generate/program.ts";
import { recipeOf } from "../generate/recipe.ts";
import { type CrossCheckSettings, causeOf, crossCheck } from "./cross-check.ts";
import type { OracleName } from "./oracle-names.ts";
import { oraclesNamed } from "./oracles/all.ts";
import type { Violation } from "./oracles/oracle.ts";
import { reduceProgram, reduceRecipe } from "./reduce.ts";
import { newTally, type Tally } from "./stats.ts";

export interface Settings {
  readonly runs: number;
  readonly oracles: readonly OracleName[];
  readonly profile?: string;
}

export type Job =
  | { readonly kind: "batch"; readonly first: number; readonly count: number; readonly settings: Settings }
  | { readonly kind: "reduce"; readonly seed: number; readonly key: string; readonly settings: Settings };

export interface Found {
  readonly key: string;
  readonly seed: number;
  readonly violation: Violation;
}

/** Sums over a batch. */
export interface BatchResult {
  readonly tally: Tally;
  /** How often each reason was given for a rejection, and what was not modelled. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly unmodelled: ReadonlyMap<string, number>;
  readonly found: readonly Found[];
}

/** The program that a finding came down to, and what was seen of it. */
export interface Reduced {
  readonly bundle: string;
  readonly violation: Violation;
  readonly instructions: number;
}

/** What findings with the same cause have in common. */
const keyOf = ({ oracle, message }: Violation): string => `${oracle}: ${causeOf(message)}`;

export default function work(job: Job): BatchResult | Reduced {
  return job.kind === "batch" ? batch(job) : reduce(job);
}

function settingsOf({ runs, oracles, profile }: Settings): CrossCheckSettings {
  const rules = profile === undefined ? DEFAULT_RULES : { profile: readProfile(profile) };
  return { rules, runs, oracles: oraclesNamed(oracles) };
}

function batch({ first, count, settings }: Job & { readonly kind: "batch" }): BatchResult {
  const how = settingsOf(settings);
  const tally = newTally();
  const reasons = new Map<string, number>();
  const unmodelled = new Map<string, number>();
  const found: Found[] = [];
  const add = (to: Map<string, number>, what: string | undefined): void => {
    if (what !== undefined) to.set(what, (to.get(what) ?? 0) + 1);
  };
  for (let seed = first; seed < first + count; seed += 1) {
    const program = programOfSeed(seed);
    const checked = crossCheck(program, seed, how);
    const { answer, verdict, ran } = checked.case;
    tally.programs += 1;
    if (answer.verdict === "accept") tally.accepted += 1;
    else if (answer.verdict === "reject") tally.rejected += 1;
    else tally.unsupported += 1;
    if (ran.witness !== undefined) tally.faulted += 1;
    tally.instructions += program.insns.length;
    tally.processed += verdict?.statistics.processed ?? 0;
    tally.states += verdict?.statistics.totalStates ?? 0;
    tally.runs += ran.runs.length;
    for (const { steps } of ran.runs) tally.steps += steps;
    add(reasons, checked.reason);
    add(unmodelled, checked.unmodelled);
    const { violation } = checked;
    if (violation !== undefined) found.push({ key: keyOf(violation), seed, violation });
  }
  return { tally, reasons, unmodelled, found };
}

function reduce({ seed, key, settings }: Job & { readonly kind: "reduce" }): Reduced {
  const how = settingsOf(settings);
  const name = `found with seed ${seed}`;
  const violationOf = (program: Program): Violation | undefined => {
    try {
      return crossCheck(program, seed, how).violation;
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  };
  const shows = (program: Program): boolean => {
    const violation = violationOf(program);
    return violation !== undefined && keyOf(violation) === key;
  };
  const program = reduceProgram(programOf(reduceRecipe(recipeOf(seed), name, shows), name), shows);
  const violation = violationOf(program);
  if (violation === undefined) throw new Error(`seed ${seed} shows nothing a second time`);
  return { bundle: writeBundle({ program }), violation, instructions: program.insns.length };
}
