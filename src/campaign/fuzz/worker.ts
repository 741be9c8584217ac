/** What a process of a campaign does: it cross-checks the programs of a range of seeds, makes one of them small, or finds out which of them reach something. */
import { writeBundle } from "../../object/bundle-write.ts";
import { readProfile } from "../../oracle/profiles.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
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
  Settings,
  Trimmed,
  Unusable,
} from "./batch.ts";
import { Counters, meets } from "./code-coverage.ts";
import { type CrossCheckSettings, causeOf, crossCheck, MOST_PROCESSED } from "./cross-check.ts";
import { oraclesNamed } from "./oracles/all.ts";
import type { Violation } from "./oracles/oracle.ts";
import { type Drawn, drawRecipe, type Plan, trimmed } from "./recipes.ts";
import { reduceProgram, reduceRecipe } from "./reduce.ts";
import { SemanticMap } from "./semantic.ts";
import { newTally } from "./stats.ts";
import { OURS, targetNamed } from "./targets/named.ts";
import type { Answers, Target } from "./targets/target.ts";

/** What findings with the same cause have in common. */
const keyOf = ({ oracle, message }: Violation): string => `${oracle}: ${causeOf(message)}`;

export default async function work(job: Job): Promise<JobAnswer> {
  switch (job.kind) {
    case "batch":
      return await batch(job);
    case "reduce":
      return reduce(job);
    case "locate":
      return locate(job);
    default:
      return trim(job);
  }
}

const semantic = new SemanticMap();
const counters = new Counters();

const rulesOf = ({ profile }: Settings): Rules =>
  profile === undefined ? DEFAULT_RULES : { profile: readProfile(profile) };

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
  const { coverage = "none" } = settings;
  const how = settingsOf(settings);
  if (coverage === "code") {
    counters.start();
    counters.take();
  }
  semantic.take();
  const tally = newTally();
  const reasons = new Map<string, number>();
  const unmodelled = new Map<string, number>();
  const found: Found[] = [];
  const asked = await drawAll(first, count, plan, settings.target);
  if ("unusable" in asked) return asked;
  const { drawn, answers } = asked;
  tally.restarts = asked.restarts;
  for (const [place, { recipe, mutated }] of drawn.entries()) {
    const seed = first + place;
    tally.programs += 1;
    if (mutated) tally.mutated += 1;
    let violation: Violation | undefined;
    try {
      const program = programOf(recipe, `seed ${seed}`);
      semantic.begin(program, place);
      const checked = crossCheck(program, seed, how, answers[place]);
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
      add(unmodelled, checked.unmodelled);
      if (checked.reason !== undefined) semantic.refused(checked.reason);
    } catch (error) {
      violation = brokenBy(error);
    }
    if (violation === undefined) continue;
    found.push({ key: keyOf(violation), seed, ...(mutated ? { recipe } : {}), violation });
  }
  return {
    tally,
    reasons,
    unmodelled,
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

/** The recipes of a range, and what the verifier under test says of their programs, if that is not ours. */
async function drawAll(
  first: number,
  count: number,
  plan: Plan | undefined,
  name: string = OURS,
): Promise<(Answers & { readonly drawn: readonly Drawn[] }) | Unusable> {
  const drawn = Array.from({ length: count }, (_, place) => drawRecipe(first + place, plan));
  const target = targetOf(name);
  if (target === undefined) return { drawn, answers: [], restarts: 0 };
  const programs = drawn.map(({ recipe }, place) => programOf(recipe, `seed ${first + place}`));
  try {
    return { drawn, ...(await target.ask(programs)) };
  } catch (error) {
    if (error instanceof InputError) return { unusable: error.message };
    throw error;
  }
}

/** Whatever a target says, it says it again of a smaller program or not: that is not asked here. */
function unreduced(program: Program, violation: Violation): Reduced {
  return { bundle: writeBundle({ program }), violation, instructions: program.insns.length };
}

function reduce({
  seed,
  recipe,
  key,
  settings,
  violation: seen,
}: Job & { readonly kind: "reduce" }): Reduced {
  const how = settingsOf({ ...settings, coverage: "none" });
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
  if (settings.target !== undefined && seen !== undefined)
    return unreduced(programOf(recipe ?? recipeOf(seed), name), seen);
  const smaller = reduceRecipe(recipe ?? recipeOf(seed), name, shows);
  const program = reduceProgram(programOf(smaller, name), shows);
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
    for (let seed = from; seed < to; seed += 1) verifyQuietly(drawRecipe(seed, plan).recipe, rules);
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
function verifyQuietly(recipe: Recipe, rules: Rules): void {
  try {
    verify(programOf(recipe, "looked at"), undefined, rules, MOST_PROCESSED);
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
    const verdict = verify(program, semantic.observer, rules, MOST_PROCESSED);
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
