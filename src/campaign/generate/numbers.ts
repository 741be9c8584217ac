/** Programs of numbers alone: short, soon verified and run, and dense with what bugs in operators, branches, links and spills need. */
import type { Program } from "../../semantics/program/program.ts";
import { programOf } from "./program.ts";
import { recipeOf, type Step } from "./recipe.ts";
import { STEPS } from "./steps.ts";

/** Steps that need no helper and no map but one of bytes. Those that something is rarely wrong with are left out. */
const NAMES: ReadonlySet<string> = new Set([
  "copy",
  "withImmediate",
  "withRegister",
  "unary",
  "fork",
  "run",
  "linked",
  "chained",
  "between",
  "branch",
  "fork2",
  "choice",
  "slotChoice",
  "frameChoice",
  "spill",
  "fill",
  "overwrite",
  "linkedSlot",
  "stackIndex",
  "stackWords",
  "index",
  "reach",
  "atomic",
]);

/** Each place of such a step in the table; numbers that something is known of come twice as often as elsewhere. */
const KINDS = STEPS.flatMap(({ name }, kind) =>
  name === "shaped" ? [kind, kind] : NAMES.has(name) ? [kind] : [],
);

/** Most steps of a program. */
const LONGEST = 8;

const ofNumbers = (steps: readonly Step[]): readonly Step[] =>
  steps.slice(0, LONGEST).map((step) => ({ ...step, kind: KINDS[step.kind % KINDS.length] ?? 0 }));

/** The program of numbers alone of a seed. */
export function numberProgram(seed: number): Program {
  const { main } = recipeOf(seed);
  return programOf({ shape: 0, main: ofNumbers(main), callee: [], callback: [] }, `numbers of seed ${seed}`);
}
