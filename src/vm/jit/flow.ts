/**
 * The control flow of one function: blocks of instructions that are always executed together, found from its first slot on. Calls of subprograms are instructions like
 * others. Nothing is assumed of the program: where it goes outside of itself, or does what ends a run, a block leaves that to the interpreter.
 */
import { DO, type Op } from "../op.ts";
import { scratchBytes, scratchWords } from "./scratch.ts";

/** How a block ends. */
export const END = {
  /** Goes on in `next`. */
  goto: 0,
  /** The last instruction decides between `taken` and `next`. */
  jump: 1,
  mayGoto: 2,
  /** The function returns. */
  exit: 3,
  /** The interpreter goes on at slot `end`, with an instruction that is not the block's. */
  interpret: 4,
  /** Sets the label to `label` and goes on in `next`, a block that looks at it. */
  setLabel: 5,
  /** Goes on in `taken` if the label is `label`, else in `next`. */
  testLabel: 6,
  /** Goes on in `next` while the accesses of the counted loop `label` are known to be within bounds (counted.ts), then in `taken`. */
  testCount: 7,
} as const;

export interface Block {
  /** The first slot, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** Instructions. */
  readonly count: number;
  readonly kind: number;
  /** Positions of blocks, -1 for none. */
  next: number;
  taken: number;
  readonly label: number;
  /** What is added to a slot for its place: a slot that is compiled twice has two, of which analyses say different things. */
  readonly shift: number;
}

/** How many slots an instruction takes. */
export const slotsOf = (code: number): number =>
  code === DO.constant || code === DO.mapFd || code === DO.mapValue || code === DO.function ? 2 : 1;

/** What a function is compiled from. Anything else is left to the interpreter, which goes on to the end of the function: what only faults, and what is not known here. */
const KNOWN = new Uint8Array(64);
for (const code of [
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
  DO.mapFd,
  DO.mapValue,
  DO.helper,
  DO.subprogram,
  DO.exit,
  DO.packet,
  DO.packetIndirect,
  DO.mayGoto,
  DO.callback,
  DO.function,
  DO.kernelFunction,
  DO.castAddress,
  DO.arenaAlu,
])
  KNOWN[code] = 1;

const isLeft = ({ code }: Op): boolean => KNOWN[code] !== 1;

const UNSEEN = 0;
const SEEN = 1;
const LEADER = 2;

/** By slot, one of the above; `UNSEEN` between functions. */
const MARKS = scratchBytes();
/** By slot that a block begins with, the block's position. */
const POSITIONS = scratchWords();

/** What is found of a function's slots. */
interface Leaders {
  readonly marks: Uint8Array;
  /** The lowest and the highest slot that is marked. */
  readonly lowest: number;
  readonly highest: number;
  /** Slots outside of the program that it leads to, numbered; they are rare. */
  readonly outside: ReadonlyMap<number, number> | undefined;
}

/** Where the slots' instructions lead, beginning with the function's first. */
function leaders(ops: readonly Op[], entry: number): Leaders {
  const marks = MARKS.take(ops.length);
  let outside: Map<number, number> | undefined;
  const open: number[] = [];
  let lowest = ops.length;
  let highest = -1;
  const lead = (slot: number): void => {
    if (slot < 0 || slot >= ops.length) {
      outside ??= new Map();
      if (!outside.has(slot)) outside.set(slot, outside.size);
      return;
    }
    if (marks[slot] === UNSEEN) open.push(slot);
    marks[slot] = LEADER;
    if (slot < lowest) lowest = slot;
    if (slot > highest) highest = slot;
  };
  lead(entry);
  for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
    for (let at = slot; ; ) {
      const op = ops[at];
      if (op === undefined || isLeft(op) || op.code === DO.exit) break;
      const next = at + slotsOf(op.code);
      if (op.code === DO.goto) {
        lead(op.target);
        break;
      }
      if (op.code === DO.jump || op.code === DO.jumpImm || op.code === DO.mayGoto) {
        lead(op.target);
        lead(next);
        break;
      }
      if (next >= ops.length) {
        lead(next);
        break;
      }
      if (marks[next] !== UNSEEN) {
        marks[next] = LEADER;
        break;
      }
      marks[next] = SEEN;
      if (next > highest) highest = next;
      at = next;
    }
  }
  return { marks, lowest, highest, outside };
}

/** The block that begins at a slot. Its ways lead to slots until the positions of all blocks are known. */
function blockAt(ops: readonly Op[], marks: Uint8Array, start: number): Block {
  let at = start;
  let count = 0;
  let [kind, next, taken]: [number, number, number] = [END.interpret, -1, -1];
  for (;;) {
    const op = ops[at];
    if (op === undefined || isLeft(op)) break;
    if (count > 0 && marks[at] === LEADER) {
      kind = END.goto;
      next = at;
      break;
    }
    count += 1;
    const { code, target } = op;
    at += slotsOf(code);
    if (code === DO.exit) {
      kind = END.exit;
      break;
    }
    if (code === DO.goto) {
      kind = END.goto;
      next = target;
      break;
    }
    if (code === DO.jump || code === DO.jumpImm || code === DO.mayGoto) {
      kind = code === DO.mayGoto ? END.mayGoto : END.jump;
      next = at;
      taken = target;
      break;
    }
    if (at >= ops.length) {
      kind = END.goto;
      next = at;
      break;
    }
  }
  return { start, end: at, count, kind, next, taken, label: 0, shift: 0 };
}

/** The blocks of the function that begins at slot `entry`. The first one is empty and leads there, so that no loop begins with it. */
export function blocksOf(ops: readonly Op[], entry: number): Block[] {
  const { marks, lowest, highest, outside } = leaders(ops, entry);
  const positions = POSITIONS.take(ops.length);
  const blocks: Block[] = [
    { start: entry, end: entry, count: 0, kind: END.goto, next: entry, taken: -1, label: 0, shift: 0 },
  ];
  for (let slot = lowest; slot <= highest; slot += 1) {
    if (marks[slot] !== LEADER) continue;
    positions[slot] = blocks.length;
    blocks.push(blockAt(ops, marks, slot));
  }
  marks.fill(UNSEEN, lowest, highest + 1);
  const inside = blocks.length;
  for (const slot of outside?.keys() ?? []) {
    const empty = { start: slot, end: slot, count: 0, label: 0, shift: 0 };
    blocks.push({ ...empty, kind: END.interpret, next: -1, taken: -1 });
  }
  const positionOf = (slot: number): number =>
    slot >= 0 && slot < ops.length ? (positions[slot] ?? -1) : inside + (outside?.get(slot) ?? 0);
  for (const block of blocks) {
    const { kind } = block;
    const isJump = kind === END.jump || kind === END.mayGoto;
    if (isJump || kind === END.goto) block.next = positionOf(block.next);
    if (isJump) block.taken = positionOf(block.taken);
  }
  return blocks;
}

/** The `i`-th of the blocks that a block may go on in, or -1: there are two at most. */
export function successorAt({ next, taken }: Block, i: number): number {
  if (next < 0 || i > 1) return -1;
  if (taken < 0) return i === 0 ? next : -1;
  return i === 0 ? taken : next;
}

/** The blocks that a block may go on in. */
export function successorsAt(blocks: readonly Block[], at: number): readonly number[] {
  const block = blocks[at];
  if (block === undefined || block.next < 0) return [];
  return block.taken < 0 ? [block.next] : [block.taken, block.next];
}
