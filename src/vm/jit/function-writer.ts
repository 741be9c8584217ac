/**
 * Writes the code of one function: blocks nested after their dominators, so that every branch is one of a structured language (Ramsey, "Beyond Relooper", 2022).
 *
 * A block's instructions are counted where it begins. Whether there is room for them is looked at where the function begins, at the heads of loops and behind calls, for all
 * that may be executed before the next such place. If there is not, the interpreter goes on from there and stops at the right one.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { callbackArguments, MAX_LOOPS } from "../../semantics/helpers/callbacks.ts";
import { helperId } from "../../semantics/helpers/names.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import type { Context } from "../../semantics/profile/profile.ts";
import type { Slots } from "../../semantics/program/program.ts";
import { FRAME_POINTER, TAGS_AT } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import { STACK_SIZE } from "../region-record.ts";
import { type Access, atomic, load, store } from "./access.ts";
import { arithmetic, compute } from "./arithmetic.ts";
import { type Callee, callFunction, callLoop, functionIn, loadDepth } from "./calls.ts";
import { type Code, I32, OP } from "./code.ts";
import { CONTROL } from "./control.ts";
import type { CountedLoop } from "./counted.ts";
import { boundsOf, type Count, pushIsOver, writeStop } from "./counted-bounds.ts";
import type { Facts } from "./facts.ts";
import { type Block, END, slotsOf } from "./flow.ts";
import { blank, isDynamic, KIND, Kinds, SOMEWHERE } from "./kinds.ts";
import { LOCAL } from "./locals.ts";
import { FIRST_SAVED, Needs } from "./needs.ts";
import type { Order } from "./order.ts";
import { type Placement, placementOf } from "./placement.ts";
import { checkedBlocks, longestPaths } from "./room.ts";
import { filled } from "./scratch.ts";
import { clearMarks, lowestSlot } from "./stack-use.ts";
import { type Exit, Writer } from "./writer.ts";

/** What functions are compiled from. */
export interface Source {
  readonly ops: readonly Op[];
  readonly insns: Slots;
  readonly facts: Facts | undefined;
  /** The layout of the context that the program is given, if it is a real one. */
  readonly context: Context | undefined;
  /** Whether what has not been written of a stack may be read. */
  readonly allowsUnwritten: boolean;
  /** The functions by their first slots; all of them are there when code is written. */
  readonly functions: ReadonlyMap<number, Callee>;
}

const TAIL_CALL = helperId("tail_call");
const LOOP = helperId("loop");

/** Tasks of writing the blocks: one of these, and the block's position above these bits. */
const TASK = {
  /** Puts a block's code there, with what stands under it. */
  enter: 0,
  contents: 1,
  end: 2,
  else: 3,
} as const;
const TASK_BITS = 2;

const NO_COUNTS: ReadonlyMap<number, never> = new Map<number, never>();

/** What the registers hold where the writer is. */
const NOW = blank();

/** A function that is analysed. */
export interface Analysed {
  readonly source: Source;
  readonly isStart: boolean;
  readonly blocks: readonly Block[];
  readonly order: Order;
  readonly live: readonly number[];
  readonly loops: readonly CountedLoop[];
  readonly kinds: Kinds;
  readonly code: Code;
}

export class FunctionWriter {
  readonly #source: Source;
  readonly #isStart: boolean;
  readonly #blocks: readonly Block[];
  readonly #order: Order;
  readonly #live: readonly number[];
  readonly #kinds: Kinds;
  readonly #needs: Needs;
  /** By the block before a counted loop. */
  readonly #counts: ReadonlyMap<number, Count>;
  readonly #w: Writer;
  readonly #placement: Placement;
  /** By block: whether it is looked at there whether there is room; every loop has such a block. */
  readonly #checks: readonly number[];
  /** By block: how many instructions may be executed behind it before it is looked at again. */
  readonly #behind: readonly number[];
  /** By block: the height of its loop, and of the block that ends where it begins. */
  readonly #loopHeight: number[];
  readonly #blockHeight: number[];
  readonly #tasks: number[] = [];

  constructor({ source, isStart, blocks, order, live, loops, kinds, code }: Analysed) {
    this.#source = source;
    this.#isStart = isStart;
    this.#blocks = blocks;
    this.#order = order;
    this.#live = live;
    this.#kinds = kinds;
    if (loops.length === 0) {
      this.#counts = NO_COUNTS;
      this.#needs = new Needs(source.ops, blocks, order, kinds, NO_COUNTS);
    } else {
      const counts = loops.map((loop): Count => ({ ...loop, bounds: boundsOf(loop, kinds) }));
      this.#counts = new Map(counts.map((count) => [count.before, count]));
      const byTest = new Map(counts.map(({ test, bounds }) => [test, bounds]));
      this.#needs = new Needs(source.ops, blocks, order, kinds, byTest);
    }
    kinds.begin(0, NOW);
    this.#w = new Writer(code, NOW);
    this.#loopHeight = filled(blocks.length, 0);
    this.#blockHeight = filled(blocks.length, 0);
    this.#placement = placementOf(blocks, order);
    this.#checks = checkedBlocks(blocks, order);
    this.#behind = longestPaths(blocks, order, this.#checks);
  }

  /** Writes the function; its ways out. */
  write(index: number, to: Code): readonly Exit[] {
    const w = this.#w;
    w.open(OP.block, I32);
    this.#begin();
    this.#tree();
    w.writeExits(index);
    w.locals.write(to);
    to.append(w.code);
    to.op(OP.end);
    return w.exits;
  }

  #begin(): void {
    const w = this.#w;
    const { code } = w;
    code.const32(0);
    code.memory(OP.load64, 8, CONTROL.fuel);
    code.at(OP.set, LOCAL.fuel);
    w.loadRegister(FRAME_POINTER);
    code.at(OP.get, FRAME_POINTER);
    code.op(OP.wrap);
    code.const32(STACK_SIZE);
    code.op(OP.sub32);
    code.at(OP.set, LOCAL.stack);
    code.const32(0);
    code.memory(OP.load32, 4, TAGS_AT + 8 * FRAME_POINTER);
    code.at(OP.set, LOCAL.stackRegion);
    if (this.#source.functions.size > 1) loadDepth(w);
    if (!this.#isStart) clearMarks(w, lowestSlot(this.#source.ops, this.#blocks));
    const reads = this.#live[0] ?? 0;
    for (let register = 0; register < FRAME_POINTER; register += 1) {
      const kinds = w.kinds(register);
      if (kinds === KIND.uninitialised || (reads & (1 << register)) === 0) continue;
      if (kinds === KIND.context) {
        w.loadRegister(register);
        code.at(OP.get, register);
        code.op(OP.wrap);
        code.at(OP.set, LOCAL.context);
        w.pushTag(register);
        code.at(OP.set, LOCAL.contextRegion);
      } else w.reload(register, this.#needs.start(0, register));
    }
  }

  // --- Structure

  #tree(): void {
    const tasks = this.#tasks;
    this.#enter(0);
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      const at = task >> TASK_BITS;
      switch (task & ((1 << TASK_BITS) - 1)) {
        case TASK.enter:
          this.#enter(at);
          break;
        case TASK.contents:
          this.#contents(at);
          break;
        case TASK.end:
          this.#w.close();
          break;
        default:
          this.#w.code.op(OP.else);
      }
    }
  }

  #later(task: number, at = 0): void {
    this.#tasks.push((at << TASK_BITS) | task);
  }

  /** Opens a block for each of some that are led to by branches; they are in the order. */
  #openBlocks(merges: readonly number[], isAlways: boolean): void {
    const { forward } = this.#order;
    // The last of them stands behind all others.
    for (let i = merges.length - 1; i >= 0; i -= 1) {
      const merge = merges[i] ?? 0;
      if (!isAlways && (forward[merge] ?? 0) <= 1) continue;
      this.#w.open(OP.block);
      this.#blockHeight[merge] = this.#w.height;
      this.#later(TASK.enter, merge);
      this.#later(TASK.end);
    }
  }

  #enter(at: number): void {
    const { inside, behind } = this.#placement;
    this.#openBlocks(behind[at] ?? [], true);
    if (this.#order.loops[at] !== 0) {
      this.#w.open(OP.loop);
      this.#loopHeight[at] = this.#w.height;
      this.#later(TASK.end);
    }
    this.#openBlocks(inside[at] ?? [], false);
    this.#later(TASK.contents, at);
  }

  #isBack(from: number, to: number): boolean {
    const { rank } = this.#order;
    return (rank[to] ?? 0) <= (rank[from] ?? 0);
  }

  /** Whether a branch leads to a block, rather than the block's code being put there. */
  #isBranch(from: number, to: number): boolean {
    return this.#isBack(from, to) || (this.#order.forward[to] ?? 0) > 1 || this.#placement.isBehind[to] !== 0;
  }

  #depth(from: number, to: number): number {
    const heights = this.#isBack(from, to) ? this.#loopHeight : this.#blockHeight;
    return this.#w.depthOf(heights[to] ?? 0);
  }

  #goTo(from: number, to: number): void {
    if (this.#isBranch(from, to)) this.#w.code.at(OP.br, this.#depth(from, to));
    else this.#later(TASK.enter, to);
  }

  #contents(at: number): void {
    const w = this.#w;
    const { code } = w;
    const block = this.#blocks[at];
    if (block === undefined) throw new Error("a block in the order exists");
    w.block = at;
    w.left = block.count;
    this.#kinds.begin(at, w.now);
    this.#instructions(block);
    const { next, taken } = block;
    if (block.kind === END.interpret) return w.exit(block.end);
    if (block.kind === END.exit) return;
    this.#settle(next);
    if (taken < 0) {
      const count = this.#counts.get(at);
      if (count !== undefined) {
        this.#kinds.begin(next, w.now);
        writeStop(w, count, this.#behind[next] ?? 0);
      }
      if (block.kind === END.setLabel) {
        code.const32(block.label);
        code.at(OP.set, w.locals.label());
      }
      return this.#goTo(at, next);
    }
    this.#settle(taken);
    this.#condition(block);
    if (this.#isBranch(at, taken)) {
      code.at(OP.brIf, this.#depth(at, taken));
      this.#goTo(at, next);
    } else if (this.#isBranch(at, next)) {
      code.op(OP.eqz32);
      code.at(OP.brIf, this.#depth(at, next));
      this.#goTo(at, taken);
    } else {
      w.open(OP.if);
      this.#later(TASK.end);
      this.#later(TASK.enter, next);
      this.#later(TASK.else);
      this.#later(TASK.enter, taken);
    }
  }

  /** Puts regions where another block expects them. */
  #settle(to: number): void {
    const live = this.#live[to] ?? 0;
    for (let r = 0; r < FRAME_POINTER; r += 1)
      if ((live & (1 << r)) !== 0) this.#w.settle(r, this.#kinds.kindAt(to, r), this.#needs.start(to, r));
  }

  /** Pushes whether a block goes on in `taken`. */
  #condition({ kind, end, label }: Block): void {
    const w = this.#w;
    const { code } = w;
    if (kind === END.testLabel) {
      code.at(OP.get, w.locals.label());
      code.const32(label);
      code.op(OP.eq32);
      return;
    }
    if (kind === END.testCount) return pushIsOver(w, label);
    if (kind === END.mayGoto) {
      // Counted only if it falls through.
      const loops = w.locals.loops();
      code.at(OP.get, loops);
      code.at(OP.get, loops);
      code.const32(MAX_LOOPS);
      code.op(OP.eq32);
      code.at(OP.tee, LOCAL.at);
      code.op(OP.eqz32);
      code.op(OP.add32);
      code.at(OP.set, loops);
      code.at(OP.get, LOCAL.at);
      return;
    }
    const slot = end - 1;
    const [op, instruction] = this.#at(slot);
    compute(w, op, instruction);
  }

  #at(slot: number): readonly [Op, Instruction] {
    const { ops, insns } = this.#source;
    const [op, instruction] = [ops[slot], insns[slot]];
    if (op === undefined || instruction === undefined) throw new Error(`no instruction at slot ${slot}`);
    return [op, instruction];
  }

  // --- Instructions

  #instructions(block: Block): void {
    const w = this.#w;
    const { code } = w;
    if (block.count > 0) {
      code.at(OP.get, LOCAL.fuel);
      code.const64(block.count);
      code.op(OP.sub64);
      code.at(OP.set, LOCAL.fuel);
    }
    if (this.#checks[w.block] !== 0 && block.kind !== END.testCount) this.#checkRoom(block.start);
    for (let slot = block.start; slot < block.end; ) {
      const [op, instruction] = this.#at(slot);
      this.#instruction(op, instruction, slot, slot + block.shift);
      this.#kinds.step(op, slot + block.shift, w.now);
      w.left -= 1;
      slot += slotsOf(op.code);
    }
  }

  /** Leaves the function at a slot of the current block if there is not room for what may come behind the block. */
  #checkRoom(slot: number): void {
    const w = this.#w;
    const { code } = w;
    w.exitIf(slot, () => {
      code.at(OP.get, LOCAL.fuel);
      code.const64(this.#behind[w.block] ?? 0);
      code.op(OP.less64);
    });
  }

  #instruction(op: Op, instruction: Instruction, slot: number, place: number): void {
    const w = this.#w;
    const { code } = w;
    const needs = this.#needs.written[place] ?? 0;
    switch (op.code) {
      case DO.alu:
      case DO.aluImm:
        return arithmetic(w, op, instruction, slot, needs);
      case DO.jump:
        w.checkRead(op.dst, slot);
        return w.checkRead(op.src, slot);
      case DO.jumpImm:
        return w.checkRead(op.dst, slot);
      case DO.goto:
      case DO.mayGoto:
        return;
      case DO.constant:
        code.constHalves(op.imm, op.immHigh);
        return code.at(OP.set, op.dst);
      case DO.load:
        return load(w, this.#access(op, instruction, slot, place));
      case DO.store:
      case DO.storeImm:
        return store(w, this.#access(op, instruction, slot, place));
      case DO.atomic:
        return atomic(w, this.#access(op, instruction, slot, place));
      case DO.mapFd:
      case DO.mapValue:
      case DO.function:
        w.step(slot);
        code.op(OP.drop);
        return w.reload(op.dst, needs);
      case DO.castAddress:
      case DO.arenaAlu:
        w.spill(op.src);
        if (op.dst !== op.src) w.spill(op.dst);
        w.step(slot);
        code.op(OP.drop);
        return w.reload(op.dst, needs);
      case DO.subprogram:
        return this.#call(op, slot);
      case DO.exit:
        return this.#exit(slot);
      case DO.packet:
      case DO.packetIndirect:
        w.spill(6);
        if (op.code === DO.packetIndirect && op.src !== 6) w.spill(op.src);
        w.step(slot);
        w.returnIfOver();
        return w.loadRegister(0);
      case DO.helper:
      case DO.callback:
      case DO.kernelFunction:
        return this.#helper(op, slot);
      default:
        throw new Unsupported(`the instruction ${instruction.row.name} in compiled code`);
    }
  }

  #access(op: Op, instruction: Instruction, slot: number, place: number): Access {
    const { plan, planOffset, gives } = this.#kinds;
    return {
      op,
      instruction,
      slot,
      plan: plan[place] ?? 0,
      planOffset: planOffset[place] ?? 0,
      needs: this.#needs.written[place] ?? 0,
      gives: gives[place] ?? 0,
      allowsUnwritten: this.#source.allowsUnwritten,
      isCalled: !this.#isStart,
    };
  }

  #helper(op: Op, slot: number): void {
    const w = this.#w;
    for (let register = 1; register < FIRST_SAVED; register += 1) w.spill(register);
    const isSimple = op.code === DO.helper && op.imm !== TAIL_CALL;
    const callee = this.#calledBack(op, slot);
    if (callee !== undefined) callLoop(w, slot, callee);
    else {
      w.step(slot);
      if (isSimple) w.code.op(OP.drop);
      else {
        w.returnIfOver();
        w.loadFuel();
      }
    }
    this.#afterCall(slot);
    if (!isSimple) this.#checkRoom(slot + 1);
  }

  /** The function that bpf_loop calls, if it is known. */
  #calledBack({ code, imm }: Op, slot: number): Callee | undefined {
    const block = this.#blocks[this.#w.block];
    if (code !== DO.callback || imm !== LOOP || block === undefined) return undefined;
    const entry = functionIn(this.#source.ops, block, slot, callbackArguments("loop").function);
    return entry === undefined ? undefined : this.#source.functions.get(entry);
  }

  #call({ target, guarded }: Op, slot: number): void {
    const callee = this.#source.functions.get(target);
    if (callee === undefined) throw new Error(`no function at slot ${target}`);
    callFunction(this.#w, slot, callee, guarded !== undefined);
    this.#afterCall(slot);
    this.#checkRoom(slot + 1);
  }

  /** The result, and regions that may have changed. */
  #afterCall(slot: number): void {
    const w = this.#w;
    w.reload(0, this.#needs.written[slot] ?? 0);
    const saved = this.#needs.saved[slot] ?? 0;
    for (let i = 0; i < FRAME_POINTER - FIRST_SAVED; i += 1) {
      const register = FIRST_SAVED + i;
      const kinds = w.kinds(register);
      if (isDynamic(kinds) && (kinds & SOMEWHERE) !== 0) w.refresh(register, (saved >>> (8 * i)) & 255);
    }
  }

  #exit(slot: number): void {
    const w = this.#w;
    const { code } = w;
    w.spill(0);
    w.storeFuel();
    code.const32(0);
    code.const32(slot);
    code.memory(OP.store32, 4, CONTROL.exit);
    code.op(OP.return);
  }
}
