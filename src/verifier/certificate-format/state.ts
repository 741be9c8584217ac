/** A state as values: what a certificate file has of it, whatever the layout in memory. */
import { allocate, release } from "../../absint/arena.ts";
import {
  acquireReference,
  REFERENCE,
  type Reference,
  type ReferenceKind,
  referenceOfState,
} from "../../absint/references.ts";
import { isPacketPointer, KIND, kindOf } from "../../absint/register.ts";
import {
  BYTE,
  CARRIED,
  callbackObject,
  callbackOf,
  clear,
  depthOf,
  frameCount,
  fromBytes,
  functionOf,
  ghostAt,
  ghostCount,
  growStack,
  LIVE_STATE_BYTES,
  pushFrame,
  referenceCount,
  registerAt,
  returnTo,
  SECTION,
  sectionDepth,
  setCallback,
  setGhostCount,
  setLastId,
  setSectionDepth,
  setSlotByte,
  share,
  sharedSlots,
  slotAt,
  slotByte,
  spilledAt,
  toBytes,
} from "../../absint/state.ts";
import { type Register, readRegister, writeRegister } from "./register.ts";

export interface Slot {
  /** Kinds of the eight bytes, from the lowest address on. */
  readonly bytes: readonly number[];
  /** What is spilled there, or the record of an object. */
  readonly content: Register | undefined;
}

export interface Frame {
  readonly functionStart: number;
  readonly returnTo: number;
  readonly callback: number;
  readonly callbackObject: number;
  /** A bit for each shared slot: those of the first 32, and of the others. */
  readonly shared: readonly [number, number];
  /** Those of `CARRIED`; undefined where nothing is known. */
  readonly registers: readonly (Register | undefined)[];
  readonly slots: readonly Slot[];
}

export interface State {
  readonly frames: readonly Frame[];
  readonly references: readonly Reference[];
  /** Depths of the sections, in the order of `SECTION`. */
  readonly sections: readonly number[];
  readonly ghosts: readonly Register[];
}

const SECTIONS = Object.values(SECTION);

const registerOf = (at: number): Register | undefined =>
  kindOf(at) === KIND.none ? undefined : readRegister(at);

/** The values of a packed state. */
export function readState(bytes: Uint8Array): State {
  const at = allocate(bytes.length);
  fromBytes(bytes, at);
  const count = <T>(n: number, of: (i: number) => T): readonly T[] =>
    Array.from({ length: n }, (_, i) => of(i));
  const slotOf = (slot: number): Slot => {
    const kinds = count(8, (i) => slotByte(slot, i));
    const holds = kinds[0] === BYTE.spill || kinds[0] === BYTE.object;
    return { bytes: kinds, content: holds ? registerOf(spilledAt(slot)) : undefined };
  };
  const state = {
    frames: count(
      frameCount(at),
      (f): Frame => ({
        functionStart: functionOf(at, f),
        returnTo: returnTo(at, f),
        callback: callbackOf(at, f),
        callbackObject: callbackObject(at, f),
        shared: sharedSlots(at, f),
        registers: CARRIED.map((r) => registerOf(registerAt(at, f, r))),
        slots: count(depthOf(at, f), (s) => slotOf(slotAt(at, f, s))),
      }),
    ),
    references: count(referenceCount(at), (i) => referenceOfState(at, i)),
    sections: SECTIONS.map((section) => sectionDepth(at, section)),
    ghosts: count(ghostCount(at), (g) => readRegister(ghostAt(at, g))),
  };
  release(at, bytes.length);
  return state;
}

/** Whether a register's last word is the id of a reference. */
const hasReference = ({ kind }: Register): boolean => kind !== KIND.scalar && !isPacketPointer(kind);

/** The same state with its ids counted from 1 in the order in which they are met: what they are is of no account. */
export function withCanonicalIds(state: State): State {
  const names = new Map<number, number>();
  const rename = (id: number): number => {
    if (id <= 0) return id;
    const known = names.get(id);
    if (known !== undefined) return known;
    names.set(id, names.size + 1);
    return names.size;
  };
  const register = (old: Register): Register => {
    const id = rename(old.id);
    const range = hasReference(old) ? rename(old.range) : old.range;
    return id === old.id && range === old.range ? old : { ...old, id, range };
  };
  const some = (old: Register | undefined): Register | undefined =>
    old === undefined ? undefined : register(old);
  return {
    ...state,
    references: state.references.map((reference) => ({ ...reference, id: rename(reference.id) })),
    frames: state.frames.map((frame) => ({
      ...frame,
      registers: frame.registers.map(some),
      slots: frame.slots.map(({ bytes, content }) => ({ bytes, content: some(content) })),
    })),
    ghosts: state.ghosts.map(register),
  };
}

function greatestId({ frames, references, ghosts }: State): number {
  let greatest = 0;
  const see = (register: Register | undefined): void => {
    if (register === undefined) return;
    greatest = Math.max(greatest, register.id, hasReference(register) ? register.range : 0);
  };
  for (const { id } of references) greatest = Math.max(greatest, id);
  for (const { registers, slots } of frames) {
    registers.forEach(see);
    for (const { content } of slots) see(content);
  }
  ghosts.forEach(see);
  return greatest;
}

const isReferenceKind = (kind: number): kind is ReferenceKind =>
  Object.values(REFERENCE).some((known) => known === kind);

/** The packed state of these values. Counts have to be within what a state holds; whether it is well formed is another question. */
export function writeState(state: State): Uint8Array {
  const at = allocate(LIVE_STATE_BYTES);
  clear(at);
  for (const {
    functionStart,
    returnTo: to,
    callback,
    callbackObject: object,
    shared,
    registers,
    slots,
  } of state.frames) {
    const f = pushFrame(at, functionStart, to);
    setCallback(at, f, callback, object);
    shared.forEach((bits, half) => {
      for (let i = 0; i < 32; i += 1) if (((bits >>> i) & 1) === 1) share(at, f, 32 * half + i);
    });
    CARRIED.forEach((r, i) => {
      const register = registers[i];
      if (register !== undefined) writeRegister(registerAt(at, f, r), register);
    });
    if (slots.length > 0) growStack(at, f, slots.length - 1);
    slots.forEach(({ bytes, content }, s) => {
      const slot = slotAt(at, f, s);
      bytes.forEach((kind, i) => setSlotByte(slot, i, kind));
      if (content !== undefined) writeRegister(spilledAt(slot), content);
    });
  }
  for (const { id, kind, insn } of state.references) {
    if (!isReferenceKind(kind)) throw new Error(`no kind of reference ${kind}`);
    acquireReference(at, id, kind, insn);
  }
  SECTIONS.forEach((section, i) => setSectionDepth(at, section, state.sections[i] ?? 0));
  setGhostCount(at, state.ghosts.length);
  state.ghosts.forEach((ghost, g) => writeRegister(ghostAt(at, g), ghost));
  setLastId(at, greatestId(state));
  const bytes = toBytes(at);
  release(at, LIVE_STATE_BYTES);
  return bytes;
}
