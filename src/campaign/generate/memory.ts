/** Steps on memory: the stack in all widths, packets, values of maps, records of ring buffers; at constant places and at bounded ones. */
import { helperId } from "../../semantics/helpers/names.ts";
import { someNumber } from "./arithmetic.ts";
import {
  CONTEXT,
  type Emit,
  FRAME,
  immediate,
  load,
  MAPS,
  slip,
  store,
  storeImm,
  VALUE_SIZE,
  type Width,
  type Writer,
  widthOf,
} from "./context.ts";
import { atMost, type Held, NOTHING, NUMBER, SLOTS } from "./draft.ts";

const boundOf = (size: Width): Held => (size === 8 ? NUMBER : atMost(2 ** (8 * size) - 1));

// --- The stack

/** A number, or a part of it, to the stack. */
export const spill: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const slot = b % SLOTS;
  const src = w.holding(a, ({ kind }) => kind !== "nothing");
  if (src === undefined || c % 5 === 0) {
    draft.emit("stdw", { dst: FRAME, off: -8 * (slot + 1), imm: immediate(c) });
    draft.know.slots[slot] = NUMBER;
    return;
  }
  const held = draft.held(src);
  const size = held.kind === "number" ? widthOf(c >> 3) : 8;
  if (size < 8) draft.emit("stdw", { dst: FRAME, off: -8 * (slot + 1), imm: 0 });
  const part = size < 8 && (c >> 5) % 3 === 0 ? 8 - size : 0;
  draft.emit(store(size), { dst: FRAME, src, off: -8 * (slot + 1) + part });
  draft.know.slots[slot] = size === 8 ? held : NUMBER;
};

/** From the stack: a register as it was stored, or a part of a number. */
export const fill: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const used = draft.know.slots.flatMap(({ kind }, slot) => (kind === "nothing" ? [] : [slot]));
  const slot = used[a % used.length];
  if (slot === undefined) return;
  const held = draft.know.slots[slot] ?? NOTHING;
  const dst = w.target(b);
  const size = held.kind === "number" ? widthOf(c) : 8;
  const part = held.kind === "number" && size < 8 ? size * ((c >> 4) % (8 / size)) : 0;
  const signed = size < 8 && (c >> 8) % 4 === 0;
  draft.emit(signed ? `ldxs${load(size).slice(3)}` : load(size), {
    dst,
    src: FRAME,
    off: -8 * (slot + 1) + part,
  });
  draft.set(dst, size === 8 ? held : signed ? NUMBER : boundOf(size));
};

/** The stack at a place that a bounded number says. */
export const stackIndex: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const index = boundedNumber(w, a, 31);
  const base = w.target(b);
  if (base === index) return;
  // What may be read is written first.
  for (let slot = 0; slot < 4; slot += 1) {
    draft.emit("stdw", { dst: FRAME, off: -8 * (slot + 1), imm: slot });
    draft.know.slots[slot] = NUMBER;
  }
  draft.emit("mov64_reg", { dst: base, src: FRAME });
  draft.emit("add64_imm", { dst: base, imm: -32 - slip(c) * 8 });
  draft.emit("add64_reg", { dst: base, src: index });
  draft.set(base, NOTHING);
  if (c % 2 === 0) draft.emit("stb", { dst: base, imm: c % 256 });
  else {
    draft.emit("ldxb", { dst: base, src: base });
    draft.set(base, atMost(255));
  }
};

/** A number of at most `most`: one that is bounded already, or one that a mask makes so. `most` is a mask. */
function boundedNumber(w: Writer, choice: number, most: number): number {
  const ready = w.holding(
    choice,
    (held) => held.kind === "number" && held.most !== undefined && held.most <= most,
  );
  if (ready !== undefined) return ready;
  const dst = someNumber(w, choice, true);
  w.draft.emit("and64_imm", { dst, imm: most });
  w.draft.set(dst, atMost(most));
  return dst;
}

// --- Packets

/** Pointers to the packet and to its end, and a check that some bytes are there. */
export const packet: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (draft.held(CONTEXT).kind !== "context" || w.type === "socket_filter") return;
  const data = w.saved(a);
  if (data === undefined) return;
  const [at, end] = w.type === "xdp" ? [0, 4] : [76, 80];
  const size = 1 + (b % 64);
  draft.emit("ldxw", { dst: data, src: CONTEXT, off: at });
  draft.emit("ldxw", { dst: 3, src: CONTEXT, off: end });
  draft.emit("mov64_reg", { dst: 2, src: data });
  draft.emit("add64_imm", { dst: 2, imm: size });
  if (c % 2 === 0) draft.giveUp("jgt64_reg", { dst: 2, src: 3 });
  else draft.giveUp("jlt64_reg", { dst: 3, src: 2 });
  draft.set(data, { kind: "packet", range: size });
  draft.set(2, NOTHING);
  draft.set(3, { kind: "packet_end" });
};

/** A load or store in what is known to be there. */
export const access: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const found = w.holding(a, ({ kind }) => kind === "packet" || kind === "memory");
  if (found === undefined) return;
  const held = draft.held(found);
  const room = held.kind === "packet" ? held.range : held.kind === "memory" ? held.size : 0;
  const size = widthOf(b);
  if (room < size) return;
  const places = room - size + 1;
  let off = (c % places) + slip(b) * places;
  if (held.kind === "memory") off -= off % size;
  const writable = held.kind === "memory" ? held.writable : w.type !== "socket_filter";
  const dst = w.target(b >> 4);
  if (writable && (b >> 3) % 2 === 0) {
    if ((b >> 6) % 2 === 0) draft.emit(storeImm(size), { dst: found, off, imm: immediate(c) });
    else draft.emit(store(size), { dst: found, src: someNumber(w, a), off });
    return;
  }
  if (dst === found && w.reserved.has(found)) return;
  draft.emit(load(size), { dst, src: found, off });
  draft.set(dst, boundOf(size));
};

/** A load from a packet or other memory at a place that a bounded number says. */
export const index: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const base = w.holding(a, (held) => held.kind === "memory" || held.kind === "packet");
  if (base === undefined) return;
  const held = draft.held(base);
  const number = boundedNumber(w, b, 31);
  const dst = w.target(c);
  if (number === base || dst === base || dst === number) return;
  draft.emit("mov64_reg", { dst, src: base });
  draft.emit("add64_reg", { dst, src: number });
  draft.set(dst, NOTHING);
  if (held.kind === "packet") {
    const end = w.holding(0, ({ kind }) => kind === "packet_end");
    const check = [1, 2, 3, 4, 5].find((r) => ![dst, number, base, end].includes(r));
    if (end === undefined || check === undefined) return;
    draft.emit("mov64_reg", { dst: check, src: dst });
    draft.emit("add64_imm", { dst: check, imm: 8 });
    draft.giveUp("jgt64_reg", { dst: check, src: end });
    draft.set(check, NOTHING);
    draft.emit("ldxb", { dst, src: dst, off: ((c >> 4) % 8) + slip(c) });
  } else {
    const most = held.kind === "memory" ? held.size : 0;
    const room = most - 31 - 1;
    if (room < 0) return;
    draft.emit("ldxb", { dst, src: dst, off: ((c >> 4) % (room + 1)) + slip(c) * (room + 1) });
  }
  draft.set(dst, atMost(255));
};

// --- Maps

/** The key of a map on the stack, in the slot that no other step uses; r2 points to it. */
function key(w: Writer, choice: number): void {
  const { draft } = w;
  const off = -8 * (SLOTS + 1);
  if (choice % 2 === 0) draft.emit("stdw", { dst: FRAME, off, imm: (choice >> 2) % 4 });
  else draft.emit("stxdw", { dst: FRAME, src: someNumber(w, choice), off });
  draft.emit("mov64_reg", { dst: 2, src: FRAME });
  draft.emit("add64_imm", { dst: 2, imm: off });
}

const VALUE_MAPS = [MAPS.array, MAPS.hash, MAPS.percpu, MAPS.lru] as const;

/** A map's value, which is there or is not. */
export const lookup: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const dst = w.saved(b);
  if (dst === undefined) return;
  key(w, c);
  draft.emit("ld_imm64_map_fd", { dst: 1, imm: VALUE_MAPS[a % VALUE_MAPS.length] ?? 0 });
  draft.emit("call_helper", { imm: helperId("map_lookup_elem") ?? 0 });
  draft.called(NOTHING);
  if (slip(b) === 0) draft.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst, src: 0 });
  const value: Held = { kind: "memory", size: VALUE_SIZE, writable: true };
  draft.set(0, value);
  draft.set(dst, value);
};

/** The value of the map with one element, without a call. */
export const global: Emit = (w, { a, b }) => {
  const dst = w.target(a);
  const off = 8 * (b % 3);
  w.draft.emit("ld_imm64_map_value", { dst, imm: MAPS.array, immHigh: off });
  w.draft.set(dst, { kind: "memory", size: VALUE_SIZE - off, writable: true });
};

/** An element put or deleted. */
export const change: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const value = w.holding(b, (held) => held.kind === "memory" && held.size >= VALUE_SIZE);
  key(w, c);
  const hash = a % 2 === 0 ? MAPS.hash : MAPS.lru;
  draft.emit("ld_imm64_map_fd", { dst: 1, imm: hash });
  if (value === undefined || value === 1 || value === 2 || (a >> 2) % 3 === 0) {
    draft.emit("call_helper", { imm: helperId("map_delete_elem") ?? 0 });
  } else {
    draft.emit("mov64_reg", { dst: 3, src: value });
    draft.emit("mov64_imm", { dst: 4, imm: (b >> 3) % 3 });
    draft.emit("call_helper", { imm: helperId("map_update_elem") ?? 0 });
  }
  draft.called(NUMBER);
};

/** A record reserved, written and given away. */
export const record: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const size = 8 * (1 + (a % 4));
  draft.emit("ld_imm64_map_fd", { dst: 1, imm: MAPS.ringbuf });
  draft.emit("mov64_imm", { dst: 2, imm: size });
  draft.emit("mov64_imm", { dst: 3, imm: 0 });
  draft.emit("call_helper", { imm: helperId("ringbuf_reserve") ?? 0 });
  draft.called(NOTHING);
  draft.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  for (let at = 0; at < size; at += 8)
    draft.emit("stdw", { dst: 0, off: at + 8 * slip(b), imm: immediate(b) });
  draft.emit("mov64_reg", { dst: 1, src: 0 });
  draft.emit("mov64_imm", { dst: 2, imm: 0 });
  if (slip(c) === 0) {
    draft.emit("call_helper", { imm: helperId(c % 2 === 0 ? "ringbuf_submit" : "ringbuf_discard") ?? 0 });
  }
  draft.called(NOTHING);
};

const ATOMIC = [
  "add",
  "or",
  "and",
  "xor",
  "fetch_add",
  "fetch_or",
  "fetch_and",
  "fetch_xor",
  "xchg",
] as const;

/** An atomic operation on the stack or in a value. */
export const atomic: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const memory = w.holding(a, (held) => held.kind === "memory" && held.writable);
  const src = someNumber(w, b, true);
  const op = ATOMIC[c % ATOMIC.length] ?? "add";
  const width = (c >> 4) % 2 === 0 ? 64 : 32;
  if (memory === undefined || memory === src) {
    const slot = a % 4;
    draft.emit("stdw", { dst: FRAME, off: -8 * (slot + 1), imm: immediate(a) });
    draft.emit(`atomic_${op}${width}`, { dst: FRAME, src, off: -8 * (slot + 1) });
    draft.know.slots[slot] = NUMBER;
  } else {
    const held = draft.held(memory);
    const places = held.kind === "memory" ? Math.floor(held.size / 8) : 1;
    draft.emit(`atomic_${op}${width}`, { dst: memory, src, off: 8 * (b % places) });
  }
  if (op.startsWith("fetch") || op === "xchg") draft.set(src, NUMBER);
};
