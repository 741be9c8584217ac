/**
 * A certificate as bytes (docs/certificates.md): the registers that occur, each once; the frames that occur, made of these; the nodes, made of
 * those; the roots of functions. States of one program have most of their registers and frames in common.
 */
import { BYTE } from "../../absint/state.ts";
import type { Certificate, CertificateNode, Measure } from "../certificate.ts";
import { ByteWriter } from "./bytes.ts";
import { encodeRegister, type Register } from "./register.ts";
import { type Frame, readState, type Slot, type State, withCanonicalIds } from "./state.ts";

/** What is in a node besides its frames: bits of its first number, which has the number of its frames less one above them. */
export const NODE = { references: 1, sections: 2, ghosts: 4, measure: 8, frames: 4 } as const;

/** How the bytes of a slot are written: the lowest three bits of a number that has, above them, how often the slot comes again. */
export const SLOT = { unused: 0, misc: 1, zero: 2, spill: 3, object: 4, mixed: 5 } as const;

export const MEASURE = { wide: 1, signed: 2, down: 4, slot: 8 } as const;

/** Things that are written once, in the order in which they are first asked for. */
class Table<T> {
  readonly #indices = new Map<string, number>();
  readonly items: T[] = [];

  indexOf(key: string, item: T): number {
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const index = this.items.length;
    this.#indices.set(key, index);
    this.items.push(item);
    return index;
  }
}

/** Everything that a register says, as a key. */
function registerKey({ kind, scalar, id, delta, form, off, range, object }: Register): string {
  const { value, mask, umin, umax, smin, smax, umin32, umax32, smin32, smax32 } = scalar;
  return `${kind},${id},${delta},${form},${off},${range},${object},${value},${mask},${umin},${umax},${smin},${smax},${umin32},${umax32},${smin32},${smax32}`;
}

/** The certificate's bytes, without a header. The same claims give the same bytes. */
export function encodeCertificate({ nodes, roots }: Certificate): Uint8Array {
  const registers = new Table<Register>();
  const frames = new Table<Uint8Array>();
  const body = new ByteWriter();
  const register = (value: Register): number => registers.indexOf(registerKey(value), value);
  let pc = 0;
  for (const [index, node] of nodes.entries()) {
    const state = withCanonicalIds(readState(node.state));
    body.signed(node.pc - pc);
    pc = node.pc;
    encodeState(body, state, node, register, (frame) => {
      const bytes = encodeFrame(frame, register);
      return frames.indexOf(String.fromCharCode(...bytes), bytes);
    });
    encodePlace(body, node, index);
  }
  const out = new ByteWriter();
  out.varint(registers.items.length);
  for (const item of registers.items) encodeRegister(out, item);
  out.varint(frames.items.length);
  for (const item of frames.items) out.raw(item);
  out.varint(nodes.length);
  out.raw(body.finish());
  out.varint(roots.length);
  roots.forEach((root, i) => out.varint(root - (roots[i - 1] ?? -1) - 1));
  return out.finish();
}

type Index<T> = (value: T) => number;

function encodeState(
  out: ByteWriter,
  { frames, references, sections, ghosts }: State,
  { measure }: CertificateNode,
  register: Index<Register>,
  frame: Index<Frame>,
): void {
  const open = sections.some((depth) => depth > 0);
  const bits =
    (references.length > 0 ? NODE.references : 0) |
    (open ? NODE.sections : 0) |
    (ghosts.length > 0 ? NODE.ghosts : 0) |
    (measure === undefined ? 0 : NODE.measure);
  out.varint(bits | ((frames.length - 1) << NODE.frames));
  for (const each of frames) out.varint(frame(each));
  if (references.length > 0) {
    out.varint(references.length);
    for (const { id, kind, insn } of references) {
      out.signed(id);
      out.varint(kind);
      out.varint(insn);
    }
  }
  if (open) for (const depth of sections) out.byte(depth);
  if (ghosts.length > 0) {
    out.varint(ghosts.length);
    for (const ghost of ghosts) out.varint(register(ghost));
  }
}

/** A node's edges and loops, by how far they are from it, and its measure. */
function encodePlace(out: ByteWriter, { edges, loops, measure }: CertificateNode, index: number): void {
  out.varint(edges.length);
  let before = index;
  for (const to of edges.toReversed()) {
    out.varint(before - to - 1);
    before = to;
  }
  // As many as there are ghosts.
  for (const head of loops) out.varint(head - index - 1);
  if (measure !== undefined) encodeMeasure(out, measure);
}

function encodeMeasure(out: ByteWriter, { place, order, direction }: Measure): void {
  const bits =
    (order.bits === 64 ? MEASURE.wide : 0) |
    (order.signed ? MEASURE.signed : 0) |
    (direction === "down" ? MEASURE.down : 0) |
    (place.kind === "slot" ? MEASURE.slot : 0);
  out.byte(bits);
  out.varint(place.frame);
  out.varint(place.kind === "slot" ? place.slot : place.register);
}

function encodeFrame(frame: Frame, register: Index<Register>): Uint8Array {
  const out = new ByteWriter();
  const { functionStart, returnTo, callback, callbackObject, shared, registers, slots } = frame;
  const isShared = shared.some((bits) => bits !== 0);
  out.varint(functionStart);
  out.varint(returnTo + 1);
  out.varint(2 * callback + (isShared ? 1 : 0));
  if (callback !== 0) out.signed(callbackObject);
  if (isShared) for (const bits of shared) out.varint(bits);
  out.varint(registers.reduce((mask, value, r) => (value === undefined ? mask : mask | (1 << r)), 0));
  for (const value of registers) if (value !== undefined) out.varint(register(value));
  out.varint(slots.length);
  for (let s = 0; s < slots.length; ) {
    const text = slotText(slots[s], register);
    let again = 0;
    while (s + again + 1 < slots.length && slotText(slots[s + again + 1], register) === text) again += 1;
    encodeSlot(out, slots[s], again, register);
    s += again + 1;
  }
  return out.finish();
}

const slotText = (slot: Slot | undefined, register: Index<Register>): string =>
  slot === undefined
    ? ""
    : `${slot.bytes.join("")} ${slot.content === undefined ? "" : register(slot.content)}`;

const PLAIN: ReadonlyMap<string, number> = new Map([
  [String(BYTE.invalid).repeat(8), SLOT.unused],
  [String(BYTE.misc).repeat(8), SLOT.misc],
  [String(BYTE.zero).repeat(8), SLOT.zero],
  [String(BYTE.spill).repeat(8), SLOT.spill],
  [String(BYTE.object).repeat(8), SLOT.object],
]);

function encodeSlot(out: ByteWriter, slot: Slot | undefined, again: number, register: Index<Register>): void {
  if (slot === undefined) throw new Error("a slot");
  const { bytes, content } = slot;
  const form = PLAIN.get(bytes.join("")) ?? SLOT.mixed;
  out.varint(form | (again << 3));
  // Two bits a byte: a part of an object is none.
  if (form === SLOT.mixed) {
    const packed = bytes.reduce((all, kind, i) => all | (kind << (2 * i)), 0);
    out.byte(packed & 255);
    out.byte(packed >> 8);
  }
  if (content !== undefined) out.varint(register(content));
}
