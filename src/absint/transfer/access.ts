/**
 * Memory access through a pointer: who may touch what, and what a load gives. The stack has a file of its own.
 *
 * An access is inside its object if both ends are, for the least and for the greatest value of the variable part.
 */

import { Unsupported } from "../../semantics/errors.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import { contextAccess } from "../../semantics/program/contexts.ts";
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { arena } from "../arena.ts";
import {
  idOf,
  isConstant,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  setConstant,
  setPointer,
  setUnknown,
  smallConstant,
  smaxOf,
  sminOf,
  umaxOf,
} from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import { signExtend } from "./arithmetic.ts";
import { type Machine, mapAt, type Target } from "./machine.ts";
import { reject } from "./rejection.ts";
import { readStack, writeStack } from "./stack.ts";
import { tnumText } from "./text.ts";

export type Direction = "read" | "write";

/** Variable offsets from here on are not bounds at all. */
const MAX_VARIABLE_OFFSET = 2 ** 29;

/**
 * Checks a load of `size` bytes and puts what it gives into `destination`, which may be the pointer itself.
 *
 * @param signed  whether the loaded number is sign-extended
 */
export function load(m: Machine, target: Target, size: Size, signed: boolean, destination: number): void {
  const kind = kindOf(target.at);
  requireAligned(m, target, size, kind);
  switch (kind) {
    case KIND.stack:
      readStack(m, target, size, destination);
      break;
    case KIND.context:
      loadContext(m, target, size, signed, destination);
      return;
    case KIND.mapValue:
      checkMapValue(m, target, size, "read");
      loadMapValue(m, target, size, destination);
      break;
    case KIND.packet:
    case KIND.packetMeta:
      checkPacket(target, size);
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
      break;
    default:
      rejectKind(target, kind);
  }
  if (signed && kindOf(destination) === KIND.scalar) signExtend(destination, size);
}

/** Checks a store of `size` bytes of the register at `value`. */
export function store(m: Machine, target: Target, size: Size, value: number): void {
  const kind = kindOf(target.at);
  requireAligned(m, target, size, kind);
  switch (kind) {
    case KIND.stack:
      writeStack(m, target, size, value);
      break;
    case KIND.context:
      checkContext(m, target, size, "write");
      break;
    case KIND.mapValue:
      checkMapValue(m, target, size, "write");
      break;
    case KIND.packet:
    case KIND.packetMeta:
      requireWritablePacket(m);
      checkPacket(target, size);
      break;
    default:
      rejectKind(target, kind);
  }
}

export function rejectKind({ number }: Target, kind: number): never {
  return reject("EACCES", `R${number} invalid mem access '${kindName(kind)}'`);
}

// --- Alignment: the stack and the context always, the rest where the program asks for it

function requireAligned(m: Machine, target: Target, size: number, kind: number): void {
  const strict = m.program.flags.includes("strict_alignment");
  if (size === 1 || (!strict && kind !== KIND.stack)) return;
  if (kind === KIND.context && !strict) return;
  requireNaturallyAligned(target, size, kind);
}

/** For atomic instructions, which must be aligned wherever they go. */
export function requireNaturallyAligned({ at, off }: Target, size: number, kind: number): void {
  // The bits below the size must be known zeros in the variable part.
  const unknown = (arena.i32[(at >> 2) + 2] ?? 0) & (size - 1);
  const value = arena.i32[at >> 2] ?? 0;
  // A packet starts two bytes off, so that the network header behind 14 bytes of Ethernet is aligned.
  const base = kind === KIND.packet || kind === KIND.packetMeta ? 2 : 0;
  if (unknown !== 0 || ((value + offOf(at) + off + base) & (size - 1)) !== 0) {
    const where = kind === KIND.packet || kind === KIND.packetMeta ? `${base}+` : "";
    const name = ALIGNED_NAMES[kind] ?? "value ";
    reject("EACCES", `misaligned ${name}access off ${where}${tnumText(at)}+${offOf(at)}+${off} size ${size}`);
  }
}

const ALIGNED_NAMES: Readonly<Record<number, string>> = {
  [KIND.stack]: "stack ",
  [KIND.context]: "context ",
  [KIND.packet]: "packet ",
  [KIND.packetMeta]: "packet ",
};

// --- Context

function checkContext(m: Machine, target: Target, size: Size, direction: Direction) {
  requireUnmoved(target, "ctx");
  const found = contextAccess(m.context, direction, target.off, size);
  if (found === undefined) reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
  return found;
}

/** A pointer that is still what it was when the program got it. */
export function requireUnmoved({ number, at }: Target, name: string): void {
  const off = offOf(at);
  if (off < 0) reject("EACCES", `negative offset ${name} ptr R${number} off=${off} disallowed`);
  if (off !== 0) reject("EACCES", `dereference of modified ${name} ptr R${number} off=${off} disallowed`);
  if (smallConstant(at) !== 0) reject("EACCES", `variable ${name} access var_off=${tnumText(at)} disallowed`);
}

function loadContext(m: Machine, target: Target, size: Size, signed: boolean, destination: number): void {
  const field = checkContext(m, target, size, "read");
  switch (field.kind) {
    case "scalar":
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
      break;
    case "packet":
    case "packet_meta":
    case "packet_end":
      if (signed) reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
      setPointer(destination, PACKET_KINDS[field.kind], 0);
      return;
    default:
      throw new Unsupported(`context field ${field.name} of ${m.context.struct}`);
  }
  if (signed) signExtend(destination, size);
}

const PACKET_KINDS = {
  packet: KIND.packet,
  packet_meta: KIND.packetMeta,
  packet_end: KIND.packetEnd,
} as const;

// --- Map values

/** Checks that `size` bytes at the pointer lie in the map's value, and that the program may access it so. */
export function checkMapValue(m: Machine, target: Target, size: number, direction: Direction): void {
  const map = mapAt(m, objectOf(target.at));
  const off = offOf(target.at) + target.off;
  const sizes = `value_size=${map.valueSize} off=${off} size=${size}`;
  if (direction === "write" && (map.flags & MAP_FLAGS.rdonly_prog) !== 0) {
    reject("EACCES", `write into map forbidden, ${sizes}`);
  }
  if (direction === "read" && (map.flags & MAP_FLAGS.wronly_prog) !== 0) {
    reject("EACCES", `read from map forbidden, ${sizes}`);
  }
  checkBounds(target, size, map.valueSize, (at) => {
    return `invalid access to map value, value_size=${map.valueSize} off=${at} size=${size}`;
  });
}

/** `size` bytes at off + v lie in [0, limit) for every v of the variable part. */
function checkBounds(target: Target, size: number, limit: number, describe: (off: number) => string): void {
  const { number, at } = target;
  const off = offOf(at) + target.off;
  const least = sminOf(at);
  if (least < 0 && off + least < 0 && !isConstant(at)) {
    reject("EACCES", NEGATIVE(number));
  }
  const inside = (start: number): boolean => start >= 0 && start + size <= limit;
  if (!inside(off + least)) {
    reject("EACCES", `${describe(off + least)}\nR${number} min value is outside of the allowed memory range`);
  }
  const greatest = umaxOf(at);
  if (greatest >= MAX_VARIABLE_OFFSET && smaxOf(at) >= MAX_VARIABLE_OFFSET)
    reject("EACCES", UNBOUNDED(number));
  const last = greatest >= MAX_VARIABLE_OFFSET ? smaxOf(at) : greatest;
  if (!inside(off + last)) {
    reject("EACCES", `${describe(off + last)}\nR${number} max value is outside of the allowed memory range`);
  }
}

const NEGATIVE = (number: number): string =>
  `R${number} min value is negative, either use unsigned index or do a if (index >=0) check.`;
const UNBOUNDED = (number: number): string =>
  `R${number} unbounded memory access, make sure to bounds check any such access`;

/** What a load from a map's value gives: its initial contents, if nobody can change them. */
function loadMapValue(m: Machine, target: Target, size: Size, destination: number): void {
  const map = mapAt(m, objectOf(target.at));
  const constant = smallConstant(target.at);
  const start = offOf(target.at) + target.off + (constant ?? 0);
  if (constant !== undefined && isReadOnly(map) && map.data !== undefined) {
    const byte = (i: number): number => (i < size ? (map.data?.[start + i] ?? 0) : 0);
    const word = (i: number): number =>
      byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24);
    setConstant(destination, word(0), word(4));
    return;
  }
  setUnknown(destination);
  unknownScalarAt(destination, size * 8);
}

const isReadOnly = (map: MapDefinition): boolean =>
  map.frozen === true && (map.flags & MAP_FLAGS.rdonly_prog) !== 0;

// --- Packets

export function requireWritablePacket(m: Machine): void {
  if (m.context.packet !== "write") reject("EACCES", "cannot write into packet");
}

/** `size` bytes at the pointer lie in what comparisons with the packet's end have shown to be there. */
export function checkPacket(target: Target, size: number): void {
  const { number, at } = target;
  const off = offOf(at) + target.off;
  const least = sminOf(at);
  if (least < 0) reject("EACCES", NEGATIVE(number));
  const range = rangeOf(at);
  if (off < 0 || off + size > range) {
    reject(
      "EACCES",
      `invalid access to packet, off=${off} size=${size}, R${number}(id=${idOf(at)},off=${off},r=${range})\nR${number} offset is outside of the packet`,
    );
  }
}
