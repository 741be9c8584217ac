/**
 * What has to be kept of a register's region beside its name: the limits of those accesses that are made through it later. A backward analysis over the blocks of a function.
 *
 * A need is a bit: the exponent of the access's size, plus 4 for stores.
 */
import { FRAME_POINTER } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import { type Block, slotsOf, successorsAt } from "./flow.ts";
import { type Kinds, PLAN } from "./kinds.ts";
import type { Order } from "./order.ts";
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

export class Needs {
  /** By place (flow.ts): the needs of the register that the instruction writes, behind it; of r0 for a call. */
  readonly written: Uint8Array;
  /** By place of a call: the needs of r6 … r9 behind it, a byte each. */
  readonly saved: Int32Array;
  readonly #starts: Uint8Array;

  /** @param counts  by block that tests the count of a loop, what that count depends on */
  constructor(
    ops: readonly Op[],
    blocks: readonly Block[],
    { order }: Order,
    { plan }: Kinds,
    counts: ReadonlyMap<number, readonly Counted[]>,
  ) {
    this.written = new Uint8Array(2 * ops.length);
    this.saved = new Int32Array(2 * ops.length);
    this.#starts = new Uint8Array(blocks.length * REGISTERS);
    const now = new Uint8Array(FRAME_POINTER + 1);
    const slots: number[] = [];
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = order.length - 1; i >= 0; i -= 1) {
        const at = order[i] ?? 0;
        const block = blocks[at];
        if (block === undefined) continue;
        now.fill(0);
        for (const to of successorsAt(blocks, at)) {
          for (let r = 0; r < REGISTERS; r += 1) now[r] = (now[r] ?? 0) | this.start(to, r);
        }
        slots.length = 0;
        for (let slot = block.start; slot < block.end; slot += slotsOf(ops[slot]?.code ?? 0))
          slots.push(slot);
        for (let slot = slots.pop(); slot !== undefined; slot = slots.pop()) {
          const op = ops[slot];
          const place = slot + block.shift;
          if (op !== undefined) this.#back(op, place, plan[place] ?? 0, now);
        }
        for (const { base, need } of counts.get(at) ?? [])
          if (base !== undefined) now[base] = (now[base] ?? 0) | need;
        for (let r = 0; r < REGISTERS; r += 1) {
          if (now[r] === this.start(at, r)) continue;
          this.#starts[at * REGISTERS + r] = now[r] ?? 0;
          changed = true;
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
      for (let i = 0; i < 4; i += 1)
        this.saved[place] =
          ((this.saved[place] ?? 0) & ~(255 << (8 * i))) | ((now[FIRST_SAVED + i] ?? 0) << (8 * i));
      for (let r = 0; r < REGISTERS; r += 1) if ((writes & (1 << r)) !== 0) now[r] = 0;
    }
    if (plan !== PLAN.plain && plan !== PLAN.surelyPlain) return;
    const through = code === DO.load ? src : dst;
    now[through] = (now[through] ?? 0) | needOf(op.size, code !== DO.load);
  }
}
