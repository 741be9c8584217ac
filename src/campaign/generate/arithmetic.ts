/** Steps of arithmetic: short runs of it on bounded numbers, masks and forks, and numbers that are linked. */
import { type Emit, immediate, type Writer } from "./context.ts";
import { atMost, NUMBER } from "./draft.ts";

const BINARY = [
  "add",
  "sub",
  "mul",
  "div",
  "sdiv",
  "or",
  "and",
  "lsh",
  "rsh",
  "mod",
  "smod",
  "xor",
  "arsh",
] as const;
const UNARY = [
  "neg64",
  "neg32",
  "be16",
  "be32",
  "be64",
  "le16",
  "le32",
  "bswap16",
  "bswap32",
  "bswap64",
] as const;
const EXTENDING = ["movsx8_64", "movsx16_64", "movsx32_64", "movsx8_32", "movsx16_32"] as const;

/** Whether the operand's low bits alone count, so that only small ones are encoded. */
const shifts = (op: string): boolean => op === "lsh" || op === "rsh" || op === "arsh";
const operand = (op: string, width: number, choice: number): number => {
  if (shifts(op)) return choice % width;
  const value = immediate(choice);
  // Division by a constant 0 is refused when the program is decoded.
  return value === 0 && (op.endsWith("div") || op.endsWith("mod")) ? 3 : value;
};
const fields = (op: string): { readonly off?: number } => (op === "sdiv" || op === "smod" ? { off: 1 } : {});

/** A number in any register: the last one, or a new one from a call or a constant. */
export function someNumber(w: Writer, choice: number, written = false): number {
  const found = w.number(choice, written);
  if (found !== undefined) return found;
  const dst = w.target(choice);
  w.draft.emit("mov64_imm", { dst, imm: immediate(choice) });
  w.draft.set(dst, NUMBER);
  return dst;
}

export const constant: Emit = (w, { a, b, c }) => {
  const dst = w.target(a);
  const imm = immediate(b);
  w.draft.emit(c % 3 === 0 ? "mov32_imm" : "mov64_imm", { dst, imm });
  w.draft.set(dst, imm >= 0 ? atMost(imm) : NUMBER);
};

export const copy: Emit = (w, { a, b, c }) => {
  const src = w.holding(a, ({ kind }) => kind !== "nothing" && kind !== "context");
  if (src === undefined) return;
  const dst = w.target(b);
  const held = w.draft.held(src);
  if (c % 4 === 0 && held.kind === "number") {
    w.draft.emit("mov32_reg", { dst, src });
    w.draft.set(dst, held.most !== undefined && held.most <= 0xffffffff ? held : NUMBER);
    return;
  }
  w.draft.emit("mov64_reg", { dst, src });
  w.draft.set(dst, held);
};

export const withImmediate: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a, true);
  const op = BINARY[b % BINARY.length] ?? "add";
  const width = (b >> 5) % 2 === 0 ? 64 : 32;
  w.draft.emit(`${op}${width}_imm`, { dst, imm: operand(op, width, c), ...fields(op) });
  w.draft.set(dst, NUMBER);
};

export const withRegister: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a, true);
  const src = someNumber(w, c);
  const op = BINARY[b % BINARY.length] ?? "add";
  w.draft.emit(`${op}${(b >> 5) % 2 === 0 ? 64 : 32}_reg`, { dst, src, ...fields(op) });
  w.draft.set(dst, NUMBER);
};

export const unary: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a, true);
  if (c % 2 === 0) {
    const name = UNARY[b % UNARY.length] ?? "neg64";
    w.draft.emit(name, { dst });
  } else w.draft.emit(EXTENDING[b % EXTENDING.length] ?? "movsx8_64", { dst, src: someNumber(w, a + 1) });
  w.draft.set(dst, NUMBER);
};

/** A number gets a bound: by a mask, a shift or a remainder. */
export const bounded: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a, true);
  const width = c % 2 === 0 ? 64 : 32;
  const most = 2 ** (1 + (b % 6)) - 1;
  const way = (c >> 1) % 4;
  if (way === 0) w.draft.emit(`rsh${width}_imm`, { dst, imm: width - 1 - (b % 6) });
  else if (way === 1) w.draft.emit(`mod${width}_imm`, { dst, imm: most + 1 });
  else w.draft.emit(`and${width}_imm`, { dst, imm: most });
  w.draft.set(dst, atMost(most));
};

/** The sign spread over all bits, and a mask on it: verifiers may go both ways from here. */
export const fork: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a, true);
  const width = c % 2 === 0 ? 64 : 32;
  if ((c >> 1) % 3 === 0) w.draft.emit(`neg${width}`, { dst });
  w.draft.emit(`arsh${width}_imm`, { dst, imm: width - 1 });
  const most = 2 ** (b % 6) + (b % 5);
  w.draft.emit((c >> 3) % 4 === 0 ? `or${width}_imm` : `and${width}_imm`, { dst, imm: most });
  w.draft.set(dst, (c >> 3) % 4 === 0 ? NUMBER : atMost(most));
};

/** Two registers with the same number or one that differs by a constant; what is learnt of one holds of the other. */
export const linked: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const first = someNumber(w, a);
  const second = w.target(b);
  if (second === first) return;
  draft.emit(c % 3 === 0 ? "mov32_reg" : "mov64_reg", { dst: second, src: first });
  const delta = (c >> 2) % 4 === 0 ? 0 : (c >> 4) % 16;
  if (delta > 0) draft.emit(c % 3 === 0 ? "add32_imm" : "add64_imm", { dst: second, imm: delta });
  const most = 8 + (b % 24);
  const checked = (c >> 8) % 2 === 0 ? first : second;
  draft.giveUp((c >> 9) % 2 === 0 ? "jgt64_imm" : "jgt32_imm", { dst: checked, imm: most });
  draft.set(second, NUMBER);
  // A verifier that links them knows this of the one that was not compared, too.
  const other = checked === first ? second : first;
  if (!w.reserved.has(other) || other === second) draft.set(other, atMost(most + delta));
  draft.set(checked, atMost(most));
};
