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

/** Two programs, so that one may hold what another one uses. */
export const LARGE: Scope = {
  processes: 2,
  fds: 2,
  pins: ["a"],
  points: ["x"],
  objects: ["map", "prog_array", "program", "program", "link"],
  uses: 1,
};

/** Two pairs' worth of sockets, of which one may lie in the other, and an array that may lie in either. */
export const SOCKETS: Scope = {
  processes: 2,
  fds: 2,
  pins: [],
  points: [],
  objects: ["prog_array", "unix", "unix"],
  uses: 0,
  messages: 2,
};

/** Sockets with programs, programs with arrays of maps. */
export const HOLDERS: Scope = {
  processes: 2,
  fds: 2,
  pins: ["a"],
  points: [],
  objects: ["map", "outer", "program", "filter", "udp"],
  uses: 1,
};

/** A list with two places, and a filter's place: programs that are there alone, and by a link. */
export const HOOKS: Scope = {
  processes: 2,
  fds: 2,
  pins: ["a"],
  points: ["list/0", "list/1", "filters/1"],
  hooks: ["list"],
  objects: ["map", "classifier", "classifier", "link"],
  uses: 1,
};
