/**
 * Calls of functions of the program, by other functions and by bpf_loop. The frame is entered and left here, by the records of frames (`../frame-record.ts`); the machine is told of it
 * when it is called for something else (`frames.ts`). It enters frames itself where there is no stack that can be used again.
 */
import { MAX_LOOPS } from "../../semantics/helpers/callbacks.ts";
import { CALLED_BACK, DEPTH_AT, FIRST_FRAME_AT, FRAME, FRAME_SIZE } from "../frame-record.ts";
import { FRAME_POINTER, REGISTERS_AT, SCALAR_RECORD, TAGS_AT, UNINITIALISED_RECORD } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import { RECORD, STACK_SIZE } from "../region-record.ts";
import { OP } from "./code.ts";
import { CONTROL } from "./control.ts";
import { type Block, slotsOf } from "./flow.ts";
import { KIND } from "./kinds.ts";
import { LOCAL } from "./locals.ts";
import { writesOf } from "./use.ts";
import { AGAIN, IMPORT, IMPORTS, type Writer } from "./writer.ts";

/** A function that is called. */
export interface Callee {
  readonly position: number;
  /** Its first slot. */
  readonly entry: number;
  /** The registers that it may read before it writes them, as bits. */
  readonly reads: number;
}

/** The last argument. */
const LAST_ARGUMENT = 5;
/** Of the local with the depth: the record of the frame that is called. */
const CALLEE_AT = FIRST_FRAME_AT + FRAME_SIZE;
const tagAt = (register: number): number => TAGS_AT + 8 * register;
const valueAt = (register: number): number => REGISTERS_AT + 8 * register;

/** Reads the depth. */
export function loadDepth({ code, locals }: Writer): void {
  code.const32(0);
  code.memory(OP.load32, 4, DEPTH_AT);
  code.at(OP.set, locals.depth());
}

/** Pushes whether the next frame has no stack that may be used, whose region is put down. */
function pushNoStack({ code, locals }: Writer): void {
  code.at(OP.get, locals.depth());
  code.memory(OP.load32, 4, CALLEE_AT + FRAME.stack);
  code.at(OP.tee, LOCAL.at);
  code.op(OP.eqz32);
  code.at(OP.get, LOCAL.at);
  code.memory(OP.load32, 4, RECORD.escaped);
  code.op(OP.or32);
}

/** Says of the next frame that the state does not know it. */
function setPending({ code, locals }: Writer, pending: number): void {
  code.at(OP.get, locals.depth());
  code.const32(pending);
  code.memory(OP.store32, 4, CALLEE_AT + FRAME.pending);
}

/** Enters the next frame; the machine does it if it has to make a stack. */
function enterFrame(w: Writer, slot: number): void {
  const { code, locals } = w;
  pushNoStack(w);
  w.open(OP.if);
  enterByMachine(w, slot);
  code.op(OP.else);
  code.const32(0);
  code.at(OP.get, locals.depth());
  code.const32(FRAME_SIZE);
  code.op(OP.add32);
  code.memory(OP.store32, 4, DEPTH_AT);
  code.at(OP.get, LOCAL.at);
  code.const32(STACK_SIZE);
  code.memory(OP.store32, 4, RECORD.stack);
  code.const32(0);
  code.at(OP.get, LOCAL.at);
  code.memory(OP.load64, 8, RECORD.first);
  code.const64(STACK_SIZE);
  code.op(OP.add64);
  code.memory(OP.store64, 8, valueAt(FRAME_POINTER));
  code.const32(0);
  code.at(OP.get, LOCAL.at);
  code.memory(OP.store32, 4, tagAt(FRAME_POINTER));
  w.close();
}

function enterByMachine({ code }: Writer, slot: number): void {
  code.const32(slot);
  code.at(OP.call, IMPORT.enter);
}

/** Pushes whether the machine has left the frame that was called. */
function pushIsLeft({ code, locals }: Writer): void {
  code.const32(0);
  code.memory(OP.load32, 4, DEPTH_AT);
  code.at(OP.get, locals.depth());
  code.op(OP.eq32);
}

/** Leaves the frame that was called. */
function leaveFrame(w: Writer): void {
  const { code, locals } = w;
  code.at(OP.get, locals.depth());
  code.memory(OP.load32, 4, CALLEE_AT + FRAME.stack);
  code.at(OP.tee, LOCAL.at);
  code.const32(0);
  code.memory(OP.store32, 4, RECORD.stack);
  w.pushTag(0);
  code.at(OP.get, LOCAL.at);
  code.op(OP.eq32);
  w.open(OP.if);
  code.at(OP.get, LOCAL.at);
  code.const32(1);
  code.memory(OP.store32, 4, RECORD.escaped);
  w.close();
  code.const32(0);
  code.at(OP.get, locals.depth());
  code.memory(OP.store32, 4, DEPTH_AT);
  code.const32(0);
  code.at(OP.get, FRAME_POINTER);
  code.memory(OP.store64, 8, valueAt(FRAME_POINTER));
  code.const32(0);
  code.at(OP.get, LOCAL.stackRegion);
  code.memory(OP.store32, 4, tagAt(FRAME_POINTER));
}

/** @param guarded  whether some arguments are addresses whatever they are */
export function callFunction(w: Writer, slot: number, { position, reads }: Callee, guarded: boolean): void {
  const { code } = w;
  for (let register = 1; register <= LAST_ARGUMENT; register += 1)
    if (guarded || (reads & (1 << register)) !== 0) w.spill(register);
  w.storeFuel();
  if (guarded) enterByMachine(w, slot);
  else enterFrame(w, slot);
  setPending(w, slot + 1);
  code.at(OP.call, IMPORTS + position);
  pushIsLeft(w);
  code.op(OP.eqz32);
  w.open(OP.if);
  leaveFrame(w);
  w.close();
  w.loadFuel();
}

// --- bpf_loop

/** The function that a register holds before an instruction of a block, by its first slot, if it was put there in the block. */
export function functionIn(
  ops: readonly Op[],
  { start }: Block,
  slot: number,
  register: number,
): number | undefined {
  const held: (number | undefined)[] = [];
  for (let at = start; at < slot; ) {
    const op = ops[at];
    if (op === undefined) return undefined;
    const { code, dst, src, target, provenance } = op;
    if (code === DO.function) held[dst] = target;
    else if (code === DO.alu && provenance === PROVENANCE.copy) held[dst] = held[src];
    else
      for (let writes = writesOf(op), r = 0; writes !== 0; writes >>= 1, r += 1)
        if ((writes & 1) !== 0) held[r] = undefined;
    at += slotsOf(code);
  }
  return held[register];
}

/**
 * bpf_loop of a function that is known. What it does not do for certain it leaves to the machine. Its arguments, all of them, are in the register file.
 *
 * Each time that it comes to the call counts as an instruction: at first, before each call of the function, and to end.
 */
export function callLoop(w: Writer, slot: number, callee: Callee): void {
  const { code, locals } = w;
  const [index, runs] = [locals.index(), locals.runs()];
  w.storeFuel();
  w.open(OP.block);
  const done = w.height;
  w.open(OP.block);
  pushNotPlain(w);
  code.at(OP.brIf, 0);
  begin(w, callee);
  w.open(OP.loop);
  const again = w.height;
  // No room for the instruction.
  code.at(OP.get, LOCAL.fuel);
  code.const64(1);
  code.op(OP.less64);
  w.open(OP.if);
  storeIndex(w);
  byMachine(AGAIN.resume);
  w.close();
  code.at(OP.get, LOCAL.fuel);
  code.const64(1);
  code.op(OP.sub64);
  code.at(OP.set, LOCAL.fuel);
  code.const32(0);
  code.at(OP.get, LOCAL.fuel);
  code.memory(OP.store64, 8, CONTROL.fuel);
  code.at(OP.get, index);
  code.at(OP.get, runs);
  code.op(OP.eq32);
  w.open(OP.if);
  setNumber(w, 0);
  code.at(OP.br, w.depthOf(done));
  w.close();
  storeIndex(w);
  enterFrame(w, slot);
  setPending(w, CALLED_BACK + slot);
  setArguments(w, callee);
  code.at(OP.call, IMPORTS + callee.position);
  code.const32(0);
  code.memory(OP.load64, 8, CONTROL.fuel);
  code.at(OP.set, LOCAL.fuel);
  pushIsLeft(w);
  w.open(OP.if);
  byMachine(AGAIN.left);
  w.close();
  w.pushTag(0);
  code.op(OP.eqz32);
  w.open(OP.if);
  byMachine(AGAIN.noResult);
  w.close();
  leaveFrame(w);
  code.at(OP.get, index);
  code.const32(1);
  code.op(OP.add32);
  code.at(OP.set, index);
  // A result other than 0 is the end.
  code.at(OP.get, runs);
  code.at(OP.get, index);
  code.const32(0);
  code.memory(OP.load64, 8, valueAt(0));
  code.op(OP.eqz64);
  code.op(OP.select);
  code.at(OP.set, runs);
  code.at(OP.br, w.depthOf(again));
  w.close();
  w.close();
  w.step(slot);
  w.returnIfOver();
  w.close();
  w.loadFuel();

  function byMachine(how: number): void {
    code.const32(slot);
    code.const32(how);
    code.at(OP.call, IMPORT.again);
    w.returnIfOver();
    code.at(OP.br, w.depthOf(done));
  }
}

/** Pushes whether the call is one that fails, or cannot be made here. */
function pushNotPlain(w: Writer): void {
  const { code } = w;
  code.const32(0);
  for (const register of [1, 3, 4]) {
    const kinds = w.kinds(register);
    if (kinds !== 0 && (kinds & KIND.uninitialised) === 0) continue;
    w.pushRegion(register);
    code.op(OP.eqz32);
    code.op(OP.or32);
  }
  code.at(OP.get, 4);
  code.const64(0);
  code.op(OP.ne64);
  code.op(OP.or32);
  code.at(OP.get, 1);
  code.op(OP.wrap);
  code.const32(MAX_LOOPS);
  code.op(ABOVE32);
  code.op(OP.or32);
}

const ABOVE32 = 0x4b;
const WIDEN = 0xad;

/** Puts down what the machine has to know if it goes on with the loop. */
function begin(w: Writer, { entry }: Callee): void {
  const { code, locals } = w;
  const [depth, runs] = [locals.depth(), locals.runs()];
  code.const32(0);
  code.memory(OP.load64, 8, CONTROL.fuel);
  code.at(OP.set, LOCAL.fuel);
  code.const32(0);
  code.at(OP.set, locals.index());
  code.at(OP.get, depth);
  code.at(OP.get, 1);
  code.op(OP.wrap);
  code.at(OP.tee, runs);
  code.memory(OP.store32, 4, CALLEE_AT + FRAME.runs);
  code.at(OP.get, depth);
  w.pushRegion(3);
  code.memory(OP.store32, 4, CALLEE_AT + FRAME.contextRegion);
  code.at(OP.get, depth);
  code.const32(entry);
  code.memory(OP.store32, 4, CALLEE_AT + FRAME.entry);
  code.at(OP.get, depth);
  code.at(OP.get, 3);
  code.memory(OP.store64, 8, CALLEE_AT + FRAME.context);
}

function storeIndex({ code, locals }: Writer): void {
  code.at(OP.get, locals.depth());
  code.at(OP.get, locals.index());
  code.memory(OP.store32, 4, CALLEE_AT + FRAME.done);
}

/** The index as a register's number. */
function setNumber({ code, locals }: Writer, register: number): void {
  code.const32(0);
  code.at(OP.get, locals.index());
  code.op(WIDEN);
  code.memory(OP.store64, 8, valueAt(register));
  code.const32(0);
  code.const32(SCALAR_RECORD);
  code.memory(OP.store32, 4, tagAt(register));
}

function setArguments(w: Writer, { reads }: Callee): void {
  const { code } = w;
  if ((reads & 0b10) !== 0) setNumber(w, 1);
  if ((reads & 0b100) !== 0) {
    code.const32(0);
    code.at(OP.get, 3);
    code.memory(OP.store64, 8, valueAt(2));
    code.const32(0);
    w.pushRegion(3);
    code.memory(OP.store32, 4, tagAt(2));
  }
  for (let register = 3; register <= LAST_ARGUMENT; register += 1) {
    if ((reads & (1 << register)) === 0) continue;
    code.const32(0);
    code.const32(UNINITIALISED_RECORD);
    code.memory(OP.store32, 4, tagAt(register));
  }
}
