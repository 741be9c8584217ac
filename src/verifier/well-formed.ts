/**
 * Whether a state that somebody wrote down is one: what the transfer functions, the order on states and the theorems about scalars take for
 * granted of every state, checked before a certificate's states are looked at. A state that is well formed and wrong is for
 * check-certificate.ts to find out.
 *
 * Scalars are well formed as the theorems have it (absint/scalar/part.ts): no component is empty by itself. Ids are no greater than the state's
 * last one, since the next to be taken must be new. Pointers lead to frames, maps and functions that there are. A frame's return address follows
 * a call of its function.
 */
import { arena } from "../absint/arena.ts";
import { mapOfTimer, TIMER } from "../absint/callbacks.ts";
import {
  isLock,
  isPlaceId,
  REFERENCE,
  referenceId,
  referenceKind,
  referenceOfState,
} from "../absint/references.ts";
import {
  baseOf,
  constantHigh,
  constantLow,
  deltaOf,
  FLAG,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  KIND,
  kindOf,
  objectOf,
  offOf,
  REGISTER_BYTES,
  rangeOf,
  WHOLE,
} from "../absint/register.ts";
import {
  BUDGET,
  BYTE,
  budgetFrame,
  callbackOf,
  depthOf,
  FP,
  frameCount,
  functionOf,
  ghostAt,
  ghostCount,
  isPacked,
  isShared,
  isUnused,
  lastId,
  REGISTERS,
  RUNS,
  referenceCount,
  registerAt,
  returnTo,
  sectionsOf,
  slotAt,
  slotByte,
  spilledAt,
} from "../absint/state.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import type { Slots } from "../semantics/program/program.ts";

import type { CertificateNode, Measure } from "./certificate.ts";

/** Pointers are never further from their object than this, or the transfer functions refuse them. */
const MAX_OFFSET = 2 ** 29;
/** Ids are taken one by one; far more than these steps would be needed to run out of them. */
const MAX_ID = 2 ** 30;
const MAX_KIND = Math.max(...Object.values(KIND).map(baseOf));
const ALL_FLAGS = Object.values(FLAG).reduce((all, flag) => all | flag, 0);
const REFERENCE_KINDS: ReadonlySet<number> = new Set(Object.values(REFERENCE));

/** A frame's function, by the instruction that calls it, and the functions that there are. */
export interface Calls {
  readonly functions: ReadonlySet<number>;
  /** The function that is called at an instruction; undefined in a helper's call. */
  readonly callees: ReadonlyMap<number, number | undefined>;
}

/** The calls of a program: of its own functions, which begin where they are called, and of helpers, which may call back. */
export function callsOf(insns: Slots, starts: readonly number[]): Calls {
  const functions = new Set(starts);
  const callees = new Map<number, number | undefined>();
  insns.forEach((insn, pc) => {
    const operation = insn?.row.operation;
    if (insn === undefined || operation === undefined) return;
    const callee =
      operation.kind === "call" && operation.callee === "subprogram" ? pc + 1 + insn.imm : undefined;
    if (operation.kind === "call") callees.set(pc, callee);
    if (callee !== undefined) functions.add(callee);
    // The address of a function, which a helper gets.
    if (operation.kind === "ld_imm64" && operation.load === "func") functions.add(pc + 1 + insn.imm);
  });
  return { functions, callees };
}

/**
 * What is wrong with a node, whose state is in a block of the arena; undefined if it is well formed.
 *
 * @param at  where the state is
 */
export function nodeFlaw(
  { pc, state, edges, loops, measure }: CertificateNode,
  at: number,
  m: Pick<Machine, "program" | "maps">,
  calls: Calls,
): string | undefined {
  if (!isPacked(at, state.length)) return "its state is not laid out as one";
  if (m.program.insns[pc] === undefined) return `it stands at insn ${pc}, which is none`;
  if (!edges.every(Number.isInteger) || !loops.every(Number.isInteger)) return "it leads to what is no node";
  const flaw = (measure === undefined ? undefined : measureFlaw(measure)) ?? stateFlaw(at, m, calls);
  return flaw === undefined ? undefined : `its state is not well formed: ${flaw}`;
}

/** A measure's place may be one that the state lacks, but not one between places. */
function measureFlaw({ place }: Measure): string | undefined {
  const number = place.kind === "slot" ? place.slot : place.register;
  return Number.isInteger(place.frame) && Number.isInteger(number) ? undefined : "its measure is in no place";
}

/** What is wrong with a packed state. */
function stateFlaw(
  state: number,
  { program, maps }: Pick<Machine, "program" | "maps">,
  calls: Calls,
): string | undefined {
  const last = lastId(state);
  if (last < 0 || last > MAX_ID) return `its last id is ${last}`;
  if (sectionsOf(state) >>> 24 !== 0) return "it is in an unknown section";
  const limits: Limits = { frames: frameCount(state), last, maps: maps.length, insns: program.insns.length };
  return referencesFlaw(state, limits) ?? framesFlaw(state, limits, calls) ?? ghostsFlaw(state);
}

interface Limits {
  readonly frames: number;
  readonly last: number;
  readonly maps: number;
  readonly insns: number;
}

function referencesFlaw(state: number, { last, maps, insns }: Limits): string | undefined {
  for (let i = 0; i < referenceCount(state); i += 1) {
    const { insn } = referenceOfState(state, i);
    const id = referenceId(state, i);
    if (!REFERENCE_KINDS.has(referenceKind(state, i))) return `reference ${i} is of no kind`;
    // The lock of a certain map has a number below 0.
    const kind = referenceKind(state, i);
    const least = isLock(kind) ? -maps : 1;
    const hasPlace = kind === REFERENCE.iterator || kind === REFERENCE.interrupts;
    if (
      hasPlace !== isPlaceId(id) ||
      id === 0 ||
      (id < least && !hasPlace) ||
      id > last ||
      insn < 0 ||
      insn >= insns
    )
      return `reference ${i} is of id ${id} and insn ${insn}`;
  }
  return undefined;
}

function framesFlaw(state: number, limits: Limits, calls: Calls): string | undefined {
  for (let f = 0; f < limits.frames; f += 1) {
    const flaw =
      callFlaw(state, f, calls, limits.maps) ??
      registersFlaw(state, f, limits) ??
      stackFlaw(state, f, limits);
    if (flaw !== undefined) return `frame ${f}: ${flaw}`;
  }
  return undefined;
}

function callFlaw(state: number, f: number, { functions, callees }: Calls, maps: number): string | undefined {
  const [start, to] = [functionOf(state, f), returnTo(state, f)];
  if (!functions.has(start)) return `insn ${start} begins no function`;
  if (f === 0) {
    const by = callbackOf(state, 0);
    const isFirst = by === 0 || (by === TIMER && mapOfTimer(state) >= 0 && mapOfTimer(state) < maps);
    return to === -1 && isFirst ? undefined : "is the first and returns";
  }
  // A callback comes back to the call itself.
  const call = callbackOf(state, f) === 0 ? to - 1 : to;
  if (!callees.has(call)) return `returns to insn ${to}, which follows no call`;
  const called = callees.get(call) === (call === to ? undefined : start);
  return called ? undefined : `returns to insn ${to}, which follows a call of something else`;
}

function registersFlaw(state: number, f: number, limits: Limits): string | undefined {
  const first = registerAt(state, f, 0);
  for (let r = 0; r < REGISTERS; r += 1) {
    const at = first + r * REGISTER_BYTES;
    if (r === FP || kindOf(at) === KIND.none) continue;
    const flaw = registerFlaw(at, limits);
    if (flaw !== undefined) return `R${r} ${flaw}`;
  }
  for (const r of [RUNS, BUDGET]) {
    if (kindOf(registerAt(state, f, r)) > KIND.scalar) return `hidden register ${r} is no number`;
  }
  const fp = registerAt(state, f, FP);
  const own = kindOf(fp) === KIND.stack && objectOf(fp) === f && offOf(fp) === 0 && idOf(fp) === 0;
  const zero = isConstant(fp) && constantLow(fp) === 0 && constantHigh(fp) === 0 && rangeOf(fp) === 0;
  return own && zero ? scalarFlaw(fp) : "R10 is not the frame's pointer";
}

function stackFlaw(state: number, f: number, limits: Limits): string | undefined {
  for (let s = 0; s < depthOf(state, f); s += 1) {
    const slot = slotAt(state, f, s);
    const flaw = slotFlaw(slot, limits) ?? (isShared(state, f, s) ? sharedFlaw(slot) : undefined);
    if (flaw !== undefined) return `fp-${8 * (s + 1)} ${flaw}`;
  }
  return undefined;
}

/** Spilled bytes are the lowest of their slot; eight of them hold anything, fewer a number. An object has all eight. */
function slotFlaw(slot: number, limits: Limits): string | undefined {
  if (isUnused(slot)) return undefined;
  let spilled = 0;
  while (spilled < 8 && slotByte(slot, spilled) === BYTE.spill) spilled += 1;
  let objects = 0;
  for (let i = 0; i < 8; i += 1) {
    const kind = slotByte(slot, i);
    if (kind > BYTE.object) return `has a byte of kind ${kind}`;
    if (kind === BYTE.spill && i >= spilled) return "has spilled bytes that are not the lowest";
    if (kind === BYTE.object) objects += 1;
  }
  if (objects !== 0 && objects !== 8) return "has a part of an object";
  if (spilled === 0 && objects === 0) return undefined;
  const at = spilledAt(slot);
  if (spilled > 0 && spilled < 8 && kindOf(at) !== KIND.scalar) return "has a part of a pointer";
  if (kindOf(at) === KIND.none) return "has nothing spilled in it";
  if (objects === 8 && kindOf(at) === KIND.scalar) return countFlaw(at, limits);
  return registerFlaw(at, limits);
}

/** Who writes to a shared slot does not name it, so nothing is known of what is there but that it is initialised. */
function sharedFlaw(slot: number): string | undefined {
  for (let i = 0; i < 8; i += 1)
    if (slotByte(slot, i) > BYTE.misc) return "is shared and holds something known";
  return undefined;
}

/** The record of an object that is a number. */
function countFlaw(at: number, limits: Limits): string | undefined {
  if (rangeOf(at) <= 0) return "is an object of no kind";
  const id = idOf(at);
  if (id < 0 || id > limits.last) return `has id ${id}, the last is ${limits.last}`;
  return scalarFlaw(at) ?? idFlaw(at);
}

function ghostsFlaw(state: number): string | undefined {
  for (let g = 0; g < ghostCount(state); g += 1) {
    const at = ghostAt(state, g);
    const flaw = kindOf(at) === KIND.scalar ? ghostFlaw(at, state) : "is no number";
    if (flaw !== undefined) return `ghost ${g} ${flaw}`;
  }
  return undefined;
}

function ghostFlaw(at: number, state: number): string | undefined {
  const range = rangeOf(at);
  const ofFrame = budgetFrame(range) >= 0 && budgetFrame(range) < frameCount(state);
  if (range !== 0 && !ofFrame) return `has ${range} as its range`;
  const id = idOf(at);
  if (id < 0 || id > lastId(state)) return `has id ${id}, the last is ${lastId(state)}`;
  return scalarFlaw(at) ?? idFlaw(at);
}

function registerFlaw(at: number, limits: Limits): string | undefined {
  const kind = kindOf(at);
  if (kind === KIND.none) return undefined;
  const base = baseOf(kind);
  const flags = kind & ~0xff;
  if (base > MAX_KIND || (flags & ~ALL_FLAGS) !== 0) return `is of no kind (${kind})`;
  if (base <= KIND.scalar && flags !== 0) return `is a number with flags (${kind})`;
  const id = idOf(at);
  if (id < 0 || id > limits.last) return `has id ${id}, the last is ${limits.last}`;
  return scalarFlaw(at) ?? (kind === KIND.scalar ? linkFlaw(at) : pointerFlaw(at, limits));
}

function linkFlaw(at: number): string | undefined {
  return rangeOf(at) !== 0 ? "is a number with a range" : idFlaw(at);
}

function idFlaw(at: number): string | undefined {
  const form = formOf(at);
  if (idOf(at) === 0) return form === WHOLE && deltaOf(at) === 0 ? undefined : "is linked to nothing";
  return form < -63 || form > WHOLE || form === 0 ? `has a link of form ${form}` : undefined;
}

function pointerFlaw(at: number, { frames, last, maps, insns }: Limits): string | undefined {
  const kind = kindOf(at);
  const off = offOf(at);
  const object = objectOf(at);
  const rest = rangeOf(at);
  if (off <= -MAX_OFFSET || off >= MAX_OFFSET) return `has offset ${off}`;
  const inPlace = baseOf(kind) === KIND.memory && isPlaceId(rest);
  if ((rest < 0 && !inPlace) || (!isPacketPointer(kind) && rest > last))
    return `has ${rest} as its range or reference`;
  const limit = objectLimit(baseOf(kind), frames, maps, insns);
  return object < 0 || object >= limit ? `points to object ${object}` : undefined;
}

function objectLimit(base: number, frames: number, maps: number, insns: number): number {
  switch (base) {
    case KIND.stack:
      return frames;
    case KIND.mapValue:
    case KIND.map:
    case KIND.mapKey:
      return maps;
    case KIND.func:
      return insns;
    default:
      return 2 ** 31;
  }
}

/** Compares 64-bit numbers by their halves; `flip` is 1 << 31 for signed ones. */
function isLess(i: number, j: number, flip: number): boolean {
  const m = arena.i32;
  // Signed comparisons of what has the sign bit flipped are unsigned ones, of numbers that stay small integers.
  const sign = 1 << 31;
  const high = (m[i + 1] ?? 0) ^ flip ^ sign;
  const other = (m[j + 1] ?? 0) ^ flip ^ sign;
  return high < other || (high === other && ((m[i] ?? 0) ^ sign) < ((m[j] ?? 0) ^ sign));
}

/** The scalar part: bits that are known are not unknown too, and no interval is empty. */
function scalarFlaw(at: number): string | undefined {
  const m = arena.i32;
  const i = at >> 2;
  if (((m[i] ?? 0) & (m[i + 2] ?? 0)) !== 0 || ((m[i + 1] ?? 0) & (m[i + 3] ?? 0)) !== 0) {
    return "has bits that are known and unknown";
  }
  const sign = 1 << 31;
  const empty =
    isLess(i + 6, i + 4, 0) ||
    isLess(i + 10, i + 8, sign) ||
    ((m[i + 13] ?? 0) ^ sign) < ((m[i + 12] ?? 0) ^ sign) ||
    (m[i + 15] ?? 0) < (m[i + 14] ?? 0);
  return empty ? "has an empty interval" : undefined;
}
