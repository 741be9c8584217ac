/** Compiles one function of a program: what is found of it, and then its code. */
import { FRAME_POINTER } from "../memory.ts";
import type { Op } from "../op.ts";
import type { Code } from "./code.ts";
import { type CountedLoop, countLoops } from "./counted.ts";
import { type Block, blocksOf, slotsOf } from "./flow.ts";
import { FunctionWriter, type Source } from "./function-writer.ts";
import { Kinds } from "./kinds.ts";
import { livenessOf } from "./liveness.ts";
import { type Order, orderOf } from "./order.ts";
import type { Exit } from "./writer.ts";

/** A compiled function, as far as the machine has to know of it. */
export interface CompiledFunction {
  readonly exits: readonly Exit[];
  /**
   * What registers hold where the interpreter goes on: sets of kinds, 0 for one that holds nothing that matters; and how many of the instructions that have been counted have
   * not been executed.
   */
  readonly resume: (exit: Exit) => { readonly kinds: Uint8Array; readonly notExecuted: number };
}

/** Stands for the program's own start, of which other things are known than of slot 0 if that is called. */
export const START = Number.NEGATIVE_INFINITY;

/** Compiles the function that begins at a slot, or `START`: first its outline, which its callers' code depends on, then its code. */
export class FunctionCompiler {
  readonly #source: Source;
  readonly #isStart: boolean;
  readonly #blocks: readonly Block[];
  readonly #order: Order;
  readonly #loops: readonly CountedLoop[];
  readonly #live: readonly number[];

  constructor(source: Source, entry: number) {
    const { ops, facts } = source;
    const isStart = entry === START;
    const blocks = blocksOf(ops, isStart ? 0 : entry);
    const order = orderOf(blocks);
    this.#source = source;
    this.#isStart = isStart;
    this.#blocks = blocks;
    this.#loops = countLoops(ops, facts, blocks, order);
    this.#order = this.#loops.length > 0 ? orderOf(blocks) : order;
    this.#live = livenessOf(ops, blocks, this.#order);
  }

  /** The registers that the function may read before it writes them, as bits. */
  get reads(): number {
    return this.#live[0] ?? 0;
  }

  /**
   * Writes the function as a module holds it.
   *
   * @param index  its position
   * @param code  for the instructions until they are written
   */
  write(index: number, code: Code, to: Code): CompiledFunction {
    const [source, isStart, blocks, order, live] = [
      this.#source,
      this.#isStart,
      this.#blocks,
      this.#order,
      this.#live,
    ];
    const { ops, facts, context } = source;
    const parts = {
      ops,
      facts,
      context: isStart ? context : undefined,
      bare: isStart && context === undefined,
    };
    const kinds = new Kinds(parts, blocks, order, live);
    const writer = new FunctionWriter({
      source,
      isStart,
      blocks,
      order,
      live,
      loops: this.#loops,
      kinds,
      code,
    });
    return { exits: writer.write(index, to), resume: resumption(ops, blocks, kinds, live) };
  }
}

function resumption(
  ops: readonly Op[],
  blocks: readonly Block[],
  kinds: Kinds,
  live: readonly number[],
): CompiledFunction["resume"] {
  return ({ block: at, slot }) => {
    const block = blocks[at];
    if (block === undefined) throw new Error("a way out of no block");
    const now = kinds.start(at);
    kinds.pass(block, slot, now);
    let executed = 0;
    for (let each = block.start; each < slot; each += slotsOf(ops[each]?.code ?? 0)) executed += 1;
    if (slot === block.start)
      for (let r = 0; r < FRAME_POINTER; r += 1) if (((live[at] ?? 0) & (1 << r)) === 0) now.kinds[r] = 0;
    return { kinds: now.kinds, notExecuted: block.count - executed };
  };
}
