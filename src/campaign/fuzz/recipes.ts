/** Recipes of campaigns: drawn anew, or made from ones that are kept. The same seed and the same plan give the same recipe. */
import { type Recipe, recipeOf, type Step } from "../generate/recipe.ts";
import { generator, type Random } from "../random.ts";

/** What a batch makes its programs from. */
export interface Plan {
  /** How many of a hundred programs are made from kept recipes. */
  readonly share: number;
  readonly parents: readonly Recipe[];
}

export interface Drawn {
  readonly recipe: Recipe;
  readonly mutated: boolean;
}

const PARTS = ["main", "main", "main", "callee", "callback"] as const;
const FIELDS = ["kind", "a", "b", "c"] as const;
const NUMBERS = 2 ** 16;
/** Steps of a part at most: what grows without end is slow and no better. */
const MOST_STEPS = 40;
/** Tells the numbers that choose between recipes from those that recipes are made of. */
const OTHER_SEED = 0x5bd1e995;

/** The recipe of a seed in a batch. */
export function drawRecipe(seed: number, plan: Plan | undefined): Drawn {
  const fresh = (): Drawn => ({ recipe: recipeOf(seed), mutated: false });
  if (plan === undefined || plan.parents.length === 0) return fresh();
  const random = generator(seed ^ OTHER_SEED);
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 8; i += 1) random.below(2);
  if (random.below(100) >= plan.share) return fresh();
  const parent = (): Recipe | undefined => plan.parents[random.below(plan.parents.length)];
  const [first, second] = [parent(), parent()];
  if (first === undefined || second === undefined) return fresh();
  let recipe = first;
  for (let changes = random.below(3); changes >= 0; changes -= 1) recipe = changed(recipe, second, random);
  return { recipe, mutated: true };
}

/** A recipe with one change; what it takes from elsewhere comes from `other`. */
function changed(recipe: Recipe, other: Recipe, random: Random): Recipe {
  const part = PARTS[random.below(PARTS.length)] ?? "main";
  const steps = recipe[part];
  const at = random.below(steps.length + 1);
  const withSteps = (made: readonly Step[]): Recipe => ({ ...recipe, [part]: made.slice(0, MOST_STEPS) });
  switch (random.below(7)) {
    case 0:
      return withSteps([...steps.slice(0, at), newStep(random), ...steps.slice(at)]);
    case 1:
      return withSteps([...steps.slice(0, at), ...steps.slice(at + 1 + random.below(3))]);
    case 2: {
      // What comes before a place here, and behind a place there.
      const from = random.below(other[part].length + 1);
      return withSteps([...steps.slice(0, at), ...other[part].slice(from)]);
    }
    case 3: {
      const copied = steps.slice(at, at + 1 + random.below(3));
      return withSteps([...steps.slice(0, at), ...copied, ...steps.slice(at)]);
    }
    case 4:
      return { ...recipe, shape: random.below(2) === 0 ? other.shape : random.below(NUMBERS) };
    default:
      return withSteps(steps.map((step, i) => (i === at ? changedStep(step, random) : step)));
  }
}

const newStep = (random: Random): Step => ({
  kind: random.below(NUMBERS),
  a: random.below(NUMBERS),
  b: random.below(NUMBERS),
  c: random.below(NUMBERS),
});

function changedStep(step: Step, random: Random): Step {
  const field = FIELDS[random.below(FIELDS.length)] ?? "a";
  const value = random.below(2) === 0 ? random.below(NUMBERS) : step[field] ^ (1 << random.below(16));
  return { ...step, [field]: value };
}

/** The recipe without steps of its main part that it shows something without. Asks once for each step. */
export function trimmed(recipe: Recipe, shows: (tried: Recipe) => boolean): Recipe {
  let kept = recipe;
  for (let at = recipe.main.length - 1; at >= 0; at -= 1) {
    const tried = { ...kept, main: kept.main.filter((_, i) => i !== at) };
    if (shows(tried)) kept = tried;
  }
  return kept;
}
