/**
 * Abstract registers: a kind, and what is known of the number. 96 bytes in the arena, a scalar (scalar/operators.ts) and these
 * fields.
 *
 * γ of a scalar register: any number in γ(scalar). γ of a pointer of kind K: base(K, object) + off + v for v in γ(scalar), where for
 * packet pointers with a range other than 0 in addition data + v + range ≤ data_end. Pointers of one kind and state with the same non-zero
 * `id` have the same variable part v (packet pointers), are null together (pointers "or null"), or point into the same object (all others).
 *
 * A pointer with a non-zero `reference` lives until that reference is released (references.ts).
 *
 * *Links.* The scalars of one state with the same non-zero `id`, in registers of any frame and spilled, are a class: there is one number b
 * such that each of them, of value v, with delta d and link form f, has
 * - v = b + d modulo 2^f for f from 1 to 64: the low f bits are known to be those of b + d,
 * - v >> -f = b + d modulo 2^(64 + f) for f from -63 to -1: the number was shifted left, and may be shifted back.
 * A packet pointer with the id of a class has v = b. A scalar without an id has delta 0 and form 64. Where f is at most 32, deltas matter
 * modulo 2^f only.
 */

import { arena, copyBytes } from "./arena.ts";
import { constantScalar, copyScalar, unknownScalarAt } from "./scalar/operators.ts";

export const REGISTER_BYTES = 96;

/**
 * What is known of a pointer besides its base kind. A kind is a base and any of these, in one number: a comparison with a base holds only of
 * a pointer without flags, so that what a check does not name it does not let through.
 */
export const FLAG = {
  /** May be null instead. */
  orNull: 1 << 8,
  /** What it points to may not be written. */
  readOnly: 1 << 9,
  /** Memory of a ring buffer's record. */
  ringbuf: 1 << 10,
  /** An address of user space. */
  user: 1 << 11,
  /** The same variable on each processor: to be turned into an address of one of them first. */
  perCpu: 1 << 12,
  /** Valid until the end of the RCU read section. */
  rcu: 1 << 13,
  /** Loads through it are checked when they happen, and nothing that wants a valid object takes it. */
  untrusted: 1 << 14,
  /** The object is valid and held by whoever called the program. */
  trusted: 1 << 15,
  /** Made by the program, of a type of its own BTF. */
  allocated: 1 << 16,
  /** Owned by a list or tree that the program has locked. */
  nonOwning: 1 << 17,
  /** What it points to has not been written yet. */
  uninitialised: 1 << 18,
  /** Memory that may lie in the packet: it goes when packet pointers go. */
  inPacket: 1 << 19,
} as const;

/** What a register holds: bases without flags, and the two that come of looking into a map. */
export const KIND = {
  /** Nothing that may be read; as an expectation of another state: anything at all. */
  none: 0,
  scalar: 1,
  context: 2,
  /** `object` is the frame's number. */
  stack: 3,
  /** `object` is the map's index. */
  mapValue: 4,
  mapValueOrNull: 4 | FLAG.orNull,
  /** The map itself; `object` is its index. */
  map: 5,
  mapOrNull: 5 | FLAG.orNull,
  packet: 6,
  packetMeta: 7,
  packetEnd: 8,
  /** A map's key, as callbacks get it; `object` is the map's index. */
  mapKey: 9,
  /** Memory of `object` bytes. */
  memory: 10,
  /** Memory whose size is checked when the program is attached or run. */
  buffer: 11,
  flowKeys: 12,
  sockCommon: 13,
  socket: 14,
  tcpSock: 15,
  xdpSock: 16,
  /** A kernel object of the type with BTF id `object`: the kernel's, or the program's own if it is `allocated`. */
  btf: 17,
  /** A function of the program; `object` is its first instruction. */
  func: 18,
  /** A dynptr that the kernel keeps, as callbacks get it. */
  dynptr: 19,
  /** A place in the program's arena (transfer/arena-pointers.ts): any number. */
  arena: 20,
  /** The record of a writable tracepoint, whose size is checked when the program is attached. */
  tracepointBuffer: 21,
} as const;

export type Kind = number;

const BASE_BITS = 0xff;

/** The base of a kind, without flags. For words and for kinds that flags make no difference to; checks compare the kind as a whole. */
export const baseOf = (kind: number): number => kind & BASE_BITS;
export const hasFlag = (kind: number, flag: number): boolean => (kind & flag) !== 0;
export const mayBeNull = (kind: number): boolean => hasFlag(kind, FLAG.orNull);

/** The kernel's names of the bases, as its log prints them. */
const BASE_NAMES: readonly string[] = [
  "?",
  "scalar",
  "ctx",
  "fp",
  "map_value",
  "map_ptr",
  "pkt",
  "pkt_meta",
  "pkt_end",
  "map_key",
  "mem",
  "buf",
  "flow_keys",
  "sock_common",
  "sock",
  "tcp_sock",
  "xdp_sock",
  "ptr_",
  "func",
  "dynptr_ptr",
  "arena",
  "tp_buffer",
];

/** Flags that the kernel prints in front of the base's name, in its order. */
const PREFIXES: readonly (readonly [number, string])[] = [
  [FLAG.readOnly, "rdonly_"],
  [FLAG.ringbuf, "ringbuf_"],
  [FLAG.user, "user_"],
  [FLAG.perCpu, "percpu_"],
  [FLAG.rcu, "rcu_"],
  [FLAG.untrusted, "untrusted_"],
  [FLAG.trusted, "trusted_"],
];

/** The kernel's name of a kind. A looked-up inner map is a map value until it is known not to be null. */
export function kindName(kind: number): string {
  if (kind === KIND.mapOrNull) return "map_value_or_null";
  const base = baseOf(kind);
  const prefix = PREFIXES.filter(([flag]) => hasFlag(kind, flag)).map(([, text]) => text);
  const orNull = mayBeNull(kind) ? (base === KIND.btf ? "or_null_" : "_or_null") : "";
  return `${prefix.join("")}${BASE_NAMES[base] ?? "?"}${orNull}`;
}

/** A scalar has its delta where a pointer has its fixed offset, and `WHOLE` less the form of its link where a pointer has its object. */
export const FIELD = { kind: 64, off: 68, id: 72, range: 76, object: 80, delta: 68, form: 80 } as const;

/** Field accessors. `at` is a register's address. */
export const kindOf = (at: number): number => arena.i32[(at + FIELD.kind) >> 2] ?? 0;
export const offOf = (at: number): number => arena.i32[(at + FIELD.off) >> 2] ?? 0;
export const idOf = (at: number): number => arena.i32[(at + FIELD.id) >> 2] ?? 0;
/** Packet pointers: bytes from the variable part on that are known to be inside the packet. */
export const rangeOf = (at: number): number => arena.i32[(at + FIELD.range) >> 2] ?? 0;
/** Pointers but packet pointers: the id of the reference that keeps the object alive; 0 for none. */
export const referenceOf = (at: number): number =>
  isPacketPointer(kindOf(at)) ? 0 : (arena.i32[(at + FIELD.range) >> 2] ?? 0);
export const setReference = (at: number, id: number): void => setRange(at, id);
export const objectOf = (at: number): number => arena.i32[(at + FIELD.object) >> 2] ?? 0;

/** Scalars with an id: what they are more than the number b of their class. A signed 32-bit number. */
export const deltaOf = (at: number): number => arena.i32[(at + FIELD.delta) >> 2] ?? 0;
/** The form of a link by which all bits are known to be those of b + d. */
export const WHOLE = 64;
/** Scalars with an id: which of the relations above holds. */
export const formOf = (at: number): number => WHOLE - (arena.i32[(at + FIELD.form) >> 2] ?? 0);

export const setKind = (at: number, kind: Kind): void => {
  arena.i32[(at + FIELD.kind) >> 2] = kind;
};
export const setOff = (at: number, off: number): void => {
  arena.i32[(at + FIELD.off) >> 2] = off;
};
export const setId = (at: number, id: number): void => {
  arena.i32[(at + FIELD.id) >> 2] = id;
};
export const setRange = (at: number, range: number): void => {
  arena.i32[(at + FIELD.range) >> 2] = range;
};

/** Puts a scalar into a class. `delta` is taken modulo 2^32, as a signed number. */
export function setLink(at: number, id: number, delta: number, form: number): void {
  arena.i32[(at + FIELD.id) >> 2] = id;
  arena.i32[(at + FIELD.delta) >> 2] = delta;
  arena.i32[(at + FIELD.form) >> 2] = WHOLE - form;
}

/** Takes a scalar out of its class. */
export const unlink = (at: number): void => setLink(at, 0, 0, WHOLE);

/** Everything but the scalar; no origins (origins.ts has the last three words). */
function setFields(at: number, kind: Kind, object: number): void {
  const i = at >> 2;
  arena.i32[i + 16] = kind;
  arena.i32[i + 17] = 0;
  arena.i32[i + 18] = 0;
  arena.i32[i + 19] = 0;
  arena.i32[i + 20] = object;
  arena.i32[i + 21] = 0;
  arena.i32[i + 22] = 0;
  arena.i32[i + 23] = 0;
}

/** Makes `at` a pointer to the start of an object. */
export function setPointer(at: number, kind: Kind, object: number): void {
  constantScalar(at, 0, 0);
  setFields(at, kind, object);
}

export function setNone(at: number): void {
  constantScalar(at, 0, 0);
  setFields(at, KIND.none, 0);
}

export function setUnknown(at: number): void {
  unknownScalarAt(at);
  setFields(at, KIND.scalar, 0);
}

/** Makes `at` the constant with these halves (signed or unsigned 32-bit numbers). */
export function setConstant(at: number, low: number, high: number): void {
  constantScalar(at, low, high);
  setFields(at, KIND.scalar, 0);
}

/** Makes `at` a scalar with what its scalar part says now, in no class; its origins stay. */
export function setScalar(at: number): void {
  setKind(at, KIND.scalar);
  setOff(at, 0);
  setId(at, 0);
  setRange(at, 0);
  arena.i32[(at + FIELD.object) >> 2] = 0;
}

export function copyRegister(from: number, to: number): void {
  copyBytes(to, from, REGISTER_BYTES);
}

/** Copies the scalar part alone. */
export const copyScalarPart = (from: number, to: number): void => copyScalar(from, to);

export const isPointer = (kind: number): boolean => kind > KIND.scalar;
export const isPacketPointer = (kind: number): boolean => kind === KIND.packet || kind === KIND.packetMeta;

/** Whether the scalar part is one number: no unknown bits, both intervals a point. */
export function isConstant(at: number): boolean {
  const i = at >> 2;
  const m = arena.i32;
  return m[i + 2] === 0 && m[i + 3] === 0;
}

/** The low and high halves of a constant, signed. Only for registers with `isConstant`. */
export const constantLow = (at: number): number => arena.i32[at >> 2] ?? 0;
export const constantHigh = (at: number): number => arena.i32[(at >> 2) + 1] ?? 0;

/** The constant as a number if it fits exactly in a signed 32-bit number, else undefined. */
export function smallConstant(at: number): number | undefined {
  if (!isConstant(at)) return undefined;
  const low = constantLow(at);
  return constantHigh(at) === low >> 31 ? low : undefined;
}

/** A component of the scalar part as an unsigned 64-bit number; `offset` from the layout. For checks and logs, not for hot paths. */
export const component64 = (at: number, offset: number): bigint => arena.u64[(at + offset) >> 3] ?? 0n;
export const component32 = (at: number, offset: number): number => (arena.i32[(at + offset) >> 2] ?? 0) >>> 0;

/**
 * Signed bounds as JavaScript numbers, exact up to 2^53 and rounded beyond: every limit that the checks compare them with is far
 * smaller.
 */
const signedAt = (at: number, offset: number): number => {
  const i = (at + offset) >> 2;
  return (arena.i32[i + 1] ?? 0) * 4294967296 + ((arena.i32[i] ?? 0) >>> 0);
};
const unsignedAt = (at: number, offset: number): number => {
  const i = (at + offset) >> 2;
  return ((arena.i32[i + 1] ?? 0) >>> 0) * 4294967296 + ((arena.i32[i] ?? 0) >>> 0);
};
export const uminOf = (at: number): number => unsignedAt(at, 16);
export const umaxOf = (at: number): number => unsignedAt(at, 24);
export const sminOf = (at: number): number => signedAt(at, 32);
export const smaxOf = (at: number): number => signedAt(at, 40);
