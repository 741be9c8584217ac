/** What of its stack a function may look at: when it begins, that must be as nobody has written it. */
import { FRAME_POINTER } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import { MARKS, STACK_SIZE } from "../region-record.ts";
import { OP } from "./code.ts";
import { type Block, slotsOf } from "./flow.ts";
import { LOCAL } from "./locals.ts";
import type { Writer } from "./writer.ts";

const SLOT = 8;

/** The first byte of the lowest slot that a function accesses, from the stack's lower end; 0 if a pointer to the stack may be anywhere. */
export function lowestSlot(ops: readonly Op[], blocks: readonly Block[]): number {
  let lowest = STACK_SIZE;
  for (const { start, end } of blocks) {
    for (let slot = start; slot < end; ) {
      const op = ops[slot];
      if (op === undefined) break;
      const { code, dst, src, off } = op;
      const isLoad = code === DO.load;
      const isAccess = isLoad || code === DO.store || code === DO.storeImm || code === DO.atomic;
      if (isAccess && (isLoad ? src : dst) === FRAME_POINTER)
        lowest = Math.max(0, Math.min(lowest, off + STACK_SIZE));
      const copies = code !== DO.jump && code !== DO.aluImm && code !== DO.jumpImm && code !== DO.storeImm;
      if (copies && !isLoad && src === FRAME_POINTER) return 0;
      slot += slotsOf(code);
    }
  }
  return lowest & -SLOT;
}

/** More slots than these are not worth an instruction each. */
const MOST_SLOTS = 8;

/** Makes the stack's bytes from one on such as nobody has written. */
export function clearMarks({ code }: Writer, from: number): void {
  if ((STACK_SIZE - from) / SLOT <= MOST_SLOTS) {
    for (let at = from; at < STACK_SIZE; at += SLOT) {
      code.at(OP.get, LOCAL.stack);
      code.const64(0);
      code.memory(OP.store64, SLOT, MARKS + at);
    }
    return;
  }
  code.at(OP.get, LOCAL.stack);
  code.const32(MARKS + from);
  code.op(OP.add32);
  code.const32(0);
  code.const32(STACK_SIZE - from);
  code.op(0xfc);
  code.op(FILL);
  code.op(0);
}

const FILL = 0x0b;
