/**
 * Which block's code is put inside of which other's: under its dominator, but not inside of a loop that it is not part of, though a loop's ways out could stand there. The engine unrolls
 * only loops that no other loop stands in.
 */
import type { Block } from "./flow.ts";
import { type Order, predecessorsOf } from "./order.ts";
import { filled } from "./scratch.ts";

export interface Placement {
  /** By block, those that stand under it: in its loop, if it is the head of one, and behind that. */
  readonly inside: readonly (readonly number[])[];
  readonly behind: readonly (readonly number[] | undefined)[];
  /** By block, 1 if it stands behind a loop: all ways there are branches. */
  readonly isBehind: readonly number[];
}

const NONE = -1;

export function placementOf(blocks: readonly Block[], all: Order): Placement {
  const { order, dominator, hasLoops } = all;
  const inside: number[][] = blocks.map(() => []);
  const behind: number[][] = [];
  const isBehind = filled(blocks.length, 0);
  if (!hasLoops) {
    for (const at of order) {
      const above = dominator[at] ?? 0;
      if (at !== above) inside[above]?.push(at);
    }
    return { inside, behind, isBehind };
  }
  const { heads, outer } = loopsOf(blocks, all);
  const isIn = (head: number, at: number): boolean => {
    let around = heads[at] ?? NONE;
    while (around !== NONE && around !== head) around = outer[around] ?? NONE;
    return around === head;
  };
  for (const at of order) {
    const above = dominator[at] ?? 0;
    if (at === above) continue;
    // The outermost of the loops around the dominator that the block is not part of.
    let left = NONE;
    for (let head = heads[above] ?? NONE; head !== NONE && !isIn(head, at); head = outer[head] ?? NONE)
      left = head;
    if (left === NONE) inside[above]?.push(at);
    else {
      (behind[left] ??= []).push(at);
      isBehind[at] = 1;
    }
  }
  return { inside, behind, isBehind };
}

/** By block, the head of the innermost loop that it is part of; by head, that of the next loop around. */
function loopsOf(
  blocks: readonly Block[],
  { order, rank, loops }: Order,
): { readonly heads: readonly number[]; readonly outer: readonly number[] } {
  const heads = filled(blocks.length, NONE);
  const outer = filled(blocks.length, NONE);
  const from = predecessorsOf(blocks, order);
  const rankOf = (at: number): number => rank[at] ?? 0;
  const outermost = (at: number): number => {
    let found = heads[at] ?? NONE;
    while (found !== NONE && (outer[found] ?? NONE) !== NONE) found = outer[found] ?? NONE;
    return found;
  };
  // Inner loops come later in the order, and are known when the loops around them are looked at.
  for (const head of order.toReversed()) {
    if (loops[head] === 0) continue;
    heads[head] = head;
    const open = (from[head] ?? []).filter((at) => rankOf(at) > rankOf(head));
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const known = outermost(at);
      if (known === head) continue;
      if (known === NONE) {
        heads[at] = head;
        open.push(...(from[at] ?? []));
      } else {
        outer[known] = head;
        open.push(...(from[known] ?? []));
      }
    }
  }
  return { heads, outer };
}
