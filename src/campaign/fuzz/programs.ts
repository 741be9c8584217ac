/** The programs of a campaign, by their seeds: of recipes, mutants of the corpus, or probes where a kernel is under test. */

import { readProfile } from "../../oracle/profiles.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { programOf } from "../generate/program.ts";
import type { Recipe } from "../generate/recipe.ts";
import { RUNNING } from "../kernels/names.ts";
import { probeFor } from "../kernels/open.ts";
import type { Settings } from "./batch.ts";
import { mutantOf } from "./mutants.ts";
import { drawRecipe, type Plan } from "./recipes.ts";
import { restOf } from "./targets/named.ts";

/** By what our verifier judges in a campaign. */
export const rulesOf = ({ profile }: Settings): Rules =>
  profile === undefined ? DEFAULT_RULES : { profile: readProfile(profile) };

export interface Made {
  readonly program: Program;
  /** What it was made from, if that was a recipe: of a mutant or a probe the seed says all. */
  readonly recipe?: Recipe;
  /** Whether the recipe comes from kept ones. */
  readonly mutated: boolean;
}

/** The same for the same seed, plan and settings. */
export function programOfCampaign(seed: number, plan: Plan | undefined, settings: Settings): Made {
  const { target = "" } = settings;
  const kernel = restOf("kernel", target);
  // Whatever is asked for, the running kernel gets what is harmless to load, under test or beside another.
  if (kernel === RUNNING || (kernel !== undefined && settings.beside === RUNNING))
    return { program: probeFor(RUNNING, seed), mutated: false };
  if (kernel !== undefined && settings.source !== "generated")
    return { program: probeFor(kernel, seed), mutated: false };
  const mutant = mutantOf(seed, settings.mutants ?? 0, rulesOf(settings));
  if (mutant !== undefined) return { program: mutant, mutated: false };
  const { recipe, mutated } = drawRecipe(seed, plan);
  return { program: programOf(recipe, `seed ${seed}`), recipe, mutated };
}
