/** Steps on the stack: all widths, parts of what was spilled, places that a number says. */
import { boundedNumber, someNumber } from "./arithmetic.ts";
import { type Emit, FRAME, immediate, load, slip, slotOffset, store, storeImm, widthOf } from "./context.ts";
import { SLOTS } from "./draft.ts";
import { atMost, type Held, NOTHING, NUMBER } from "./held.ts";

export const boundOf = (size: number): Held => (size === 8 ? NUMBER : atMost(2 ** (8 * size) - 1));

/** A register, or a part of a number, to the stack. */
export const spill: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const slot = b % SLOTS;
  const src = w.holding(a, ({ kind }) => kind !== "nothing");
  if (src === undefined || c % 5 === 0) {
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(c) });
    draft.know.slots[slot] = NUMBER;
    return;
  }
  const held = draft.held(src);
  const size = held.kind === "number" ? widthOf(c >> 3) : 8;
  // What has been there is overwritten in part only, where it was a number.
  const fresh = draft.know.slots[slot]?.kind !== "number";
  if (size < 8 && (fresh || (c >> 7) % 2 === 0))
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: 0 });
  const part = size < 8 ? size * ((c >> 5) % (8 / size)) : 0;
  draft.emit(store(size), { dst: FRAME, src, off: slotOffset(slot) + part });
  draft.know.slots[slot] = size === 8 ? held : NUMBER;
};

/** A part of a pointer that was spilled is overwritten: the rest is numbers from then on. */
export const overwrite: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const used = draft.know.slots.flatMap(({ kind }, slot) =>
    slot < SLOTS && kind !== "nothing" && kind !== "number" ? [slot] : [],
  );
  const slot = used[a % used.length];
  if (slot === undefined) return;
  const size = widthOf(b % 3);
  draft.emit(storeImm(size), { dst: FRAME, off: slotOffset(slot) + size * (c % (8 / size)), imm: c % 256 });
  draft.know.slots[slot] = NUMBER;
};

/** From the stack: a register as it was stored, or a part of a number. */
export const fill: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const used = draft.know.slots.flatMap(({ kind }, slot) =>
    slot < SLOTS && kind !== "nothing" ? [slot] : [],
  );
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
    off: slotOffset(slot) + part,
  });
  draft.set(dst, size === 8 ? held : signed ? NUMBER : boundOf(size));
};

/** Linked numbers by way of the stack: one is spilled, filled again, compared, and the other is known. */
export const linkedSlot: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const src = someNumber(w, a);
  const dst = w.target(b);
  if (dst === src) return;
  const slot = c % SLOTS;
  const size = (c >> 4) % 3 === 0 ? 4 : 8;
  draft.emit(store(size), { dst: FRAME, src, off: slotOffset(slot) });
  draft.emit(load(size), { dst, src: FRAME, off: slotOffset(slot) });
  draft.know.slots[slot] = size === 8 ? NUMBER : NOTHING;
  draft.set(dst, size === 8 ? NUMBER : boundOf(size));
  const most = 1 + ((b >> 4) % 64);
  const [compared, other] = (c >> 7) % 2 === 0 ? [dst, src] : [src, dst];
  w.giveUp("jgt64_imm", { dst: compared, imm: most });
  draft.set(compared, atMost(most));
  if (size === 8) draft.set(other, atMost(most));
};

/** Slots that are written before one of their bytes is read or written at a place that a number says. */
const INDEXED = 8;

/** A byte of the stack at a place that a bounded number says: among 32 from the pointer on. */
export const stackIndex: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const index = boundedNumber(w, a, 31);
  const base = w.target(b);
  if (base === index) return;
  for (let slot = 0; slot < INDEXED; slot += 1) {
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: slot });
    draft.know.slots[slot] = NUMBER;
  }
  draft.emit("mov64_reg", { dst: base, src: FRAME });
  draft.emit("add64_imm", { dst: base, imm: -32 + slip(c) * 8 });
  draft.emit("add64_reg", { dst: base, src: index });
  draft.set(base, NOTHING);
  if (c % 3 === 0) draft.emit("stb", { dst: base, imm: c % 256 });
  else if (c % 3 === 1) draft.emit("stxb", { dst: base, src: index });
  else {
    draft.emit((c >> 7) % 2 === 0 ? "ldxb" : "ldxsb", { dst: base, src: base });
    draft.set(base, (c >> 7) % 2 === 0 ? atMost(255) : NUMBER);
  }
};

/** Words of the stack at a place that a bounded number says. */
export const stackWords: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const index = someNumber(w, a, true);
  const base = w.target(b);
  if (base === index) return;
  const size = widthOf(1 + (c % 3));
  draft.emit("and64_imm", { dst: index, imm: 32 - size });
  draft.set(index, atMost(32 - size));
  for (let slot = 0; slot < 4; slot += 1) {
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(c >> slot) });
    draft.know.slots[slot] = NUMBER;
  }
  draft.emit("mov64_reg", { dst: base, src: FRAME });
  draft.emit("add64_reg", { dst: base, src: index });
  const way = (c >> 3) % 4;
  draft.set(base, NOTHING);
  if (way === 0) draft.emit(storeImm(size), { dst: base, off: -32, imm: immediate(c) });
  else if (way === 1) draft.emit(store(size), { dst: base, src: index, off: -32 });
  else if (way === 2 && size >= 4) draft.emit(`atomic_add${8 * size}`, { dst: base, src: index, off: -32 });
  else {
    draft.emit(load(size), { dst: base, src: base, off: -32 });
    draft.set(base, boundOf(size));
  }
};
