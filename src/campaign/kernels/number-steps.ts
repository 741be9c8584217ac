/** Steps of probes on numbers: where they come from, what is computed with them, how they are bounded, copied and linked. */
import { CELLS, type Draft, FRAME, MEMORY, PACKET, SLOTS, type Step } from "./probe.ts";

const EDGES: readonly number[] = [
  0, 1, -1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000,
  0x7fffffff, -0x80000000, -0x8000, -128, -8, -2,
];

export const constant = (draft: Draft): number => {
  const edge = draft.pick(EDGES, 0);
  return draft.once(5) ? draft.random.below(2 ** 32) | 0 : (edge + (draft.once(6) ? 1 : 0)) | 0;
};

const SIZES = ["b", "h", "w", "dw"] as const;
const MOST = { b: 0xff, h: 0xffff, w: 0xffffffff, dw: undefined } as const;
const BYTES = { b: 1, h: 2, w: 4, dw: 8 } as const;

/** Whether the kernel has the fourth version of the instruction set. */
const hasV4 = (draft: Draft): boolean => draft.version >= 606;

const WIDTHS = ["64", "64", "32"] as const;

/** A number out of the packet or the map's value. */
export const fetch: Step = (draft) => {
  const dst = draft.target();
  const size = draft.pick(SIZES, "dw");
  const from = draft.once(4) ? MEMORY : PACKET;
  const off = 8 * draft.random.below(CELLS / 8);
  if (hasV4(draft) && size !== "dw" && draft.once(4)) {
    draft.emit(`ldxs${size}`, { dst, src: from, off });
    draft.known.set(dst, undefined);
    return;
  }
  draft.emit(`ldx${size}`, { dst, src: from, off });
  draft.known.set(dst, MOST[size]);
};

/** A constant. */
export const put: Step = (draft) => {
  const dst = draft.target();
  const imm = draft.once(2) ? draft.random.below(16) : constant(draft);
  draft.emit(draft.once(4) ? "mov32_imm" : "mov64_imm", { dst, imm });
  draft.known.set(dst, imm >= 0 ? imm : undefined);
};

/** A mask, or a shift after which little is left. */
export const mask: Step = (draft) => {
  const dst = draft.changeable();
  if (draft.once(4)) {
    const bits = 1 + draft.random.below(6);
    draft.emit("rsh64_imm", { dst, imm: 64 - bits });
    draft.known.set(dst, 2 ** bits - 1);
    return;
  }
  const imm = draft.pick([1, 3, 7, 7, 15, 31, 31, 63, 6, 12, 24, 56], 7);
  draft.emit(draft.once(3) ? "and32_imm" : "and64_imm", { dst, imm });
  draft.known.set(dst, imm);
};

const OPERATIONS = [
  "add",
  "add",
  "add",
  "sub",
  "sub",
  "and",
  "or",
  "xor",
  "lsh",
  "rsh",
  "arsh",
  "mul",
  "div",
  "mod",
] as const;

/** What is known after an operation with a constant. */
function after(op: string, width: string, most: number | undefined, imm: number): number | undefined {
  if (op === "and" && imm >= 0) return Math.min(most ?? imm, imm);
  if (op === "mod" && imm > 0) return Math.min(most ?? imm - 1, imm - 1);
  if (most === undefined) return undefined;
  if (width === "32" && most > 0xffffffff) return undefined;
  if (op === "rsh") return Math.floor(most / 2 ** imm);
  if (op === "div" && imm > 0) return Math.floor(most / imm);
  if (most > 2 ** 24 || imm < 0 || imm > 2 ** 24) return undefined;
  if (op === "add") return most + imm;
  if (op === "mul" && most * imm < 2 ** 31) return most * imm;
  if (op === "lsh" && imm < 8) return most * 2 ** imm;
  if (op === "or" || op === "xor") return 2 ** Math.ceil(Math.log2(Math.max(most, imm) + 1)) - 1;
  return undefined;
}

export const withConstant: Step = (draft) => {
  const dst = draft.changeable();
  const width = draft.pick(WIDTHS, "64");
  const op =
    hasV4(draft) && draft.once(12) ? draft.pick(["sdiv", "smod"], "sdiv") : draft.pick(OPERATIONS, "add");
  const shift = op === "lsh" || op === "rsh" || op === "arsh";
  let imm = shift
    ? draft.random.below(Number(width))
    : draft.once(2)
      ? draft.random.below(40)
      : constant(draft);
  if ((op.endsWith("div") || op.endsWith("mod")) && imm === 0) imm = 3;
  // Signed division is the row of division with an offset, which the table has under its own name.
  draft.emit(`${op}${width}_imm`, { dst, imm });
  draft.known.set(dst, after(op, width, draft.known.get(dst), imm));
};

export const withNumber: Step = (draft) => {
  const dst = draft.changeable();
  const src = draft.number();
  const width = draft.pick(WIDTHS, "64");
  const op = draft.pick(OPERATIONS, "add");
  const [a, b] = [draft.known.get(dst), draft.known.get(src)];
  draft.emit(`${op}${width}_reg`, { dst, src });
  const small = a !== undefined && b !== undefined && a < 2 ** 24 && b < 2 ** 24;
  if (op === "and" && (a !== undefined || b !== undefined))
    draft.known.set(dst, Math.min(a ?? Infinity, b ?? Infinity));
  else draft.known.set(dst, small && op === "add" ? a + b : undefined);
};

/** Operations of one operand, and extensions. */
export const unary: Step = (draft) => {
  const dst = draft.changeable();
  const plain = ["neg64", "neg32", "be16", "be32", "be64", "le16", "le32"] as const;
  const newer = [
    "movsx8_64",
    "movsx16_64",
    "movsx32_64",
    "movsx8_32",
    "movsx16_32",
    "bswap16",
    "bswap32",
    "bswap64",
  ] as const;
  const name = hasV4(draft) && draft.once(2) ? draft.pick(newer, "movsx8_64") : draft.pick(plain, "neg64");
  draft.emit(name, name.startsWith("movsx") ? { dst, src: draft.number() } : { dst });
  draft.known.set(dst, undefined);
};

export const copy: Step = (draft) => {
  const src = draft.number();
  const dst = draft.scratch(src);
  const half = draft.once(4);
  draft.emit(half ? "mov32_reg" : "mov64_reg", { dst, src });
  const most = draft.known.get(src);
  draft.known.set(dst, half && most === undefined ? 0xffffffff : most);
};

/** All bits alike, and some of them: 0, or a constant. */
export const split: Step = (draft) => {
  const dst = draft.changeable();
  const width = draft.once(3) ? "32" : "64";
  draft.emit(`arsh${width}_imm`, { dst, imm: Number(width) - 1 });
  const op = draft.pick(["and", "and", "or", "xor", "add"], "and");
  const imm = draft.pick([1, 7, 8, 15, 31, 63, -8], 7);
  draft.emit(`${op}${draft.once(5) ? "32" : width}_imm`, { dst, imm });
  draft.known.set(dst, op === "and" && imm > 0 ? imm : undefined);
};

const COMPARISONS = [
  "jeq",
  "jne",
  "jgt",
  "jge",
  "jlt",
  "jle",
  "jsgt",
  "jsge",
  "jslt",
  "jsle",
  "jset",
] as const;

export interface Comparison {
  readonly name: string;
  readonly dst: number;
  readonly src: number;
  readonly imm: number;
}

/** Some comparison of a number with a constant or another number. */
export function comparison(draft: Draft): Comparison {
  const dst = draft.number();
  const op = draft.pick(COMPARISONS, "jeq");
  const width = draft.pick(WIDTHS, "64");
  const others = draft.once(3);
  const most = draft.known.get(dst);
  const near =
    most !== undefined && most < 256 && !draft.once(3) ? draft.random.below(most + 2) : constant(draft);
  const imm = others ? 0 : near;
  return { name: `${op}${width}_${others ? "reg" : "imm"}`, dst, src: others ? draft.number() : 0, imm };
}

/** Leaves unless a comparison holds. */
export const guard: Step = (draft) => {
  const { name, ...operands } = comparison(draft);
  draft.jump(name, draft.out, operands);
};

/** Leaves where a number is larger than a constant: in one of the forms that say so. */
export const clamp: Step = (draft) => {
  const dst = draft.number();
  const most = draft.pick([3, 7, 15, 31, 40, 48, 56, 62, 63], 7);
  const form = draft.random.below(4);
  if (form === 0) draft.jump("jge64_imm", draft.out, { dst, imm: most + 1 });
  else if (form === 1 && (draft.known.get(dst) ?? Infinity) <= 0xffffffff) {
    draft.jump("jgt32_imm", draft.out, { dst, imm: most });
  } else if (form === 2) {
    const held = draft.scratch(dst);
    draft.emit("mov64_imm", { dst: held, imm: most });
    draft.known.set(held, most);
    draft.jump("jgt64_reg", draft.out, { dst, src: held });
  } else draft.jump("jgt64_imm", draft.out, { dst, imm: most });
  draft.known.set(dst, Math.min(most, draft.known.get(dst) ?? most));
};

/** A copy that is moved, or moves on after the number: one of them is bounded, and what is known of the other is said by the link. */
export const link: Step = (draft) => {
  const from = draft.changeable();
  const to = draft.scratch(from);
  const move = draft.pick(["mov64_reg", "mov64_reg", "mov64_reg", "mov32_reg"], "mov64_reg");
  if (move === "mov32_reg" || draft.once(4)) draft.emit("mov32_reg", { dst: from, src: from });
  draft.emit(move, { dst: to, src: from });
  const by = draft.pick([0, 0, 1, 1, 2, 4, 8, -1, -4, 16, 0x7fffffff, -0x80000000], 1);
  const moved = draft.once(4) ? from : to;
  if (by !== 0) draft.emit(`add${draft.once(4) ? "32" : "64"}_imm`, { dst: moved, imm: by });
  if (draft.once(8))
    draft.emit(
      draft.pick(
        ["be16", "neg64", "movsx8_64", "add64_reg"].filter((n) => n !== "movsx8_64" || hasV4(draft)),
        "neg64",
      ),
      draft.once(2) ? { dst: moved, src: moved } : { dst: moved },
    );
  draft.known.set(from, undefined);
  draft.known.set(to, undefined);
  const compared = draft.once(2) ? to : from;
  const most = draft.pick([3, 7, 15, 31, 40], 7);
  const width = draft.once(3) ? "32" : "64";
  const name = draft.pick(["jgt", "jgt", "jsgt", "jge", "jne"], "jgt");
  draft.jump(`${name}${width}_imm`, draft.out, { dst: compared, imm: most });
  if (name === "jgt" && width === "64") draft.known.set(compared, most);
};

/** To the stack, in some width, and back in some width. */
export const spill: Step = (draft) => {
  const off = draft.pick(SLOTS, -24);
  const size = draft.pick(["dw", "dw", "w", "h", "b"] as const, "dw");
  const part = BYTES[size] < 8 && draft.once(2) ? BYTES[size] : 0;
  const src = draft.number();
  const known = draft.known.get(src);
  draft.emit(`stx${size}`, { dst: FRAME, src, off: off + part });
  draft.known.set(off, size === "dw" ? known : undefined);
};

export const fill: Step = (draft) => {
  const off = SLOTS.filter((slot) => draft.known.has(slot));
  const slot = off[draft.random.below(off.length)];
  if (slot === undefined) return;
  const size = draft.pick(["dw", "dw", "w", "h", "b"] as const, "dw");
  const part = BYTES[size] < 8 && draft.once(2) ? BYTES[size] * draft.random.below(8 / BYTES[size]) : 0;
  const dst = draft.target();
  const most = draft.known.get(slot);
  const small = most !== undefined && part === 0 ? Math.min(most, MOST[size] ?? most) : MOST[size];
  if (hasV4(draft) && size !== "dw" && draft.once(4)) {
    draft.emit(`ldxs${size}`, { dst, src: FRAME, off: slot + part });
    draft.known.set(dst, undefined);
    return;
  }
  draft.emit(`ldx${size}`, { dst, src: FRAME, off: slot + part });
  draft.known.set(dst, small);
};

/** A number, known exactly or by its bound, on both of two ways. */
export const either: Step = (draft) => {
  const dst = draft.target();
  const [one, other] = [draft.random.below(16), draft.random.below(64)];
  draft.emit("mov64_imm", { dst, imm: one });
  draft.known.set(dst, one);
  const by = comparison(draft);
  const label = draft.label();
  draft.jump(by.name, label, by);
  draft.emit("mov64_imm", { dst, imm: other });
  draft.place(label);
  draft.known.set(dst, Math.max(one, other));
};

/** Two copies of a number, on which things happen in turn: constants or a number's own value are added, comparisons bound one or the other. */
export const pair: Step = (draft) => {
  const first = draft.changeable();
  const second = draft.scratch(first);
  draft.emit(draft.once(4) ? "mov32_reg" : "mov64_reg", { dst: second, src: first });
  draft.known.set(first, undefined);
  draft.known.set(second, undefined);
  for (let i = 2 + draft.random.below(4); i > 0; i -= 1) {
    const dst = draft.once(2) ? first : second;
    const width = draft.once(4) ? "32" : "64";
    const small = draft.random.below(20);
    switch (draft.random.below(5)) {
      case 0:
        draft.emit(`add${width}_imm`, { dst, imm: draft.pick([1, 2, 4, 8, -1, -4], 1) });
        break;
      case 1:
        draft.emit(`add${width}_reg`, { dst, src: draft.once(2) ? dst : draft.number() });
        break;
      case 2:
        draft.jump(`jne${width}_imm`, draft.out, { dst, imm: small });
        break;
      default:
        draft.jump(`${draft.pick(["jgt", "jgt", "jsgt", "jlt"], "jgt")}${width}_imm`, draft.out, {
          dst,
          imm: small,
        });
    }
    draft.known.set(dst, undefined);
  }
};
