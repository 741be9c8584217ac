/**
 * The order of blocks: reverse postorder, dominators, loops. A graph is *reducible* if every edge that goes back leads to a block that dominates where it comes from;
 * WebAssembly has no other loops. One that is not is made so: all ways into a loop of several entries go through blocks that look at a label.
 *
 * Dominators: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
 */
import { type Block, successorsAt } from "./flow.ts";
import { addPostorder } from "./postorder.ts";
import { makeReducible } from "./reducible.ts";

export interface Order {
  /** Positions of the blocks that can be reached, in reverse postorder; the function's first is the first. */
  readonly order: readonly number[];
  /** By position: the block's place in the order, or -1. */
  readonly rank: Int32Array;
  /** By position: the immediate dominator; the first block's is itself. */
  readonly dominator: Int32Array;
  /** By position: in how many edges from blocks that are earlier in the order. */
  readonly forward: Int32Array;
  /** By position: whether an edge leads back to it. */
  readonly loops: Uint8Array;
}

function postorder(blocks: readonly Block[]): number[] {
  const out: number[] = [];
  addPostorder(0, (at) => successorsAt(blocks, at), new Uint8Array(blocks.length), out);
  return out;
}

function orderOnce(blocks: readonly Block[]): Order & { readonly reducible: boolean } {
  const order = postorder(blocks).toReversed();
  const count = blocks.length;
  const rank = new Int32Array(count).fill(-1);
  order.forEach((at, i) => {
    rank[at] = i;
  });
  const from: number[][] = blocks.map(() => []);
  for (const at of order) {
    for (const to of successorsAt(blocks, at)) from[to]?.push(at);
  }
  const dominator = new Int32Array(count).fill(-1);
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
      changed = true;
    }
  }
  const forward = new Int32Array(count);
  const loops = new Uint8Array(count);
  let reducible = true;
  for (const to of order) {
    for (const each of from[to] ?? []) {
      if ((rank[each] ?? 0) < (rank[to] ?? 0)) forward[to] = (forward[to] ?? 0) + 1;
      else {
        loops[to] = 1;
        let above = each;
        while ((rank[above] ?? 0) > (rank[to] ?? 0)) above = dominator[above] ?? 0;
        if (above !== to) reducible = false;
      }
    }
  }
  return { order, rank, dominator, forward, loops, reducible };
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
