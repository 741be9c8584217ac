/**
 * ALU instructions: scalars by the abstract operators, pointers by the rules of pointer arithmetic. The rules are those of a
 * privileged program: differences of pointers and 32-bit halves of them are numbers like any other.
 */
import type { AluOp, Instruction, Operation, Size } from "../../semantics/isa/instruction.ts";
import { addOrigins, demand, useLink } from "../origins.ts";
import {
  baseOf,
  component64,
  copyRegister,
  copyScalarPart,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  isPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  offOf,
  rangeOf,
  setConstant,
  setId,
  setOff,
  setPointer,
  setRange,
  setUnknown,
  smallConstant,
  sminOf,
  umaxOf,
  WHOLE,
} from "../register.ts";
import { LAYOUT, tightAluOperator, unknownScalarAt } from "../scalar/operators.ts";
import { forEachRegister, takeId } from "../state.ts";
import { arenaArithmetic } from "./arena-pointers.ts";
import { beginLink, carryLink, cutLink } from "./links.ts";
import { type Machine, readable, SCRATCH, writable } from "./machine.ts";
import {
  limitOf,
  requireInside,
  requireNoArithmetic,
  requireNumbersAlone,
  requireOneLimit,
  requireWholeCopy,
} from "./privileges.ts";
import { UNTRUSTED_BYTES } from "./region.ts";
import { reject } from "./rejection.ts";

type Alu = Extract<Operation, { kind: "alu" }>;

/** Offsets and indices beyond this are never right, and sums of a few of them do not overflow 32 bits. */
const MAX_OFFSET = 2 ** 29;

/** The operators as the kernel's messages write them. */
const SYMBOLS: Readonly<Record<string, string>> = {
  add: "+=",
  sub: "-=",
  mul: "*=",
  div: "/=",
  sdiv: "/=",
  or: "|=",
  and: "&=",
  lsh: "<<=",
  rsh: ">>=",
  neg: "neg",
  mod: "%=",
  smod: "%=",
  xor: "^=",
  arsh: "s>>=",
};
const symbolOf = (op: string): string => SYMBOLS[op] ?? op;

export function alu(m: Machine, insn: Instruction, operation: Alu): void {
  const { op, operand } = operation;
  const source = operand === "reg" ? readable(m, insn.src) : immediate(insn.imm);
  if (op === "mov" || op === "movsx8" || op === "movsx16" || op === "movsx32") {
    move(m, insn, operation, source);
    return;
  }
  const destination = readable(m, insn.dst);
  checkImmediate(insn, operation);
  writable(m, insn.dst);
  const left = kindOf(destination);
  const right = kindOf(source);
  // A negation or a change of the order of bytes.
  if (operand === "none") {
    requireNoArithmetic(m, insn.dst, destination);
    if (isPointer(left)) setUnknown(destination);
    else compute(operation, destination, source);
    return;
  }
  if (arenaArithmetic(m, operation.width === 64, destination, source)) return;
  if (isPointer(left) && isPointer(right)) return combinePointers(m, insn, operation, destination);
  if (isPointer(left)) return pointerArithmetic(m, insn, operation, destination, source, destination);
  if (isPointer(right)) {
    copyRegister(destination, SCRATCH.operand);
    return pointerArithmetic(m, insn, operation, source, SCRATCH.operand, destination);
  }
  if (operand === "reg") requireNumbersAlone(m, insn, op);
  const cancels = (op === "xor" || op === "sub") && operand === "reg" && insn.src === insn.dst;
  if (cancels) setConstant(destination, 0, 0);
  else compute(operation, destination, source);
}

function immediate(value: number): number {
  setConstant(SCRATCH.operand, value, value >> 31);
  return SCRATCH.operand;
}

function checkImmediate(insn: Instruction, { op, width, operand }: Alu): void {
  if (operand !== "imm") return;
  const divides = op === "div" || op === "mod" || op === "sdiv" || op === "smod";
  if (divides && insn.imm === 0) reject("EINVAL", "div by zero");
  const shifts = op === "lsh" || op === "rsh" || op === "arsh";
  if (shifts && (insn.imm < 0 || insn.imm >= width)) reject("EINVAL", `invalid shift ${insn.imm}`);
}

function compute({ op, width }: Alu, destination: number, source: number): void {
  if (idOf(destination) !== 0) carryLink(op, width, destination, source);
  tightAluOperator(op, width)(destination, source, destination);
  if (source !== destination) addOrigins(source, destination);
}

/** Keeps the low `size` bytes of the number at `at` and fills the rest with its sign. */
export function signExtend(at: number, size: Size): void {
  if (size === 8) return;
  cutLink(at, size * 8, 2 ** (size * 8 - 1) - 1);
  tightAluOperator(size === 1 ? "movsx8" : size === 2 ? "movsx16" : "movsx32", 64)(at, at, at);
}

function move(m: Machine, insn: Instruction, operation: Alu, source: number): void {
  const destination = writable(m, insn.dst);
  if (isPointer(kindOf(source))) {
    if (operation.op === "mov" && operation.width === 64) copyRegister(source, destination);
    else {
      requireWholeCopy(m, insn.src, source, operation.width === 64);
      // Part of an address: a number of that many bits.
      setUnknown(destination);
      if (operation.width === 32) unknownScalarAt(destination, 32);
    }
    return;
  }
  const { op, width } = operation;
  if (op === "mov" && width === 64) {
    if (source !== destination) beginLink(m.state, source);
    copyRegister(source, destination);
    return;
  }
  const [bits, greatest] = kept(op);
  if (source !== destination && bits >= 32) beginLink(m.state, source, bits);
  copyRegister(source, destination);
  if (umaxOf(source) <= greatest) return;
  cutLink(destination, bits, greatest);
  tightAluOperator(op, width)(destination, destination, destination);
}

/** How many low bits of its operand a move takes that does not take all, and up to which number it moves all of it unchanged. */
function kept(op: AluOp): readonly [bits: number, greatest: number] {
  switch (op) {
    case "movsx8":
      return [8, 0x7f];
    case "movsx16":
      return [16, 0x7fff];
    case "movsx32":
      return [32, 0x7fffffff];
    default:
      return [32, 0xffffffff];
  }
}

function combinePointers(m: Machine, insn: Instruction, { op, width }: Alu, destination: number): void {
  if (op !== "sub" || !m.rights.leaks)
    reject("EACCES", `R${insn.dst} pointer ${symbolOf(op)} pointer prohibited`);
  setUnknown(destination);
  if (width === 32) unknownScalarAt(destination, 32);
}

/** Bases of pointers that numbers may be added to; to flow keys only constants. */
const MOVABLE: ReadonlySet<number> = new Set([
  KIND.context,
  KIND.stack,
  KIND.mapValue,
  KIND.mapKey,
  KIND.packet,
  KIND.packetMeta,
  KIND.memory,
  KIND.buffer,
  KIND.tracepointBuffer,
  KIND.flowKeys,
  KIND.btf,
  KIND.func,
  KIND.dynptr,
]);

/** `pointer op number`, or `number + pointer`, into `destination`; any two of the three may be the same register. */
function pointerArithmetic(
  m: Machine,
  insn: Instruction,
  { op, width, operand }: Alu,
  pointer: number,
  number: number,
  destination: number,
): void {
  const kind = kindOf(pointer);
  if (width === 32) {
    if (op !== "sub" || !m.rights.leaks)
      reject("EACCES", `R${insn.dst} 32-bit pointer arithmetic prohibited`);
    setUnknown(destination);
    unknownScalarAt(destination, 32);
    return;
  }
  const constant = smallConstant(number);
  if (mayBeNull(kind)) {
    reject("EACCES", `R${insn.dst} pointer arithmetic on ${kindName(kind)} prohibited, null-check it first`);
  }
  if (kind === UNTRUSTED_BYTES) return setPointer(destination, kind, 0);
  const fixed = kind === KIND.flowKeys && constant === undefined;
  if ((!MOVABLE.has(baseOf(kind)) || fixed) && !(kind === KIND.map && op === "add" && constant === 0)) {
    reject("EACCES", `R${insn.dst} pointer arithmetic on ${kindName(kind)} prohibited`);
  }
  demand(m.marks, number);
  requireSane(number, kind);
  const limit =
    operand === "reg"
      ? limitOf(m, { insn, op, pointer, number, swapped: pointer !== destination })
      : undefined;
  switch (op) {
    case "add":
      addToPointer(m, pointer, number, destination, constant);
      break;
    case "sub":
      if (pointer !== destination) reject("EACCES", `R${insn.dst} tried to subtract pointer from scalar`);
      if (kind === KIND.stack) reject("EACCES", `R${insn.dst} subtraction from stack pointer prohibited`);
      subtractFromPointer(m, destination, number, constant);
      break;
    case "and":
    case "or":
    case "xor":
      return reject("EACCES", `R${insn.dst} bitwise operator ${symbolOf(op)} on pointer prohibited`);
    default:
      reject("EACCES", `R${insn.dst} pointer arithmetic with ${symbolOf(op)} operator prohibited`);
  }
  const off = offOf(destination);
  if (off >= MAX_OFFSET || off <= -MAX_OFFSET)
    reject("EINVAL", `${kindName(kind)} pointer offset ${off} is not allowed`);
  requireSane(destination, kind);
  requireInside(m, insn.dst, destination);
  requireOneLimit(m, insn, op, limit);
}

/** The least signed value of a number, in all its digits. */
const exactly = (number: number): bigint => BigInt.asIntN(64, component64(number, LAYOUT.smin));

/** A number that may be added to a pointer: far from overflowing, whatever it is added to. */
function requireSane(number: number, kind: number): void {
  const least = sminOf(number);
  if (isConstant(number)) {
    if (least >= MAX_OFFSET || least <= -MAX_OFFSET) {
      reject("EINVAL", `math between ${kindName(kind)} pointer and ${exactly(number)} is not allowed`);
    }
    return;
  }
  if (least <= -(2 ** 63)) {
    const name = kindName(kind);
    reject("EINVAL", `math between ${name} pointer and register with unbounded min value is not allowed`);
  }
  if (least >= MAX_OFFSET || least <= -MAX_OFFSET) {
    reject("EINVAL", `value ${exactly(number)} makes ${kindName(kind)} pointer be out of bounds`);
  }
}

function addToPointer(
  m: Machine,
  pointer: number,
  number: number,
  destination: number,
  constant: number | undefined,
): void {
  if (constant !== undefined) {
    copyRegister(pointer, destination);
    setOff(destination, offOf(pointer) + constant);
    return;
  }
  if (shareNumber(m, pointer, number, destination)) return;
  tightAluOperator("add", 64)(pointer, number, SCRATCH.value);
  copyRegister(pointer, destination);
  copyScalarPart(SCRATCH.value, destination);
  forgetRange(m, destination);
}

/**
 * Packet pointers made of the same number have the same variable part: what is learnt of one of them holds for the others. So a variable
 * part that is a linked number b + d is kept as b, with d in the fixed offset and the id of the class. Says whether it was one.
 */
function shareNumber(m: Machine, pointer: number, number: number, destination: number): boolean {
  const kind = kindOf(pointer);
  if (!isPacketPointer(kind) || idOf(pointer) !== 0 || smallConstant(pointer) !== 0) return false;
  beginLink(m.state, number);
  const [id, delta] = [idOf(number), deltaOf(number)];
  setConstant(SCRATCH.right, -delta, delta > 0 ? -1 : 0);
  tightAluOperator("add", 64)(number, SCRATCH.right, SCRATCH.value);
  // Neither part may be negative: an access is looked up by the range from the variable part on.
  if (formOf(number) !== WHOLE || delta < 0 || (delta > 0 && sminOf(SCRATCH.value) < 0)) return false;
  const off = offOf(pointer) + delta;
  let range = 0;
  forEachRegister(m.state, (at) => {
    if (kindOf(at) !== kind || idOf(at) !== id) return;
    range = Math.max(range, rangeOf(at));
  });
  if (range > 0) useLink(m.marks, id);
  copyRegister(pointer, destination);
  copyScalarPart(SCRATCH.value, destination);
  setOff(destination, off);
  setId(destination, id);
  setRange(destination, range);
  return true;
}

function subtractFromPointer(
  m: Machine,
  pointer: number,
  number: number,
  constant: number | undefined,
): void {
  if (constant !== undefined) {
    setOff(pointer, offOf(pointer) - constant);
    return;
  }
  tightAluOperator("sub", 64)(pointer, number, pointer);
  forgetRange(m, pointer);
}

/** A new variable part: nothing that was learnt of the old one holds. */
function forgetRange(m: Machine, pointer: number): void {
  if (!isPacketPointer(kindOf(pointer))) return;
  setId(pointer, takeId(m.state));
  setRange(pointer, 0);
}
