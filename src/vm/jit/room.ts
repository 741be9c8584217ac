/** Where it is looked at whether there is room for the instructions that come. */
import { type Block, END, successorsAt } from "./flow.ts";
import type { Order } from "./order.ts";

/** By block, whether it is looked at there; every loop has such a block. */
export function checkedBlocks(blocks: readonly Block[], { loops }: Order): Uint8Array {
  const checks = loops.slice();
  checks[0] = 1;
  // Blocks about labels are no places of the program: the interpreter can go on only where the label leads.
  for (const { kind, next, taken } of blocks)
    if (kind === END.testLabel) for (const to of [next, taken]) checks[to] = 1;
  blocks.forEach(({ kind }, at) => {
    if (kind === END.setLabel || kind === END.testLabel) checks[at] = 0;
  });
  return checks;
}

/** By block, how many instructions may be executed behind it before it is looked at again. */
export function longestPaths(blocks: readonly Block[], { order }: Order, checks: Uint8Array): Float64Array {
  const behind = new Float64Array(blocks.length);
  // Edges that go back lead to blocks where it is looked at, or straight on to such.
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const at = order[i] ?? 0;
    for (const to of successorsAt(blocks, at)) {
      if (checks[to] !== 0) continue;
      const whole = (blocks[to]?.count ?? 0) + (behind[to] ?? 0);
      if (whole > (behind[at] ?? 0)) behind[at] = whole;
    }
  }
  return behind;
}
