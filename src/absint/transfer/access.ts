/** Loads and stores through a pointer: who may touch what, and what a load gives. The stack has a file of its own. */

import { Unsupported } from "../../semantics/errors.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import { fieldAt } from "../../semantics/profile/lookup.ts";
import type { Context, ContextField, ContextValue } from "../../semantics/profile/profile.ts";
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { arena } from "../arena.ts";
import {
  baseOf,
  FLAG,
  isConstant,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  setConstant,
  setId,
  setPointer,
  setUnknown,
  smallConstant,
  sminOf,
} from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import { takeId } from "../state.ts";
import { signExtend } from "./arithmetic.ts";
import {
  loadFunctionArgument,
  loadKernelObject,
  loadMapObject,
  structOfMap,
  typesOf,
} from "./kernel-object.ts";
import { kptrIn, loadKptr, storeKptr } from "./kptr.ts";
import { type Machine, mapAt, readable, type Target } from "./machine.ts";
import { storeKernelObject } from "./object-writes.ts";
import { requireOneUse } from "./one-use.ts";
import { isOwnObject, loadOwnObject, ownStruct, requirePlain } from "./own-object.ts";
import { mayAccessField, requireMayLook, requireMayLookAnywhere } from "./privileges.ts";
import {
  checkMapBounds,
  checkMapValue,
  checkPlainMemory,
  checkTracepointBuffer,
  type Direction,
  NEGATIVE,
  UNTRUSTED_BYTES,
} from "./region.ts";
import { reject } from "./rejection.ts";
import { readStack, writeStack } from "./stack.ts";
import { tnumText } from "./text.ts";

/** Where the register `number` points, with an instruction's offset. */
export const targetOf = (m: Machine, number: number, off: number): Target => ({
  number,
  at: readable(m, number),
  off,
});

/**
 * Checks a load of `size` bytes and puts what it gives into `destination`, which may be the pointer itself.
 *
 * @param signed  whether the loaded number is sign-extended
 */
export function load(m: Machine, target: Target, size: Size, signed: boolean, destination: number): void {
  const kind = kindOf(target.at);
  loadThrough(m, target, kind, size, signed, destination);
  requireOneUse(m, kind, true);
}

function loadThrough(
  m: Machine,
  target: Target,
  kind: number,
  size: Size,
  signed: boolean,
  destination: number,
): void {
  requireAligned(m, target, size, kind);
  switch (kind) {
    case KIND.stack:
      readStack(m, target, size, destination);
      break;
    case KIND.arena:
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
      break;
    case KIND.context:
      loadContext(m, target, size, signed, destination);
      return;
    case KIND.mapValue: {
      checkMapBounds(m, target, size, "read");
      const kptr = kptrIn(m, target, size);
      if (kptr !== undefined) return loadKptr(m, kptr, destination);
      checkMapValue(m, target, size, "read");
      loadMapValue(m, target, size, destination);
      break;
    }
    case KIND.map:
      loadMapObject(m, target, size, destination);
      break;
    case KIND.sockCommon:
    case KIND.socket:
    case KIND.tcpSock:
    case KIND.xdpSock:
      loadSocket(m, target, size, kind, destination);
      break;
    case KIND.tracepointBuffer:
      checkTracepointBuffer(m, target, size);
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
      break;
    case UNTRUSTED_BYTES:
      // The kernel guards each load.
      requireMayLookAnywhere(m, target);
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
      break;
    default:
      if (isOwnObject(kind) && !mayBeNull(kind)) {
        requireMayLook(m, () => ownStruct(m, objectOf(target.at)).name);
        loadOwnObject(m, target, size, destination);
        break;
      }
      if (baseOf(kind) === KIND.btf && !mayBeNull(kind)) {
        requireMayLook(m, () => typesOf(m).structName(objectOf(target.at)));
        loadKernelObject(m, target, size, destination);
        break;
      }
      if (!checkPlainMemory(m, target, size, "read")) rejectKind(target, kind);
      setUnknown(destination);
      unknownScalarAt(destination, size * 8);
  }
  if (signed && kindOf(destination) === KIND.scalar) signExtend(destination, size);
}

/** Checks a store of `size` bytes of the register at `value`. */
export function store(m: Machine, target: Target, size: Size, value: number): void {
  const kind = kindOf(target.at);
  storeThrough(m, target, kind, size, value);
  requireOneUse(m, kind, false);
}

function storeThrough(m: Machine, target: Target, kind: number, size: Size, value: number): void {
  requireAligned(m, target, size, kind);
  switch (kind) {
    case KIND.stack:
      writeStack(m, target, size, value);
      break;
    case KIND.arena:
      break;
    case KIND.tracepointBuffer:
      checkTracepointBuffer(m, target, size);
      break;
    case KIND.context:
      storeContext(m, target, size);
      break;
    case KIND.mapValue: {
      checkMapBounds(m, target, size, "write");
      const kptr = kptrIn(m, target, size);
      if (kptr !== undefined) return storeKptr(m, kptr, value);
      checkMapValue(m, target, size, "write");
      break;
    }
    case KIND.map:
      return reject("EACCES", `only read from ${structOfMap(m, target.at)} is supported`);
    case KIND.sockCommon:
    case KIND.socket:
    case KIND.tcpSock:
    case KIND.xdpSock:
    case UNTRUSTED_BYTES:
      return reject("EACCES", `R${target.number} cannot write into ${kindName(kind)}`);
    default:
      if (isOwnObject(kind) && !mayBeNull(kind)) {
        requireMayLook(m, () => ownStruct(m, objectOf(target.at)).name);
        return requirePlain(m, target, size);
      }
      if (baseOf(kind) === KIND.btf && !mayBeNull(kind)) {
        requireMayLook(m, () => typesOf(m).structName(objectOf(target.at)));
        return storeKernelObject(m, target, size);
      }
      if (!checkPlainMemory(m, target, size, "write")) rejectKind(target, kind);
  }
}

export function rejectKind({ number }: Target, kind: number): never {
  return reject("EACCES", `R${number} invalid mem access '${kindName(kind)}'`);
}

// --- Alignment: the stack always, arenas never, the rest where the program asks for it

function requireAligned(m: Machine, target: Target, size: number, kind: number): void {
  const { flags } = m.program;
  // A program that asks for both need not be aligned.
  const strict = flags.includes("strict_alignment") && !flags.includes("any_alignment");
  if (size === 1 || kind === KIND.arena || (!strict && kind !== KIND.stack)) return;
  requireNaturallyAligned(target, size, kind);
}

/** For atomic instructions and what some helpers write, which must be aligned wherever they go. */
export function requireNaturallyAligned({ at, off }: Target, size: number, kind: number): void {
  // The bits below the size must be known zeros in the variable part.
  const unknown = (arena.i32[(at >> 2) + 2] ?? 0) & (size - 1);
  const value = arena.i32[at >> 2] ?? 0;
  // A packet starts two bytes off, so that the network header behind 14 bytes of Ethernet is aligned.
  const base = kind === KIND.packet || kind === KIND.packetMeta ? 2 : 0;
  if (unknown !== 0 || ((value + offOf(at) + off + base) & (size - 1)) !== 0) {
    const where = kind === KIND.packet || kind === KIND.packetMeta ? `${base}+` : "";
    // What may be null has no name there.
    const name = ALIGNED_NAMES[kind] ?? "";
    reject("EACCES", `misaligned ${name}access off ${where}${tnumText(at)}+${offOf(at)}+${off} size ${size}`);
  }
}

const ALIGNED_NAMES: Readonly<Record<number, string>> = {
  [KIND.stack]: "stack ",
  [KIND.context]: "context ",
  [KIND.packet]: "packet ",
  [KIND.packetMeta]: "packet ",
  [KIND.flowKeys]: "flow keys ",
  [KIND.mapKey]: "key ",
  [KIND.mapValue]: "value ",
  [KIND.sockCommon]: "sock_common ",
  [KIND.socket]: "sock ",
  [KIND.tcpSock]: "tcp_sock ",
  [KIND.xdpSock]: "xdp_sock ",
};

// --- Context

function checkContext(m: Machine, context: Context, target: Target, size: Size, direction: Direction) {
  const found = fieldAt(context, direction, target.off, size);
  if (found === undefined || !mayAccessField(m, found, direction === "write")) {
    return reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
  }
  return found;
}

function storeContext(m: Machine, target: Target, size: Size): void {
  requireUnmoved(target, "ctx");
  if (m.context === undefined) {
    reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
  }
  checkContext(m, m.context, target, size, "write");
}

/** A pointer that is still what it was when the program got it. */
export function requireUnmoved({ number, at }: Target, name: string): void {
  const off = offOf(at);
  if (off < 0) reject("EACCES", `negative offset ${name} ptr R${number} off=${off} disallowed`);
  if (off !== 0) reject("EACCES", `dereference of modified ${name} ptr R${number} off=${off} disallowed`);
  if (smallConstant(at) !== 0) reject("EACCES", `variable ${name} access var_off=${tnumText(at)} disallowed`);
}

function loadContext(m: Machine, target: Target, size: Size, signed: boolean, destination: number): void {
  requireUnmoved(target, "ctx");
  const { context } = m;
  if (context === undefined) {
    loadFunctionArgument(m, target.off, size, destination);
    if (signed && kindOf(destination) === KIND.scalar) signExtend(destination, size);
    return;
  }
  const field = checkContext(m, context, target, size, "read");
  if (field.value === "scalar") {
    giveNumber(field, size, destination);
    if (signed) signExtend(destination, size);
    return;
  }
  const isObject = field.value === "btf_id" && field.type !== undefined;
  // Linux 6.1 takes parts of addresses for addresses.
  if (isObject && size !== 8) reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
  const kind = isObject ? KIND.btf : FIELD_KINDS[field.value];
  const struct = isObject ? typesOf(m).structId(field.type) : 0;
  if (kind === undefined || struct === undefined) {
    throw new Unsupported(`context field ${field.name} of ${context.struct}`);
  }
  if (signed) reject("EACCES", `invalid bpf_context access off=${target.off} size=${size}`);
  const orNull = field.flags?.includes("ptr_maybe_null") === true;
  const trusted = field.flags?.includes("ptr_trusted") === true ? FLAG.trusted : 0;
  setPointer(destination, kind | trusted | (orNull ? FLAG.orNull : 0), struct);
  if (orNull) setId(destination, takeId(m.state));
}

/**
 * The number in a field: as many bits as were loaded. But Linux has 64 bits of ones for the queue of a socket that has none, also where 32 are loaded
 * (smaller loads it masks).
 */
function giveNumber({ name }: ContextField, size: Size, destination: number): void {
  setUnknown(destination);
  if (name !== "rx_queue_mapping" || size < 4) unknownScalarAt(destination, size * 8);
}

/** What a load of a field gives that is not a number. */
const FIELD_KINDS: { readonly [V in ContextValue]?: number } = {
  packet: KIND.packet,
  packet_meta: KIND.packetMeta,
  packet_end: KIND.packetEnd,
  flow_keys: KIND.flowKeys,
  sock_common: KIND.sockCommon,
  socket: KIND.socket,
  tcp_sock: KIND.tcpSock,
  xdp_sock: KIND.xdpSock,
  tp_buffer: KIND.tracepointBuffer,
};

// --- Sockets

/** The structures in which programs see sockets (linux/bpf.h). */
const SOCKET_STRUCTS: Readonly<Record<number, string>> = {
  [KIND.sockCommon]: "bpf_sock_common",
  [KIND.socket]: "bpf_sock",
  [KIND.tcpSock]: "bpf_tcp_sock",
  [KIND.xdpSock]: "bpf_xdp_sock",
};

/** Like a context, a socket is not memory: its fields are read, each in the sizes that the kernel rewrites. */
function loadSocket(m: Machine, target: Target, size: Size, kind: number, destination: number): void {
  const { at, off, number } = target;
  const struct = SOCKET_STRUCTS[kind] ?? "";
  const layout = m.profile.contexts[struct];
  if (layout === undefined) throw new Unsupported(`fields of ${struct}`);
  if (sminOf(at) < 0) reject("EACCES", NEGATIVE(number));
  if (!isConstant(at)) reject("EACCES", `variable offset access to ${kindName(kind)} is not allowed`);
  const start = offOf(at) + off + sminOf(at);
  const field = fieldAt(layout, "read", start, size);
  if (field === undefined) {
    reject("EACCES", `R${number} invalid ${kindName(kind)} access off=${start} size=${size}`);
  }
  if (field.value !== "scalar") throw new Unsupported(`field ${field.name} of ${struct}`);
  giveNumber(field, size, destination);
}

// --- Map values

/** What a load from a map's value gives: its initial contents, if nobody can change them. */
function loadMapValue(m: Machine, target: Target, size: Size, destination: number): void {
  const map = mapAt(m, objectOf(target.at));
  const constant = smallConstant(target.at);
  const start = offOf(target.at) + target.off + (constant ?? 0);
  if (constant !== undefined && hasOneValue(map) && map.data !== undefined) {
    const byte = (i: number): number => (i < size ? (map.data?.[start + i] ?? 0) : 0);
    const word = (i: number): number =>
      byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24);
    setConstant(destination, word(0), word(4));
    return;
  }
  setUnknown(destination);
  unknownScalarAt(destination, size * 8);
}

/** Whether all pointers into its values lead to the same bytes, for ever: the contents that a file gives are those of the first element, on the first processor. */
function hasOneValue({ type, maxEntries, frozen, flags }: MapDefinition): boolean {
  if (type !== "array" || frozen !== true || (flags & MAP_FLAGS.rdonly_prog) === 0) return false;
  if (maxEntries !== 1) reject("ENOTSUPP", "a constant's place in an array of several elements");
  return true;
}
