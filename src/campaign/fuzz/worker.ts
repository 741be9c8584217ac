/** What a process of a campaign does: it cross-checks the programs of a range of seeds, makes one of them small, finds out which of them reach something, or checks an entry of a corpus. */
import { readBundle } from "../../object/bundle.ts";
import { writeBundle } from "../../object/bundle-write.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { programOf } from "../generate/program.ts";
import { type Recipe, recipeOf } from "../generate/recipe.ts";
import type {
  BatchResult,
  Found,
  Job,
  JobAnswer,
  Located,
  Reduced,
  Replayed,
  Settings,
  Trimmed,
  Unusable,
} from "./batch.ts";
import { Counters, meets } from "./code-coverage.ts";
import {
  type CrossCheckSettings,
  causeOf,
  crossCheck,
  MOST_OF_GENERATED,
  MOST_PROCESSED,
} from "./cross-check.ts";
import { KernelWork } from "./kernel-work.ts";
import { keyOf } from "./keys.ts";
import { pairOf } from "./oracles/agreement.ts";
import { oraclesNamed } from "./oracles/all.ts";
import { faultsAfterAll } from "./oracles/harmless.ts";
import type { Violation } from "./oracles/oracle.ts";
import { wordOf } from "./oracles/word.ts";
import { type Made, programOfCampaign, rulesOf } from "./programs.ts";
import { type Plan, trimmed } from "./recipes.ts";
import { reduceProgram, reduceRecipe } from "./reduce.ts";
import { SemanticMap } from "./semantic.ts";
import { newTally } from "./stats.ts";
import { OURS, restOf } from "./targets/named.ts";
import { targetNamed } from "./targets/open.ts";
import type { Answers, Target } from "./targets/target.ts";

export default async function work(job: Job): Promise<JobAnswer> {
  switch (job.kind) {
    case "batch":
      return await batch(job);
    case "reduce":
      return reduce(job);
    case "locate":
      return locate(job);
    case "replay":
      return await replay(job);
    case "entry":
      // Of no use to campaigns, whose processes do not wait for it.
      return (await import("../regression/entry.ts")).checkEntry(job);
    default:
      return trim(job);
  }
}

const semantic = new SemanticMap();
const counters = new Counters();

function settingsOf(settings: Settings): CrossCheckSettings {
  const { runs, oracles, coverage = "none" } = settings;
  return {
    rules: rulesOf(settings),
    runs,
    oracles: oraclesNamed(oracles),
    ...(coverage === "none" ? {} : { observer: semantic.observer }),
  };
}

/** A mistake that is none of the program's: it is a finding, and the batch goes on. */
function brokenBy(error: unknown): Violation {
  return { oracle: "broken", message: error instanceof Error ? error.message : String(error) };
}

function add(to: Map<string, number>, what: string | undefined): void {
  if (what !== undefined) to.set(what, (to.get(what) ?? 0) + 1);
}

async function batch({
  first,
  count,
  settings,
  plan,
}: Job & { readonly kind: "batch" }): Promise<BatchResult | Unusable> {
  const kernel = kernelOf(settings);
  if (kernel !== undefined) return kernel.batch({ first, count, settings });
  const { coverage = "none" } = settings;
  const how = settingsOf(settings);
  const howGenerated = { ...how, mostProcessed: MOST_OF_GENERATED };
  if (coverage === "code") {
    counters.start();
    counters.take();
  }
  semantic.take();
  const tally = newTally();
  const reasons = new Map<string, number>();
  const unmodelled = new Map<string, number>();
  const verdicts = new Map<string, number>();
  const harmless = new Map<string, number>();
  const asksWord = how.oracles.some(({ name }) => name === "word");
  const searches = asksWord || how.oracles.some(({ name }) => name === "harmless");
  const found: Found[] = [];
  const asked = await drawAll(first, count, plan, settings);
  if ("unusable" in asked) return asked;
  const { made, answers } = asked;
  tally.restarts = asked.restarts;
  for (const [place, { program, recipe, mutated }] of made.entries()) {
    const seed = first + place;
    tally.programs += 1;
    if (mutated) tally.mutated += 1;
    if (recipe === undefined) tally.spliced += 1;
    let violation: Violation | undefined;
    try {
      semantic.begin(program, place);
      const checked = crossCheck(program, seed, recipe === undefined ? how : howGenerated, answers[place]);
      ({ violation } = checked);
      const { answer, verdict, ran } = checked.case;
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
      const pair = pairOf(checked.case);
      if (pair !== undefined && new Set(pair.split(" / ")).size > 1) add(verdicts, pair);
      add(unmodelled, checked.unmodelled);
      const faults = searches ? faultsAfterAll(checked.case) : undefined;
      if (faults !== undefined) tally.searched += 1;
      if (faults === false) {
        tally.harmless += 1;
        const word = asksWord ? await wordOf(checked.case) : undefined;
        add(harmless, word === undefined ? (checked.reason ?? "") : `${checked.reason ?? ""} (${word})`);
      }
      if (checked.reason !== undefined) semantic.refused(checked.reason);
    } catch (error) {
      violation = brokenBy(error);
    }
    if (violation === undefined) continue;
    const from = recipe === undefined ? { bundle: writeBundle({ program }) } : mutated ? { recipe } : {};
    found.push({ key: keyOf(violation), seed, ...from, violation });
  }
  return {
    tally,
    reasons,
    unmodelled,
    verdicts,
    harmless,
    found,
    ...(coverage === "none" ? {} : { reached: semantic.take() }),
    ...(coverage === "code" ? { code: counters.take() } : {}),
  };
}

let opened: { readonly name: string; readonly is: Target | undefined } | undefined;

/** What a target is, kept open for the next batch. */
function targetOf(name: string): Target | undefined {
  if (opened?.name !== name) opened = { name, is: targetNamed(name) };
  return opened.is;
}

/** The programs of a range, and what the verifier under test says of them, if that is not ours. */
async function drawAll(
  first: number,
  count: number,
  plan: Plan | undefined,
  settings: Settings,
): Promise<(Answers & { readonly made: readonly Made[] }) | Unusable> {
  const made = Array.from({ length: count }, (_, place) => programOfCampaign(first + place, plan, settings));
  const asked = await answersOf(
    made.map(({ program }) => program),
    settings,
  );
  return "unusable" in asked ? asked : { made, ...asked };
}

/** What the verifier under test says, if that is not ours: of ours there is nothing to ask. */
async function answersOf(programs: readonly Program[], settings: Settings): Promise<Answers | Unusable> {
  const target = targetOf(settings.target ?? OURS);
  if (target === undefined) return { answers: [], restarts: 0 };
  try {
    return await target.ask(programs);
  } catch (error) {
    if (error instanceof InputError) return { unusable: error.message };
    throw error;
  }
}

let underTest: { readonly name: string; readonly work: KernelWork } | undefined;

/** The work with a kernel, if one is under test: it is kept for the next job. */
function kernelOf({ target = OURS }: Settings): KernelWork | undefined {
  const name = restOf("kernel", target);
  if (name === undefined) return undefined;
  if (underTest?.name !== name) underTest = { name, work: new KernelWork(name) };
  return underTest.work;
}

/** What a program shows that was found before. */
async function replay({
  bundle,
  seed,
  input,
  settings,
}: Job & { readonly kind: "replay" }): Promise<Replayed | Unusable> {
  const { program } = readBundle(bundle);
  const kernel = kernelOf(settings);
  if (kernel !== undefined) return kernel.replay(program, seed, input, settings);
  const asked = await answersOf([program], settings);
  if ("unusable" in asked) return asked;
  try {
    const { violation } = crossCheck(program, seed, settingsOf(settings), asked.answers[0]);
    return { shown: violation === undefined ? [] : [violation] };
  } catch (error) {
    return { shown: [brokenBy(error)] };
  }
}

/** Whatever a target says, it says it again of a smaller program or not: that is not asked here. */
function unreduced(program: Program, violation: Violation): Reduced {
  return { bundle: writeBundle({ program }), violation, instructions: program.insns.length };
}

function reduce({
  seed,
  recipe,
  bundle,
  key,
  settings,
  violation: seen,
}: Job & { readonly kind: "reduce" }): Reduced {
  const how = {
    ...settingsOf({ ...settings, coverage: "none" }),
    mostProcessed: bundle === undefined ? MOST_OF_GENERATED : MOST_PROCESSED,
  };
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
  const whole = bundle === undefined ? undefined : readBundle(bundle).program;
  if (settings.target !== undefined && seen !== undefined) {
    const original = whole ?? programOf(recipe ?? recipeOf(seed), name);
    const kernel = kernelOf(settings);
    // A list of maps is known by being that list.
    const probe = kernel === undefined ? original : programOfCampaign(seed, undefined, settings).program;
    return kernel?.reduce({ program: probe, seed }, seen, settings) ?? unreduced(original, seen);
  }
  const original = whole ?? programOf(reduceRecipe(recipe ?? recipeOf(seed), name, shows), name);
  const program = reduceProgram(original, shows);
  const violation = violationOf(program);
  if (violation === undefined) throw new Error(`seed ${seed} shows nothing a second time`);
  return { bundle: writeBundle({ program }), violation, instructions: program.insns.length };
}

/** Seeds that are looked for at most: of the first batches nearly all programs run something new. */
const MOST_LOCATED = 6;

/** Halves the range as often as it takes to find the first program that runs some of the code, then goes on behind that one. */
function locate({ first, count, settings, plan, code }: Job & { readonly kind: "locate" }): Located {
  const rules = rulesOf(settings);
  counters.start();
  const runs = (from: number, to: number): boolean => {
    counters.take();
    for (let seed = from; seed < to; seed += 1) {
      const { program, recipe } = programOfCampaign(seed, plan, settings);
      verifyQuietly(program, rules, recipe === undefined ? MOST_PROCESSED : MOST_OF_GENERATED);
    }
    return meets(counters.take(), code);
  };
  // What runs only once in a process runs here.
  runs(first, first + count);
  const seeds: number[] = [];
  for (let from = first; from < first + count && seeds.length < MOST_LOCATED; ) {
    let to = first + count;
    if (!runs(from, to)) break;
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (runs(from, middle)) to = middle;
      else from = middle;
    }
    seeds.push(from);
    from += 1;
  }
  return { seeds };
}

/** What breaks here has been a finding in the batch. */
function verifyQuietly(program: Program, rules: Rules, mostProcessed: number): void {
  try {
    verify(program, undefined, rules, mostProcessed);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

function trim({ recipes, settings }: Job & { readonly kind: "trim" }): Trimmed {
  const rules = rulesOf(settings);
  const reachedBy = (recipe: Recipe): ReadonlySet<number> => {
    const program = programOf(recipe, "trimmed");
    semantic.take();
    semantic.begin(program, 0);
    const verdict = verify(program, semantic.observer, rules, MOST_OF_GENERATED);
    if (verdict.verdict !== "accept")
      semantic.refused(causeOf(verdict.verdict === "reject" ? verdict.message : verdict.feature));
    return new Set(semantic.take().map(([entry]) => entry));
  };
  const smaller = recipes.map(({ recipe, entries }) =>
    trimmed(recipe, (tried) => {
      try {
        const reached = reachedBy(tried);
        return entries.every((entry) => reached.has(entry));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return false;
      }
    }),
  );
  return { recipes: smaller };
}
