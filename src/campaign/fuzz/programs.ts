/** The programs of a campaign, by their seeds: of recipes, or probes where a kernel is under test. */

import type { Program } from "../../semantics/program/program.ts";
import { programOf } from "../generate/program.ts";
import type { Recipe } from "../generate/recipe.ts";
import { RUNNING } from "../kernels/names.ts";
import { probeFor } from "../kernels/open.ts";
import type { Settings } from "./batch.ts";
import { drawRecipe, type Plan } from "./recipes.ts";
import { restOf } from "./targets/named.ts";

export interface Made {
  readonly program: Program;
  /** What it was made from, if that was a recipe. */
  readonly recipe?: Recipe;
  /** Whether the recipe comes from kept ones. */
  readonly mutated: boolean;
}

/** The same for the same seed, plan and settings. */
export function programOfCampaign(seed: number, plan: Plan | undefined, settings: Settings): Made {
  const { target = "" } = settings;
  const kernel = restOf("kernel", target);
  // Whatever is asked for, the running kernel gets what is harmless.
  if (kernel !== undefined && (kernel === RUNNING || settings.source !== "generated"))
    return { program: probeFor(kernel, seed), mutated: false };
  const { recipe, mutated } = drawRecipe(seed, plan);
  return { program: programOf(recipe, `seed ${seed}`), recipe, mutated };
}
