/**
 * An abstract state: what is known of all registers and stack slots of all active frames at one instruction.
 *
 * A state is one block of the arena: a header, then for each frame thirteen registers and the stack slots in use. The *live* layout
 * leaves room for a full stack in every frame, so that a state can be executed in place; the *packed* layout holds just the slots
 * in use and is what is kept. The header says where each frame starts, so that readers need not know which it is.
 *
 * *Hidden registers* are two of each frame's that no instruction names: what the frame still may do. γ of `RUNS`: a helper that the frame has called and
 * that calls back will do so that many times more at most; nothing, where there is no such call. γ of `BUDGET`: may_goto falls through that many times more in this frame; nothing is any
 * number, as before the first may_goto.
 *
 * *Shared slots* of a frame are those in which memory may lie that some pointer to memory leads to (transfer/kfunc/dynptr.ts): γ has such pointers or has none,
 * so bytes of these slots may be written without the stack's being named.
 *
 * *Ghosts* are registers that no instruction reads or writes, one for each loop that the state is inside of, outermost first: γ has for each some
 * number in γ(ghost), linked to others as any number may be. A loop puts there what its counter was (verifier/measure.ts).
 * A ghost whose range is `overBudget(f, d)` is at least BUDGET of the active frame f plus d, too.
 */
import { allocate, allocatePermanent, arena, copyBytes } from "./arena.ts";
import { FIELD, KIND, REGISTER_BYTES, rangeOf, setNone, setPointer, setRange } from "./register.ts";

/** The most frames that any kernel allows (Linux 7.3); a profile may allow fewer. */
export const MAX_FRAMES = 16;
export const STACK_BYTES = 512;
const SLOTS = STACK_BYTES / 8;
export const REGISTERS = 13;
/** r10, the frame pointer. */
export const FP = 10;
/** How often the helper that the frame has called still may call back. */
export const RUNS = 11;
/** How often may_goto still may fall through. */
export const BUDGET = 12;
/** The registers of a frame that are not always the same: all but the frame pointer. */
export const CARRIED: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, RUNS, BUDGET];

/** What one stack byte holds. */
export const BYTE = {
  invalid: 0,
  misc: 1,
  zero: 2,
  spill: 3,
  /** All eight bytes belong to an object that the kernel keeps there: a dynptr, an iterator. The slot's record says which. */
  object: 4,
} as const;

/** Four bytes that hold nothing. */
const INVALID_BYTES = BYTE.invalid * 0x01010101;

/** References that a state can hold at once (references.ts), eight bytes each. */
export const MAX_REFERENCES = 16;
/** The number of ghosts and where they begin. */
const GHOSTS = 16;
const REFERENCES = GHOSTS + 8;
/** The frames come last in the header: it ends with those that are there. */
const FRAMES = REFERENCES + MAX_REFERENCES * 8;
const headerBytes = (frames: number): number => FRAMES + frames * 16;
/** Loops that can be inside each other. */
export const MAX_GHOSTS = 8;
/** Words of a frame besides its registers: two of what has called it, and two with a bit for each slot that is shared. */
const FRAME_WORD_BYTES = 16;
const FRAME_REGISTER_BYTES = REGISTERS * REGISTER_BYTES + FRAME_WORD_BYTES;
/** A slot is the kinds of its eight bytes, from the lowest address on, and the register spilled there. */
export const SLOT_BYTES = 8 + REGISTER_BYTES;
const LIVE_FRAME_BYTES = FRAME_REGISTER_BYTES + SLOTS * SLOT_BYTES;
const LIVE_FRAMES = headerBytes(MAX_FRAMES);
const LIVE_GHOSTS = LIVE_FRAMES + MAX_FRAMES * LIVE_FRAME_BYTES;
export const LIVE_STATE_BYTES = LIVE_GHOSTS + MAX_GHOSTS * REGISTER_BYTES;

const word = (at: number): number => arena.i32[at >> 2] ?? 0;
const setWord = (at: number, value: number): void => {
  arena.i32[at >> 2] = value;
};

/** Number of active frames, at least 1. */
export const frameCount = (state: number): number => word(state);
const setFrameCount = (state: number, count: number): void => setWord(state, count);

/** A number that no register of the state has as its `id`; takes it. */
export function takeId(state: number): number {
  const id = word(state + 4) + 1;
  setWord(state + 4, id);
  return id;
}

/** The id taken last. */
export const lastId = (state: number): number => word(state + 4);
export const setLastId = (state: number, id: number): void => setWord(state + 4, id);

const frameHeader = (state: number, frame: number): number => state + headerBytes(frame);
const frameAt = (state: number, frame: number): number => state + word(frameHeader(state, frame));
/** Stack slots in use: slot s is the eight bytes from -8 * (s + 1) on, relative to the frame pointer. */
export const depthOf = (state: number, frame: number): number => word(frameHeader(state, frame) + 4);
/** Where the frame's caller goes on; -1 in the first frame. */
export const returnTo = (state: number, frame: number): number => word(frameHeader(state, frame) + 8);
/** The first instruction of the frame's function. */
export const functionOf = (state: number, frame: number): number => word(frameHeader(state, frame) + 12);

/** What has called the frame's function, if it is a callback; 0 for a function that the program calls itself. */
export const callbackOf = (state: number, frame: number): number => word(frameWords(state, frame));
/** A number that goes with the callback, as its kind has it. */
export const callbackObject = (state: number, frame: number): number => word(frameWords(state, frame) + 4);
/** Live states only. */
export function setCallback(state: number, frame: number, callback: number, object: number): void {
  setWord(frameWords(state, frame), callback);
  setWord(frameWords(state, frame) + 4, object);
}

/** Whether the slot is one of the shared ones. */
export const isShared = (state: number, frame: number, slot: number): boolean =>
  ((word(sharedWord(state, frame, slot)) >>> (slot & 31)) & 1) === 1;
/** Makes the slot a shared one. Live states only. */
export function share(state: number, frame: number, slot: number): void {
  const at = sharedWord(state, frame, slot);
  setWord(at, word(at) | (1 << (slot & 31)));
}
const sharedWord = (state: number, frame: number, slot: number): number =>
  frameWords(state, frame) + 8 + 4 * (slot >> 5);
/** Makes no slot of any frame a shared one any more: γ is to have no pointers into such. Live states only. */
export function shareNothing(state: number): void {
  for (let frame = 0; frame < frameCount(state); frame += 1) {
    setWord(sharedWord(state, frame, 0), 0);
    setWord(sharedWord(state, frame, 32), 0);
  }
}
/** A bit for each shared slot: those of slots 0 to 31, and of the others. */
export const sharedSlots = (state: number, frame: number): readonly [number, number] => [
  sharedFirst(state, frame) >>> 0,
  sharedLast(state, frame) >>> 0,
];
export const sharedFirst = (state: number, frame: number): number => word(sharedWord(state, frame, 0));
export const sharedLast = (state: number, frame: number): number => word(sharedWord(state, frame, 32));
/** Whether the same slots of a frame are shared in two states. */
export const sameShared = (a: number, b: number, frame: number): boolean =>
  sharedFirst(a, frame) === sharedFirst(b, frame) && sharedLast(a, frame) === sharedLast(b, frame);

const frameWords = (state: number, frame: number): number =>
  frameAt(state, frame) + REGISTERS * REGISTER_BYTES;

/** Number of references held, and where the eight bytes of each are. */
export const referenceCount = (state: number): number => word(state + 8);
export const setReferenceCount = (state: number, count: number): void => setWord(state + 8, count);
export const referenceAt = (state: number, index: number): number => state + REFERENCES + index * 8;

/** The sections that the program is inside of, as nesting depths: of RCU read sections and of those without preemption. */
export const SECTION = { rcu: 12, preemption: 13, interrupts: 14 } as const;
type Section = (typeof SECTION)[keyof typeof SECTION];
export const sectionDepth = (state: number, section: Section): number => arena.u8[state + section] ?? 0;
export const setSectionDepth = (state: number, section: Section, depth: number): void => {
  arena.u8[state + section] = depth;
};
/** All sections as one number, to be compared. */
export const sectionsOf = (state: number): number => word(state + 12);

/** Number of ghosts, and where each is. */
export const ghostCount = (state: number): number => word(state + GHOSTS);
export const ghostAt = (state: number, index: number): number =>
  state + word(state + GHOSTS + 4) + index * REGISTER_BYTES;
/** Sets how many ghosts there are: the innermost go. What is added has to be written by the caller, in live states only. */
export const setGhostCount = (state: number, count: number): void => setWord(state + GHOSTS, count);

/** The range of a ghost that is at least BUDGET of `frame` plus `more`, 0 or 1. */
export const overBudget = (frame: number, more: number): number => 2 * (frame + 1) + more;
/** The frame of whose budget a ghost's range speaks; -1 for none. */
export const budgetFrame = (range: number): number => (range >> 1) - 1;

export const registerAt = (state: number, frame: number, register: number): number =>
  frameAt(state, frame) + register * REGISTER_BYTES;
/** Where a register and a slot are in every live state, from its beginning on. */
export const liveRegister = (frame: number, register: number): number =>
  LIVE_FRAMES + frame * LIVE_FRAME_BYTES + register * REGISTER_BYTES;
export const liveSlot = (frame: number, slot: number): number =>
  LIVE_FRAMES + frame * LIVE_FRAME_BYTES + FRAME_REGISTER_BYTES + slot * SLOT_BYTES;
export const slotAt = (state: number, frame: number, slot: number): number =>
  frameAt(state, frame) + FRAME_REGISTER_BYTES + slot * SLOT_BYTES;
/** The kind of byte `index` (0 is the lowest address) of a slot. */
export const slotByte = (slot: number, index: number): number => arena.u8[slot + index] ?? 0;
export const setSlotByte = (slot: number, index: number, kind: number): void => {
  arena.u8[slot + index] = kind;
};
/** Whether nothing is in any byte of a slot. */
export const isUnused = (slot: number): boolean =>
  word(slot) === INVALID_BYTES && word(slot + 4) === INVALID_BYTES;
export const spilledAt = (slot: number): number => slot + 8;

/** Makes slots up to `slot` part of the frame, with nothing in them. Live states only. */
export function growStack(state: number, frame: number, slot: number): void {
  const depth = depthOf(state, frame);
  if (slot < depth) return;
  for (let s = depth; s <= slot; s += 1) clearSlot(slotAt(state, frame, s));
  setWord(frameHeader(state, frame) + 4, slot + 1);
}

export function clearSlot(slot: number): void {
  setWord(slot, INVALID_BYTES);
  setWord(slot + 4, INVALID_BYTES);
  setNone(spilledAt(slot));
}

/** Enters a function: a frame of which only the frame pointer is known. The caller copies the arguments. Live states only. */
export function pushFrame(state: number, functionStart: number, returnPc: number): number {
  const frame = frameCount(state);
  setFrameCount(state, frame + 1);
  openFrame(state, frame, functionStart, returnPc);
  return frame;
}

function openFrame(state: number, frame: number, functionStart: number, returnPc: number): void {
  const header = frameHeader(state, frame);
  setWord(header, LIVE_FRAMES + frame * LIVE_FRAME_BYTES);
  setWord(header + 4, 0);
  setWord(header + 8, returnPc);
  setWord(header + 12, functionStart);
  const words = frameWords(state, frame);
  arena.u8.fill(0, words, words + FRAME_WORD_BYTES);
  for (const r of CARRIED) setNone(registerAt(state, frame, r));
  setPointer(registerAt(state, frame, FP), KIND.stack, frame);
}

/** Leaves the innermost frame. */
export function popFrame(state: number): void {
  const frame = frameCount(state) - 1;
  // What ghosts say of its budget does not hold of that of a frame that takes its place.
  for (let g = 0; g < ghostCount(state); g += 1) {
    if (budgetFrame(rangeOf(ghostAt(state, g))) === frame) setRange(ghostAt(state, g), 0);
  }
  setFrameCount(state, frame);
}

/** Makes a live block a state without frames, for whoever writes one down frame by frame. */
export function clear(state: number): void {
  arena.u8.fill(0, state, state + FRAMES);
  setWord(state + GHOSTS + 4, LIVE_GHOSTS);
}

/** The state in which a program starts: one frame, r1 the context, nothing else known. */
export function initialise(state: number): void {
  clear(state);
  pushFrame(state, 0, -1);
  setPointer(registerAt(state, 0, 1), KIND.context, 0);
}

/** Bytes of the packed form of a state. */
export function packedBytes(state: number): number {
  const frames = frameCount(state);
  let bytes = headerBytes(frames);
  for (let f = 0; f < frames; f += 1) bytes += FRAME_REGISTER_BYTES + depthOf(state, f) * SLOT_BYTES;
  return bytes + ghostCount(state) * REGISTER_BYTES;
}

/** Copies the ghosts of a state to `offset` in another one, whose header is a copy of its own. */
function copyGhosts(state: number, to: number, offset: number): void {
  const count = ghostCount(state);
  const from = ghostAt(state, 0);
  setWord(to + GHOSTS + 4, offset);
  if (count > 0) copyBytes(to + offset, from, count * REGISTER_BYTES);
}

/** Copies a state, in either layout, to a block of `packedBytes(state)` bytes. */
export function pack(state: number, to: number): void {
  const frames = frameCount(state);
  let offset = headerBytes(frames);
  copyBytes(to, state, offset);
  for (let f = 0; f < frames; f += 1) {
    const bytes = FRAME_REGISTER_BYTES + depthOf(state, f) * SLOT_BYTES;
    const from = frameAt(state, f);
    copyBytes(to + offset, from, bytes);
    setWord(frameHeader(to, f), offset);
    offset += bytes;
  }
  copyGhosts(state, to, offset);
}

/** Copies a state, in either layout, to a live block. */
export function unpack(state: number, to: number): void {
  const frames = frameCount(state);
  copyBytes(to, state, headerBytes(frames));
  for (let f = 0; f < frames; f += 1) {
    const bytes = FRAME_REGISTER_BYTES + depthOf(state, f) * SLOT_BYTES;
    const from = frameAt(state, f);
    const offset = LIVE_FRAMES + f * LIVE_FRAME_BYTES;
    copyBytes(to + offset, from, bytes);
    setWord(frameHeader(to, f), offset);
  }
  copyGhosts(state, to, LIVE_GHOSTS);
}

/** The most bytes of what `packBare` writes. */
export const MOST_BARE_BYTES = LIVE_FRAMES + MAX_FRAMES * FRAME_WORD_BYTES + MAX_GHOSTS * REGISTER_BYTES;

/**
 * Copies what a state says besides its registers and slots, and gives the number of bytes. The copy is no state. Of what is asked of states it answers what is about references, sections, the number of
 * frames, how deep their stacks are, and ghosts.
 */
export function packBare(state: number, to: number): number {
  const frames = frameCount(state);
  let offset = headerBytes(frames);
  copyBytes(to, state, offset);
  for (let f = 0; f < frames; f += 1) {
    copyBytes(to + offset, frameWords(state, f), FRAME_WORD_BYTES);
    offset += FRAME_WORD_BYTES;
  }
  copyGhosts(state, to, offset);
  return offset + ghostCount(state) * REGISTER_BYTES;
}

/** The registers and slots of the first frame with nothing in them: a frame of any depth is copied from it. */
const EMPTY_FRAME = allocatePermanent(LIVE_FRAME_BYTES);
for (let r = 0; r < REGISTERS; r += 1) setNone(EMPTY_FRAME + r * REGISTER_BYTES);
setPointer(EMPTY_FRAME + FP * REGISTER_BYTES, KIND.stack, 0);
for (let s = 0; s < SLOTS; s += 1) clearSlot(EMPTY_FRAME + FRAME_REGISTER_BYTES + s * SLOT_BYTES);

/** Makes of what `packBare` wrote a packed state, in a block of `packedBytes(bare)` bytes, in which nothing is in any register or slot. */
export function unpackBare(bare: number, to: number): void {
  const frames = frameCount(bare);
  let offset = headerBytes(frames);
  let words = bare + offset;
  copyBytes(to, bare, offset);
  for (let f = 0; f < frames; f += 1) {
    const bytes = FRAME_REGISTER_BYTES + depthOf(to, f) * SLOT_BYTES;
    copyBytes(to + offset, EMPTY_FRAME, bytes);
    setWord(frameHeader(to, f), offset);
    setWord(registerAt(to, f, FP) + FIELD.object, f);
    copyBytes(frameWords(to, f), words, FRAME_WORD_BYTES);
    words += FRAME_WORD_BYTES;
    offset += bytes;
  }
  copyGhosts(bare, to, offset);
}

/** A packed copy outside the arena: what certificates are made of. */
export function toBytes(state: number): Uint8Array {
  const size = packedBytes(state);
  const at = allocate(size);
  pack(state, at);
  return arena.u8.slice(at, at + size);
}

/** Puts one that `toBytes` gave into a block of that many bytes. */
export function fromBytes(bytes: Uint8Array, to: number): void {
  arena.u8.set(bytes, to);
}

/** Every register of the state: those of all frames, what is spilled in their stacks and the records of objects there, and the ghosts. */
export function forEachRegister(state: number, visit: (register: number) => void): void {
  const frames = frameCount(state);
  for (let f = 0; f < frames; f += 1) {
    const first = registerAt(state, f, 0);
    for (let r = 0; r < REGISTERS; r += 1) if (r !== FP) visit(first + r * REGISTER_BYTES);
    const depth = depthOf(state, f);
    let slot = slotAt(state, f, 0);
    for (let s = 0; s < depth; s += 1) {
      const kind = slotByte(slot, 0);
      if (kind === BYTE.spill || kind === BYTE.object) visit(spilledAt(slot));
      slot += SLOT_BYTES;
    }
  }
  for (let g = 0; g < ghostCount(state); g += 1) visit(ghostAt(state, g));
}

/**
 * Whether a block of `bytes` bytes, from wherever it came, is laid out as `pack` lays out a state: counts in range, frames and ghosts where they
 * belong. Until that is known no other function here may look at it. What the state says is another matter (verifier/well-formed.ts).
 */
export function isPacked(state: number, bytes: number): boolean {
  if (bytes < FRAMES) return false;
  const [frames, ghosts] = [frameCount(state), ghostCount(state)];
  if (frames < 1 || frames > MAX_FRAMES || ghosts < 0 || ghosts > MAX_GHOSTS) return false;
  if (referenceCount(state) < 0 || referenceCount(state) > MAX_REFERENCES) return false;
  let offset = headerBytes(frames);
  if (bytes < offset) return false;
  for (let f = 0; f < frames; f += 1) {
    const depth = depthOf(state, f);
    if (depth < 0 || depth > SLOTS || word(frameHeader(state, f)) !== offset) return false;
    offset += FRAME_REGISTER_BYTES + depth * SLOT_BYTES;
  }
  return word(state + GHOSTS + 4) === offset && offset + ghosts * REGISTER_BYTES === bytes;
}
