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
const LARGE: Scope = {
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

/** Two network namespaces, a pair of devices, a socket: who goes leaves a namespace, which goes with its devices, and a link that stands at one stays. */
export const NAMESPACES: Scope = {
  processes: 2,
  fds: 2,
  pins: [],
  points: ["xdp"],
  devices: [2, 3],
  objects: ["network", "network", "device", "device", "program", "link", "udp"],
  uses: 0,
};

/** Two cgroups beneath the root, each with a list of two places. */
export const CGROUPS: Scope = {
  processes: 1,
  fds: 2,
  pins: [],
  points: [],
  directories: ["", "a", "b"],
  listed: ["list/0", "list/1"],
  objects: ["cgroup", "cgroup", "cgroup", "cgroup_skb", "cgroup_skb", "link"],
  uses: 0,
};

/** Two mount namespaces and two file systems, of which one may be mounted in a directory of the other. */
export const MOUNTS: Scope = {
  processes: 2,
  fds: 2,
  pins: ["/d", "/a", "/d/a"],
  points: [],
  mounts: ["/d"],
  objects: ["mounts", "mounts", "files", "files", "directory", "prog_array", "program"],
  uses: 0,
};

/** Two names at which the same file system may be mounted. */
export const BINDS: Scope = {
  processes: 1,
  fds: 1,
  pins: ["/d", "/e", "/d/a"],
  points: [],
  mounts: ["/d", "/e"],
  objects: ["mounts", "files", "files", "directory", "directory", "prog_array"],
  uses: 0,
};

/** All of them by name. */
export const SCOPES = {
  SMALL,
  LARGE,
  SOCKETS,
  HOLDERS,
  HOOKS,
  NAMESPACES,
  CGROUPS,
  MOUNTS,
  BINDS,
} as const satisfies Readonly<Record<string, Scope>>;
