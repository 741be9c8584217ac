/**
 * The order of blocks: reverse postorder, dominators, loops. A graph is *reducible* if every edge that goes back leads to a block that dominates where it comes from;
 * WebAssembly has no other loops. One that is not is made so: all ways into a loop of several entries go through blocks that look at a label.
 *
 * Dominators: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
 */
import { type Block, successorAt } from "./flow.ts";
import { makeReducible } from "./reducible.ts";
import { filled } from "./scratch.ts";

export interface Order {
  /** Positions of the blocks that can be reached, in reverse postorder; the function's first is the first. */
  readonly order: readonly number[];
  /** By position: the block's place in the order, or -1. */
  readonly rank: readonly number[];
  /** By position: the immediate dominator; the first block's is itself. */
  readonly dominator: readonly number[];
  /** By position: in how many edges from blocks that are earlier in the order. */
  readonly forward: readonly number[];
  /** By position: 1 if an edge leads back to it. */
  readonly loops: readonly number[];
  /** Whether there are such. */
  readonly hasLoops: boolean;
}

/** The blocks in reverse postorder. Without recursion: programs are long. */
function reversePostorder(blocks: readonly Block[]): number[] {
  /** How many of a block's successors have been looked at, or -1. */
  const looked = filled(blocks.length, -1);
  const path = [0];
  const out: number[] = [];
  looked[0] = 0;
  for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
    const block = blocks[at];
    const turn = looked[at] ?? 0;
    const to = block === undefined ? -1 : successorAt(block, turn);
    if (to < 0) {
      out.push(at);
      path.pop();
      continue;
    }
    looked[at] = turn + 1;
    if (looked[to] !== -1) continue;
    looked[to] = 0;
    path.push(to);
  }
  return out.toReversed();
}

/** By block, those that lead to it, in the order of the blocks. */
export function predecessorsOf(
  blocks: readonly Block[],
  order: readonly number[],
): readonly (readonly number[])[] {
  const from: number[][] = blocks.map(() => []);
  for (const at of order) {
    const block = blocks[at];
    if (block === undefined || block.next < 0) continue;
    if (block.taken >= 0) from[block.taken]?.push(at);
    from[block.next]?.push(at);
  }
  return from;
}

function orderOnce(blocks: readonly Block[]): Order & { readonly reducible: boolean } {
  const order = reversePostorder(blocks);
  const count = blocks.length;
  const rank = filled(count, -1);
  for (const [i, at] of order.entries()) rank[at] = i;
  const from = predecessorsOf(blocks, order);
  const dominator = filled(count, -1);
  const forward = filled(count, 0);
  const loops = filled(count, 0);
  let hasLoops = false;
  for (const to of order) {
    const own = rank[to] ?? 0;
    for (const each of from[to] ?? []) {
      if ((rank[each] ?? 0) < own) forward[to] = (forward[to] ?? 0) + 1;
      else {
        loops[to] = 1;
        hasLoops = true;
      }
    }
  }
  dominator[0] = 0;
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      if ((rank[x] ?? 0) > (rank[y] ?? 0)) x = dominator[x] ?? 0;
      else y = dominator[y] ?? 0;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const at of order) {
      if (at === 0) continue;
      let best = -1;
      for (const each of from[at] ?? []) {
        if (dominator[each] === -1) continue;
        best = best < 0 ? each : meet(best, each);
      }
      if (dominator[at] === best) continue;
      dominator[at] = best;
      // Without loops, all that leads to a block has come before it.
      changed = hasLoops;
    }
  }
  let reducible = true;
  for (const to of order) {
    if (loops[to] === 0) continue;
    for (const each of from[to] ?? []) {
      let above = each;
      if ((rank[each] ?? 0) < (rank[to] ?? 0)) continue;
      while ((rank[above] ?? 0) > (rank[to] ?? 0)) above = dominator[above] ?? 0;
      if (above !== to) reducible = false;
    }
  }
  return { order, rank, dominator, forward, loops, hasLoops, reducible };
}

/** The order of the blocks, which get others among them if they are not reducible. */
export function orderOf(blocks: Block[]): Order {
  const first = orderOnce(blocks);
  if (first.reducible) return first;
  makeReducible(blocks, first.order);
  const second = orderOnce(blocks);
  if (!second.reducible) throw new Error("loops still have several entries");
  return second;
}
