/** How much there may be in the states that a proof speaks of. */
import type { Scope } from "./symbolic.ts";

/** One object of each kind: quick enough for every run of the tests. */
export const SMALL: Scope = {
  processes: 2,
  fds: 2,
  pins: ["a"],
  points: ["x"],
  objects: ["map", "prog_array", "program", "link"],
  uses: 1,
};

/** Two of what there can be cycles of. */
export const LARGE: Scope = {
  processes: 2,
  fds: 3,
  pins: ["a", "b"],
  points: ["x"],
  objects: ["map", "prog_array", "prog_array", "program", "program", "link"],
  uses: 2,
};
