/** Steps of arithmetic: short runs of it on bounded numbers, masks and forks, and numbers that are linked. */
import { drawer, type Emit, immediate, pick, type Writer } from "./context.ts";
import { atMost, type Held, NUMBER } from "./held.ts";

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
export const UNARY = [
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
export const EXTENDING = ["movsx8_64", "movsx16_64", "movsx32_64", "movsx8_32", "movsx16_32"] as const;

/** Whether the operand's low bits alone count, so that only small ones are encoded. */
const shifts = (op: string): boolean => op === "lsh" || op === "rsh" || op === "arsh";
const operand = (op: string, width: number, choice: number): number => {
  if (shifts(op)) return choice % width;
  const value = immediate(choice);
  // Division by a constant 0 is refused when the program is decoded.
  return value === 0 && (op.endsWith("div") || op.endsWith("mod")) ? 3 : value;
};
const fields = (op: string): { readonly off?: number } => (op === "sdiv" || op === "smod" ? { off: 1 } : {});

/** A number in any register: one that is there, or a constant. */
export function someNumber(w: Writer, choice: number, written = false): number {
  const found = w.number(choice, written);
  if (found !== undefined) return found;
  const dst = w.target(choice);
  w.draft.emit("mov64_imm", { dst, imm: immediate(choice) });
  w.draft.set(dst, NUMBER);
  return dst;
}

/** A number of at most `most`: one that is bounded already, or one that a mask makes so. `most` is a mask. */
export function boundedNumber(w: Writer, choice: number, most: number): number {
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
  const result = boundOf(op, w.draft.held(dst), w.draft.held(src));
  w.draft.emit(`${op}${(b >> 5) % 2 === 0 ? 64 : 32}_reg`, { dst, src, ...fields(op) });
  w.draft.set(dst, result);
};

/** Greatest bound that is followed through an operation: far from where any of them wraps around. */
const FOLLOWED = 0xffff;

/** What is known of a result, as far as it is simple: an access by a sum has to rest on what is known of both parts, without another look at it. */
function boundOf(op: string, left: Held, right: Held): Held {
  if (left.kind !== "number" || right.kind !== "number") return NUMBER;
  const [a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY] = [left.most, right.most];
  if (op === "and") return Math.min(a, b) <= FOLLOWED ? atMost(Math.min(a, b)) : NUMBER;
  if (Math.max(a, b) > FOLLOWED) return NUMBER;
  switch (op) {
    case "add":
      return atMost(a + b);
    case "mul":
      return a * b <= FOLLOWED ? atMost(a * b) : NUMBER;
    case "or":
    case "xor":
      return atMost(2 ** Math.ceil(Math.log2(Math.max(a, b) + 1)) - 1);
    case "div":
    case "mod":
    case "rsh":
      return atMost(a);
    default:
      return NUMBER;
  }
}

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

/** A number of 64 bits. */
export const wide: Emit = (w, { a, b, c }) => {
  const dst = w.target(a);
  w.draft.emit("ld_imm64", { dst, imm: immediate(b), immHigh: immediate(c) });
  w.draft.set(dst, NUMBER);
};

/** A shift's count: a small one, one near the width, or any. */
function someCount(width: 32 | 64, draw: (limit: number) => number): number {
  const way = draw(3);
  return way === 0 ? draw(8) : way === 1 ? width - 1 - draw(8) : draw(width);
}

/** One operation, whatever it is, on a register: of two numbers, or of one and a constant. */
export function operation(w: Writer, dst: number, draw: (limit: number) => number, src?: number): void {
  const op = pick(BINARY, draw(64)) ?? "add";
  const width = draw(2) === 0 ? 64 : 32;
  if (src === undefined) {
    // Small constants keep numbers near their bounds.
    const imm = shifts(op)
      ? someCount(width, draw)
      : draw(3) > 0
        ? 1 + draw(16)
        : operand(op, width, draw(0x10000));
    w.draft.emit(`${op}${width}_imm`, { dst, imm, ...fields(op) });
  } else w.draft.emit(`${op}${width}_reg`, { dst, src, ...fields(op) });
  w.draft.set(dst, NUMBER);
}

/** A number gets a bound, and a few operations are done on it. */
export function calculate(w: Writer, dst: number, draw: (limit: number) => number): void {
  if (draw(4) > 0) {
    w.draft.emit(draw(2) === 0 ? "and64_imm" : "and32_imm", { dst, imm: 2 ** (1 + draw(8)) - 1 });
  }
  for (let i = draw(4); i > 0; i -= 1) operation(w, dst, draw);
}

/** A bounded number, or two, and a few operations on it: what bugs in transfer functions need. */
export const run: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const draw = drawer(c);
  const dst = someNumber(w, a, true);
  const mask = (r: number): void => {
    const most = 2 ** (1 + draw(8)) - 1;
    draft.emit(draw(2) === 0 ? "and64_imm" : "and32_imm", { dst: r, imm: most });
    draft.set(r, atMost(most));
  };
  mask(dst);
  if (draw(3) === 0) draft.emit("add64_imm", { dst, imm: immediate(draw(0x10000)) });
  const other = w.holding(b, ({ kind }) => kind === "number", true);
  const src = other === undefined || other === dst ? undefined : other;
  if (src !== undefined && draw(2) === 0) mask(src);
  for (let i = 1 + draw(4); i > 0; i -= 1) operation(w, dst, draw, draw(2) === 0 ? src : undefined);
  if (draw(2) === 0) return;
  const most = 1 + draw(32);
  w.giveUp(draw(2) === 0 ? "jgt64_imm" : "jsgt64_imm", { dst, imm: most });
  if (draw(2) === 0) w.giveUp("jslt64_imm", { dst, imm: 0 });
  draft.set(dst, NUMBER);
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
  w.giveUp((c >> 9) % 2 === 0 ? "jgt64_imm" : "jgt32_imm", { dst: checked, imm: most });
  draft.set(second, NUMBER);
  // A verifier that links them knows this of the one that was not compared, too.
  const other = checked === first ? second : first;
  if (!w.reserved.has(other) || other === second) draft.set(other, atMost(most + delta));
  draft.set(checked, atMost(most));
};

/** A chain of copies with constants added on the way, some of them spilled; the last is compared, and the first known. */
export const chained: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const draw = drawer(c);
  const first = someNumber(w, a, true);
  if (draw(2) === 0) {
    draft.emit(draw(2) === 0 ? "and64_imm" : "and32_imm", { dst: first, imm: 0xff });
    draft.set(first, atMost(255));
  }
  const chain = [first];
  let moved = 0;
  for (let i = 1 + draw(3); i > 0; i -= 1) {
    const dst = w.target(b + i);
    if (chain.includes(dst)) continue;
    const narrow = draw(4) === 0;
    draft.emit(narrow ? "mov32_reg" : "mov64_reg", { dst, src: chain.at(-1) ?? first });
    const delta = draw(3) === 0 ? 0 : draw(64) - 16;
    if (delta !== 0)
      draft.emit(`${draw(6) === 0 ? "sub" : "add"}${draw(4) === 0 ? 32 : 64}_imm`, { dst, imm: delta });
    moved += delta;
    draft.set(dst, NUMBER);
    if (draw(3) === 0) {
      // Few operations leave a link: what verifiers say of the others is for them to find out, too.
      operation(w, dst, draw, draw(2) === 0 ? w.number(c >> i) : undefined);
      moved = Number.NaN;
    }
    chain.push(dst);
  }
  const compared = pick(chain, draw(chain.length + 2)) ?? first;
  const most = 64 + draw(64);
  w.giveUp(`${draw(3) === 0 ? "jge" : "jgt"}${draw(3) === 0 ? 32 : 64}_imm`, { dst: compared, imm: most });
  // What is known of the others hangs on how they are linked: that is for the verifier to find out.
  draft.set(compared, atMost(most));
  if (chain.length === 2 && compared !== first && draw(2) === 0 && moved >= 0 && moved <= most)
    draft.set(first, atMost(most));
};
