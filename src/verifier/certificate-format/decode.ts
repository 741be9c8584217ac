/**
 * A certificate from bytes. Every number is checked against what there can be, and the certificate is written again and compared: a
 * certificate has one form. What comes out has the shape of a certificate; that its states are well formed and its claims true is for
 * check-certificate.ts to find out.
 */
import { REFERENCE, type Reference } from "../../absint/references.ts";
import {
  BYTE,
  CARRIED,
  MAX_FRAMES,
  MAX_GHOSTS,
  MAX_REFERENCES,
  REGISTERS,
  SECTION,
  STACK_BYTES,
} from "../../absint/state.ts";
import type { Certificate, CertificateNode, Measure, Place } from "../certificate.ts";
import type { ByteReader } from "./bytes.ts";
import { encodeCertificate, MEASURE, NODE, SLOT } from "./encode.ts";
import { decodeRegister, type Register } from "./register.ts";
import { type Frame, type Slot, type State, writeState } from "./state.ts";

/** Bytes of all states in memory: a few bytes of a file can stand for many. */
const MOST_MEMORY = 2 ** 30;

const MAX_INSN = 2 ** 24 - 1;
/** A reference has its instruction in 23 bits. */
const MAX_REFERENCE_INSN = 2 ** 23 - 1;
const MAX_WORD = 2 ** 31 - 1;
const SECTIONS = Object.keys(SECTION).length;
const REFERENCE_KINDS = Math.max(...Object.values(REFERENCE));

/**
 * Reads a certificate that `encodeCertificate` wrote.
 *
 * @param mostMemory  bytes that all states together may take
 * @throws InputError  with the offset in the file and what is wrong there
 */
export function decodeCertificate(from: ByteReader, mostMemory = MOST_MEMORY): Certificate {
  const start = from.offset;
  const whole = from.rest;
  const bytes = from.raw(whole);
  const reader = from.again(start);
  const registers = list(reader, "the number of registers", () => decodeRegister(reader));
  const frames = list(reader, "the number of frames", () => decodeFrame(reader, registers));
  const count = reader.count("the number of nodes");
  const nodes: CertificateNode[] = [];
  let pc = 0;
  let memory = 0;
  while (nodes.length < count) {
    const at = reader.offset;
    pc += reader.signed("a step of insns", MAX_INSN);
    if (pc < 0 || pc > MAX_INSN) reader.fail(`a node stands at insn ${pc}`, at);
    const node = decodeNode(reader, pc, nodes.length, count, registers, frames);
    memory += node.state.length;
    if (memory > mostMemory) reader.fail(`the states are more than ${mostMemory} bytes`, at);
    nodes.push(node);
  }
  let before = -1;
  const roots = list(reader, "the number of roots", () => {
    before += reader.varint("a root's distance", Math.max(count - before - 3, 0)) + 1;
    return before;
  });
  reader.end();
  const certificate = { nodes, roots };
  const different = firstDifference(bytes, encodeCertificate(certificate));
  if (different >= 0) from.fail("not the form in which a certificate is written", start + different);
  return certificate;
}

/** The position of the first byte in which two differ; -1 if there is none. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return i;
  return -1;
}

function list<T>(from: ByteReader, what: string, decode: () => T): readonly T[] {
  const count = from.count(what);
  const items: T[] = [];
  while (items.length < count) items.push(decode());
  return items;
}

function entry<T>(from: ByteReader, what: string, table: readonly T[]): T {
  const at = from.offset;
  const index = from.varint(what, MAX_WORD);
  const found = table[index];
  return found === undefined ? from.fail(`${what} is ${index}, of ${table.length}`, at) : found;
}

function decodeFrame(from: ByteReader, table: readonly Register[]): Frame {
  const functionStart = from.varint("a function's start", MAX_INSN);
  const returnTo = from.varint("a return address", MAX_INSN) - 1;
  const called = from.varint("a callback", MAX_WORD);
  const callback = called >> 1;
  const callbackObject = callback === 0 ? 0 : from.signed("a callback's object", MAX_WORD);
  const shared: readonly [number, number] = (called & 1) === 0 ? [0, 0] : decodeShared(from);
  const mask = from.varint("the registers in use", 2 ** CARRIED.length - 1);
  const registers = CARRIED.map((_, i) =>
    (mask & (1 << i)) === 0 ? undefined : entry(from, "a register", table),
  );
  const depth = from.varint("the number of slots", STACK_BYTES / 8);
  const slots: Slot[] = [];
  while (slots.length < depth) {
    const at = from.offset;
    const first = from.varint("a slot", 8 * STACK_BYTES);
    const slot = decodeSlot(from, first & 7, at, table);
    for (let i = 0; i <= first >> 3; i += 1) slots.push(slot);
    if (slots.length > depth) from.fail(`${slots.length} slots, where ${depth} are said to be`, at);
  }
  return { functionStart, returnTo, callback, callbackObject, shared, registers, slots };
}

function decodeShared(from: ByteReader): readonly [number, number] {
  const at = from.offset;
  const bits = (): number => from.varint("shared slots", 2 ** 32 - 1);
  const [first, others] = [bits(), bits()];
  return first === 0 && others === 0 ? from.fail("no slot is shared", at) : [first, others];
}

const PLAIN: readonly number[] = [BYTE.invalid, BYTE.misc, BYTE.zero, BYTE.spill, BYTE.object];

function decodeSlot(from: ByteReader, form: number, at: number, table: readonly Register[]): Slot {
  if (form > SLOT.mixed) from.fail(`no form of slot ${form}`, at);
  const packed = form === SLOT.mixed ? from.byte() | (from.byte() << 8) : 0;
  const bytes = Array.from({ length: 8 }, (_, i) =>
    form === SLOT.mixed ? (packed >> (2 * i)) & 3 : (PLAIN[form] ?? 0),
  );
  const holds = bytes[0] === BYTE.spill || bytes[0] === BYTE.object;
  return { bytes, content: holds ? entry(from, "a slot's register", table) : undefined };
}

function decodeNode(
  from: ByteReader,
  pc: number,
  index: number,
  count: number,
  registers: readonly Register[],
  frames: readonly Frame[],
): CertificateNode {
  const bits = from.varint("a node's parts", (MAX_FRAMES << NODE.frames) - 1);
  const own = Array.from({ length: (bits >> NODE.frames) + 1 }, () => entry(from, "a frame", frames));
  const state: State = {
    frames: own,
    references: (bits & NODE.references) === 0 ? [] : decodeReferences(from),
    sections: Array.from({ length: SECTIONS }, () => ((bits & NODE.sections) === 0 ? 0 : from.byte())),
    ghosts: (bits & NODE.ghosts) === 0 ? [] : decodeGhosts(from, registers),
  };
  const edges = decodeEdges(from, index);
  const loops = state.ghosts.map(() => index + 1 + from.varint("a loop's distance", count - index - 2));
  const node = { pc, state: writeState(state), edges, loops };
  return (bits & NODE.measure) === 0 ? node : { ...node, measure: decodeMeasure(from) };
}

function decodeReferences(from: ByteReader): readonly Reference[] {
  const count = from.varint("the number of references", MAX_REFERENCES);
  return Array.from({ length: count }, () => {
    const id = from.signed("a reference's id", MAX_WORD);
    const kind = from.varint("a reference's kind", REFERENCE_KINDS);
    if (kind === 0) from.fail("a reference of no kind", from.offset - 1);
    return { id, kind, insn: from.varint("a reference's insn", MAX_REFERENCE_INSN) };
  });
}

function decodeGhosts(from: ByteReader, registers: readonly Register[]): readonly Register[] {
  const count = from.varint("the number of ghosts", MAX_GHOSTS);
  return Array.from({ length: count }, () => entry(from, "a ghost", registers));
}

/** From the nearest to the farthest. */
function decodeEdges(from: ByteReader, index: number): readonly number[] {
  const count = from.count("the number of edges");
  const edges: number[] = [];
  let before = index;
  while (edges.length < count) {
    before -= from.varint("an edge's distance", Math.max(before - 1, 0)) + 1;
    if (before < 0) from.fail("an edge leads before the first node", from.offset - 1);
    edges.push(before);
  }
  return edges.toReversed();
}

function decodeMeasure(from: ByteReader): Measure {
  const at = from.offset;
  const bits = from.byte();
  if (bits >= 2 * MEASURE.slot) from.fail(`no measure ${bits}`, at);
  const frame = from.varint("a measure's frame", MAX_FRAMES - 1);
  const slot = (bits & MEASURE.slot) !== 0;
  const number = from.varint("a measure's place", slot ? STACK_BYTES / 8 - 1 : REGISTERS - 1);
  const place: Place = slot
    ? { kind: "slot", frame, slot: number }
    : { kind: "register", frame, register: number };
  return {
    kind: "counter",
    place,
    order: { bits: (bits & MEASURE.wide) === 0 ? 32 : 64, signed: (bits & MEASURE.signed) !== 0 },
    direction: (bits & MEASURE.down) === 0 ? "up" : "down",
  };
}
