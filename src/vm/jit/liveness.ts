/** Which registers are read later, before they are written: a backward analysis over the blocks of a function. */
import type { Op } from "../op.ts";
import { type Block, slotsOf } from "./flow.ts";
import type { Order } from "./order.ts";
import { filled } from "./scratch.ts";
import { readsOf, writesOf } from "./use.ts";

/** Registers that a block reads before it writes them, and above these bits those that it writes. */
const WRITTEN = 16;

/** By block, the registers that are live where it begins, as bits. */
export function livenessOf(
  ops: readonly Op[],
  blocks: readonly Block[],
  { order, loops }: Order,
): readonly number[] {
  const uses = filled(blocks.length, 0);
  for (const at of order) {
    const block = blocks[at];
    if (block === undefined) continue;
    let [read, written] = [0, 0];
    for (let slot = block.start; slot < block.end; ) {
      const op = ops[slot];
      if (op === undefined) break;
      read |= readsOf(op) & ~written;
      written |= writesOf(op);
      slot += slotsOf(op.code);
    }
    uses[at] = read | (written << WRITTEN);
  }
  const live = filled(blocks.length, 0);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i -= 1) {
      const at = order[i] ?? 0;
      const block = blocks[at];
      if (block === undefined) continue;
      const { next, taken } = block;
      const out = next < 0 ? 0 : (live[next] ?? 0) | (taken < 0 ? 0 : (live[taken] ?? 0));
      const use = uses[at] ?? 0;
      const now = (use & ((1 << WRITTEN) - 1)) | (out & ~(use >> WRITTEN));
      if (now === live[at]) continue;
      live[at] = now;
      // What comes before in the order is still to come in this round, all but what an edge leads back from.
      if (loops[at] !== 0) changed = true;
    }
  }
  return live;
}
