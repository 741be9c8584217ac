/**
 * What of a state has to be looked at after a step. Whatever the last comparison found inside of the abstract state, and neither the machine nor the abstract state has changed
 * since, is inside still. So these are looked at again:
 * - registers, slots and ghosts of which the abstract state says something else than before,
 * - what the instruction has written in the machine,
 * - numbers and pointers with the id of one of these: what is promised of a class is promised of all its members together.
 * Instructions that write in more places than one (calls, exits, atomic operations) leave everything to be looked at.
 */
import { arena } from "../absint/arena.ts";
import { idOf, KIND, kindOf, REGISTER_BYTES } from "../absint/register.ts";
import {
  BUDGET,
  depthOf,
  FP,
  frameCount,
  ghostAt,
  ghostCount,
  RUNS,
  registerAt,
  slotAt,
  spilledAt,
} from "../absint/state.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import { type Expected, type ExpectedSlot, expectedSlot } from "./containment.ts";

/** What an instruction writes in the machine, of what abstract states speak of. */
export interface Written {
  /** A register of the innermost frame; -1 for none. */
  readonly register: number;
  /** The first and the last slot of the innermost frame's stack; none if the last is before the first. */
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** The register through which it stores, if that may lead to a stack: all may have changed then. -1 for none. */
  readonly through: number;
}

const NOTHING: Written = { register: -1, firstSlot: 0, lastSlot: -1, through: -1 };

/** What an instruction writes; undefined for one that writes in more places than one. */
export function writtenBy(insn: Instruction): Written | undefined {
  const { dst, off } = insn;
  const { operation } = insn.row;
  switch (operation.kind) {
    case "alu":
    case "load":
    case "ld_imm64":
      return { ...NOTHING, register: dst };
    case "jump":
    case "goto":
      return NOTHING;
    case "store":
      if (dst !== FP) return { ...NOTHING, through: dst };
      return { ...NOTHING, firstSlot: slotOf(off + operation.size - 1), lastSlot: slotOf(off) };
    default:
      return undefined;
  }
}

/** The slot of the byte at an offset from the frame pointer. */
const slotOf = (offset: number): number => Math.floor((-1 - offset) / 8);

function sameBytes(a: number, b: number, bytes: number): boolean {
  const { i32 } = arena;
  const [first, apart, end] = [a >> 2, (b - a) >> 2, (a + bytes) >> 2];
  for (let i = first; i < end; i += 1) if (i32[i] !== i32[i + apart]) return false;
  return true;
}

const sameRegister = (a: number, b: number): boolean => sameBytes(a, b, REGISTER_BYTES);

/** A slot's kinds of bytes, and the register behind them. */
const sameSlot = (a: number, b: number): boolean => sameBytes(a, b, spilledAt(0) + REGISTER_BYTES);

/** Whether two states are of the same frames and say the same of what these still may do. */
function sameFrames(a: number, b: number): boolean {
  const frames = frameCount(a);
  if (frames !== frameCount(b) || ghostCount(a) !== ghostCount(b)) return false;
  for (let frame = 0; frame < frames; frame += 1)
    for (const hidden of [RUNS, BUDGET])
      if (!sameRegister(registerAt(a, frame, hidden), registerAt(b, frame, hidden))) return false;
  return true;
}

/** The ids of what is looked at. */
class Ids {
  readonly #known: number[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  get some(): boolean {
    return this.#count > 0;
  }

  add(at: number): void {
    const id = idOf(at);
    if (id === 0 || kindOf(at) === KIND.none || this.#knows(id)) return;
    this.#known[this.#count] = id;
    this.#count += 1;
  }

  has(at: number): boolean {
    return kindOf(at) !== KIND.none && this.#knows(idOf(at));
  }

  #knows(id: number): boolean {
    for (let i = 0; i < this.#count; i += 1) if (this.#known[i] === id) return true;
    return false;
  }
}

const ids = new Ids();

/** What of one state has to be looked at, as it is found. */
interface Found {
  readonly registers: number[];
  readonly slots: ExpectedSlot[];
  readonly ghosts: number[];
}

/**
 * The part of the packed state `after` that has to be looked at, if the machine was inside of `before` and has since written no more than `written`; undefined if that is all.
 */
export function focus(m: Machine, before: number, after: number, written: Written): Expected | undefined {
  if (!sameFrames(before, after)) return undefined;
  const frames = frameCount(after);
  const found: Found = { registers: [], slots: [], ghosts: [] };
  ids.clear();
  for (let frame = 0; frame < frames; frame += 1)
    changesOfFrame(m, before, after, frame, frame === frames - 1 ? written : NOTHING, found);
  for (let ghost = 0; ghost < ghostCount(after); ghost += 1) {
    const at = ghostAt(after, ghost);
    if (sameRegister(ghostAt(before, ghost), at)) continue;
    found.ghosts.push(ghost);
    ids.add(at);
  }
  const { registers, slots, ghosts } = ids.some ? withLinked(m, after, found) : found;
  return { state: after, frames, registers, slots, ghosts, hidden: false };
}

/** Finds what a frame says of its registers and slots that it did not say before, and what has been written. */
function changesOfFrame(
  m: Machine,
  before: number,
  after: number,
  frame: number,
  { register: writtenRegister, firstSlot, lastSlot }: Written,
  { registers, slots }: Found,
): void {
  for (let register = 0; register <= FP; register += 1) {
    const at = registerAt(after, frame, register);
    if (kindOf(at) === KIND.none) continue;
    if (register !== writtenRegister && sameRegister(registerAt(before, frame, register), at)) continue;
    registers.push(frame, register, at);
    ids.add(at);
  }
  const known = depthOf(before, frame);
  const depth = depthOf(after, frame);
  for (let slot = 0; slot < depth; slot += 1) {
    const at = slotAt(after, frame, slot);
    const isWritten = slot >= firstSlot && slot <= lastSlot;
    if (!isWritten && slot < known && sameSlot(slotAt(before, frame, slot), at)) continue;
    const expected = expectedSlot(m, frame, slot, at);
    if (expected === undefined) continue;
    slots.push(expected);
    if (expected.spilled > 0) ids.add(spilledAt(at));
  }
}

/** What was found, with all that has the id of some of it, in the order of the state. */
function withLinked(m: Machine, state: number, found: Found): Found {
  const all: Found = { registers: [], slots: [], ghosts: [] };
  let [register, slot, ghost] = [0, 0, 0];
  for (let frame = 0; frame < frameCount(state); frame += 1) {
    for (let r = 0; r <= FP; r += 1) {
      const at = registerAt(state, frame, r);
      const isFound = found.registers[register + 2] === at;
      if (isFound) register += 3;
      if (isFound || ids.has(at)) all.registers.push(frame, r, at);
    }
    for (let s = 0; s < depthOf(state, frame); s += 1) {
      const at = slotAt(state, frame, s);
      const known = found.slots[slot];
      if (known?.at === at) {
        slot += 1;
        all.slots.push(known);
      } else if (ids.has(spilledAt(at))) {
        const linked = expectedSlot(m, frame, s, at);
        if (linked !== undefined && linked.spilled > 0) all.slots.push(linked);
      }
    }
  }
  for (let g = 0; g < ghostCount(state); g += 1) {
    const isFound = found.ghosts[ghost] === g;
    if (isFound) ghost += 1;
    if (isFound || ids.has(ghostAt(state, g))) all.ghosts.push(g);
  }
  return all;
}
