/** Atomic instructions: operations that read and write, and loads and stores that others do not overtake. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Instruction, Operation, Size } from "../../semantics/isa/instruction.ts";
import { says } from "../../semantics/profile/lookup.ts";
import {
  baseOf,
  copyRegister,
  FLAG,
  hasFlag,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  referenceOf,
  setUnknown,
} from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import { load, rejectKind, requireNaturallyAligned, store, targetOf } from "./access.ts";
import { requireArenaAtomic } from "./arena-pointers.ts";
import { kptrIn } from "./kptr.ts";
import { type Machine, readable, register, SCRATCH, type Target, writable } from "./machine.ts";
import { isOwnObject } from "./own-object.ts";
import { requireAtomicNumber, requireNoLeak, requireNumberOnStack } from "./privileges.ts";
import { reject } from "./rejection.ts";
import { requireOnePlace } from "./stack.ts";

const STORES = "stores into";

/** What is not memory, or of which Linux guards plain accesses only: packets, and what it rewrites accesses to. */
const NOT_ATOMIC: ReadonlySet<number> = new Set([
  KIND.context,
  KIND.packet,
  KIND.packetMeta,
  KIND.flowKeys,
  KIND.sockCommon,
  KIND.socket,
  KIND.tcpSock,
  KIND.xdpSock,
]);

function requireAtomicKind(number: number, kind: number, what: string): void {
  if (NOT_ATOMIC.has(kind)) rejectAtomic(number, kind, what);
}

function rejectAtomic(number: number, kind: number, what: string): never {
  return reject("EACCES", `BPF_ATOMIC ${what} R${number} ${kindName(kind)} is not allowed`);
}

function requireAligned(to: Target, size: Size, kind: number): void {
  if (kind !== KIND.arena) requireNaturallyAligned(to, size, kind);
}

function requireNoKptr(m: Machine, to: Target, size: Size, kind: number): void {
  if (kind !== KIND.mapValue || kptrIn(m, to, size) === undefined) return;
  reject("EACCES", "kptr in map can only be accessed using BPF_MEM instruction mode");
}

/**
 * Linux 6.18 lets atomic instructions on an arena that has no page there pass by, and leaves the register that they would load as it is: all 64 bits of it, whatever their width. So nothing is known of it
 * afterwards; an address would be left to programs that may not see any.
 */
function requireNumberToStay(m: Machine, number: number): void {
  const kind = kindOf(register(m, number));
  if (kind !== KIND.scalar && kind !== KIND.none && !m.rights.leaks)
    throw new Unsupported("a load with acquire from an arena to a register with an address");
}

/** A load that later accesses wait for. */
export function loadAcquire(m: Machine, insn: Instruction, size: Size): void {
  const from = targetOf(m, insn.src, insn.off);
  const kind = kindOf(from.at);
  // What is loaded may go where the pointer is.
  const there = isThere(kind, from.at);
  if (says(m.profile, "atomic_first")) {
    requireAtomicKind(insn.src, kind, "loads from");
    if (!there) rejectAtomic(insn.src, kind, "loads from");
  }
  requireAligned(from, size, kind);
  requireNoKptr(m, from, size, kind);
  const isArena = kind === KIND.arena;
  if (isArena) requireNumberToStay(m, insn.dst);
  load(m, from, size, false, writable(m, insn.dst));
  if (isArena) setUnknown(register(m, insn.dst));
  requireAtomicKind(insn.src, kind, "loads from");
  if (!there) rejectKind(from, kind);
}

/** Not a kernel object that may be gone, nor bytes that may be anywhere: Linux guards only plain loads of these. What the program holds is there. */
const isThere = (kind: number, at: number): boolean =>
  !hasFlag(kind, FLAG.untrusted) &&
  (baseOf(kind) !== KIND.btf || isOwnObject(kind) || hasFlag(kind, FLAG.trusted) || referenceOf(at) > 0);

/** A store that waits for earlier accesses. */
export function storeRelease(m: Machine, insn: Instruction, size: Size): void {
  const value = readable(m, insn.src);
  const to = targetOf(m, insn.dst, insn.off);
  const kind = kindOf(to.at);
  requireAligned(to, size, kind);
  requireNoKptr(m, to, size, kind);
  requireNoLeak(m, insn.src, value, to);
  store(m, to, size, value);
  requireAtomicKind(insn.dst, kind, STORES);
}

/** An operation that reads and writes: on the stack, in map values, in memory of the program's own. */
export function atomic(
  m: Machine,
  insn: Instruction,
  { op, size, fetch }: Extract<Operation, { kind: "atomic" }>,
): void {
  const operand = readable(m, insn.src);
  const to = targetOf(m, insn.dst, insn.off);
  const exchange = op === "cmpxchg";
  if (exchange) requireAtomicNumber(m, 0, readable(m, 0));
  requireAtomicNumber(m, insn.src, operand);
  const kind = kindOf(to.at);
  if (kind === KIND.arena) requireArenaAtomic(m, insn.dst, op, fetch);
  else requireMemory(m, to, size, kind);
  if (kind === KIND.stack) requireOnePlace(to, size);
  load(m, to, size, false, SCRATCH.left);
  requireNumberOnStack(m, SCRATCH.left, to);
  // What is left in memory is some number: what becomes of it is not followed.
  setUnknown(SCRATCH.right);
  unknownScalarAt(SCRATCH.right, size * 8);
  store(m, to, size, SCRATCH.right);
  if (!fetch) return;
  const result = exchange ? register(m, 0) : writable(m, insn.src);
  if (kind !== KIND.arena && kindOf(SCRATCH.left) === KIND.scalar) return copyRegister(SCRATCH.left, result);
  setUnknown(result);
}

const MEMORY: ReadonlySet<number> = new Set([
  KIND.stack,
  KIND.mapValue,
  KIND.memory,
  KIND.buffer,
  KIND.tracepointBuffer,
]);

function requireMemory(m: Machine, to: Target, size: Size, kind: number): void {
  requireAtomicKind(to.number, kind, STORES);
  requireAligned(to, size, kind);
  // A store that says no.
  if (kind === KIND.map) return store(m, to, size, SCRATCH.right);
  const memory = kind & ~(FLAG.ringbuf | FLAG.readOnly | FLAG.inPacket);
  // Of the kernel's objects those that may be written, which the store finds out.
  const isObject = baseOf(kind) === KIND.btf && !mayBeNull(kind);
  if (!MEMORY.has(memory) && !isObject) rejectKind(to, kind);
  requireNoKptr(m, to, size, kind);
}
