/**
 * Pins: instructions that narrow what is known of one number, by bit operations and comparisons with constants, by loads, and by way of copies. Each is
 * appended to a program for a number that the register holds on the path that the program is made for.
 */
import * as fc from "fast-check";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn } from "../../src/semantics/isa/make.ts";
import { DST, LOADED, SRC } from "../../src/semantics/isa/row.ts";
import { rowByName } from "../../src/semantics/isa/table.ts";
import { evaluate } from "../../src/semantics/term/concrete.ts";
import { number } from "./scalars.ts";

/** Registers: the packet's address, a constant that is no immediate, a copy. */
export const PACKET = 6;
const CONSTANT = 9;
const COPY = 4;
const FRAME = 10;
/** Where numbers are spilled to the stack; no load is wider than a store. */
const SLOT = -8;

/** Where the packet has what: the numbers as they come in, and what becomes of them. */
export const CELL = { x: 0, y: 8, xOut: 16, yOut: 24 } as const;

export const LOADS = [
  "ldxdw",
  "ldxdw",
  "ldxdw",
  "ldxdw",
  "ldxw",
  "ldxh",
  "ldxb",
  "ldxsw",
  "ldxsh",
  "ldxsb",
] as const;
/** Bit operations with a constant make tnums; the others move intervals about. */
const CHANGES = ["and", "and", "and", "and", "or", "or", "xor", "add", "sub", "lsh", "rsh", "arsh"] as const;
const CONDITIONS = [
  "jgt",
  "jge",
  "jlt",
  "jle",
  "jsgt",
  "jsge",
  "jslt",
  "jsle",
  "jset",
  "jne",
  "jeq",
] as const;

/** A constant: as it is, or so far from the number that is being pinned. */
type Constant = { readonly at: bigint } | { readonly distance: bigint };

interface ComparePin {
  readonly kind: "compare";
  readonly op: (typeof CONDITIONS)[number];
  readonly width: 32 | 64;
  readonly constant: Constant;
  readonly inRegister: boolean;
}

/** What narrows a number, or lets the two verifiers narrow it. */
export type Pin =
  | {
      readonly kind: "change";
      readonly op: (typeof CHANGES)[number];
      readonly width: 32 | 64;
      readonly by: bigint;
    }
  | { readonly kind: "extend"; readonly row: string }
  | { readonly kind: "spill"; readonly store: string; readonly load: string }
  | {
      readonly kind: "link";
      readonly move: "mov64_reg" | "mov32_reg";
      readonly op: "add" | "sub";
      readonly width: 32 | 64;
      readonly by: bigint;
      readonly comparison: ComparePin;
    }
  | ComparePin;

const width = fc.constantFrom<32 | 64>(64, 64, 32);
const distance = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.tuple(fc.nat(63), fc.bigInt({ min: -1n, max: 1n }), fc.boolean()).map(([n, d, negative]) => {
    const power = (1n << BigInt(n)) + d;
    return negative ? -power : power;
  }),
);
/** Masks: runs of ones from below or above, or any number. */
export const bits = fc.oneof(
  fc.nat(63).map((n) => (1n << BigInt(n)) - 1n),
  fc.nat(63).map((n) => BigInt.asUintN(64, -1n << BigInt(n))),
  number,
);

const comparison: fc.Arbitrary<ComparePin> = fc.record({
  kind: fc.constant("compare" as const),
  op: fc.constantFrom(...CONDITIONS),
  width,
  constant: fc.oneof(
    number.map((at) => ({ at })),
    distance.map((d) => ({ distance: d })),
  ),
  inRegister: fc.boolean(),
});

/** What copies are moved by: little, or as far as an immediate goes. */
const step = fc.oneof(
  fc.bigInt({ min: -100n, max: 100n }),
  number.map((x) => BigInt.asIntN(32, x)),
);

export const pin: fc.Arbitrary<Pin> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      op: fc.constantFrom(...CHANGES),
      width,
      by: bits,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("extend" as const),
      row: fc.constantFrom("movsx8_64", "movsx16_64", "movsx32_64", "movsx8_32", "mov32_reg"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("spill" as const),
      store: fc.constantFrom("stxdw", "stxdw", "stxw"),
      load: fc.constantFrom("ldxw", "ldxh", "ldxb", "ldxsw", "ldxsh", "ldxsb"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("link" as const),
      move: fc.constantFrom("mov64_reg", "mov64_reg", "mov32_reg"),
      op: fc.constantFrom("add", "sub"),
      width,
      by: step,
      comparison,
    }),
  },
  { weight: 6, arbitrary: comparison },
);

/** A program as it grows, with the values that its registers have on the way. */
export interface Growing {
  readonly code: Instruction[];
  /** Places in `code` of jumps that leave the program early. */
  readonly exits: number[];
  readonly constants: bigint[];
}

const fitsImmediate = (x: bigint): boolean => BigInt.asIntN(32, x) === BigInt.asIntN(64, x);

function loadConstant(growing: Growing, x: bigint): void {
  const [imm, immHigh] = [Number(BigInt.asIntN(32, x)), Number(BigInt.asIntN(32, x >> 32n))];
  growing.code.push(insn("ld_imm64", { dst: CONSTANT, imm, immHigh }));
}

/** What a row without memory makes of two numbers. */
function apply(row: Row, dst: bigint, src: bigint): bigint {
  const { operation } = row;
  const values = new Map([[DST, dst] as const, [SRC, src] as const]);
  if (operation.kind === "alu") return evaluate(operation.result, values);
  if (operation.kind === "jump") return evaluate(operation.taken, values);
  throw new Error(`${row.name} neither computes nor compares`);
}

/** Appends an instruction on `register` and a constant, which is an immediate if it can and may be. */
function withConstant(
  growing: Growing,
  name: string,
  register: number,
  x: bigint,
  inRegister: boolean,
  off = 0,
): Row {
  if (!inRegister && fitsImmediate(x)) {
    growing.code.push(insn(`${name}_imm`, { dst: register, imm: Number(BigInt.asIntN(32, x)), off }));
  } else {
    loadConstant(growing, x);
    growing.code.push(insn(`${name}_reg`, { dst: register, src: CONSTANT, off }));
  }
  return rowByName(`${name}_reg`);
}

function change(
  growing: Growing,
  register: number,
  value: bigint,
  pin: Extract<Pin, { kind: "change" }>,
): bigint {
  const { op, width: bits } = pin;
  const shift = op === "lsh" || op === "rsh" || op === "arsh";
  const by = shift ? pin.by % BigInt(bits) : bits === 32 ? BigInt.asIntN(32, pin.by) : pin.by;
  return apply(withConstant(growing, `${op}${bits}`, register, by, false), value, BigInt.asUintN(64, by));
}

/** Leaves the program unless the comparison comes out as it does for `value`. */
function compare(growing: Growing, register: number, value: bigint, pin: ComparePin): void {
  const { op, width: bits, constant, inRegister } = pin;
  const wanted = "at" in constant ? constant.at : BigInt.asUintN(64, value + constant.distance);
  const x = bits === 32 ? BigInt.asUintN(64, BigInt.asIntN(32, wanted)) : wanted;
  growing.constants.push(x);
  const taken = apply(rowByName(`${op}${bits}_reg`), value, x) === 1n;
  withConstant(growing, `${op}${bits}`, register, x, inRegister, taken ? 1 : 0);
  if (taken) growing.code.push(insn("goto"));
  growing.exits.push(growing.code.length - 1);
}

/**
 * Compares what was copied from `register` and moved by a constant: who follows such links learns of `register`. Both are written to the packet
 * then, since the kernel's log shows what it learns where it is read.
 */
function link(growing: Growing, register: number, value: bigint, pin: Extract<Pin, { kind: "link" }>): void {
  const { move, op, width: bits, by, comparison } = pin;
  growing.code.push(insn(move, { dst: COPY, src: register }));
  const copied = apply(rowByName(move), 0n, value);
  const moved = apply(withConstant(growing, `${op}${bits}`, COPY, by, false), copied, BigInt.asUintN(64, by));
  compare(growing, COPY, moved, comparison);
  for (const [src, off] of [
    [register, CELL.xOut],
    [COPY, CELL.yOut],
  ] as const) {
    growing.code.push(insn("stxdw", { dst: PACKET, src, off }));
  }
}

/** Appends one pin on `register`, which is `value`; gives what it is then. */
export function addPin(growing: Growing, register: number, value: bigint, pin: Pin): bigint {
  switch (pin.kind) {
    case "extend":
      growing.code.push(insn(pin.row, { dst: register, src: register }));
      return apply(rowByName(pin.row), value, value);
    case "spill":
      growing.code.push(
        insn(pin.store, { dst: FRAME, src: register, off: SLOT }),
        insn(pin.load, { dst: register, src: FRAME, off: SLOT }),
      );
      return loaded(pin.load, value);
    case "change":
      return change(growing, register, value, pin);
    case "compare":
      compare(growing, register, value, pin);
      return value;
    case "link":
      link(growing, register, value, pin);
      return value;
  }
}

export function loaded(name: string, cell: bigint): bigint {
  const { operation } = rowByName(name);
  if (operation.kind !== "load") throw new Error(`${name} does not load`);
  const { size, result } = operation;
  return evaluate(result, new Map([[LOADED[size], BigInt.asUintN(8 * size, cell)]]));
}
