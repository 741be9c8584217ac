/** Steps on memory that is no stack: packets, values of maps, records; at constant places and at bounded ones, plain and atomic. */
import { boundedNumber, calculate, someNumber } from "./arithmetic.ts";
import {
  drawer,
  type Emit,
  FRAME,
  HANDED,
  immediate,
  load,
  pick,
  slip,
  slotOffset,
  store,
  storeImm,
  type Writer,
  widthOf,
} from "./context.ts";
import { atMost, type Held, memory, NOTHING, NUMBER } from "./held.ts";
import { KEY_SIZE, LOOKED_UP, type MapName, mapNamed, VALUE_SIZE } from "./maps.ts";
import { boundOf } from "./stack.ts";

const room = (held: Held): number =>
  held.kind === "packet" ? held.range : held.kind === "memory" ? held.size : 0;

const isWritable = (w: Writer, held: Held): boolean =>
  held.kind === "memory"
    ? held.writable
    : held.kind === "packet" && (held.meta || w.abilities.facts.packet === "write");

/** A register with memory that helpers take too: one that is there, or the value of the map with one element. */
function someMemory(w: Writer, choice: number, wanted: (held: Held) => boolean): number {
  const found = w.holding(choice, wanted);
  if (found !== undefined) return found;
  const dst = w.target(choice);
  w.draft.emit("ld_imm64_map_value", { dst, imm: w.map("values") });
  w.draft.set(dst, memory(VALUE_SIZE));
  return dst;
}

/** A load or store in what is known to be there. */
export const access: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const found = someMemory(w, a, ({ kind }) => kind === "packet" || kind === "memory");
  const held = draft.held(found);
  const size = widthOf(b);
  if (room(held) < size) return;
  const places = room(held) - size + 1;
  let off = (c % places) + slip(b) * places;
  if (held.kind === "memory") off -= off % size;
  const dst = w.target(b >> 4);
  if (isWritable(w, held) && (b >> 3) % 2 === 0) {
    if ((b >> 6) % 2 === 0) draft.emit(storeImm(size), { dst: found, off, imm: immediate(c) });
    else draft.emit(store(size), { dst: found, src: someNumber(w, a), off });
    return;
  }
  if (dst === found && w.reserved.has(found)) return;
  const signed = size < 8 && (b >> 8) % 4 === 0;
  draft.emit(signed ? `ldxs${load(size).slice(3)}` : load(size), { dst, src: found, off });
  draft.set(dst, signed ? NUMBER : boundOf(size));
};

/** An access to memory at a place that a bounded number says, or one that was bounded after some arithmetic. */
export const index: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const base = someMemory(w, a, (held) => held.kind === "memory" && held.size >= 16);
  const held = draft.held(base);
  const most = room(held) >= 32 ? 31 : 15;
  const number = boundedNumber(w, b, most);
  const dst = w.target(c);
  if (number === base || dst === base || dst === number) return;
  draft.emit("mov64_reg", { dst, src: base });
  draft.emit((c >> 8) % 8 === 0 ? "sub64_reg" : "add64_reg", { dst, src: number });
  draft.set(dst, NOTHING);
  const backwards = (c >> 8) % 8 === 0;
  if (backwards) draft.emit("add64_imm", { dst, imm: most });
  const places = room(held) - most;
  const off = ((c >> 4) % places) + slip(c) * places;
  if (isWritable(w, held) && (c >> 11) % 2 === 0) draft.emit("stb", { dst, off, imm: c % 128 });
  else {
    draft.emit("ldxb", { dst, src: dst, off });
    draft.set(dst, atMost(255));
  }
};

/**
 * A bounded number, a few operations on it, an end to it again, and one access at the place that it says: what makes a mistake about the number one that
 * reaches memory.
 */
export const reach: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const draw = drawer(c);
  const base = someMemory(w, a, (held) => held.kind === "memory" && held.size >= 16);
  const number = someNumber(w, b, true);
  const dst = w.target(b >> 4);
  if (dst === base || number === base || dst === number) return;
  calculate(w, number, draw);
  const most = 2 ** (1 + draw(4)) - 1;
  const width = draw(3) === 0 ? 32 : 64;
  const way = draw(4);
  if (way === 0) draft.emit(`and${width}_imm`, { dst: number, imm: most });
  else if (way === 1) {
    draft.emit("rsh64_imm", { dst: number, imm: 60 });
    if (most < 15) draft.emit("and64_imm", { dst: number, imm: most });
  } else {
    if (width === 32) draft.emit("mov32_reg", { dst: number, src: number });
    w.giveUp(`${draw(2) === 0 ? "jgt" : "jsgt"}${width}_imm`, { dst: number, imm: most });
    if (way === 3 || width === 64) w.giveUp(`jslt${width}_imm`, { dst: number, imm: 0 });
  }
  draft.set(number, atMost(most));
  draft.emit("mov64_reg", { dst, src: base });
  draft.emit("add64_reg", { dst, src: number });
  draft.set(dst, NOTHING);
  const places = room(draft.held(base)) - most;
  const off = draw(places) + slip(draw(0x10000)) * places;
  if (isWritable(w, draft.held(base)) && draw(2) === 0) draft.emit("stxb", { dst, src: number, off });
  else {
    draft.emit("ldxb", { dst, src: dst, off });
    draft.set(dst, atMost(255));
  }
};

/** A pointer moved by a constant. */
export const moved: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const src = w.holding(a, (held) => room(held) >= 8);
  if (src === undefined) return;
  const dst = w.target(b);
  if (dst === src && w.reserved.has(dst)) return;
  const held = draft.held(src);
  const by = 1 + (c % (room(held) - 4));
  w.copy(dst, src);
  if ((c >> 8) % 3 === 0) {
    const [up, down] = [(c >> 10) % 8, by + ((c >> 10) % 8)];
    // There and back again: it stays what it was, by another way.
    draft.emit("add64_imm", { dst, imm: down });
    draft.emit("sub64_imm", { dst, imm: up });
  } else draft.emit("add64_imm", { dst, imm: by });
  if (held.kind === "packet") draft.set(dst, { ...held, range: held.range - by });
  else if (held.kind === "memory")
    draft.set(dst, { ...held, size: held.size - by, plain: held.plain && by % 8 === 0 });
};

/** What may be null is compared with null, by any of its copies; those who find null give up, or go round what follows. */
export const compareNull: Emit = (w, { a, b }) => {
  const register = w.holding(a, ({ kind }) => kind === "maybe");
  if (register !== undefined) notNull(w, register, b);
};

/** The register and its copies are what they may be, from here on. */
export function notNull(w: Writer, register: number, choice: number): void {
  const { draft } = w;
  const held = draft.held(register);
  if (held.kind !== "maybe") return;
  const over = draft.label();
  if (choice % 4 === 0) {
    draft.jump("jne64_imm", over, { dst: register, imm: 0 });
    w.exit.used = true;
    draft.jump("goto", w.exit.label);
    draft.place(over);
  } else w.giveUp("jeq64_imm", { dst: register, imm: 0 });
  draft.change((each) => (each.kind === "maybe" && each.id === held.id ? held.held : each));
}

// --- Maps

/** The bytes of a key on the stack, where no other step has anything; `dst` points to them. */
function key(w: Writer, dst: number, choice: number, size: number): void {
  const { draft } = w;
  const last = HANDED + Math.ceil(size / 8) - 1;
  for (let slot = HANDED; slot < last; slot += 1)
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: (choice >> 4) % 4 });
  const src = choice % 2 === 0 ? undefined : w.number(choice >> 1);
  const off = slotOffset(last);
  // A key of a few bytes is a small number, so that there is something.
  if (src === undefined || size < KEY_SIZE) draft.emit("stdw", { dst: FRAME, off, imm: (choice >> 2) % 6 });
  else draft.emit("stxdw", { dst: FRAME, src, off });
  w.pointToSlot(dst, last);
}

/** Keys of tries say how many of their bits count. */
function prefix(w: Writer, dst: number, choice: number): void {
  const off = slotOffset(HANDED);
  w.draft.emit("stw", { dst: FRAME, off, imm: choice % 33 });
  w.draft.emit("stw", { dst: FRAME, off: off + 4, imm: immediate(choice) });
  w.pointToSlot(dst, HANDED);
}

/** A pointer to a key for a map. */
function keyFor(w: Writer, name: MapName, dst: number, choice: number): void {
  if (name === "routes") prefix(w, dst, choice);
  else key(w, dst, choice, mapNamed(name).keySize);
}

/** r0 may be a value of `size` bytes; most compare it with null at once. */
export function found(w: Writer, held: Held, choice: number): void {
  const { draft } = w;
  draft.set(0, { kind: "maybe", id: draft.id(), held });
  const kept = w.saved(choice >> 3);
  if (kept !== undefined && choice % 3 !== 0) {
    w.copy(kept, 0);
    if (choice % 4 !== 3) notNull(w, (choice >> 6) % 2 === 0 ? kept : 0, choice >> 7);
  } else if (choice % 8 !== 7) notNull(w, 0, choice >> 7);
}

/** A map's value is looked up. */
export const lookup: Emit = (w, { a, b, c }) => {
  const name = pick(LOOKED_UP, a) ?? "table";
  if (!w.has("map_lookup_elem") || !w.mayUse(name)) return;
  keyFor(w, name, 2, b);
  const { valueSize } = w.loadMap(1, name);
  w.call("map_lookup_elem", NOTHING);
  found(w, memory(valueSize), c);
};

/** A value that another processor has. */
export const lookupElsewhere: Emit = (w, { a, b, c }) => {
  if (!w.has("map_lookup_percpu_elem")) return;
  const name = (["counters", "each", "recent_each"] as const)[a % 3] ?? "each";
  keyFor(w, name, 2, b);
  const { valueSize } = w.loadMap(1, name);
  w.draft.emit("mov64_imm", { dst: 3, imm: c % 3 });
  w.call("map_lookup_percpu_elem", NOTHING);
  found(w, memory(valueSize), c);
};

/** A map in a map, and a value in that. */
export const lookupTwice: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const name = a % 2 === 0 ? "outer" : "outer_table";
  if (!w.has("map_lookup_elem")) return;
  key(w, 2, b, 4);
  w.loadMap(1, name);
  w.call("map_lookup_elem", NOTHING);
  if (slip(b) === 0) w.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst: 1, src: 0 });
  key(w, 2, c & ~1, 4);
  w.call("map_lookup_elem", NOTHING);
  found(w, memory(VALUE_SIZE), c);
};

/** The value of the map with one element, without a call. */
export const global: Emit = (w, { a, b }) => {
  const dst = w.target(a);
  const off = 8 * (b % 3);
  w.draft.emit("ld_imm64_map_value", { dst, imm: w.map("values"), immHigh: off });
  w.draft.set(dst, memory(VALUE_SIZE - off));
};

const CHANGED: readonly MapName[] = ["table", "recent", "several", "small", "routes", "counters", "each"];

/** An element put or deleted. */
export const change: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const name = pick(CHANGED, a >> 3) ?? "table";
  const { valueSize } = mapNamed(name);
  const isArray = name === "several" || name === "counters";
  const deletes = (a >> 1) % 3 === 0 && !isArray;
  if (!w.has(deletes ? "map_delete_elem" : "map_update_elem")) return;
  const value = w.holding(b, (held) => held.kind === "memory" && held.plain && held.size >= valueSize);
  if (!deletes) {
    if (value !== undefined) w.copy(3, value);
    else {
      const last = HANDED + 1 + valueSize / 8;
      for (let slot = HANDED + 2; slot <= last; slot += 1)
        draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(c) });
      w.pointToSlot(3, last);
    }
  }
  keyFor(w, name, 2, c);
  w.loadMap(1, name);
  if (!deletes) draft.emit("mov64_imm", { dst: 4, imm: (b >> 3) % 3 });
  w.call(deletes ? "map_delete_elem" : "map_update_elem", NUMBER);
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
  "cmpxchg",
] as const;

/** Where atomic operations are done: a value, or a slot that is written first. */
function place(
  w: Writer,
  choice: number,
  other: number,
  size: 4 | 8,
): { readonly base: number; readonly off: number } {
  const { draft } = w;
  const base = w.holding(
    choice,
    (held) => held.kind === "memory" && held.writable && held.size >= 8 && held.plain,
  );
  if (base !== undefined && base !== other) {
    const held = draft.held(base);
    return { base, off: size * (other % Math.floor(room(held) / size)) };
  }
  const slot = choice % 4;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(choice) });
  draft.know.slots[slot] = NUMBER;
  return { base: FRAME, off: slotOffset(slot) };
}

/** An atomic operation on the stack or in a value. */
export const atomic: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const op = pick(ATOMIC, c) ?? "add";
  const size = (c >> 4) % 2 === 0 ? 8 : 4;
  const src = someNumber(w, b, true);
  if (op === "cmpxchg" && draft.held(0).kind !== "number") {
    if (w.reserved.has(0)) return;
    draft.emit("mov64_imm", { dst: 0, imm: immediate(a) });
    draft.set(0, NUMBER);
  }
  const { base, off } = place(w, a, src, size);
  draft.emit(`atomic_${op}${8 * size}`, { dst: base, src, off });
  if (op === "cmpxchg") draft.set(0, size === 4 ? atMost(2 ** 32 - 1) : NUMBER);
  else if (op.startsWith("fetch") || op === "xchg") draft.set(src, size === 4 ? atMost(2 ** 32 - 1) : NUMBER);
};

/** A load that is ordered before, or a store that is ordered behind, what comes next. */
export const ordered: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const size = widthOf(c);
  const src = someNumber(w, b);
  const { base, off } = place(w, a, src, 8);
  if ((c >> 2) % 2 === 0) {
    draft.emit(`store_release${8 * size}`, { dst: base, src, off });
    return;
  }
  const dst = w.target(b);
  draft.emit(`load_acquire${8 * size}`, { dst, src: base, off });
  draft.set(dst, boundOf(size));
};
