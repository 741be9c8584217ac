/**
 * Where an access through a pointer may go, kind by kind: an access is inside its object if both ends are, for the least and for the
 * greatest value of the variable part.
 */
import { says } from "../../semantics/profile/lookup.ts";
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import {
  FLAG,
  hasFlag,
  idOf,
  isConstant,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  smaxOf,
  sminOf,
  umaxOf,
} from "../register.ts";
import { type Machine, mapAt, type Target } from "./machine.ts";
import { requireNoField } from "./map-fields.ts";
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

export type Direction = "read" | "write";

/** Variable offsets from here on are not bounds at all. */
const MAX_VARIABLE_OFFSET = 2 ** 29;

/** An address of which nothing is known: the kernel guards each load through it. γ: any number, wherever the pointer was moved to. */
export const UNTRUSTED_BYTES = KIND.memory | FLAG.readOnly | FLAG.untrusted;

/** Bytes of `struct bpf_flow_keys` (linux/bpf.h). */
const FLOW_KEYS_SIZE = 56;

/** Checks that `size` bytes at the pointer lie in the map's value, that the program may access it so, and that they are its own. */
export function checkMapValue(m: Machine, target: Target, size: number, direction: Direction): void {
  checkMapBounds(m, target, size, direction);
  requireNoField(mapAt(m, objectOf(target.at)), target, size);
}

/** The same, whoever's the bytes are. */
export function checkMapBounds(m: Machine, target: Target, size: number, direction: Direction): void {
  const map = mapAt(m, objectOf(target.at));
  const off = offOf(target.at) + target.off;
  const sizes = (): string => `value_size=${map.valueSize} off=${off} size=${size}`;
  if (direction === "write" && isReadOnlyToPrograms(map)) {
    reject("EACCES", `write into map forbidden, ${sizes()}`);
  }
  if (direction === "read" && (map.flags & MAP_FLAGS.wronly_prog) !== 0) {
    reject("EACCES", `read from map forbidden, ${sizes()}`);
  }
  checkBounds(m, target, size, map.valueSize, (at) => {
    return `invalid access to map value, value_size=${map.valueSize} off=${at} size=${size}`;
  });
}

/** Devices in a map are not for programs to change, whatever its flags. */
export const isReadOnlyToPrograms = ({ type, flags }: MapDefinition): boolean =>
  type === "devmap" || type === "devmap_hash" || (flags & MAP_FLAGS.rdonly_prog) !== 0;

/** A key that a callback was given. Nobody may write it. */
function checkMapKey(m: Machine, target: Target, size: number, direction: Direction): void {
  if (direction === "write") reject("EACCES", `write to change key R${target.number} not allowed`);
  const { keySize } = mapAt(m, objectOf(target.at));
  checkBounds(m, target, size, keySize, (at) => {
    return `invalid access to map key, key_size=${keySize} off=${at} size=${size}`;
  });
}

/** Memory of a size that its register has. */
function checkMemory(m: Machine, target: Target, size: number, direction: Direction): void {
  const kind = kindOf(target.at);
  if (direction === "write" && hasFlag(kind, FLAG.readOnly)) {
    reject("EACCES", `R${target.number} cannot write into ${kindName(kind)}`);
  }
  const limit = objectOf(target.at);
  checkBounds(m, target, size, limit, (at) => {
    return `invalid access to memory, mem_size=${limit} off=${at} size=${size}`;
  });
}

/** What the kernel checks when the program is attached or run: here, only that the place is known and not in front of it. */
function checkBuffer(m: Machine, target: Target, size: number, direction: Direction): void {
  const kind = kindOf(target.at);
  if (direction === "write" && hasFlag(kind, FLAG.readOnly)) {
    reject("EACCES", `R${target.number} cannot write into ${kindName(kind)}`);
  }
  requirePlace(m, target, size, hasFlag(kind, FLAG.readOnly) ? "rdonly" : "rdwr");
}

/** The record of a writable tracepoint, which helpers do not take for memory. */
export function checkTracepointBuffer(m: Machine, target: Target, size: number): void {
  requirePlace(m, target, size, "tracepoint");
}

function requirePlace(m: Machine, { number, at, off }: Target, size: number, name: string): void {
  if (off + offOf(at) < 0) {
    if (says(m.profile, "negative_constant")) {
      const place = `off=${off}, var_off=${offOf(at)}`;
      reject("EACCES", `R${number} invalid negative ${name} buffer offset: ${place}`);
    }
    reject("EACCES", `R${number} invalid ${name} buffer access: off=${off + offOf(at)}, size=${size}`);
  }
  if (!isConstant(at) || sminOf(at) !== 0) {
    reject("EACCES", `R${number} invalid variable buffer offset: off=${off}, var_off=${tnumText(at)}`);
  }
}

function checkFlowKeys({ at, off }: Target, size: number): void {
  const start = off + offOf(at);
  if (!isConstant(at) || sminOf(at) !== 0 || start < 0 || start + size > FLOW_KEYS_SIZE) {
    reject("EACCES", `invalid access to flow keys off=${start} size=${size}`);
  }
}

/** `size` bytes at off + v lie in [0, limit) for every v of the variable part. */
function checkBounds(
  m: Machine,
  target: Target,
  size: number,
  limit: number,
  describe: (off: number) => string,
): void {
  const { number, at } = target;
  const off = offOf(at) + target.off;
  const least = sminOf(at);
  if (off + least < 0 && isNegative(m, at, least)) reject("EACCES", NEGATIVE(number));
  const inside = (start: number): boolean => start >= 0 && start + size <= limit;
  if (!inside(off + least)) {
    reject("EACCES", `${describe(off + least)}\nR${number} min value is outside of the allowed memory range`);
  }
  const greatest = umaxOf(at);
  if (greatest >= MAX_VARIABLE_OFFSET && smaxOf(at) >= MAX_VARIABLE_OFFSET) {
    reject("EACCES", UNBOUNDED(number));
  }
  const last = greatest >= MAX_VARIABLE_OFFSET ? smaxOf(at) : greatest;
  if (!inside(off + last)) {
    reject("EACCES", `${describe(off + last)}\nR${number} max value is outside of the allowed memory range`);
  }
}

/** For some kernels the constant by which a pointer was moved is part of what varies. */
function isNegative({ profile }: Machine, at: number, least: number): boolean {
  return says(profile, "negative_constant") ? offOf(at) + least < 0 : least < 0 && !isConstant(at);
}

/** For an access in front of an object. */
export const NEGATIVE = (number: number): string =>
  `R${number} min value is negative, either use unsigned index or do a if (index >=0) check.`;
const UNBOUNDED = (number: number): string =>
  `R${number} unbounded memory access, make sure to bounds check any such access`;

// --- Packets

function requireWritablePacket(m: Machine): void {
  if (m.facts.packet !== "write") reject("EACCES", "cannot write into packet");
}

/** `size` bytes at the pointer lie in what comparisons with the packet's end have shown to be there. */
function checkPacket(m: Machine, target: Target, size: number): void {
  const { number, at } = target;
  const off = offOf(at) + target.off;
  const least = sminOf(at);
  if (least < 0 || (offOf(at) + least < 0 && isNegative(m, at, least))) reject("EACCES", NEGATIVE(number));
  const range = rangeOf(at);
  if (off < 0 || off + size > range) {
    reject(
      "EACCES",
      `invalid access to packet, off=${off} size=${size}, R${number}(id=${idOf(at)},off=${off},r=${range})\nR${number} offset is outside of the packet`,
    );
  }
}

/** Flags with which memory is still plain: it is there, and not somewhere else. */
const PLAIN = FLAG.readOnly | FLAG.ringbuf | FLAG.inPacket;

/**
 * Checks an access of memory that is not the stack, the context or a kernel object; says whether the kind is such memory at all. What an
 * instruction and a helper do to it is judged alike.
 */
export function checkPlainMemory(m: Machine, target: Target, size: number, direction: Direction): boolean {
  const kind = kindOf(target.at);
  switch (kind & ~PLAIN) {
    case KIND.mapValue:
      checkMapValue(m, target, size, direction);
      return true;
    case KIND.mapKey:
      checkMapKey(m, target, size, direction);
      return true;
    case KIND.memory:
      checkMemory(m, target, size, direction);
      return true;
    case KIND.buffer:
      checkBuffer(m, target, size, direction);
      return true;
    case KIND.packet:
    case KIND.packetMeta:
      if (direction === "write") requireWritablePacket(m);
      checkPacket(m, target, size);
      return true;
    case KIND.flowKeys:
      checkFlowKeys(target, size);
      return true;
    default:
      return false;
  }
}
