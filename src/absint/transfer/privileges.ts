/**
 * What holds in addition for programs whose loader lacks capabilities. Without `cap_perfmon` no address gets out of a program, in whole or
 * in part: not to maps, packets and contexts, not as a result, not through comparisons, arithmetic or parts of what is spilled; and numbers
 * that are added to pointers must be such that the kernel can keep them in bounds where the processor runs ahead of the program.
 * A register never takes an address for a number then, so γ of a scalar holds no address.
 *
 * Source: the messages and limits are those of Linux 6.18.
 */
import type { Instruction, Operation } from "../../semantics/isa/instruction.ts";
import { allows } from "../../semantics/profile/lookup.ts";
import type { ContextField } from "../../semantics/profile/profile.ts";
import { MAP_FIELDS, type MapField } from "../../semantics/program/map-types.ts";
import {
  baseOf,
  FLAG,
  hasFlag,
  idOf,
  isConstant,
  isPacketPointer,
  isPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  referenceOf,
  setNone,
  setUnknown,
  smallConstant,
  smaxOf,
  sminOf,
  umaxOf,
} from "../register.ts";
import {
  BYTE,
  clearSlot,
  depthOf,
  FP,
  frameCount,
  registerAt,
  STACK_BYTES,
  slotAt,
  slotByte,
  spilledAt,
} from "../state.ts";
import { type Machine, mapAt, type Target } from "./machine.ts";
import { isInPacket } from "./packets.ts";
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

type Jump = Extract<Operation, { kind: "jump" }>;

/** Whether a field of the context may be accessed by programs without `cap_bpf`. */
export function mayAccessField({ program, rights }: Machine, field: ContextField, write: boolean): boolean {
  if (rights.bpf || program.type !== "cgroup_skb") return true;
  return field.name !== "data" && field.name !== "data_end" && !(write && field.name === "tstamp");
}

const isAddress = ({ rights }: Machine, at: number): boolean => !rights.leaks && isPointer(kindOf(at));

// --- Where addresses may not go

/** Bases to which nothing is stored at all, and the stack, which keeps pointers as pointers. */
const NOWHERE: ReadonlySet<number> = new Set([
  KIND.scalar,
  KIND.stack,
  KIND.map,
  KIND.packetEnd,
  KIND.mapKey,
  KIND.sockCommon,
  KIND.socket,
  KIND.tcpSock,
  KIND.xdpSock,
  KIND.btf,
]);

const PLACES: Readonly<Record<number, string>> = {
  [KIND.context]: "ctx",
  [KIND.mapValue]: "map",
  [KIND.packet]: "packet",
  [KIND.packetMeta]: "packet",
  [KIND.flowKeys]: "flow keys",
};

/** The register `number` at `at` may be stored to where `to` points. */
export function requireNoLeak(m: Machine, number: number, at: number, to: Target): void {
  if (!isAddress(m, at)) return;
  const kind = kindOf(to.at);
  if (NOWHERE.has(baseOf(kind)) || mayBeNull(kind)) return;
  reject("EACCES", `R${number} leaks addr into ${PLACES[baseOf(kind)] ?? "mem"}`);
}

/** The register takes part in an atomic operation. */
export function requireAtomicNumber(m: Machine, number: number, at: number): void {
  if (isAddress(m, at)) reject("EACCES", `R${number} leaks addr into mem`);
}

/** What an atomic operation found on the stack. */
export function requireNumberOnStack(m: Machine, found: number, { at, off }: Target): void {
  if (isAddress(m, found)) reject("EACCES", `leaking pointer from stack off ${offOf(at) + off}`);
}

export function requireNoLeakToHelper(m: Machine, number: number, at: number): void {
  if (isAddress(m, at)) reject("EACCES", `R${number} leaks addr into helper function`);
}

export function requireNoLeakAsResult(m: Machine, at: number): void {
  if (isAddress(m, at)) reject("EACCES", "R0 leaks addr as return value");
}

/** A move of part of a pointer, or of what its bytes say as a smaller number. */
export function requireWholeCopy(m: Machine, number: number, at: number, extends64: boolean): void {
  if (!isAddress(m, at)) return;
  reject("EACCES", `R${number} ${extends64 ? "sign-extension part" : "partial copy"} of pointer`);
}

/** An operation that has one operand. */
export function requireNoArithmetic(m: Machine, number: number, at: number): void {
  if (isAddress(m, at)) reject("EACCES", `R${number} pointer arithmetic prohibited`);
}

/**
 * Pointers that are none any more: numbers like any other, or nothing where addresses must not become numbers.
 *
 * @param ends  says it of a pointer, by its register's address
 */
export function endPointers(
  { state: own, rights }: Machine,
  ends: (at: number) => boolean,
  state = own,
): void {
  const isEnded = (at: number): boolean => isPointer(kindOf(at)) && ends(at);
  for (let f = 0; f < frameCount(state); f += 1) {
    for (let r = 0; r < FP; r += 1) {
      const at = registerAt(state, f, r);
      if (!isEnded(at)) continue;
      if (rights.leaks) setUnknown(at);
      else setNone(at);
    }
    for (let s = 0; s < depthOf(state, f); s += 1) {
      const slot = slotAt(state, f, s);
      if (slotByte(slot, 0) !== BYTE.spill || !isEnded(spilledAt(slot))) continue;
      if (rights.leaks) setUnknown(spilledAt(slot));
      else clearSlot(slot);
    }
  }
}

/** Pointers into a packet that may have moved are none any more, in all frames of `state`. */
export function forgetPackets(m: Machine, state = m.state): void {
  endPointers(m, (at) => isInPacket(kindOf(at)), state);
}

// --- Comparisons

/** Bases of pointers that Linux takes for never null, so that a comparison with null says nothing of the address. */
const NEVER_NULL: ReadonlySet<number> = new Set([
  KIND.map,
  KIND.mapValue,
  KIND.mapKey,
  KIND.socket,
  KIND.tcpSock,
  KIND.sockCommon,
  KIND.memory,
]);

const isNeverNull = (at: number): boolean => {
  const kind = kindOf(at);
  if (hasFlag(kind, FLAG.untrusted)) return false;
  if (baseOf(kind) !== KIND.btf) return NEVER_NULL.has(baseOf(kind));
  return hasFlag(kind, FLAG.trusted | FLAG.allocated) || referenceOf(at) !== 0;
};

const isPacket = (at: number): boolean => isPacketPointer(kindOf(at)) || kindOf(at) === KIND.packetEnd;

/** A comparison of which at least one side is a pointer: whether something is null, or how far the packet reaches. */
export function requireComparable(
  m: Machine,
  { dst, src }: Instruction,
  { op, width, operand }: Jump,
  left: number,
  right: number,
): void {
  if (m.rights.leaks) return;
  if (operand === "reg" && isPointer(kindOf(right)) && !(isPacket(left) && isPacket(right))) {
    reject("EACCES", `R${src} pointer comparison prohibited`);
  }
  if (!isPointer(kindOf(left))) return;
  if (width === 64) {
    const isNull = kindOf(right) === KIND.scalar && isConstant(right) && smallConstant(right) === 0;
    const equality = op === "jeq" || op === "jne";
    const anyNull = operand === "imm" || allows(m.profile, "null_registers");
    if (equality && isNull && (mayBeNull(kindOf(left)) ? anyNull : isNeverNull(left))) return;
    if (operand === "reg" && ORDERS.has(op) && (isEndOf(left, right) || isEndOf(right, left))) return;
  }
  reject("EACCES", `R${dst} pointer comparison prohibited`);
}

const ORDERS: ReadonlySet<string> = new Set(["jgt", "jge", "jlt", "jle"]);

/** The packet's end beside packet data; where the packet begins beside metadata. */
const isEndOf = (at: number, end: number): boolean =>
  kindOf(at) === KIND.packet
    ? kindOf(end) === KIND.packetEnd
    : kindOf(at) === KIND.packetMeta &&
      kindOf(end) === KIND.packet &&
      idOf(end) === 0 &&
      offOf(end) === 0 &&
      smallConstant(end) === 0;

// --- The stack

/** What is spilled of a pointer is a pointer, of whatever kind. */
export const keepsPointers = ({ profile, rights }: Machine): boolean =>
  !rights.leaks || allows(profile, "spilled_pointers");

/** A place on the stack that is one place: the kernel cannot keep others in bounds. */
export function requireKnownPlace({ rights }: Machine, { number, at }: Target): void {
  if (rights.leaks || smallConstant(at) !== undefined) return;
  reject("EACCES", `R${number} variable offset stack access prohibited for !root, var_off=${tnumText(at)}`);
}

/** A slot holds a pointer of which nobody may see bytes. */
export const holdsAddress = ({ rights }: Machine, slot: number): boolean =>
  !rights.leaks && slotByte(slot, 0) === BYTE.spill && kindOf(spilledAt(slot)) !== KIND.scalar;

/** Less than the whole of a slot is written, or a helper writes it. */
export function requireNotCorrupted(m: Machine, slot: number): void {
  if (holdsAddress(m, slot)) reject("EACCES", "attempt to corrupt spilled pointer on stack");
}

// --- Arithmetic on pointers

/** `pointer ± number`, of a program that must be safe where the processor guesses, too. */
interface Sum {
  readonly insn: Instruction;
  readonly op: string;
  readonly pointer: number;
  readonly number: number;
  /** The number is in the register that the sum goes into. */
  readonly swapped: boolean;
}

/**
 * Before a register is added to a pointer, or subtracted: the kernel must know a limit to which it can cut the number.
 *
 * @returns what is to be the same on all paths, for `requireOneLimit`
 */
export function limitOf(m: Machine, { insn, op, pointer, number, swapped }: Sum): string | undefined {
  if (m.rights.leaks || (op !== "add" && op !== "sub")) return undefined;
  const prohibited = "pointer arithmetic with it prohibited for !root";
  const [low, high] = [sminOf(number), smaxOf(number)];
  if (!isConstant(number) && low < 0 !== high < 0) {
    const register = swapped ? insn.dst : insn.src;
    reject("EACCES", `R${register} has unknown scalar with mixed signed bounds, ${prohibited}`);
  }
  const toTheLeft = (op === "add") === low < 0;
  const kind = kindOf(pointer);
  if (kind !== KIND.stack && kind !== KIND.mapValue) {
    const register = swapped ? insn.src : insn.dst;
    reject("EACCES", `R${register} has pointer with unsupported alu operation, ${prohibited}`);
  }
  const [place, most] =
    kind === KIND.stack
      ? [-(offOf(pointer) + sminOf(pointer)), STACK_BYTES + (toTheLeft ? 1 : 0)]
      : [
          (toTheLeft ? sminOf(pointer) : umaxOf(pointer)) + offOf(pointer),
          mapAt(m, objectOf(pointer)).valueSize,
        ];
  if (place < 0 || place >= most) {
    reject("EACCES", `R${insn.dst} tried to ${op} beyond pointer bounds, ${prohibited}`);
  }
  // Which number is cut to which limit now depends on the numbers that lead here.
  if (m.limits !== undefined && !isConstant(number)) m.limits.numbersTell = true;
  return `${isConstant(number)} ${swapped} ${low < 0 ? low : umaxOf(number)}`;
}

/** A sum or difference of two registers that are numbers: the same instruction may not move a pointer on another path. */
export function requireNumbersAlone(m: Machine, insn: Instruction, op: string): void {
  if (m.rights.leaks || (op !== "add" && op !== "sub")) return;
  requireOneLimit(m, insn, op, "numbers");
}

/** When the sum is done: there is one limit for each instruction, whatever path leads to it. */
export function requireOneLimit(
  m: Machine,
  { dst }: Instruction,
  op: string,
  limit: string | undefined,
): void {
  if (limit === undefined) return;
  const earlier = m.limits?.of.get(m.pc);
  if (earlier !== undefined && earlier !== limit) {
    const prohibited = "pointer arithmetic with it prohibited for !root";
    reject("EACCES", `R${dst} tried to ${op} from different maps, paths or scalars, ${prohibited}`);
  }
  m.limits?.of.set(m.pc, limit);
}

/** After anything was added to a pointer: it must still point into its object. */
export function requireInside(m: Machine, number: number, at: number): void {
  if (m.rights.leaks) return;
  const kind = kindOf(at);
  if (kind === KIND.stack) {
    const constant = smallConstant(at);
    if (constant === undefined) {
      const where = `var_off=${tnumText(at)} off=${offOf(at)}`;
      reject("EACCES", `R${number} variable stack access prohibited for !root, ${where}`);
    }
    const off = offOf(at) + constant;
    if (off >= 0 || off < -STACK_BYTES) {
      reject(
        "EACCES",
        `R${number} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}`,
      );
    }
  }
  if (kind !== KIND.mapValue) return;
  const { valueSize, fields } = mapAt(m, objectOf(at));
  // The variable part is a number from 0 on: as one without a sign, what is below 0 is far beyond the value.
  const [least, greatest] = [offOf(at) + sminOf(at), offOf(at) + umaxOf(at)];
  // Nor does it point to what the kernel keeps there.
  const isFree = ({ kind, offset }: MapField): boolean =>
    least >= offset + (MAP_FIELDS.get(kind)?.size ?? valueSize) || greatest < offset;
  if (least >= 0 && greatest < valueSize && fields?.every(isFree) !== false) return;
  reject("EACCES", `R${number} pointer arithmetic of map value goes out of range, prohibited for !root`);
}

/** Fields of the kernel's objects are for those who may look into the kernel's memory. */
export function requireMayLook({ rights }: Machine, struct: () => string): void {
  if (rights.leaks) return;
  reject("EPERM", `'struct ${struct()}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
}

/** Bytes that may be anywhere could be those of an address, or of anything else. */
export function requireMayLookAnywhere({ rights }: Machine, { number, at }: Target): void {
  if (rights.leaks) return;
  const what = `R${number} ${kindName(kindOf(at))}`;
  reject("EPERM", `${what}: access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
}
