/**
 * Counted loops: innermost loops in which the addresses of loads and stores grow by the same number each time round. Such a loop is compiled twice. Before the first copy it is computed how
 * often that may go round with these accesses inside of their regions, so they need no checks there; the second copy, which has them, does what is left, so that a fault is where it was.
 *
 * Here loops are found by instructions alone, and their blocks copied. What the accesses are to is asked later (counted-bounds.ts).
 */
import { FRAME_POINTER } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import { FACT, type Facts } from "./facts.ts";
import { type Block, END, slotsOf, successorsAt } from "./flow.ts";
import { needOf } from "./needs.ts";
import { type Order, predecessorsOf } from "./order.ts";
import { writesOf } from "./use.ts";

/** What registers hold when a time round begins, added up modulo 2^64 with a constant. */
export interface Sum {
  /** As bits, each of them once. */
  readonly registers: number;
  readonly constant: number;
  /** The sum is this only while these, which the program computes with 32 bits, are below 2^32. */
  readonly guards: readonly Sum[];
}

/** An access of the loop, whose address is a sum. */
export interface CountedAccess {
  readonly slot: number;
  readonly address: Sum;
  /** One bit (needs.ts). */
  readonly need: number;
}

export interface CountedLoop {
  /** Its number in the function. */
  readonly label: number;
  /** Positions of the block before the loop, and of the one that tests the count. */
  readonly before: number;
  readonly test: number;
  /** What is added to the slots of the first copy for their places. */
  readonly shift: number;
  readonly accesses: readonly CountedAccess[];
  /** By register that sums are of: what is added to it each time round, and the guards of that. */
  readonly steps: readonly (Sum | undefined)[];
  /** How many instructions a time round has at least. */
  readonly shortest: number;
}

const MOST_BLOCKS = 16;
const MOST_INSTRUCTIONS = 96;
const MOST_LOOPS = 1000;
/** Constants beyond this are not followed, so that a sum with an offset has 32 bits. */
const FAR = 2 ** 30;
const REGISTERS = FRAME_POINTER;

/**
 * Copies counted loops.
 *
 * @param blocks  of a function; they are changed, and get others among them
 */
export function countLoops(
  ops: readonly Op[],
  facts: Facts | undefined,
  blocks: Block[],
  order: Order,
): readonly CountedLoop[] {
  if (!order.hasLoops) return [];
  // Blocks about labels are no places of the program; loops that need them are rare.
  if (blocks.some(({ kind }) => kind === END.setLabel)) return [];
  const found: CountedLoop[] = [];
  const redirections: {
    readonly head: number;
    readonly before: number;
    readonly inside: ReadonlySet<number>;
  }[] = [];
  for (const body of innermostLoops(blocks, order)) {
    if (found.length === MOST_LOOPS) break;
    const counted = examine(ops, facts, blocks, body);
    if (counted === undefined) continue;
    const head = body[0] ?? 0;
    const { before, test } = copyBlocks(blocks, body, ops.length, found.length);
    redirections.push({ head, before, inside: new Set([...body, test]) });
    found.push({ ...counted, label: found.length, before, test, shift: ops.length });
  }
  for (const { head, before, inside } of redirections) {
    blocks.forEach((block, at) => {
      if (at === before || inside.has(at)) return;
      if (block.next === head) block.next = before;
      if (block.taken === head) block.taken = before;
    });
  }
  return found;
}

/** The blocks of each loop that has no other inside, in their order. */
function innermostLoops(blocks: readonly Block[], { order, rank, loops }: Order): readonly number[][] {
  const from = predecessorsOf(blocks, order);
  const rankOf = (at: number): number => rank[at] ?? 0;
  const found: number[][] = [];
  for (const head of order) {
    if (loops[head] === 0) continue;
    const body = new Set([head]);
    const open = (from[head] ?? []).filter((each) => rankOf(each) >= rankOf(head));
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (body.has(at)) continue;
      body.add(at);
      if (body.size > MOST_BLOCKS || loops[at] !== 0) break;
      open.push(...(from[at] ?? []));
    }
    const list = [...body];
    if (list.length > MOST_BLOCKS || list.some((at) => at !== head && loops[at] !== 0)) continue;
    found.push(list.toSorted((a, b) => rankOf(a) - rankOf(b)));
  }
  return found;
}

/** A loop's blocks once more, at whose head the count is tested; the block that leads there. */
function copyBlocks(
  blocks: Block[],
  body: readonly number[],
  shift: number,
  label: number,
): { readonly before: number; readonly test: number } {
  const head = body[0] ?? 0;
  const slot = blocks[head]?.start ?? 0;
  const first = blocks.length;
  const test = first + body.length;
  const before = test + 1;
  const copyOf = (to: number): number => {
    if (to === head) return test;
    const i = body.indexOf(to);
    return i < 0 ? to : first + i;
  };
  for (const at of body) {
    const block = blocks[at];
    if (block === undefined) throw new Error("a block of a loop exists");
    blocks.push({ ...block, next: copyOf(block.next), taken: copyOf(block.taken), shift });
  }
  const empty = { start: slot, end: slot, count: 0, label, shift: 0 };
  blocks.push({ ...empty, kind: END.testCount, next: first, taken: head });
  blocks.push({ ...empty, kind: END.goto, next: test, taken: -1 });
  return { before, test };
}

// --- What a loop's registers hold

type Sums = (Sum | undefined)[];

const own = (register: number): Sum => ({ registers: 1 << register, constant: 0, guards: [] });

/** The loop's accesses and steps, if there are any that can be counted. */
function examine(
  ops: readonly Op[],
  facts: Facts | undefined,
  blocks: readonly Block[],
  body: readonly number[],
): Pick<CountedLoop, "accesses" | "steps" | "shortest"> | undefined {
  const shortest = shortestRound(blocks, body);
  if (shortest === undefined || !isSimple(ops, blocks, body)) return undefined;
  let varying = 0;
  for (;;) {
    const start = Array.from({ length: REGISTERS }, (_, r) => ((varying >> r) & 1 ? undefined : own(r)));
    const { accesses, end } = evaluate(ops, facts, blocks, body, start);
    if (accesses.length === 0) return undefined;
    const steps = end.map((sum, r) => (sum?.registers === 1 << r ? sum : undefined));
    const now = steps.reduce((set, step, r) => (step === undefined ? set | (1 << r) : set), 0);
    if (now === varying) return { accesses, steps, shortest };
    varying |= now;
  }
}

/** Whether a loop is small, and has nothing that may change regions. */
function isSimple(ops: readonly Op[], blocks: readonly Block[], body: readonly number[]): boolean {
  let count = 0;
  for (const at of body) {
    const block = blocks[at];
    if (block === undefined) return false;
    count += block.count;
    for (let slot = block.start; slot < block.end; slot += slotsOf(ops[slot]?.code ?? 0))
      if (!SIMPLE.has(ops[slot]?.code ?? -1)) return false;
  }
  return count <= MOST_INSTRUCTIONS;
}

const SIMPLE: ReadonlySet<number> = new Set([
  DO.alu,
  DO.aluImm,
  DO.jump,
  DO.jumpImm,
  DO.goto,
  DO.load,
  DO.store,
  DO.storeImm,
  DO.atomic,
  DO.constant,
  DO.mayGoto,
]);

/** How many instructions are executed from the head until it is reached again, at least. */
function shortestRound(blocks: readonly Block[], body: readonly number[]): number | undefined {
  const head = body[0] ?? 0;
  const least = new Map([[head, 0]]);
  let round = Number.POSITIVE_INFINITY;
  for (const at of body) {
    const whole = (least.get(at) ?? 0) + (blocks[at]?.count ?? 0);
    for (const to of successorsAt(blocks, at)) {
      if (to === head) round = Math.min(round, whole);
      else if (body.includes(to)) least.set(to, Math.min(whole, least.get(to) ?? Number.POSITIVE_INFINITY));
    }
  }
  return round >= 1 && round <= MOST_INSTRUCTIONS ? round : undefined;
}

/** One time round, from given sums: the accesses with sums for addresses, and what registers hold in the end. */
function evaluate(
  ops: readonly Op[],
  facts: Facts | undefined,
  blocks: readonly Block[],
  body: readonly number[],
  start: Sums,
): { readonly accesses: readonly CountedAccess[]; readonly end: Sums } {
  const head = body[0] ?? 0;
  const starts = new Map<number, Sums>([[head, start]]);
  const accesses: CountedAccess[] = [];
  let end: Sums | undefined;
  for (const at of body) {
    const block = blocks[at];
    const now = starts.get(at)?.slice();
    if (block === undefined || now === undefined) throw new Error("a loop's blocks follow each other");
    for (let slot = block.start; slot < block.end; ) {
      const op = ops[slot];
      if (op === undefined) break;
      const access = facts?.[slot] === FACT.bytes ? undefined : accessOf(op, slot, now);
      if (access !== undefined) accesses.push(access);
      step(op, now);
      slot += slotsOf(op.code);
    }
    for (const to of successorsAt(blocks, at)) {
      if (to === head) end = end === undefined ? now.slice() : meet(end, now);
      else if (body.includes(to)) {
        const other = starts.get(to);
        starts.set(to, other === undefined ? now.slice() : meet(other, now));
      }
    }
  }
  return { accesses, end: end ?? [] };
}

function accessOf(
  { code, dst, src, off, size, aligned }: Op,
  slot: number,
  now: Sums,
): CountedAccess | undefined {
  const isLoad = code === DO.load;
  if ((!isLoad && code !== DO.store && code !== DO.storeImm) || aligned) return undefined;
  const base = now[isLoad ? src : dst];
  if (base === undefined || base.registers === 0) return undefined;
  return { slot, address: { ...base, constant: base.constant + off }, need: needOf(size, !isLoad) };
}

function meet(one: Sums, other: Sums): Sums {
  return one.map((sum, r) => {
    const second = other[r];
    if (sum === undefined || second === undefined) return undefined;
    if (sum.registers !== second.registers || sum.constant !== second.constant) return undefined;
    return { ...sum, guards: [...new Set([...sum.guards, ...second.guards])] };
  });
}

function added(one: Sum | undefined, other: Sum | undefined): Sum | undefined {
  if (one === undefined || other === undefined || (one.registers & other.registers) !== 0) return undefined;
  const constant = one.constant + other.constant;
  if (Math.abs(constant) >= FAR) return undefined;
  return { registers: one.registers | other.registers, constant, guards: [...one.guards, ...other.guards] };
}

const number = (constant: number): Sum => ({ registers: 0, constant, guards: [] });

/** What 32 bits hold of a sum that is below 2^32. */
function guarded(sum: Sum | undefined): Sum | undefined {
  if (sum === undefined) return undefined;
  if (sum.registers === 0) return sum.constant >= 0 ? sum : undefined;
  return { ...sum, guards: [...sum.guards, { ...sum, guards: [] }] };
}

function step(op: Op, now: Sums): void {
  if (op.code === DO.alu || op.code === DO.aluImm) {
    if (op.dst < REGISTERS) now[op.dst] = arithmetic(op, now);
    return;
  }
  for (let writes = writesOf(op), r = 0; writes !== 0; writes >>= 1, r += 1)
    if ((writes & 1) !== 0) now[r] = undefined;
}

function arithmetic({ code, dst, src, imm, provenance, name }: Op, now: Sums): Sum | undefined {
  const before = now[dst];
  const from = code === DO.aluImm ? number(imm) : now[src];
  switch (provenance) {
    case PROVENANCE.copy:
      return from;
    case PROVENANCE.add:
      return added(before, from);
    case PROVENANCE.subtract:
      return code === DO.aluImm ? added(before, number(-imm)) : undefined;
    default:
  }
  switch (name) {
    case "mov64_imm":
      return from;
    case "mov32_imm":
    case "mov32_reg":
      return guarded(from);
    case "add32_imm":
    case "add32_reg":
      return guarded(added(guarded(before), code === DO.aluImm ? from : guarded(from)));
    case "sub32_imm":
      return guarded(added(guarded(before), number(-imm)));
    default:
      return undefined;
  }
}
