/** All interleavings of all operations in a small scope, a few operations deep; `scripts/lifetimes.ts` goes as deep as its time allows. */
import { expect, it } from "vitest";
import { expand, LIMITS, type Reached, START } from "./explore.ts";

it("runtime and model agree in every state that three operations reach, and every count is right", () => {
  let frontier: readonly Reached[] = [START];
  const seen = new Set([START.key]);
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
