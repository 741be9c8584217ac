/** Steps of control flow: branches that meet again, and what leaves different numbers or pointers where they do. */
import { someNumber } from "./arithmetic.ts";
import { type Emit, FRAME, immediate, slotOffset, store, storeImm, widthOf } from "./context.ts";
import { SLOTS } from "./draft.ts";
import { atMost, NOTHING, NUMBER } from "./held.ts";

const CONDITIONS = [
  "jeq",
  "jne",
  "jgt",
  "jge",
  "jlt",
  "jle",
  "jset",
  "jsgt",
  "jsge",
  "jslt",
  "jsle",
] as const;
export const condition = (choice: number): string =>
  `${CONDITIONS[choice % CONDITIONS.length] ?? "jeq"}${(choice >> 4) % 2 === 0 ? 64 : 32}`;

/** How many steps a block takes in. */
export const blockLength = (choice: number): number => 1 + (choice % 4);

/** Goes out of the function unless a number is small. */
export const clamp: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a);
  const most = 1 + (b % 64);
  const width = c % 2 === 0 ? 64 : 32;
  const strict = (c >> 1) % 2 === 0;
  w.giveUp(strict ? `jgt${width}_imm` : `jge${width}_imm`, { dst, imm: strict ? most : most + 1 });
  if (width === 64) w.draft.set(dst, atMost(most));
};

/** A number between two ends, with a sign. */
export const between: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a);
  const width = c % 2 === 0 ? 64 : 32;
  const least = ((c >> 1) % 32) - 16;
  w.giveUp(`jsgt${width}_imm`, { dst, imm: least + (b % 64) });
  w.giveUp((c >> 6) % 2 === 0 ? `jslt${width}_imm` : `jsle${width}_imm`, { dst, imm: least });
  if (width === 64 && least >= 0) w.draft.set(dst, atMost(least + (b % 64)));
};

/** A branch round the steps that follow. */
export const branch: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const dst = someNumber(w, a);
  const label = draft.label();
  if (c % 3 === 0) draft.jump(`${condition(b)}_reg`, label, { dst, src: someNumber(w, c) });
  else draft.jump(`${condition(b)}_imm`, label, { dst, imm: immediate(c) });
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 4),
    end: () => {
      draft.join(before);
      draft.place(label);
    },
  });
};

/** Some steps on one way, some on the other. */
export const fork2: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const dst = someNumber(w, a);
  const [other, over] = [draft.label(), draft.label()];
  draft.jump(`${condition(b)}_imm`, other, { dst, imm: immediate(c) });
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 4),
    end: () => {
      draft.jump((b >> 5) % 8 === 0 ? "gotol" : "goto", over);
      const one = draft.snapshot();
      draft.place(other);
      draft.know = before;
      w.blocks.push({
        left: blockLength(c >> 6),
        end: () => {
          draft.join(one);
          draft.place(over);
        },
      });
    },
  });
};

/** Two ways that leave different numbers in a register, and meet. */
export const choice: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const tested = someNumber(w, a);
  const dst = w.target(b);
  if (dst === tested) return;
  const label = draft.label();
  const [one, other] = [c % 32, (c >> 5) % 32];
  draft.emit("mov64_imm", { dst, imm: one });
  draft.jump(`${condition(b >> 4)}_imm`, label, { dst: tested, imm: immediate(b) });
  draft.emit("mov64_imm", { dst, imm: other });
  draft.place(label);
  draft.set(dst, atMost(Math.max(one, other)));
};

/** Two ways that leave different numbers in a slot of the stack, whole or in part. */
export const slotChoice: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const tested = someNumber(w, a);
  const slot = b % SLOTS;
  const off = slotOffset(slot);
  const label = draft.label();
  draft.emit("stdw", { dst: FRAME, off, imm: c % 32 });
  draft.jump(`${condition(b >> 4)}_imm`, label, { dst: tested, imm: immediate(b) });
  const size = widthOf(c >> 5);
  if ((c >> 7) % 2 === 0) draft.emit(storeImm(size), { dst: FRAME, off, imm: (c >> 8) % 32 });
  else draft.emit(store(size), { dst: FRAME, src: tested, off });
  draft.place(label);
  draft.know.slots[slot] = NUMBER;
};

/** One of two pointers to the frame, as a number says, and an access through it. */
export const frameChoice: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const tested = someNumber(w, a);
  const dst = w.target(b);
  if (dst === tested) return;
  const [one, other] = [c % 4, (c >> 2) % 4];
  for (const slot of [one, other]) {
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: slot });
    draft.know.slots[slot] = NUMBER;
  }
  const label = draft.label();
  w.pointToSlot(dst, one);
  draft.jump(`${condition(b >> 4)}_imm`, label, { dst: tested, imm: immediate(c) });
  draft.emit("add64_imm", { dst, imm: slotOffset(other) - slotOffset(one) });
  draft.place(label);
  if ((c >> 5) % 2 === 0) draft.emit("stdw", { dst, imm: immediate(b) });
  else draft.emit("ldxdw", { dst, src: dst });
  draft.set(dst, (c >> 5) % 2 === 0 ? NOTHING : NUMBER);
};
