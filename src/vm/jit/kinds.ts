/**
 * What registers may hold where, as far as it is known before a program runs: a forward analysis over the blocks of a function. A register of which more is known needs less of
 * its region kept beside it when the program runs.
 */
import type { Size } from "../../semantics/isa/instruction.ts";
import { fieldAt } from "../../semantics/profile/lookup.ts";
import type { Context } from "../../semantics/profile/profile.ts";
import { FRAME_POINTER } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import { STACK_SIZE } from "../region-record.ts";
import { FACT, type Facts } from "./facts.ts";
import { type Block, slotsOf } from "./flow.ts";
import type { Order } from "./order.ts";
import { filled, scratchBytes, scratchWords } from "./scratch.ts";
import { readsOf } from "./use.ts";

/** What a register may hold: a set of these. */
export const KIND = {
  uninitialised: 1,
  number: 2,
  /** A pointer to the function's own stack. */
  stack: 4,
  /** A pointer to the context, where the function is known to have it. */
  context: 8,
  /** A pointer to bytes of which, while they are there, bounds alone decide: a packet's. */
  bytes: 16,
  /** Any other pointer. */
  other: 32,
} as const;

/** Pointers whose region is known only when the program runs. */
export const SOMEWHERE = KIND.bytes | KIND.other;

/** Whether the region has to be kept at run time. */
export const isDynamic = (kinds: number): boolean => (kinds & SOMEWHERE) !== 0 || (kinds & (kinds - 1)) !== 0;

const REGISTERS = 11;
/** Of a pointer whose distance from the start of its region is not known. */
const UNKNOWN = 0x7fffffff;
/** Distances beyond this are not followed. */
const FAR = 2 ** 20;

/** How a slot's memory access is compiled. */
export const PLAN = {
  /** It is none. */
  none: 0,
  /** The machine does it. */
  step: 1,
  /** It is checked against the limits of the register's region; otherwise the machine does it. */
  plain: 2,
  /** The function's own stack, at `planOffset` from its lower end. */
  stack: 3,
  /** The function's own stack, somewhere. */
  stackSomewhere: 4,
  /** A number in the context, at `planOffset`. */
  context: 5,
  /** A pointer into the packet: `planOffset` says where in the packet's record its address is. */
  packetPointer: 6,
  /** It cannot but fault: the interpreter says how. */
  leave: 7,
  /** Proved to be within bytes that need no check. */
  bytes: 8,
  /** As `plain`, but what is not within the limits is hardly anything but a fault. */
  surelyPlain: 9,
} as const;

/** Where `PACKET_AT` has the addresses that fields of a context give. */
const PACKET_ADDRESS: { readonly [value: string]: number } = { packet: 8, packet_end: 16, packet_meta: 24 };

/** Registers at one place: sets of kinds and distances. */
export interface Registers {
  readonly kinds: Uint8Array;
  readonly offsets: Int32Array;
}

export interface KindsParts {
  readonly ops: readonly Op[];
  readonly facts: Facts | undefined;
  /** The layout of the context that r1 points to when the function begins; none for a function that is called, and for programs without a context. */
  readonly context: Context | undefined;
  /** Whether r1 and r2 are what programs on bare memory are given. */
  readonly bare: boolean;
}

const PLANS = scratchBytes();
const PLAN_OFFSETS = scratchWords();
const GIVES = scratchBytes();
const NOW = blank();
const UNREACHED = -1;
const ALL = 2 ** REGISTERS - 1;

export class Kinds {
  readonly #ops: readonly Op[];
  readonly #facts: Facts | undefined;
  readonly #context: Context | undefined;
  /** By block and register: what it may hold where the block begins; -1 in r0's place for a block that has not been reached. */
  readonly #kinds: number[];
  readonly #offsets: number[];
  /** By place (flow.ts) of a load or store: one of `PLAN`, and its offset. They are the last compiled function's. */
  readonly plan: Uint8Array;
  readonly planOffset: Int32Array;
  /** What the load at a place gives. */
  readonly gives: Uint8Array;
  /** Places of accesses that are within bounds already (counted.ts), if there are any. */
  #covered: Set<number> | undefined;

  constructor(parts: KindsParts, blocks: readonly Block[], { order }: Order, live: readonly number[]) {
    const { ops, facts, context } = parts;
    this.#ops = ops;
    this.#facts = facts;
    this.#context = context;
    this.plan = PLANS.take(2 * ops.length);
    this.planOffset = PLAN_OFFSETS.take(2 * ops.length);
    this.gives = GIVES.take(2 * ops.length);
    this.#kinds = filled(blocks.length * REGISTERS, UNREACHED);
    this.#offsets = filled(blocks.length * REGISTERS, 0);
    const now = NOW;
    enter(now, parts);
    this.#meet(0, now, ALL);
    const dirty = filled(blocks.length, 0);
    dirty[0] = 1;
    for (let again = true; again; ) {
      again = false;
      for (const at of order) {
        const block = blocks[at];
        if (dirty[at] === 0 || block === undefined) continue;
        dirty[at] = 0;
        this.begin(at, now);
        this.pass(block, block.end, now);
        const { next, taken } = block;
        for (let to = taken < 0 ? next : taken; to >= 0; to = to === next ? -1 : next) {
          if (!this.#meet(to, now, live[to] ?? 0)) continue;
          dirty[to] = 1;
          again = true;
        }
      }
    }
  }

  /** Makes `now` what the registers hold where a block begins. */
  begin(block: number, { kinds, offsets }: Registers): void {
    const first = block * REGISTERS;
    if (this.#kinds[first] === UNREACHED) throw new Error("a block that is never reached");
    for (let register = 0; register < REGISTERS; register += 1) {
      kinds[register] = this.#kinds[first + register] ?? 0;
      offsets[register] = this.#offsets[first + register] ?? 0;
    }
  }

  /** What the registers hold where a block begins. */
  start(block: number): Registers {
    const now = blank();
    this.begin(block, now);
    return now;
  }

  /** What a register may hold where a block begins. */
  kindAt(block: number, register: number): number {
    return this.#kinds[block * REGISTERS + register] ?? 0;
  }

  /** Lets a block begin with what it began with so far or with `now`; whether that is more. Registers that are not live there do not matter. */
  #meet(block: number, now: Registers, live: number): boolean {
    const [allKinds, allOffsets] = [this.#kinds, this.#offsets];
    const first = block * REGISTERS;
    if (allKinds[first] === UNREACHED) {
      for (let register = 0; register < REGISTERS; register += 1) {
        const isLive = register === FRAME_POINTER || (live & (1 << register)) !== 0;
        allKinds[first + register] = isLive ? (now.kinds[register] ?? 0) : KIND.uninitialised;
        allOffsets[first + register] = now.offsets[register] ?? 0;
      }
      return true;
    }
    let changed = false;
    for (let register = 0; register < FRAME_POINTER; register += 1) {
      if ((live & (1 << register)) === 0) continue;
      const at = first + register;
      const before = allKinds[at] ?? 0;
      const after = before | (now.kinds[register] ?? 0);
      const far = allOffsets[at] !== now.offsets[register] && allOffsets[at] !== UNKNOWN;
      if (far) allOffsets[at] = UNKNOWN;
      allKinds[at] = after;
      changed ||= far || after !== before;
    }
    return changed;
  }

  /** Leaves out the check of the access at a place. */
  cover(place: number): void {
    this.#covered ??= new Set();
    this.#covered.add(place);
    this.plan[place] = PLAN.bytes;
  }

  /** Moves `now` over a block's instructions up to slot `end`. */
  pass({ start, shift }: Block, end: number, now: Registers): void {
    for (let slot = start; slot < end; ) {
      const op = this.#ops[slot];
      if (op === undefined) return;
      this.step(op, slot + shift, now);
      slot += slotsOf(op.code);
    }
  }

  /** Moves `now` over the instruction at a place, and says how to compile its access. */
  step(op: Op, place: number, now: Registers): void {
    const { kinds, offsets } = now;
    const { code, dst, src } = op;
    // What is read and not initialised faults, unless it is only looked at.
    const looks = isCall(code) || isArena(code);
    for (let reads = looks ? 0 : readsOf(op), register = 0; reads !== 0; reads >>= 1, register += 1)
      if ((reads & 1) !== 0) kinds[register] = (kinds[register] ?? 0) & ~KIND.uninitialised;
    switch (code) {
      case DO.alu:
        arithmetic(op, now, kinds[src] ?? 0, offsets[src] ?? UNKNOWN);
        break;
      case DO.aluImm:
        arithmetic(op, now, KIND.number, UNKNOWN);
        break;
      case DO.constant:
        set(now, dst, KIND.number);
        break;
      case DO.mapFd:
      case DO.mapValue:
      case DO.function:
        set(now, dst, KIND.other);
        break;
      case DO.castAddress:
      case DO.arenaAlu:
        set(now, dst, KIND.number | KIND.other);
        break;
      case DO.load:
        this.gives[place] = this.#load(op, place, now);
        set(now, dst, this.gives[place] ?? 0);
        break;
      case DO.store:
      case DO.storeImm:
        this.#store(op, place, now);
        break;
      case DO.atomic:
        this.#plan(place, this.#factAt(place) === FACT.bytes ? PLAN.bytes : PLAN.step, 0);
        if (op.fetch) set(now, src, KIND.number);
        if (op.exchange) set(now, 0, KIND.number);
        break;
      case DO.packet:
      case DO.packetIndirect:
        clobber(now);
        set(now, 0, KIND.number);
        break;
      default:
        if (isCall(code)) {
          clobber(now);
          set(now, 0, KIND.uninitialised | KIND.number | KIND.other);
        }
    }
  }

  #factAt(place: number): number | undefined {
    return this.#facts?.[place < this.#ops.length ? place : place - this.#ops.length];
  }

  #plan(place: number, plan: number, offset: number): void {
    this.plan[place] = this.#covered?.has(place) === true ? PLAN.bytes : plan;
    this.planOffset[place] = offset;
  }

  /** Plans a load; what it gives. */
  #load({ src, off, size, aligned }: Op, place: number, { kinds, offsets }: Registers): number {
    const from = kinds[src] ?? 0;
    const offset = offsets[src] ?? UNKNOWN;
    const at = offset === UNKNOWN ? UNKNOWN : offset + off;
    if (from === KIND.context && at !== UNKNOWN && !aligned) return this.#contextLoad(place, at, size);
    if (aligned) this.#plan(place, PLAN.step, 0);
    else this.#accessPlan(place, from, at, size);
    const plan = this.plan[place];
    const mayBeSpilled = size === 8 && (plan === PLAN.stack || plan === PLAN.stackSomewhere);
    if (mayBeSpilled) return this.#factAt(place) === FACT.stack ? KIND.number : KIND.number | KIND.other;
    return plan === PLAN.step ? KIND.number | KIND.other : KIND.number;
  }

  #contextLoad(place: number, at: number, size: number): number {
    const context = this.#context;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prepared from an operation of this size
    const field = context === undefined ? undefined : fieldAt(context, "read", at, size as Size);
    if (field === undefined) {
      this.#plan(place, PLAN.leave, 0);
      return KIND.number;
    }
    if (field.value === "scalar") {
      this.#plan(place, PLAN.context, at);
      return KIND.number;
    }
    const where = PACKET_ADDRESS[field.value];
    if (where === undefined) {
      this.#plan(place, PLAN.step, 0);
      return KIND.number | KIND.other;
    }
    this.#plan(place, PLAN.packetPointer, where);
    return KIND.bytes;
  }

  #store({ dst, off, size, aligned }: Op, place: number, { kinds, offsets }: Registers): void {
    const offset = offsets[dst] ?? UNKNOWN;
    if (aligned) this.#plan(place, PLAN.step, 0);
    else this.#accessPlan(place, kinds[dst] ?? 0, offset === UNKNOWN ? UNKNOWN : offset + off, size);
  }

  #accessPlan(place: number, kinds: number, at: number, size: number): void {
    if (kinds === 0 || kinds === KIND.number) this.#plan(place, PLAN.leave, 0);
    else if (kinds === KIND.stack) {
      if (at === UNKNOWN) this.#plan(place, PLAN.stackSomewhere, 0);
      else if (at >= -STACK_SIZE && at + size <= 0 && (at & (size - 1)) === 0)
        this.#plan(place, PLAN.stack, at + STACK_SIZE);
      else this.#plan(place, PLAN.leave, 0);
    } else if (this.#factAt(place) === FACT.bytes) this.#plan(place, PLAN.bytes, 0);
    else if ((kinds & SOMEWHERE) === 0) this.#plan(place, PLAN.step, 0);
    else this.#plan(place, (kinds & ~PLAIN) === 0 ? PLAN.surelyPlain : PLAN.plain, 0);
  }
}

/** What a pointer to plain bytes may be before it is found to be one. */
const PLAIN = KIND.bytes | KIND.number | KIND.uninitialised;

const isArena = (code: number): boolean => code === DO.castAddress || code === DO.arenaAlu;

const isCall = (code: number): boolean =>
  code === DO.helper || code === DO.callback || code === DO.kernelFunction || code === DO.subprogram;

export function blank(): Registers {
  return { kinds: new Uint8Array(REGISTERS), offsets: new Int32Array(REGISTERS) };
}

/** Makes the registers what they are where a function begins. */
function enter({ kinds, offsets }: Registers, { context, bare }: KindsParts): void {
  kinds.fill(KIND.uninitialised);
  offsets.fill(0);
  kinds[FRAME_POINTER] = KIND.stack;
  if (context !== undefined) kinds[1] = KIND.context;
  else if (bare) kinds.fill(KIND.number | KIND.bytes, 1, 3);
  else kinds.fill(KIND.uninitialised | KIND.number | KIND.other, 1, 6);
}

function set({ kinds, offsets }: Registers, register: number, to: number): void {
  if (register === FRAME_POINTER) return;
  kinds[register] = to;
  offsets[register] = UNKNOWN;
}

/** A call leaves nothing in r1 … r5. */
function clobber({ kinds }: Registers): void {
  for (let register = 1; register < 6; register += 1) kinds[register] = KIND.uninitialised;
}

const moved = (offset: number, by: number): number =>
  offset === UNKNOWN || Math.abs(offset + by) > FAR ? UNKNOWN : offset + by;

/** What arithmetic leaves in `dst`, by what it does with regions. */
function arithmetic({ provenance, code, dst, imm }: Op, now: Registers, from: number, offset: number): void {
  const { kinds, offsets } = now;
  const before = kinds[dst] ?? 0;
  const isNumber = from === KIND.number;
  const pointers = (set: number): number => set & ~(KIND.number | KIND.uninitialised);
  switch (provenance) {
    case PROVENANCE.copy:
      kinds[dst] = from;
      offsets[dst] = offset;
      return;
    case PROVENANCE.add:
      if (isNumber) {
        offsets[dst] = code === DO.aluImm ? moved(offsets[dst] ?? UNKNOWN, imm) : UNKNOWN;
        if (before === 0) kinds[dst] = KIND.number;
        return;
      }
      offsets[dst] = UNKNOWN;
      // The pointer of the two, if there is but one.
      kinds[dst] = before === KIND.number ? from : pointers(before) | pointers(from) | KIND.number;
      return;
    case PROVENANCE.subtract:
      if (isNumber) {
        offsets[dst] = code === DO.aluImm ? moved(offsets[dst] ?? UNKNOWN, -imm) : UNKNOWN;
        if (before === 0) kinds[dst] = KIND.number;
        return;
      }
      offsets[dst] = UNKNOWN;
      kinds[dst] = (from & KIND.number) === 0 ? KIND.number : before | KIND.number;
      return;
    default:
      kinds[dst] = KIND.number;
      offsets[dst] = UNKNOWN;
  }
}
