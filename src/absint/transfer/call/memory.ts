/** Memory that a helper reads or writes: as many bytes as an argument of its own, or the map, says. */
import { demand } from "../../origins.ts";
import {
  component64,
  FLAG,
  isConstant,
  KIND,
  kindName,
  kindOf,
  smallConstant,
  sminOf,
  umaxOf,
  uminOf,
} from "../../register.ts";
import { LAYOUT } from "../../scalar/operators.ts";
import { requireObjectBytes } from "../kernel-object.ts";
import { type Machine, readable, register, type Target } from "../machine.ts";
import { checkPlainMemory, type Direction } from "../region.ts";
import { reject } from "../rejection.ts";
import { requireInFrame, requireReadable, requireUsed } from "../stack.ts";
import { type CallFacts, hasArgumentFlag } from "./facts.ts";

/** Sizes from here on are not bounds at all. */
const MAX_SIZE = 2 ** 29;

/** An object of the kernel that a helper may read. */
const TRUSTED = KIND.btf | FLAG.trusted;

/** The kinds of pointers that are memory to a helper, in the order in which the kernel names them. */
export const MEMORY: readonly number[] = [
  KIND.stack,
  KIND.packet,
  KIND.packetMeta,
  KIND.mapKey,
  KIND.mapValue,
  KIND.memory,
  KIND.memory | FLAG.ringbuf,
  KIND.buffer,
  TRUSTED,
];

/** The `size` bytes of a map's key; maps without keys have nothing that could be looked up. */
export function checkKey(m: Machine, target: Target, size: number): void {
  if (size === 0) reject("EACCES", "invalid zero-sized read");
  checkWhole(m, target, size, "read");
}

/** `size` bytes at a pointer that a helper reads, or writes whatever was there before. */
export function checkWhole(m: Machine, target: Target, size: number, direction: Direction): void {
  if (kindOf(target.at) === KIND.stack) {
    if (direction === "write") return requireInFrame(m, target, size);
    requireUsed(m, target, size);
    return requireReadable(m, target, size);
  }
  if (size === 0 && kindOf(target.at) === KIND.mapValue) return;
  if (direction === "write" && kindOf(target.at) === KIND.mapKey) {
    reject("EACCES", `R${target.number} cannot write into ${kindName(KIND.mapKey)}`);
  }
  if (direction === "read" && kindOf(target.at) === TRUSTED) requireObjectBytes(m, target, size);
  else if (!checkPlainMemory(m, target, size, direction)) rejectMemory(target);
}

/** Arguments of helpers have been told from what is no memory by then. */
function rejectMemory({ number, at }: Target): never {
  return reject("EACCES", `R${number} type=${kindName(kindOf(at))} expected=fp`);
}

/** The greatest value of the size in register `number`; rejects what is no size. */
export function boundedSize(m: Machine, number: number, zeroAllowed: boolean): number {
  const size = register(m, number);
  demand(m.marks, size);
  if (sminOf(size) < 0) {
    reject("EACCES", `R${number} min value is negative, either use unsigned or 'var &= const'`);
  }
  if (uminOf(size) === 0 && !zeroAllowed) {
    const [least, greatest] = [component64(size, LAYOUT.umin), component64(size, LAYOUT.umax)];
    reject("EACCES", `R${number} invalid zero-sized read: u64=[${least},${greatest}]`);
  }
  const greatest = umaxOf(size);
  if (greatest >= MAX_SIZE) {
    reject("EACCES", `R${number} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  }
  return greatest;
}

/** The pair of a memory argument and the size in register `number`. */
export function checkSized(m: Machine, call: CallFacts, zeroAllowed: boolean, number: number): void {
  const memory = call.prototype.args[number - 2];
  const size = register(m, number);
  const target: Target = { number: number - 1, at: readable(m, number - 1), off: 0 };
  const greatest = boundedSize(m, number, zeroAllowed);
  const isNull = kindOf(target.at) === KIND.scalar && smallConstant(target.at) === 0 && isConstant(target.at);
  if (isNull) demand(m.marks, target.at);
  if (isNull && (zeroAllowed || (memory !== undefined && hasArgumentFlag(memory, "ptr_maybe_null")))) {
    if (greatest === 0) return;
    reject("EACCES", `R${target.number} type=scalar expected=fp`);
  }
  const writes = memory !== undefined && hasArgumentFlag(memory, "mem_write");
  const uninitialised = memory !== undefined && hasArgumentFlag(memory, "mem_uninit");
  // What the helper does not fill stays what it is, and may be read afterwards.
  const partly = !m.rights.leaks && uminOf(size) !== greatest;
  // What only it writes has to hold something before: other memory than the stack always does.
  const reads = uninitialised ? partly : !writes || kindOf(target.at) === KIND.stack;
  if (writes || uninitialised) checkWhole(m, target, greatest, "write");
  if (reads && (writes || uninitialised) && kindOf(target.at) === KIND.stack)
    requireReadable(m, target, greatest);
  else if (reads) checkWhole(m, target, greatest, "read");
  if (!writes && !uninitialised) return;
  call.filled.push({ target, size: greatest, certain: uminOf(size) === greatest });
}
