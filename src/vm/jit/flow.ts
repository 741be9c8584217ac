/**
 * The control flow of one function: blocks of instructions that are always executed together, found from its first slot on. Calls of subprograms are instructions like
 * others. Nothing is assumed of the program: where it goes outside of itself, or does what ends a run, a block leaves that to the interpreter.
 */
import { DO, type Op } from "../op.ts";

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
const KNOWN: ReadonlySet<number> = new Set([
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
]);

const isLeft = (op: Op | undefined): boolean => op === undefined || !KNOWN.has(op.code);

const UNSEEN = 0;
const SEEN = 1;
const LEADER = 2;

/** Where the slots' instructions lead, beginning with the function's first. */
function leaders(ops: readonly Op[], entry: number): { marks: Uint8Array; outside: ReadonlySet<number> } {
  const marks = new Uint8Array(ops.length);
  const outside = new Set<number>();
  const open: number[] = [];
  const lead = (slot: number): void => {
    if (slot < 0 || slot >= ops.length) {
      outside.add(slot);
      return;
    }
    if (marks[slot] === UNSEEN) open.push(slot);
    marks[slot] = LEADER;
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
      at = next;
    }
  }
  return { marks, outside };
}

/** The blocks of the function that begins at slot `entry`. The first one is empty and leads there, so that no loop begins with it. */
export function blocksOf(ops: readonly Op[], entry: number): Block[] {
  const { marks, outside } = leaders(ops, entry);
  const positions = new Map<number, number>();
  const blocks: Block[] = [
    { start: entry, end: entry, count: 0, kind: END.goto, next: entry, taken: -1, label: 0, shift: 0 },
  ];
  const add = (block: Block): void => {
    positions.set(block.start, blocks.length);
    blocks.push(block);
  };
  /** Blocks hold slots until all positions are known. */
  const build = (start: number): void => {
    let at = start;
    let count = 0;
    const end = (kind: number, next = -1, taken = -1): void =>
      add({ start, end: at, count, kind, next, taken, label: 0, shift: 0 });
    for (;;) {
      const op = ops[at];
      if (op === undefined || isLeft(op)) return end(END.interpret);
      if (count > 0 && marks[at] === LEADER) return end(END.goto, at);
      count += 1;
      const { code, target } = op;
      at += slotsOf(code);
      if (code === DO.exit) return end(END.exit);
      if (code === DO.goto) return end(END.goto, target);
      if (code === DO.jump || code === DO.jumpImm) return end(END.jump, at, target);
      if (code === DO.mayGoto) return end(END.mayGoto, at, target);
      if (at >= ops.length) return end(END.goto, at);
    }
  };
  for (let slot = 0; slot < ops.length; slot += 1) if (marks[slot] === LEADER) build(slot);
  for (const slot of outside)
    add({ start: slot, end: slot, count: 0, kind: END.interpret, next: -1, taken: -1, label: 0, shift: 0 });
  for (const block of blocks) {
    block.next = block.next < 0 && block.kind !== END.goto ? -1 : (positions.get(block.next) ?? -1);
    block.taken =
      block.kind === END.jump || block.kind === END.mayGoto ? (positions.get(block.taken) ?? -1) : -1;
  }
  return blocks;
}

/** The blocks that a block may go on in. */
export function successorsAt(blocks: readonly Block[], at: number): readonly number[] {
  const block = blocks[at];
  if (block === undefined || block.next < 0) return [];
  return block.taken < 0 ? [block.next] : [block.taken, block.next];
}
