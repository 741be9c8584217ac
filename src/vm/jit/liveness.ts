/** Which registers are read later, before they are written: a backward analysis over the blocks of a function. */
import type { Op } from "../op.ts";
import { type Block, slotsOf, successorsAt } from "./flow.ts";
import type { Order } from "./order.ts";
import { readsOf, writesOf } from "./use.ts";

/** By block, the registers that are live where it begins, as bits. */
export function livenessOf(ops: readonly Op[], blocks: readonly Block[], { order }: Order): Uint16Array {
  const reads = new Uint16Array(blocks.length);
  const writes = new Uint16Array(blocks.length);
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
    reads[at] = read;
    writes[at] = written;
  }
  const live = new Uint16Array(blocks.length);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i -= 1) {
      const at = order[i] ?? 0;
      const now = (reads[at] ?? 0) | (liveOut(blocks, at, live) & ~(writes[at] ?? 0));
      if (now === live[at]) continue;
      live[at] = now;
      changed = true;
    }
  }
  return live;
}

/** What is live where a block ends. */
function liveOut(blocks: readonly Block[], at: number, live: Uint16Array): number {
  let out = 0;
  for (const to of successorsAt(blocks, at)) out |= live[to] ?? 0;
  return out;
}
