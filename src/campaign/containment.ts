/**
 * Whether a concrete machine state lies in the concretisation of an abstract one: the heart of the cross-check. Every register and
 * stack byte that the abstract state says something about is looked at; what it says nothing about (`none`) may be anything.
 */
import {
  baseOf,
  deltaOf,
  FLAG,
  formOf,
  hasFlag,
  idOf,
  isPacketPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  rangeOf,
} from "../absint/register.ts";
import { scalarHolds } from "../absint/scalar/holds.ts";
import {
  BUDGET,
  BYTE,
  budgetFrame,
  depthOf,
  FP,
  frameCount,
  ghostAt,
  ghostCount,
  RUNS,
  registerAt,
  slotAt,
  slotByte,
  spilledAt,
} from "../absint/state.ts";
import { type Machine, mapAt } from "../absint/transfer/machine.ts";
import type { Place } from "../verifier/certificate.ts";
import { registerText } from "../verifier/print-state.ts";
import { type Region, SCALAR, UNINITIALISED } from "../vm/region.ts";
import type { Content, View } from "../vm/view.ts";
import { Bases, Meanings } from "./classes.ts";
import { memoryHolds, objectHolds } from "./object-pointers.ts";

/** What an abstract state says of a stack slot. */
export interface ExpectedSlot {
  readonly frame: number;
  readonly slot: number;
  readonly at: number;
  /** Bits of the bytes that are written, and of those that are 0. */
  readonly written: number;
  readonly zero: number;
  /** How many bytes belong to what is spilled there. */
  readonly spilled: number;
  /** No address lies there, which the program may not read. */
  readonly bare: boolean;
}

/** A packed abstract state, with what it says something about: all of it, or what is to be looked at (`focus.ts`). */
export interface Expected {
  readonly state: number;
  readonly frames: number;
  /** Frame, register and address of each register that is known, one after the other. */
  readonly registers: readonly number[];
  readonly slots: readonly ExpectedSlot[];
  /** Which ghosts. */
  readonly ghosts: readonly number[];
  /** Whether what frames still may do is looked at: the hidden registers. */
  readonly hidden: boolean;
}

/** Looks through a packed state, which has to stay where it is. */
export function expectedOf(m: Machine, state: number): Expected {
  const frames = frameCount(state);
  const registers: number[] = [];
  const slots: ExpectedSlot[] = [];
  for (let frame = 0; frame < frames; frame += 1) {
    for (let register = 0; register <= FP; register += 1) {
      const at = registerAt(state, frame, register);
      if (kindOf(at) !== KIND.none) registers.push(frame, register, at);
    }
    for (let slot = 0; slot < depthOf(state, frame); slot += 1) {
      const expected = expectedSlot(m, frame, slot, slotAt(state, frame, slot));
      if (expected !== undefined) slots.push(expected);
    }
  }
  const ghosts: number[] = [];
  for (let g = 0; g < ghostCount(state); g += 1) ghosts.push(g);
  return { state, frames, registers, slots, ghosts, hidden: true };
}

/** What a state says of a slot, which is at `at`; undefined if that is nothing. */
export function expectedSlot(m: Machine, frame: number, slot: number, at: number): ExpectedSlot | undefined {
  let [written, zero, spilled, used] = [0, 0, 0, 0];
  for (let i = 0; i < 8; i += 1) {
    const kind = slotByte(at, i);
    if (kind === BYTE.invalid) continue;
    used += 1;
    // Some byte is what lies there, too, where programs may read what they have not written.
    if (kind === BYTE.misc && m.rights.uninitialisedStack) continue;
    written |= 1 << i;
    if (kind === BYTE.zero) zero |= 1 << i;
    if (kind === BYTE.spill) spilled += 1;
  }
  const bare = used > 0 && spilled === 0 && !m.rights.leaks;
  return written === 0 && !bare ? undefined : { frame, slot, at, written, zero, spilled, bare };
}

/** What the ids of the state stand for in the machine's. */
const meanings = new Meanings();
const bases = new Bases();

/** The machine's frames that are outside of the abstract state: those of the callers of the function that it is about. */
let outer = 0;

/** Whether the number with the given halves is one of those that the scalar at `at` stands for. */
const holds = (at: number, low: number, high: number): boolean => scalarHolds(at, low, high) === 1;

/** The halves of a number of 64 bits, as int32. */
const lowOf = (value: bigint): number => Number(BigInt.asIntN(32, value));
const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

/** The unsigned number with the given halves. */
const joined = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Whether a number is one that the scalar stands for, and goes with those that it is linked to. */
function numberHolds(at: number, low: number, high: number): boolean {
  if (!holds(at, low, high)) return false;
  const id = idOf(at);
  return id === 0 || bases.agreesNumber(id, low, high, deltaOf(at), formOf(at));
}

/** Whether the region is one that the kind of pointer points into. */
function pointsInto(m: Machine, at: number, { place, live }: Region): boolean {
  switch (kindOf(at)) {
    case KIND.context:
      return place.kind === "context";
    case KIND.stack:
      return place.kind === "stack" && place.frame === objectOf(at) + outer;
    case KIND.mapValue:
    case KIND.mapValueOrNull: {
      const inner = objectOf(at) >= m.program.maps.length;
      return place.kind === "map_value" && (inner || place.map === mapAt(m, objectOf(at)).name);
    }
    case KIND.map:
    case KIND.mapOrNull:
      return place.kind === "map";
    case KIND.mapKey:
      return place.kind === "map_key" && place.map === mapAt(m, objectOf(at)).name;
    case KIND.func:
      return place.kind === "function" && place.slot === objectOf(at);
    case KIND.flowKeys:
      return place.kind === "flow_keys";
    case KIND.tracepointBuffer:
      return place.kind === "tracepoint_record";
    case KIND.packet:
    case KIND.packetMeta:
    case KIND.packetEnd:
      return place.kind === "packet" && live;
    default:
      return false;
  }
}

const WORD = 2 ** 32;

/** Where offset 0 of the kind of pointer is in its region. */
function startOf(kind: number, region: Region): number {
  if (kind === KIND.packetMeta) return region.start;
  return kind === KIND.packetEnd ? region.end : 0;
}

function pointerHolds(m: Machine, at: number, region: Region, offset: number): boolean {
  const kind = kindOf(at);
  // Of what nobody vouches for nothing is claimed.
  if (hasFlag(kind, FLAG.untrusted)) return true;
  if (baseOf(kind) === KIND.memory) return memoryHolds(at, region, offset);
  if (!(objectHolds(m, at, region) ?? pointsInto(m, at, region))) return false;
  // The abstract state says nothing of where in these they lead, and in the kernel's memory objects have no places of their own.
  if (baseOf(kind) === KIND.map || baseOf(kind) === KIND.dynptr || region.place.kind === "kernel_memory")
    return true;
  const variable = offset - startOf(kind, region) - offOf(at);
  if (!holds(at, variable | 0, Math.floor(variable / WORD))) return false;
  if (!isPacketPointer(kind)) return true;
  // What lies within the range is there: before the packet's end, or for metadata before the data.
  const end = kind === KIND.packet ? region.end : -region.start;
  if (variable + rangeOf(at) > Math.max(end, 0) && rangeOf(at) !== 0) return false;
  // The variable part of a packet pointer with the id of a class is what the class counts from.
  return idOf(at) === 0 || bases.agrees(idOf(at), variable | 0, Math.floor(variable / WORD) | 0, 64);
}

/** Whether what a register holds, its provenance and both halves, is something that the abstract one stands for. */
function contains(m: Machine, at: number, tag: Region, low: number, high: number): boolean {
  const kind = kindOf(at);
  if (kind === KIND.none) return true;
  if (tag === UNINITIALISED) return false;
  // A place in an arena is any number.
  if (baseOf(kind) === KIND.arena) return true;
  if (tag === SCALAR || tag.place.kind === "arena") {
    if (kind === KIND.scalar) return numberHolds(at, low, high);
    if (hasFlag(kind, FLAG.untrusted)) return true;
    return mayBeNull(kind) && low === 0 && high === 0 && meanings.agrees(idOf(at), true);
  }
  // An address is a number too, where the abstract state has forgotten that it is one; unless nobody may see addresses.
  if (kind === KIND.scalar) return m.rights.leaks && numberHolds(at, low, high);
  return (
    pointerHolds(m, at, tag, tag.offsetOf(low, high)) &&
    (!mayBeNull(kind) || meanings.agrees(idOf(at), false))
  );
}

function contentText(content: Content): string {
  switch (content.kind) {
    case "uninitialised":
      return "nothing";
    case "number":
      return `0x${content.value.toString(16)}`;
    case "pointer":
      return `${content.region.place.kind} + ${content.offset}`;
  }
}

/** The lowest bit that is set. */
const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** The number in the low `size` bytes of a stack slot. */
function numberAt(view: View, frame: number, slot: number, size: number): bigint {
  view.lookAtSlot(slot, frame);
  return BigInt.asUintN(8 * size, joined(view.low, view.high));
}

function slotProblem(m: Machine, view: View, expected: ExpectedSlot): string | undefined {
  const { slot, at, written, zero, spilled, bare } = expected;
  const frame = outer + expected.frame;
  const start = -8 * (slot + 1);
  const missing = written & ~view.written(slot, frame);
  if (missing !== 0) return `byte ${start + lowestBit(missing)} of the stack is not initialised`;
  const tag = view.lookAtSlot(slot, frame);
  const { low, high } = view;
  for (let rest = zero; rest !== 0; rest &= rest - 1) {
    const i = lowestBit(rest);
    if ((((i < 4 ? low : high) >> (8 * (i & 3))) & 0xff) !== 0)
      return `byte ${start + i} of the stack is not 0`;
  }
  if (bare && tag !== SCALAR && tag !== UNINITIALISED) return `fp${start} is an address`;
  if (spilled === 0) return undefined;
  const register = spilledAt(at);
  if (spilled === 8) {
    if (contains(m, register, tag, low, high)) return undefined;
    return `fp${start} is ${contentText(view.stackSlot(start, frame))}, not ${registerText(m, register, expected.frame)}`;
  }
  // A part of a number that was stored, and no address.
  const value = numberAt(view, frame, slot, spilled);
  if (contains(m, register, SCALAR, lowOf(value), highOf(value))) return undefined;
  return `fp${start} is 0x${value.toString(16)}, not ${registerText(m, register, expected.frame)}`;
}

/** What the machine's helper still will do: the abstract state says how often, or that there is no such helper. */
function runsProblem(m: Machine, state: number, view: View, frame: number): string | undefined {
  const at = registerAt(state, frame, RUNS);
  const runs = view.runsLeft(outer + frame);
  if (kindOf(at) === KIND.none) {
    return runs === undefined ? undefined : `frame ${frame} is in a call that calls back`;
  }
  if (runs === undefined) return `frame ${frame} is in no call that calls back`;
  if (numberHolds(at, runs | 0, 0)) return undefined;
  return `frame ${frame}: ${runs} runs are left, not ${registerText(m, at, frame)}`;
}

/** How often may_goto still may fall through, where the abstract state says something of it. */
function budgetProblem(m: Machine, state: number, view: View, frame: number): string | undefined {
  const at = registerAt(state, frame, BUDGET);
  if (kindOf(at) === KIND.none) return undefined;
  const left = view.loopsLeft(outer + frame);
  if (numberHolds(at, left | 0, 0)) return undefined;
  return `frame ${frame}: may_goto falls through ${left} times more, not ${registerText(m, at, frame)}`;
}

/**
 * The number in a place of the machine: of a slot, the bytes that the abstract state takes for one, or how many elements an iterator there still gives.
 *
 * @param callers  the machine's frames that are outside of the abstract state
 */
export function numberIn(state: number, view: View, place: Place, callers = 0): bigint {
  const frame = callers + place.frame;
  if (place.kind === "slot") {
    const slot = slotAt(state, place.frame, place.slot);
    if (slotByte(slot, 0) === BYTE.object) return BigInt(view.elementsLeft(place.slot, frame) ?? 0);
    let size = 0;
    while (size < 8 && slotByte(slot, size) === BYTE.spill) size += 1;
    return numberAt(view, frame, place.slot, size);
  }
  if (place.register === BUDGET) return BigInt(view.loopsLeft(frame));
  if (place.register === RUNS) return BigInt(view.runsLeft(frame) ?? 0);
  return view.look(place.register, frame) === UNINITIALISED ? 0n : joined(view.low, view.high);
}

/**
 * What of the machine's state an abstract one does not cover, or undefined if it covers all of it.
 *
 * @param numbers  those that its ghosts stand for
 * @param callers  the machine's frames that are outside of the abstract state: it is about a function that they have called
 */
export function escape(
  m: Machine,
  { state, frames, registers, slots, ghosts, hidden }: Expected,
  view: View,
  numbers: readonly bigint[] = [],
  callers = 0,
): string | undefined {
  outer = callers;
  meanings.clear();
  bases.clear();
  const active = view.depth + 1 - outer;
  if (active !== frames) return `${active} frames are active, not ${frames}`;
  for (let i = 0; i < registers.length; i += 3) {
    const frame = registers[i] ?? 0;
    const register = registers[i + 1] ?? 0;
    const at = registers[i + 2] ?? 0;
    const tag = view.look(register, outer + frame);
    if (contains(m, at, tag, view.low, view.high)) continue;
    const content = contentText(view.register(register, outer + frame));
    const where = frame === frames - 1 ? "" : ` of frame ${frame}`;
    return `R${register}${where} is ${content}, not ${registerText(m, at, frame) || kindName(kindOf(at))}`;
  }
  const withHidden = hidden ? frames : 0;
  for (let f = 0; f < withHidden; f += 1) {
    const problem = runsProblem(m, state, view, f) ?? budgetProblem(m, state, view, f);
    if (problem !== undefined) return problem;
  }
  for (const slot of slots) {
    const problem = slotProblem(m, view, slot);
    if (problem !== undefined) return slot.frame === frames - 1 ? problem : `frame ${slot.frame}: ${problem}`;
  }
  return ghosts.length === 0 ? undefined : ghostProblem(m, state, view, ghosts, numbers);
}

function ghostProblem(
  m: Machine,
  state: number,
  view: View,
  ghosts: readonly number[],
  numbers: readonly bigint[],
): string | undefined {
  for (const g of ghosts) {
    const at = ghostAt(state, g);
    const value = numbers[g] ?? 0n;
    if (!numberHolds(at, lowOf(value), highOf(value))) {
      return `ghost ${g} is 0x${value.toString(16)}, not ${registerText(m, at, frameCount(state) - 1)}`;
    }
    const frame = budgetFrame(rangeOf(at));
    const left = frame < 0 ? 0n : BigInt(view.loopsLeft(outer + frame)) + BigInt(rangeOf(at) & 1);
    if (left > value) return `ghost ${g} is ${value}, less than ${left}`;
  }
  return undefined;
}
