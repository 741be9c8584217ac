/** Where it is looked at whether there is room for the instructions that come. */
import { type Block, END } from "./flow.ts";
import type { Order } from "./order.ts";
import { filled } from "./scratch.ts";

/** By block, whether it is looked at there, as 1 or 0; every loop has such a block. */
export function checkedBlocks(blocks: readonly Block[], { loops }: Order): readonly number[] {
  const checks = loops.slice();
  checks[0] = 1;
  // Blocks about labels are no places of the program: the interpreter can go on only where the label leads.
  for (const { kind, next, taken } of blocks) {
    if (kind !== END.testLabel) continue;
    checks[next] = 1;
    checks[taken] = 1;
  }
  for (const [at, { kind }] of blocks.entries())
    if (kind === END.setLabel || kind === END.testLabel) checks[at] = 0;
  return checks;
}

/** By block, how many instructions may be executed behind it before it is looked at again. */
export function longestPaths(
  blocks: readonly Block[],
  { order }: Order,
  checks: readonly number[],
): readonly number[] {
  const behind = filled(blocks.length, 0);
  const whole = (to: number): number =>
    to < 0 || checks[to] !== 0 ? 0 : (blocks[to]?.count ?? 0) + (behind[to] ?? 0);
  // Edges that go back lead to blocks where it is looked at, or straight on to such.
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const at = order[i] ?? 0;
    const block = blocks[at];
    if (block !== undefined) behind[at] = Math.max(whole(block.next), whole(block.taken));
  }
  return behind;
}
