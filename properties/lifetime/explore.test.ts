/** All interleavings of all operations in a small scope, a few operations deep; `scripts/lifetimes.ts` goes as deep as its time allows. */
import { expect, it } from "vitest";
import {
  CGROUP_LIMITS,
  expand,
  HOLDER_LIMITS,
  LIMITS,
  MOUNT_LIMITS,
  NAMESPACE_LIMITS,
  type Reached,
  SOCKET_LIMITS,
  startOf,
} from "./explore.ts";

it("runtime and model agree in every state that three operations reach, and every count is right", () => {
  let frontier: readonly Reached[] = [startOf(LIMITS)];
  const seen = new Set(frontier.map(({ key }) => key));
  const sizes: number[] = [];
  for (let depth = 1; depth <= 3; depth += 1) {
    const { differences, reached } = expand(
      frontier.map(({ trace }) => trace),
      LIMITS,
    );
    expect(differences).toEqual([]);
    frontier = reached.filter(({ key }) => !seen.has(key));
    for (const { key } of frontier) seen.add(key);
    sizes.push(frontier.length);
  }
  // One map, one array, one program, a second process, or no process at all; from each of these the next ones.
  expect(sizes[0]).toBe(5);
  expect(seen.size).toBeGreaterThan(100);
}, 120_000);

it.each([
  ["sockets in each other's messages", SOCKET_LIMITS, 3],
  ["sockets with programs, arrays of maps", HOLDER_LIMITS, 3],
  ["network namespaces and devices", NAMESPACE_LIMITS, 3],
  ["cgroups", CGROUP_LIMITS, 5],
  ["mount namespaces and file systems", MOUNT_LIMITS, 3],
] as const)(
  "%s: the same in every state that a few operations reach",
  (_, limits, depth) => {
    let frontier: readonly Reached[] = [startOf(limits)];
    const seen = new Set(frontier.map(({ key }) => key));
    for (let at = 1; at <= depth; at += 1) {
      const traces = frontier.map(({ trace }) => trace);
      const { differences, reached } = expand(traces, limits);
      expect(differences).toEqual([]);
      frontier = reached.filter(({ key }) => !seen.has(key));
      for (const { key } of frontier) seen.add(key);
    }
    expect(seen.size).toBeGreaterThan(50);
  },
  120_000,
);
