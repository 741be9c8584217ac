/** What a campaign learns from the answers of ranges: what was reached first, and so which recipes are kept and what later ranges are made from. */
import type { Recipe } from "../generate/recipe.ts";
import type { BatchResult, Job, JobAnswer, Range } from "./batch.ts";
import type { GuideCounts } from "./campaign-stats.ts";
import { CodeMap } from "./code-coverage.ts";
import { Corpus, type Kept } from "./corpus.ts";
import { isMutant } from "./mutants.ts";
import { type Drawn, drawRecipe, type Plan } from "./recipes.ts";
import type { Store } from "./store.ts";

/** Recipes of a range that are made smaller: in the first ranges nearly every one reaches something first. */
const MOST_TRIMMED = 4;
/** Ranges in which everything is new, so that nothing is made smaller or looked for. */
const FIRST_PROGRAMS = 1000;

/** A job's answer, if it can be had. */
type Ask = (job: Job) => Promise<JobAnswer | undefined>;

export class Guide {
  readonly #store: Store;
  readonly #isOn: boolean;
  readonly #ask: Ask;
  readonly #corpus: Corpus;
  readonly #code = new CodeMap();
  #changed = false;
  #programs = 0;

  constructor(store: Store, isOn: boolean, ask: Ask) {
    this.#store = store;
    this.#isOn = isOn;
    this.#ask = ask;
    this.#corpus = new Corpus(isOn ? store.corpus() : []);
    if (isOn) this.#code.add(store.code());
  }

  /** Takes in a range's answer; gives what a later range is to be made from. */
  async learn(range: Range, { reached = [], code = [], tally }: BatchResult): Promise<Plan | undefined> {
    if (!this.#isOn) return undefined;
    const { first, count, plan } = range;
    this.#programs += count;
    const { mutants = 0 } = range.settings;
    // What is a mutant of the corpus has no recipe, and is not changed further.
    const drawn = (place: number): Drawn | undefined =>
      isMutant(first + place, mutants) ? undefined : drawRecipe(first + place, plan);
    const isMutated = (place: number): boolean => drawn(place)?.mutated ?? false;
    const found = this.#corpus.reach(reached, isMutated, { mutated: tally.mutated, all: tally.programs });
    const kept = [...found].flatMap(([place, entries]) => {
      const recipe = drawn(place)?.recipe;
      return recipe === undefined ? [] : [{ seed: first + place, recipe, entries }];
    });
    for (const each of await this.#trim(kept, range)) this.#keep(each);
    const fresh = this.#code.add(code);
    if (fresh.length > 0) {
      this.#changed = true;
      const seeds = this.#programs < FIRST_PROGRAMS ? [] : await this.#locate(range, fresh);
      const known = new Set(kept.map(({ seed }) => seed));
      for (const seed of seeds) {
        const recipe = drawn(seed - first)?.recipe;
        if (!known.has(seed) && recipe !== undefined) this.#keep({ seed, recipe, entries: [] });
      }
    }
    return this.#corpus.plan(first);
  }

  #keep(kept: Kept): void {
    this.#corpus.keep(kept);
    this.#store.keep(kept);
  }

  async #trim(kept: readonly Kept[], { settings }: Range): Promise<readonly Kept[]> {
    if (this.#programs < FIRST_PROGRAMS || kept.length === 0) return kept;
    const [some, others] = [kept.slice(0, MOST_TRIMMED), kept.slice(MOST_TRIMMED)];
    const recipes = some.map(({ recipe, entries }) => ({ recipe, entries }));
    const answer = await this.#ask({ kind: "trim", recipes, settings });
    const smaller: readonly Recipe[] = answer !== undefined && "recipes" in answer ? answer.recipes : [];
    return [...some.map((each, i) => ({ ...each, recipe: smaller[i] ?? each.recipe })), ...others];
  }

  async #locate(range: Range, code: ReturnType<CodeMap["add"]>): Promise<readonly number[]> {
    const answer = await this.#ask({ ...range, kind: "locate", code });
    return answer !== undefined && "seeds" in answer ? answer.seeds : [];
  }

  save(): void {
    if (this.#changed) this.#store.saveCode(this.#code.all());
    this.#changed = false;
  }

  counts(): GuideCounts {
    const { size, favoured, entries } = this.#corpus;
    return { ...this.#code.counts(), semantic: entries, size, favoured };
  }
}
