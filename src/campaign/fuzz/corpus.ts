/**
 * Recipes that are kept: each was the first to reach entries of the semantic map, or code of the verifier. Their energy is the rarity of what they reached; how many of a hundred programs
 * are made from them follows what that has brought lately.
 */
import type { Recipe } from "../generate/recipe.ts";
import { generator } from "../random.ts";
import type { Plan } from "./recipes.ts";
import type { Reached } from "./semantic.ts";

export interface Kept {
  readonly seed: number;
  readonly recipe: Recipe;
  /** Entries of the semantic map that it reached first; none if it was kept for code. */
  readonly entries: readonly number[];
}

/** What a batch came to: programs and new entries, of those made from kept recipes and of the others. */
interface Yield {
  programs: number;
  entries: number;
}

const PARENTS = 12;
const [LEAST_SHARE, MOST_SHARE] = [5, 80];
/** How much of what earlier batches brought still counts. */
const MEMORY = 0.97;

export class Corpus {
  readonly #kept: Kept[] = [];
  /** How many batches reached each entry. */
  readonly #batches = new Map<number, number>();
  readonly #mutated: Yield = { programs: 1, entries: 1 };
  readonly #fresh: Yield = { programs: 1, entries: 1 };

  constructor(before: readonly Kept[] = []) {
    for (const kept of before) this.keep(kept);
  }

  get size(): number {
    return this.#kept.length;
  }

  /** Entries of the semantic map that were reached. */
  get entries(): number {
    return this.#batches.size;
  }

  /** Those that reached something that few batches reach. */
  get favoured(): number {
    return this.#kept.filter((kept) => this.#rarity(kept) <= 2).length;
  }

  keep(kept: Kept): void {
    this.#kept.push(kept);
    for (const entry of kept.entries) if (!this.#batches.has(entry)) this.#batches.set(entry, 1);
  }

  /**
   * What a batch reached; gives what of it is new, by the place of the program that reached it.
   *
   * @param isMutated  of the program at a place
   * @param programs  how many of the batch were made from kept recipes, and how many there are
   */
  reach(
    reached: Reached,
    isMutated: (place: number) => boolean,
    programs: { readonly mutated: number; readonly all: number },
  ): ReadonlyMap<number, readonly number[]> {
    const found = new Map<number, number[]>();
    for (const one of [this.#mutated, this.#fresh]) {
      one.programs *= MEMORY;
      one.entries *= MEMORY;
    }
    this.#mutated.programs += programs.mutated;
    this.#fresh.programs += programs.all - programs.mutated;
    for (const [entry, place] of reached) {
      const known = this.#batches.get(entry) ?? 0;
      this.#batches.set(entry, known + 1);
      if (known > 0) continue;
      (isMutated(place) ? this.#mutated : this.#fresh).entries += 1;
      const own = found.get(place) ?? [];
      found.set(place, own);
      own.push(entry);
    }
    return found;
  }

  /** Of what it reached, how many batches reach the rarest. */
  #rarity({ entries }: Kept): number {
    let least = Number.POSITIVE_INFINITY;
    for (const entry of entries) least = Math.min(least, this.#batches.get(entry) ?? 1);
    return Math.min(least, MOST_COMMON);
  }

  /** What the batch that begins with a seed makes its programs from. */
  plan(seed: number): Plan {
    const random = generator(seed);
    const energies = this.#kept.map((kept) => 1 / this.#rarity(kept));
    const all = energies.reduce((a, b) => a + b, 0);
    const parents: Recipe[] = [];
    for (let i = 0; i < PARENTS && this.#kept.length > 0; i += 1) {
      let left = (random.below(RESOLUTION) / RESOLUTION) * all;
      const at = energies.findIndex((energy) => (left -= energy) < 0);
      const chosen = this.#kept.at(at);
      if (chosen !== undefined) parents.push(chosen.recipe);
    }
    // Squared, so that what brings less is done far less.
    const worth = ({ programs, entries }: Yield): number => (entries / programs) ** 2;
    const [mutated, fresh] = [worth(this.#mutated), worth(this.#fresh)];
    const share = Math.round((100 * mutated) / (mutated + fresh));
    return { share: Math.min(MOST_SHARE, Math.max(LEAST_SHARE, share)), parents };
  }
}

/** Recipes of what everybody reaches have this much less energy than others, and no less. */
const MOST_COMMON = 256;
const RESOLUTION = 2 ** 20;
