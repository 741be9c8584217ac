/**
 * The stack: eight-byte slots that remember, byte by byte, what was written, and the register itself where one was spilled whole.
 *
 * A number spilled with 1, 2 or 4 bytes is remembered truncated to them. A read of exactly what was spilled, or of a number's
 * low bytes, gives it back; any other read of initialised bytes gives some number of that many bytes.
 */
import type { Size } from "../../semantics/isa/instruction.ts";
import { demand, isRewritten, noteSlotRead, setRewritten } from "../origins.ts";
import {
  baseOf,
  constantHigh,
  constantLow,
  copyRegister,
  FLAG,
  hasFlag,
  isConstant,
  isPointer,
  KIND,
  kindOf,
  objectOf,
  offOf,
  setConstant,
  setNone,
  setUnknown,
  smallConstant,
  smaxOf,
  sminOf,
  umaxOf,
} from "../register.ts";
import { tightAluOperator, unknownScalarAt } from "../scalar/operators.ts";
import {
  BYTE,
  depthOf,
  growStack,
  isShared,
  STACK_BYTES,
  setSlotByte,
  share,
  shareNothing,
  slotAt,
  slotByte,
  spilledAt,
} from "../state.ts";
import { removeObject } from "./counted-slots.ts";
import { isDynptrSlot, overwriteDynptr } from "./dynptr-slots.ts";
import { beginLink, cutLink } from "./links.ts";
import { currentFrame, type Machine, SCRATCH, type Target } from "./machine.ts";
import {
  endPointers,
  holdsAddress,
  keepsPointers,
  requireKnownPlace,
  requireNotCorrupted,
} from "./privileges.ts";
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

/** Byte offsets from the frame pointer, both ends included: where an access may touch the stack. */
interface Extent {
  readonly frame: number;
  readonly first: number;
  readonly last: number;
  /** Whether the access is at one known place. */
  readonly fixed: boolean;
}

/**
 * The bytes that an access of `size` bytes may touch, all of them in the frame.
 *
 * @param what  " read from", " write to" or " indirect access to", for the message
 */
function extentOf({ number, at, off }: Target, size: number, what: string): Extent {
  const constant = smallConstant(at);
  const base = offOf(at) + off;
  const frame = objectOf(at);
  if (constant !== undefined) {
    const first = base + constant;
    // No bytes lie in the frame, too.
    if (first < -STACK_BYTES || first >= 0 || first + size > 0) {
      reject(outside(first), `invalid${what} stack R${number} off=${first} size=${size}`);
    }
    return { frame, first, last: first + size - 1, fixed: true };
  }
  const [least, greatest] = [sminOf(at), smaxOf(at)];
  if (least <= -(2 ** 29) || greatest >= 2 ** 29) {
    reject("EACCES", `invalid unbounded variable-offset${what} stack R${number}`);
  }
  if (base + least < -STACK_BYTES || base + least >= 0 || base + greatest + size > 0) {
    reject(
      outside(base + least),
      `invalid variable-offset${what} stack R${number} var_off=${tnumText(at)} off=${base} size=${size}`,
    );
  }
  return { frame, first: base + least, last: base + greatest + size - 1, fixed: false };
}

/** The kernel's error for an access that is not all in the frame: another one if it begins outside. */
const outside = (first: number): "EACCES" | "EINVAL" =>
  first < -STACK_BYTES || first >= 0 ? "EACCES" : "EINVAL";

/** An operation in memory is at one place, as Linux reads what is there for no register. */
export function requireOnePlace(target: Target, size: number): void {
  const { at, off } = target;
  if (extentOf(target, size, " read from").fixed) return;
  const where = `var_off=${tnumText(at)} off=${offOf(at) + off} size=${size}`;
  reject("EACCES", `variable offset stack pointer cannot be passed into helper function; ${where}`);
}

const slotOf = (off: number): number => (-off - 1) >> 3;
const byteOf = (off: number): number => off & 7;

function byteKind(m: Machine, frame: number, off: number): number {
  const slot = slotOf(off);
  return slot < depthOf(m.state, frame) ? slotByte(slotAt(m.state, frame, slot), byteOf(off)) : BYTE.invalid;
}

// --- Reads

export function readStack(m: Machine, target: Target, size: Size, destination: number): void {
  requireKnownPlace(m, target);
  const { frame, first, last, fixed } = extentOf(target, size, " read from");
  const beyond = fixed && slotOf(first) >= depthOf(m.state, frame);
  if (m.rights.uninitialisedStack) grow(m, frame, first);
  requireInitialised(m, frame, first, last, (off) =>
    beyond
      ? `invalid read from stack R${target.number} off=${first} size=${size}`
      : fixed
        ? `invalid read from stack off ${first}+${off - first} size ${size}`
        : `invalid read from stack R${target.number} var_off ${tnumText(target.at)}+${off - first} size ${size}`,
  );
  if (fixed && fill(m, frame, first, size, destination)) return;
  const zero = isZero(m, frame, first, last);
  if (zero) setConstant(destination, 0, 0);
  else {
    setUnknown(destination);
    unknownScalarAt(destination, size * 8);
  }
}

/** Reads a spilled register back, if that is what lies there; says whether it did. */
function fill(m: Machine, frame: number, first: number, size: Size, destination: number): boolean {
  const slot = slotAt(m.state, frame, slotOf(first));
  if (slotByte(slot, 0) !== BYTE.spill) return false;
  const spilled = spilledAt(slot);
  if (byteOf(first) !== 0) {
    if (isPointer(kindOf(spilled))) reject("EACCES", "invalid size of register fill");
    return false;
  }
  for (let i = 0; i < size; i += 1) if (slotByte(slot, i) !== BYTE.spill) return false;
  const whole = size === 8 || slotByte(slot, size) !== BYTE.spill;
  if (whole) {
    copyRegister(spilled, destination);
    return true;
  }
  if (isPointer(kindOf(spilled))) reject("EACCES", "invalid size of register fill");
  copyRegister(spilled, destination);
  truncate(destination, size);
  return true;
}

/** Keeps the low `size` bytes of a number. */
function truncate(at: number, size: Size): void {
  if (size === 8) return;
  cutLink(at, size * 8, 2 ** (size * 8) - 1);
  tightAluOperator(size === 4 ? "le32" : "le16", 64)(at, at, at);
  if (size === 1) {
    setConstant(SCRATCH.right, 255, 0);
    tightAluOperator("and", 64)(at, SCRATCH.right, at);
  }
}

function requireInitialised(
  m: Machine,
  frame: number,
  first: number,
  last: number,
  message: (off: number) => string,
): void {
  for (let off = first; off <= last; off += 1) {
    const kind = byteKind(m, frame, off);
    // What the kernel keeps there is not for the program to look at.
    if (kind === BYTE.object || (kind === BYTE.invalid && !m.rights.uninitialisedStack)) {
      reject("EACCES", message(off));
    }
    if (off === first || byteOf(off) === 0) {
      const slot = slotOf(off);
      noteSlotRead(m.marks, frame, slot, slotAt(m.state, frame, slot));
    }
  }
}

function isZero(m: Machine, frame: number, first: number, last: number): boolean {
  for (let off = first; off <= last; off += 1) {
    const kind = byteKind(m, frame, off);
    if (kind === BYTE.zero) continue;
    if (kind !== BYTE.spill) return false;
    const spilled = spilledAt(slotAt(m.state, frame, slotOf(off)));
    if (!isZeroNumber(spilled)) return false;
    demand(m.marks, spilled);
  }
  return true;
}

const isZeroNumber = (at: number): boolean =>
  kindOf(at) === KIND.scalar && isConstant(at) && constantLow(at) === 0 && constantHigh(at) === 0;

// --- Writes

/** Makes the slots down to the one at `off` part of the frame: new ones, so there is nothing in them to be read. */
function grow(m: Machine, frame: number, off: number): void {
  const depth = depthOf(m.state, frame);
  growStack(m.state, frame, slotOf(off));
  for (let s = depth; s <= slotOf(off); s += 1) setRewritten(slotAt(m.state, frame, s), true);
}

/** Objects that a write may touch are none any more. */
function loseObjects(m: Machine, frame: number, first: number, last: number): void {
  for (let slot = slotOf(last); slot <= slotOf(first); slot += 1) {
    const at = slotAt(m.state, frame, slot);
    if (slotByte(at, 0) === BYTE.object) overwriteDynptr(m, frame, slot);
    // What else there was has to be given back and cannot be any more.
    if (slotByte(at, 0) === BYTE.object) removeObject(m, { frame, slot });
  }
}

export function writeStack(m: Machine, target: Target, size: Size, written: number): void {
  requireKnownPlace(m, target);
  const value = asKept(m, written);
  const { frame, first, last, fixed } = extentOf(target, size, " write to");
  if (kindOf(value) === KIND.stack && frame !== currentFrame(m)) {
    reject("EINVAL", "cannot spill pointers to stack into stack frame of the caller");
  }
  grow(m, frame, first);
  loseObjects(m, frame, first, last);
  if (isZeroNumber(value) && !(fixed && byteOf(first) === 0)) demand(m.marks, value);
  if (!fixed) {
    overwriteSomewhere(m, frame, first, last, isZeroNumber(value));
    return;
  }
  const slot = slotAt(m.state, frame, slotOf(first));
  if (size < 8) {
    requireNotCorrupted(m, slot);
    if (isPointer(kindOf(value))) reject("EACCES", "invalid size of register spill");
  }
  if (isPointer(kindOf(value)) && isShared(m.state, frame, slotOf(first))) endSharing(m);
  const shared = isShared(m.state, frame, slotOf(first));
  if (!shared && byteOf(first) === 0 && (size === 8 || kindOf(value) === KIND.scalar)) {
    spill(m, slot, size, value);
    return;
  }
  forgetSpill(m, slot);
  if (size === 8) setRewritten(slot, true);
  const kind = isZeroNumber(value) && !shared ? BYTE.zero : BYTE.misc;
  for (let off = first; off <= last; off += 1) setSlotByte(slot, byteOf(off), kind);
}

/** A pointer or an object comes to lie where a slice may: no pointer to a slice is left, and so no slot is shared. */
function endSharing(m: Machine): void {
  endPointers(m, (at) => baseOf(kindOf(at)) === KIND.memory && hasFlag(kindOf(at), FLAG.inPacket));
  shareNothing(m.state);
}

/**
 * What the stack remembers of a register: of pointers to some objects, some kernels remember only that they are some numbers. Those are no numbers
 * for a program that must not see addresses.
 */
function asKept(m: Machine, value: number): number {
  const kind = kindOf(value);
  if (kind !== KIND.dynptr && kind !== KIND.tracepointBuffer) return value;
  if (keepsPointers(m)) return value;
  setUnknown(SCRATCH.operand);
  return SCRATCH.operand;
}

/** Spills the register at `value` into the low `size` bytes of a slot. */
function spill(m: Machine, slot: number, size: Size, value: number): void {
  const rewritten = size === 8 || isRewritten(slot);
  forgetSpill(m, slot);
  const to = spilledAt(slot);
  // A link of fewer bits than 32 says something of numbers that have no more.
  const links = size >= 4 || umaxOf(value) < 2 ** (8 * size);
  if (kindOf(value) === KIND.scalar && links) beginLink(m.state, value, 8 * size);
  copyRegister(value, to);
  truncate(to, size);
  setRewritten(slot, rewritten);
  for (let i = 0; i < size; i += 1) setSlotByte(slot, i, BYTE.spill);
}

/** What was spilled in a slot becomes plain initialised bytes. */
function forgetSpill(m: Machine, slot: number): void {
  if (slotByte(slot, 0) !== BYTE.spill) return;
  const zero = isZeroNumber(spilledAt(slot));
  if (zero) demand(m.marks, spilledAt(slot));
  const kind = zero ? BYTE.zero : BYTE.misc;
  for (let i = 0; i < 8; i += 1) if (slotByte(slot, i) === BYTE.spill) setSlotByte(slot, i, kind);
  const rewritten = isRewritten(slot);
  setNone(spilledAt(slot));
  setRewritten(slot, rewritten);
}

/** A write to some bytes between `first` and `last`: what is not initialised may stay so. */
function overwriteSomewhere(m: Machine, frame: number, first: number, last: number, zero: boolean): void {
  for (let off = first; off <= last; off += 1) {
    const slot = slotAt(m.state, frame, slotOf(off));
    forgetSpill(m, slot);
    const kind = slotByte(slot, byteOf(off));
    if (kind === BYTE.zero && !zero) setSlotByte(slot, byteOf(off), BYTE.misc);
  }
}

// --- Helpers' buffers

/** What is wrong with a byte that a helper would read. */
const unreadable =
  ({ number, at }: Target, { first, fixed }: Extent, size: number) =>
  (off: number): string =>
    fixed
      ? `invalid read from stack R${number} off ${first}+${off - first} size ${size}`
      : `invalid read from stack R${number} var_off ${tnumText(at)}+${off - first} size ${size}`;

/** Where only what was written may be read, a place is one that the frame has used, be it for no bytes. */
export function requireUsed(m: Machine, { number, at, off }: Target, size: number): void {
  if (m.rights.leaks) return;
  const first = offOf(at) + off + (smallConstant(at) ?? 0);
  if (slotOf(first) < depthOf(m.state, objectOf(at))) return;
  reject("EACCES", `invalid read from stack R${number} off=${first} size=${size}`);
}

/** `size` initialised bytes that a helper reads. */
export function requireReadable(m: Machine, target: Target, size: number): void {
  requireKnownPlace(m, target);
  const extent = extentOf(target, size, " read from");
  const { frame, first, last } = extent;
  const message = unreadable(target, extent, size);
  if (m.rights.uninitialisedStack && size > 0) grow(m, frame, first);
  for (let off = first; off <= last; off += 1) {
    const slot = slotOf(off);
    if (byteKind(m, frame, off) === BYTE.spill && holdsAddress(m, slotAt(m.state, frame, slot))) {
      reject("EACCES", message(off));
    }
  }
  requireInitialised(m, frame, first, last, message);
}

/** `size` bytes that a function fills before it reads them, if it does: whatever there was, but nothing that the kernel keeps there. */
export function requireFillable(m: Machine, target: Target, size: number): void {
  const extent = extentOf(target, size, " read from");
  const { frame, first, last } = extent;
  for (let off = first; off <= last; off += 1) {
    if (byteKind(m, frame, off) === BYTE.object) reject("EACCES", unreadable(target, extent, size)(off));
  }
}

/** `size` bytes of the frame, which a helper is to write: no dynptr may lie there, since the same call may use it. */
export function requireInFrame(m: Machine, target: Target, size: number): void {
  const { frame, first, last } = extentOf(target, size, " write to");
  for (let off = first; off <= last; off += 1) {
    if (isDynptrSlot(m, frame, slotOf(off))) {
      reject("EACCES", `potential write to dynptr at off=${off} disallowed`);
    }
  }
}

/** Makes `size` bytes part of the frame that are about to become an object. */
export function requireRoom(m: Machine, target: Target, size: number): void {
  const { frame, first, last } = extentOf(target, size, " write to");
  grow(m, frame, first);
  for (let slot = slotOf(last); slot <= slotOf(first); slot += 1) {
    if (isShared(m.state, frame, slot)) endSharing(m);
  }
}

/**
 * From now on `size` bytes may be written through some pointer to memory: their slots are shared, and hold nothing but plain bytes. Such pointers end
 * where a pointer or an object is put there, so nothing that is known of the stack hangs on who writes.
 *
 * @returns one of these slots; undefined if there are no bytes
 */
export function shareBytes(m: Machine, target: Target, size: number): number | undefined {
  if (size === 0) return undefined;
  const { frame, first, last } = extentOf(target, size, " write to");
  grow(m, frame, first);
  for (let slot = slotOf(last); slot <= slotOf(first); slot += 1) {
    const at = slotAt(m.state, frame, slot);
    forgetSpill(m, at);
    for (let i = 0; i < 8; i += 1) if (slotByte(at, i) === BYTE.zero) setSlotByte(at, i, BYTE.misc);
    share(m.state, frame, slot);
  }
  return slotOf(first);
}

/**
 * `size` bytes that a helper fills. `certain` says that it fills all of them; otherwise what was not initialised stays so.
 */
export function markWritten(m: Machine, target: Target, size: number, certain: boolean): void {
  if (size === 0) return;
  requireKnownPlace(m, target);
  const { frame, first, last, fixed } = extentOf(target, size, " write to");
  grow(m, frame, first);
  for (let off = first; off <= last; off += 1) requireNotCorrupted(m, slotAt(m.state, frame, slotOf(off)));
  loseObjects(m, frame, first, last);
  if (!fixed || !certain) return overwriteSomewhere(m, frame, first, last, false);
  for (let off = first; off <= last; off += 1) {
    const slot = slotAt(m.state, frame, slotOf(off));
    forgetSpill(m, slot);
    setSlotByte(slot, byteOf(off), BYTE.misc);
    if (byteOf(off) === 0 && off + 7 <= last) setRewritten(slot, true);
  }
}

/** The constant that `size` (at most 4) bytes at a pointer hold, unsigned, if that is known: for keys of arrays. */
export function constantAt(m: Machine, target: Target, size: 4): number | undefined {
  const constant = smallConstant(target.at);
  if (constant === undefined) return undefined;
  const first = offOf(target.at) + target.off + constant;
  if (first < -STACK_BYTES || first + size > 0) return undefined;
  if (isZero(m, objectOf(target.at), first, first + size - 1)) return 0;
  const slot = slotOf(first);
  if (byteOf(first) !== 0 || slot >= depthOf(m.state, objectOf(target.at))) return undefined;
  if (!fill(m, objectOf(target.at), first, size, SCRATCH.value)) return undefined;
  if (kindOf(SCRATCH.value) !== KIND.scalar || !isConstant(SCRATCH.value)) return undefined;
  demand(m.marks, SCRATCH.value);
  return constantLow(SCRATCH.value) >>> 0;
}
