/**
 * What has to be kept of a register's region beside its name: the limits of those accesses that are made through it later. A backward analysis over the blocks of a function.
 *
 * A need is a bit: the exponent of the access's size, plus 4 for stores.
 */
import { FRAME_POINTER } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import type { Block } from "./flow.ts";
import { type Kinds, PLAN } from "./kinds.ts";
import type { Order } from "./order.ts";
import { filled, scratchBytes, scratchWords } from "./scratch.ts";
import { writesOf } from "./use.ts";

const REGISTERS = 10;
/** Registers that calls leave alone. */
export const FIRST_SAVED = 6;

export const needOf = (size: number, isStore: boolean): number =>
  1 << (31 - Math.clz32(size) + (isStore ? 4 : 0));

/** What the count of a loop depends on: the limits of a register, if it is one that points. */
interface Counted {
  readonly base: number | undefined;
  readonly need: number;
}

const WRITTEN = scratchBytes();
const SAVED = scratchWords();
const NOW = new Uint8Array(FRAME_POINTER + 1);

export class Needs {
  /** By place (flow.ts) of an instruction that writes a register: that register's needs behind it; of r0 for a call. They are the last compiled function's. */
  readonly written: Uint8Array;
  /** By place of a call: the needs of r6 … r9 behind it, a byte each. */
  readonly saved: Int32Array;
  /** By block and register. */
  readonly #starts: number[];

  /** @param counts  by block that tests the count of a loop, what that count depends on */
  constructor(
    ops: readonly Op[],
    blocks: readonly Block[],
    { order, loops }: Order,
    { plan }: Kinds,
    counts: ReadonlyMap<number, readonly Counted[]>,
  ) {
    this.written = WRITTEN.take(2 * ops.length);
    this.saved = SAVED.take(2 * ops.length);
    const starts = filled(blocks.length * REGISTERS, 0);
    this.#starts = starts;
    const now = NOW;
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = order.length - 1; i >= 0; i -= 1) {
        const at = order[i] ?? 0;
        const block = blocks[at];
        if (block === undefined) continue;
        const { next, taken, shift } = block;
        now[FRAME_POINTER] = 0;
        for (let r = 0; r < REGISTERS; r += 1) {
          now[r] =
            (next < 0 ? 0 : (starts[next * REGISTERS + r] ?? 0)) |
            (taken < 0 ? 0 : (starts[taken * REGISTERS + r] ?? 0));
        }
        for (let slot = block.end - 1; slot >= block.start; slot -= 1) {
          const op = ops[slot];
          // The second half of an instruction belongs to the first.
          if (op === undefined || op.code === DO.hole) continue;
          const place = slot + shift;
          this.#back(op, place, plan[place] ?? 0, now);
        }
        if (counts.size > 0) {
          for (const { base, need } of counts.get(at) ?? [])
            if (base !== undefined) now[base] = (now[base] ?? 0) | need;
        }
        for (let r = 0; r < REGISTERS; r += 1) {
          const first = at * REGISTERS + r;
          if (now[r] === starts[first]) continue;
          starts[first] = now[r] ?? 0;
          // What comes before in the order is still to come in this round, all but what an edge leads back from.
          if (loops[at] !== 0) changed = true;
        }
      }
    }
  }

  /** The needs of a register where a block begins. */
  start(block: number, register: number): number {
    return this.#starts[block * REGISTERS + register] ?? 0;
  }

  #back(op: Op, place: number, plan: number, now: Uint8Array): void {
    const { code, dst, src, provenance } = op;
    if (code === DO.alu || code === DO.aluImm) {
      const needs = now[dst] ?? 0;
      this.written[place] = needs;
      if (code === DO.aluImm) {
        if (provenance === PROVENANCE.none) now[dst] = 0;
        return;
      }
      if (provenance === PROVENANCE.none || provenance === PROVENANCE.copy) now[dst] = 0;
      if (provenance === PROVENANCE.copy || provenance === PROVENANCE.add) now[src] = (now[src] ?? 0) | needs;
      return;
    }
    const writes = writesOf(op);
    if (writes !== 0) {
      const first = 31 - Math.clz32(writes & -writes);
      this.written[place] = now[first] ?? 0;
      if (writes === 1 << first) now[first] = 0;
      else {
        let saved = 0;
        for (let i = 0; i < 4; i += 1) saved |= (now[FIRST_SAVED + i] ?? 0) << (8 * i);
        this.saved[place] = saved;
        for (let r = 0; r < REGISTERS; r += 1) if ((writes & (1 << r)) !== 0) now[r] = 0;
      }
    }
    // Only loads and stores have a plan.
    if (code !== DO.load && code !== DO.store && code !== DO.storeImm) return;
    if (plan !== PLAN.plain && plan !== PLAN.surelyPlain) return;
    const through = code === DO.load ? src : dst;
    now[through] = (now[through] ?? 0) | needOf(op.size, code !== DO.load);
  }
}
