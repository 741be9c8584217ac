/** Steps on packets: pointers into them and to their ends, compared in all forms, chains of headers, places that numbers say, and what moves them. */
import type { ContextField } from "../../semantics/profile/profile.ts";
import { boundedNumber, someNumber } from "./arithmetic.ts";
import { CONTEXT, drawer, type Emit, load, pick, slip, storeImm, type Writer, widthOf } from "./context.ts";
import { atMost, type Held, NOTHING, NUMBER } from "./held.ts";
import { boundOf } from "./stack.ts";

/** Of a pointer and the end, how those are told apart that have the bytes before the pointer; with `more`, and one beyond it. */
const FORMS = [
  { out: true, name: "jgt64_reg", pointerFirst: true, more: 0 },
  { out: true, name: "jlt64_reg", pointerFirst: false, more: 0 },
  { out: true, name: "jge64_reg", pointerFirst: true, more: 1 },
  { out: true, name: "jle64_reg", pointerFirst: false, more: 1 },
  { out: false, name: "jle64_reg", pointerFirst: true, more: 0 },
  { out: false, name: "jge64_reg", pointerFirst: false, more: 0 },
  { out: false, name: "jlt64_reg", pointerFirst: true, more: 1 },
  { out: false, name: "jgt64_reg", pointerFirst: false, more: 1 },
] as const;

/** Gives up unless `pointer` is at most the end. @returns how many bytes more than those before it are known to be there */
function requireBefore(w: Writer, pointer: number, end: number, choice: number): number {
  const form = pick(FORMS, choice) ?? FORMS[0];
  const operands = form.pointerFirst ? { dst: pointer, src: end } : { dst: end, src: pointer };
  if (form.out) w.giveUp(form.name, operands);
  else {
    const over = w.draft.label();
    w.draft.jump(form.name, over, operands);
    w.exit.used = true;
    w.draft.jump("goto", w.exit.label);
    w.draft.place(over);
  }
  return form.more;
}

const loadField = (w: Writer, dst: number, { offset, size }: ContextField): void =>
  w.draft.emit(size === 8 ? "ldxdw" : "ldxw", { dst, src: CONTEXT, off: offset });

/** Pointers to the packet, in a register that keeps it, and to its end, in r3; undefined if there are none. */
function pointers(w: Writer, choice: number, meta: boolean): number | undefined {
  const { data, end, meta: metadata } = w.abilities;
  const start = meta ? metadata : data;
  const bound = meta ? data : end;
  if (!w.hasContext || w.locked || start === undefined || bound === undefined) return undefined;
  const register = w.saved(choice);
  if (register === undefined) return undefined;
  loadField(w, register, start);
  loadField(w, 3, bound);
  w.draft.set(register, { kind: "packet", range: 0, meta });
  w.draft.set(3, meta ? NOTHING : { kind: "packet_end" });
  return register;
}

/** A pointer to the packet, and a check that some bytes are there. */
export const packet: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const meta = (c >> 4) % 8 === 0;
  const data = pointers(w, a, meta);
  if (data === undefined) return;
  const size = 1 + (b % 64);
  draft.emit("mov64_reg", { dst: 2, src: data });
  draft.emit("add64_imm", { dst: 2, imm: size });
  const more = requireBefore(w, 2, 3, c);
  draft.set(data, { kind: "packet", range: size + more, meta });
  draft.set(2, (c >> 7) % 2 === 0 ? { kind: "packet", range: more, meta } : NOTHING);
};

const ETHERNET = 14;
/** In the order in which a load has them. */
const TYPE_IPV4 = 0x0008;
const UDP = 17;

/** Ethernet, IP and what follows, each header checked before it is looked at; the pointer ends at the last. */
export const headers: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const at = w.kind.type === "xdp" || w.kind.type.startsWith("sched") ? ETHERNET : 0;
  const data = pointers(w, a, false);
  if (data === undefined) return;
  const draw = drawer(b + 1);
  const need = (size: number): number => {
    draft.emit("mov64_reg", { dst: 2, src: data });
    draft.emit("add64_imm", { dst: 2, imm: size });
    return size + requireBefore(w, 2, 3, draw(32));
  };
  const more = need(at + 20);
  draft.set(data, { kind: "packet", range: more, meta: false });
  draft.set(2, NOTHING);
  if (at > 0 && draw(4) > 0) {
    draft.emit("ldxh", { dst: 4, src: data, off: 12 });
    w.giveUp("jne64_imm", { dst: 4, imm: TYPE_IPV4 });
    draft.set(4, atMost(0xffff));
  }
  draft.emit("ldxb", { dst: 5, src: data, off: at });
  draft.emit("and64_imm", { dst: 5, imm: 15 });
  draft.emit("lsh64_imm", { dst: 5, imm: 2 });
  draft.set(5, NOTHING);
  if (draw(2) === 0) w.giveUp("jlt64_imm", { dst: 5, imm: 20 });
  if (draw(2) === 0) {
    draft.emit("ldxb", { dst: 4, src: data, off: at + 9 });
    w.giveUp("jne64_imm", { dst: 4, imm: draw(2) === 0 ? 6 : UDP });
    draft.set(4, atMost(255));
  }
  // Headers have as many bytes as they say.
  draft.emit("add64_imm", { dst: data, imm: at });
  draft.emit("add64_reg", { dst: data, src: 5 });
  draft.set(5, atMost(60));
  draft.set(data, { kind: "packet", range: 0, meta: false });
  const room = need([8, 16, 20, 4][c % 4] ?? 8);
  draft.set(data, { kind: "packet", range: room, meta: false });
  draft.set(2, NOTHING);
};

/** A byte, or more, of the packet at a place that a bounded number says. */
export const packetIndex: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const { end } = w.abilities;
  const isPacket = (held: Held): boolean => held.kind === "packet" && !held.meta;
  if (w.holding(a, isPacket) === undefined) packet(w, { kind: 0, a, b: b >> 3, c: c & 7 });
  const base = w.holding(a, isPacket);
  if (base === undefined || end === undefined || !w.hasContext || base === 3 || base === 2) return;
  const number = boundedNumber(w, b, [31, 255, 1023, 65535][(b >> 8) % 4] ?? 255);
  const dst = w.target(c);
  if (number === base || dst === base || dst === number || [2, 3].includes(number) || [2, 3].includes(dst))
    return;
  draft.emit("mov64_reg", { dst, src: base });
  draft.emit("add64_reg", { dst, src: number });
  const before = (c >> 8) % 3 === 0 ? (c >> 10) % 8 : 0;
  if (before > 0) draft.emit("add64_imm", { dst, imm: before });
  const twin = (c >> 9) % 4 === 0;
  loadField(w, 3, end);
  draft.emit("mov64_reg", { dst: 2, src: dst });
  const size = widthOf(c >> 4);
  draft.emit("add64_imm", { dst: 2, imm: size });
  requireBefore(w, 2, 3, c >> 6);
  draft.set(3, { kind: "packet_end" });
  draft.set(2, NOTHING);
  if (twin) {
    // By the other pointer, behind the bytes.
    draft.emit(load(size), { dst: 2, src: 2, off: -size - slip(c) });
    draft.set(2, boundOf(size));
  }
  draft.set(dst, { kind: "packet", range: size, meta: false });
  if (w.abilities.facts.packet === "write" && (c >> 11) % 2 === 0) {
    draft.emit(storeImm(size), { dst, off: slip(c), imm: b % 128 });
    return;
  }
  draft.emit(load(size), { dst, src: dst, off: slip(c) });
  draft.set(dst, boundOf(size));
};

/** A number added to a packet's pointer twice, and the difference of two pointers. */
export const distance: Emit = (w, { a, b }) => {
  const { draft } = w;
  const one = w.holding(a, ({ kind }) => kind === "packet");
  const other = w.holding(b, ({ kind }) => kind === "packet_end" || kind === "packet");
  if (one === undefined || other === undefined || one === other) return;
  const dst = w.target(b >> 4);
  if (dst === one || dst === other) return;
  draft.emit("mov64_reg", { dst, src: other });
  draft.emit("sub64_reg", { dst, src: one });
  draft.set(dst, NUMBER);
};

/** The packet's legacy loads. */
export const legacy: Emit = (w, { a, b }) => {
  const { draft } = w;
  const { type } = w.kind;
  const may = type === "socket_filter" || type === "sched_cls" || type === "sched_act";
  if (!may || !w.hasContext || w.loops > 0 || w.held > 0) return;
  const size = widthOf(a % 3);
  const letter = size === 1 ? "b" : size === 2 ? "h" : "w";
  if (b % 3 === 0) {
    const src = someNumber(w, b);
    if (src >= 1 && src <= 5) return;
    draft.emit(`ldind${letter}`, { src, imm: (b >> 2) % 20 });
  } else draft.emit(`ldabs${letter}`, { imm: (b >> 2) % 60 });
  draft.called(atMost(2 ** (8 * size) - 1));
};
