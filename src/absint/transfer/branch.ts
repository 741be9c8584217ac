/**
 * Conditional jumps. On numbers the operators decide and refine; on pointers there are three things to learn: whether one that may be
 * null is, how far a packet reaches, and that a pointer that cannot be null is not 0.
 */
import type { Instruction, JumpOp, Operation } from "../../semantics/isa/instruction.ts";
import { addOrigins, demand, type Marks, useLink } from "../origins.ts";
import { releaseReference } from "../references.ts";
import {
  baseOf,
  FLAG,
  hasFlag,
  idOf,
  isConstant,
  isPacketPointer,
  isPointer,
  KIND,
  kindOf,
  mayBeNull,
  offOf,
  rangeOf,
  referenceOf,
  setConstant,
  setId,
  setKind,
  setRange,
  smallConstant,
  smaxOf,
  umaxOf,
} from "../register.ts";
import { type BranchOperators, branchOperators, synchronise } from "../scalar/operators.ts";
import { forEachRegister, registerAt, unpack } from "../state.ts";
import { linkEqual, tellLinked } from "./links.ts";
import { currentFrame, type Machine, readable, SCRATCH, STEP, type Step } from "./machine.ts";
import { isToLock } from "./map-fields.ts";
import { requireComparable } from "./privileges.ts";

type Jump = Extract<Operation, { kind: "jump" }>;

/** Packets are no longer than this; a variable offset beyond it says nothing. */
const MAX_PACKET_OFFSET = 0xffff;

const U32_MAX = 0xffffffff;

/** A pointer this close to its object is not null: the variable part of every pointer is bounded below by as much. */
const MAX_DISTANCE = 2 ** 29;

/** Executes a conditional jump: goes on at one side, or forks. */
export function jump(m: Machine, insn: Instruction, operation: Jump): Step {
  const simplified = simplify(insn, operation);
  const { op, width, operand } = simplified;
  const left = readable(m, insn.dst);
  let right: number = SCRATCH.operand;
  if (operand === "reg") right = readable(m, insn.src);
  else setConstant(right, insn.imm, insn.imm >> 31);
  const target = m.pc + 1 + insn.off;
  if (isPointer(kindOf(left)) || isPointer(kindOf(right))) {
    requireComparable(m, insn, operation, left, right);
  }

  const decided = decide(simplified, left, right);
  if (decided !== OPEN) {
    if (left !== right) demandNumbers(m, left, right);
    return follow(m, decided === ALWAYS ? target : m.pc + 1);
  }

  // The state is copied for the taken side; both sides then learn what their edge says.
  unpack(m.state, m.forked);
  m.forkedPc = target;
  const taken = registerAt(m.forked, currentFrame(m), insn.dst);
  const other = operand === "reg" ? registerAt(m.forked, currentFrame(m), insn.src) : right;
  if (isPointer(kindOf(left)) || isPointer(kindOf(right))) {
    if (width === 64) learnFromPointers(m, op, left, right, taken, other);
    m.pc += 1;
    return STEP.fork;
  }
  const operators = branchOperators(op, width);
  const takenPossible = refineNumbers(m.marks, m.forked, operators.taken, taken, other, operand === "reg");
  if (operand === "imm") setConstant(right, insn.imm, insn.imm >> 31);
  const fallPossible = refineNumbers(m.marks, m.state, operators.notTaken, left, right, operand === "reg");
  if (operand === "reg" && (width === 64 || (umaxOf(left) <= U32_MAX && umaxOf(right) <= U32_MAX))) {
    if (op === "jeq" && takenPossible) linkEqual(m.marks, m.forked, taken, other);
    if (op === "jne" && fallPossible) linkEqual(m.marks, m.state, left, right);
  }
  if (takenPossible && fallPossible) {
    m.pc += 1;
    return STEP.fork;
  }
  demandNumbers(m, left, right);
  if (fallPossible) return follow(m, m.pc + 1);
  unpack(m.forked, m.state);
  return follow(m, target);
}

/** A register has a bit in common with itself if it is not 0. */
const simplify = ({ dst, src }: Instruction, operation: Jump): Jump =>
  operation.op === "jset" && operation.operand === "reg" && dst === src
    ? { ...operation, op: "jne", operand: "imm" }
    : operation;

function demandNumbers(m: Machine, left: number, right: number): void {
  if (!isPointer(kindOf(left))) demand(m.marks, left);
  if (!isPointer(kindOf(right))) demand(m.marks, right);
}

function follow(m: Machine, pc: number): Step {
  m.pc = pc;
  return STEP.next;
}

const [NEVER, ALWAYS, OPEN] = [0, 1, 2];

/** Comparisons that hold of a register beside itself, whatever it holds. */
const REFLEXIVE: ReadonlySet<JumpOp> = new Set(["jeq", "jge", "jle", "jsge", "jsle"]);

function decide({ op, width }: Jump, left: number, right: number): number {
  if (left === right) return REFLEXIVE.has(op) ? ALWAYS : NEVER;
  const l = kindOf(left);
  const r = kindOf(right);
  if (!isPointer(l) && !isPointer(r)) return branchOperators(op, width).decide(left, right);
  if (width !== 64 || !isPointer(l) || isPointer(r) || smallConstant(right) !== 0 || !neverNull(left))
    return OPEN;
  // No object is near address 0, but far enough from one everything is.
  if (smaxOf(left) >= MAX_DISTANCE) return OPEN;
  return op === "jeq" ? NEVER : op === "jne" ? ALWAYS : OPEN;
}

/** Whether the pointer is never null: not one that nobody vouches for. What the program holds is there. */
function neverNull(at: number): boolean {
  const kind = kindOf(at);
  if (mayBeNull(kind) || hasFlag(kind, FLAG.untrusted)) return false;
  if (kind === KIND.arena) return false;
  return baseOf(kind) !== KIND.btf || hasFlag(kind, VOUCHED) || referenceOf(at) !== 0;
}
/** An argument of a tracepoint counts as trusted and may be null all the same. */
const VOUCHED = FLAG.allocated;

/** Narrows two numbers of `state`, and all that are linked to them; says whether the edge is possible at all. */
function refineNumbers(
  marks: Marks,
  state: number,
  refine: BranchOperators["taken"],
  left: number,
  right: number,
  rightIsRegister: boolean,
): boolean {
  refine(left, right);
  if (synchronise(left) !== 0) return false;
  if (rightIsRegister && left !== right && synchronise(right) !== 0) return false;
  if (rightIsRegister) {
    // Each learns from the other.
    addOrigins(right, left);
    addOrigins(left, right);
  }
  return tellLinked(marks, state, left) && (!rightIsRegister || tellLinked(marks, state, right));
}

function learnFromPointers(
  m: Machine,
  op: JumpOp,
  left: number,
  right: number,
  taken: number,
  other: number,
): void {
  if ((op === "jeq" || op === "jne") && mayBeNull(kindOf(left)) && isZero(right)) {
    demand(m.marks, right);
    const [nullSide, nullAt] = op === "jeq" ? [m.forked, taken] : [m.state, left];
    const [otherSide, otherAt] = op === "jeq" ? [m.state, left] : [m.forked, taken];
    resolveNull(m, nullSide, nullAt, true);
    resolveNull(m, otherSide, otherAt, false);
    return;
  }
  learnPacketRange(m, op, left, right, taken, other);
}

const isZero = (at: number): boolean =>
  kindOf(at) === KIND.scalar && isConstant(at) && smallConstant(at) === 0;

/**
 * All pointers that came of one call are null together or not. Where what was to be acquired is null, nothing is held; another form of it that
 * is null says nothing of what is held.
 */
function resolveNull(m: Machine, state: number, pointer: number, isNull: boolean): void {
  const id = idOf(pointer);
  if (isNull && id !== 0 && referenceOf(pointer) === id) releaseReference(state, id);
  const resolve = (at: number): void => {
    if (!mayBeNull(kindOf(at)) || idOf(at) !== id) return;
    if (isNull) setConstant(at, 0, 0);
    else {
      setKind(at, kindOf(at) & ~FLAG.orNull);
      // The id tells which lock is meant.
      if (!isToLock(m, at)) setId(at, 0);
    }
  };
  forEachRegister(state, resolve);
}

function learnPacketRange(
  m: Machine,
  op: JumpOp,
  left: number,
  right: number,
  taken: number,
  other: number,
): void {
  if (!isPacketPointer(kindOf(left)) && !isPacketPointer(kindOf(right))) return;
  const { marks, state, forked } = m;
  switch (op) {
    case "jgt":
      applyOrder(marks, forked, other, taken, true);
      applyOrder(marks, state, left, right, false);
      break;
    case "jge":
      applyOrder(marks, forked, other, taken, false);
      applyOrder(marks, state, left, right, true);
      break;
    case "jlt":
      applyOrder(marks, forked, taken, other, true);
      applyOrder(marks, state, right, left, false);
      break;
    case "jle":
      applyOrder(marks, forked, taken, other, false);
      applyOrder(marks, state, right, left, true);
      break;
    default:
  }
}

/**
 * On an edge `lower` ≤ `upper`, or < if `strict`. If `upper` is the end of the region, as many bytes as the fixed offset of `lower` says are there, one more if
 * the order is strict.
 */
function applyOrder(marks: Marks, state: number, lower: number, upper: number, strict: boolean): void {
  const kind = kindOf(lower);
  if (!isPacketPointer(kind) || !isEndOf(kind, upper)) return;
  const off = offOf(lower);
  const limit = umaxOf(lower);
  if (off < 0 || limit > MAX_PACKET_OFFSET || limit + off > MAX_PACKET_OFFSET) return;
  setRanges(marks, state, lower, strict ? off + 1 : off);
}

/** So many bytes from `lower` on, and from all that have the same variable part, are there. */
function setRanges(marks: Marks, state: number, lower: number, range: number): void {
  const kind = kindOf(lower);
  const id = idOf(lower);
  forEachRegister(state, (at) => {
    if (kindOf(at) !== kind || idOf(at) !== id || rangeOf(at) >= range) return;
    setRange(at, range);
    if (at !== lower && id !== 0) useLink(marks, id);
  });
}

/** Packet data end at the packet's end, metadata where the packet begins. */
const isEndOf = (kind: number, upper: number): boolean =>
  kind === KIND.packet
    ? kindOf(upper) === KIND.packetEnd
    : kindOf(upper) === KIND.packet && idOf(upper) === 0 && offOf(upper) === 0 && smallConstant(upper) === 0;
