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
import type { Instruction } from "../semantics/isa/instruction.ts";
import type { Expected, ExpectedSlot } from "./containment.ts";

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
  for (let i = 0; i < bytes >> 2; i += 1) if (i32[(a >> 2) + i] !== i32[(b >> 2) + i]) return false;
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
  readonly #known = new Set<number>();

  add(at: number): void {
    if (idOf(at) !== 0 && kindOf(at) !== KIND.none) this.#known.add(idOf(at));
  }

  has(at: number): boolean {
    return this.#known.size > 0 && kindOf(at) !== KIND.none && this.#known.has(idOf(at));
  }
}

const isSpilled = ({ spilled }: ExpectedSlot): boolean => spilled > 0;

/**
 * The part of `after` that has to be looked at, if the machine was inside of `before` and has since written no more than `written`; undefined if that is all.
 */
export function focus(before: Expected, after: Expected, written: Written): Expected | undefined {
  const [old, now] = [before.state, after.state];
  if (!sameFrames(old, now)) return undefined;
  const innermost = after.frames - 1;
  const ids = new Ids();
  const registers = new Uint8Array(after.registers.length / 3);
  const slots = new Uint8Array(after.slots.length);
  const ghosts = new Uint8Array(after.ghosts.length);
  for (let i = 0; i < registers.length; i += 1) {
    const [frame, register, at] = tripleAt(after.registers, i);
    const isWritten = frame === innermost && register === written.register;
    if (isWritten || !sameRegister(registerAt(old, frame, register), at)) registers[i] = 1;
    if (registers[i] === 1) ids.add(at);
  }
  for (const [i, expected] of after.slots.entries()) {
    const { frame, slot, at } = expected;
    const isWritten = frame === innermost && slot >= written.firstSlot && slot <= written.lastSlot;
    const wasThere = slot < depthOf(old, frame);
    if (isWritten || !wasThere || !sameSlot(slotAt(old, frame, slot), at)) slots[i] = 1;
    if (slots[i] === 1 && isSpilled(expected)) ids.add(spilledAt(at));
  }
  for (const [i, ghost] of after.ghosts.entries()) {
    if (sameRegister(ghostAt(old, ghost), ghostAt(now, ghost))) continue;
    ghosts[i] = 1;
    ids.add(ghostAt(now, ghost));
  }
  return {
    state: now,
    frames: after.frames,
    registers: after.registers.filter((_, i) => {
      const which = Math.floor(i / 3);
      return registers[which] === 1 || ids.has(after.registers[3 * which + 2] ?? 0);
    }),
    slots: after.slots.filter(
      (expected, i) => slots[i] === 1 || (isSpilled(expected) && ids.has(spilledAt(expected.at))),
    ),
    ghosts: after.ghosts.filter((ghost, i) => ghosts[i] === 1 || ids.has(ghostAt(now, ghost))),
    hidden: false,
  };
}

const tripleAt = (numbers: readonly number[], index: number): readonly [number, number, number] => [
  numbers[3 * index] ?? 0,
  numbers[3 * index + 1] ?? 0,
  numbers[3 * index + 2] ?? 0,
];
