/** A register as bytes. Kinds and flags have numbers of their own here, so that the format does not change with what they are in memory. */
import {
  baseOf,
  deltaOf,
  FLAG,
  formOf,
  idOf,
  KIND,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  setId,
  setLink,
  setNone,
  setOff,
  setPointer,
  setRange,
  setScalar,
  WHOLE,
} from "../../absint/register.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeScalar, encodeScalar, readScalar, type Scalar, writeScalar } from "./scalar.ts";

/** Bases in the order of their numbers here: a base is added at the end. */
const BASES: readonly number[] = [
  KIND.none,
  KIND.scalar,
  KIND.context,
  KIND.stack,
  KIND.mapValue,
  KIND.map,
  KIND.packet,
  KIND.packetMeta,
  KIND.packetEnd,
  KIND.mapKey,
  KIND.memory,
  KIND.buffer,
  KIND.flowKeys,
  KIND.sockCommon,
  KIND.socket,
  KIND.tcpSock,
  KIND.xdpSock,
  KIND.btf,
  KIND.func,
  KIND.dynptr,
  KIND.arena,
  KIND.tracepointBuffer,
];

/** Flags likewise: bit i is the i-th of these. */
const FLAGS: readonly number[] = [
  FLAG.orNull,
  FLAG.readOnly,
  FLAG.ringbuf,
  FLAG.user,
  FLAG.perCpu,
  FLAG.rcu,
  FLAG.untrusted,
  FLAG.trusted,
  FLAG.allocated,
  FLAG.nonOwning,
  FLAG.uninitialised,
  FLAG.inPacket,
];

/** What a register says, as values. A number has `delta` and `form`, a pointer the rest. */
export interface Register {
  readonly kind: number;
  readonly scalar: Scalar;
  readonly id: number;
  readonly delta: number;
  readonly form: number;
  readonly off: number;
  /** A packet pointer's range, another's reference. */
  readonly range: number;
  readonly object: number;
}

const isNumber = (kind: number): boolean => baseOf(kind) === KIND.scalar;

export function readRegister(at: number): Register {
  const kind = kindOf(at);
  const number = isNumber(kind);
  return {
    kind,
    scalar: readScalar(at),
    id: idOf(at),
    delta: number ? deltaOf(at) : 0,
    form: number ? formOf(at) : WHOLE,
    off: number ? 0 : offOf(at),
    range: rangeOf(at),
    object: number ? 0 : objectOf(at),
  };
}

export function writeRegister(at: number, register: Register): void {
  const { kind, scalar, id, delta, form, off, range, object } = register;
  if (kind === KIND.none) return setNone(at);
  setPointer(at, kind, object);
  writeScalar(at, scalar);
  if (isNumber(kind)) {
    setScalar(at);
    if (id !== 0) setLink(at, id, delta, form);
  } else {
    setOff(at, off);
    setId(at, id);
  }
  setRange(at, range);
}

const MAX_WORD = 2 ** 31 - 1;
/** The first byte: the base, and which parts follow. */
const [BASE, LINKED, FLAGGED, POINTER_FIELDS] = [0x1f, 0x20, 0x40, 0x80];

/** Numbers that are not linked and pointers to the start of object 0 are frequent. */
const hasFields = ({ off, range, object }: Register): boolean => off !== 0 || range !== 0 || object !== 0;

export function encodeRegister(out: ByteWriter, register: Register): void {
  const { kind, scalar, id, delta, form, off, range, object } = register;
  const base = BASES.indexOf(baseOf(kind));
  const flags = FLAGS.reduce((all, flag, i) => ((kind & flag) === 0 ? all : all | (1 << i)), 0);
  if (base < 0 || (decodeFlags(flags) | baseOf(kind)) !== kind) throw new Error(`no kind ${kind}`);
  const fields = hasFields(register);
  out.byte(base | (id === 0 ? 0 : LINKED) | (flags === 0 ? 0 : FLAGGED) | (fields ? POINTER_FIELDS : 0));
  if (flags !== 0) out.varint(flags);
  if (id !== 0) {
    out.varint(id);
    if (isNumber(kind)) {
      out.signed(delta);
      out.signed(form);
    }
  }
  if (fields) {
    out.signed(off);
    out.signed(range);
    out.varint(object);
  }
  encodeScalar(out, scalar);
}

const decodeFlags = (flags: number): number =>
  FLAGS.reduce((all, flag, i) => ((flags & (1 << i)) === 0 ? all : all | flag), 0);

export function decodeRegister(from: ByteReader): Register {
  const first = from.byte();
  const base = BASES[first & BASE];
  if (base === undefined || base === KIND.none)
    return from.fail(`no kind of register ${first & BASE}`, from.offset - 1);
  const kind =
    base | ((first & FLAGGED) === 0 ? 0 : decodeFlags(from.varint("flags", 2 ** FLAGS.length - 1)));
  const id = (first & LINKED) === 0 ? 0 : from.varint("an id", MAX_WORD);
  const linked = id !== 0 && isNumber(kind);
  const delta = linked ? from.signed("a delta", 2 ** 31) : 0;
  const form = linked ? from.signed("a link's form", 64) : WHOLE;
  const fields = (first & POINTER_FIELDS) !== 0;
  const off = fields ? from.signed("an offset", MAX_WORD) : 0;
  const range = fields ? from.signed("a range", MAX_WORD) : 0;
  const object = fields ? from.varint("an object", MAX_WORD) : 0;
  return { kind, scalar: decodeScalar(from), id, delta, form, off, range, object };
}
