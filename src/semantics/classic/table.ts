/**
 * The instruction table of classic BPF: a row for each opcode that Linux's checker takes. Whether a load of the packet is one of Linux's extensions is
 * decided by its offset (`extensions.ts`), as is what is different under seccomp (`seccomp.ts`).
 */
import {
  add,
  and,
  bswap,
  constant,
  eq,
  lshr,
  mul,
  ne,
  neg,
  or,
  shl,
  sub,
  udiv,
  uge,
  ugt,
  urem,
  xor,
  zext,
} from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { ClassicRow, LoadSize, OperandKind } from "./instruction.ts";
import { A, K, LENGTH, LOADED, WORD, X } from "./variables.ts";

/** The lowest three bits of a code (linux/bpf_common.h). */
const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, ret: 6, misc: 7 } as const;
/** Bits 5 to 7 of loads. */
const MODE = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, len: 0x80, msh: 0xa0 } as const;
/** Bits 3 and 4 of loads of the packet. */
const SIZE = { 1: 0x10, 2: 0x08, 4: 0x00 } as const;
const SUFFIX = { 1: "b", 2: "h", 4: "" } as const;
/** Bit 3 of arithmetic, jumps and returns. */
const FROM_X = 0x08;
const FROM_A = 0x10;

const number = (value: number): Term<32> => constant(32, value);
const ZERO = number(0);

type Binary = (a: Term<32>, operand: Term<32>) => Term<32>;

/** A shift takes its count modulo 32, as Linux does; the checker refuses larger constants. */
const count = (operand: Term<32>): Term<32> => and(operand, number(31));

interface Arithmetic {
  readonly name: string;
  readonly code: number;
  readonly k: OperandKind;
  readonly result: Binary;
}

const ARITHMETIC: readonly Arithmetic[] = [
  { name: "add", code: 0x00, k: "number", result: (a, b) => add(a, b) },
  { name: "sub", code: 0x10, k: "number", result: (a, b) => sub(a, b) },
  { name: "mul", code: 0x20, k: "number", result: (a, b) => mul(a, b) },
  { name: "div", code: 0x30, k: "divisor", result: (a, b) => udiv(a, b) },
  { name: "or", code: 0x40, k: "number", result: (a, b) => or(a, b) },
  { name: "and", code: 0x50, k: "number", result: (a, b) => and(a, b) },
  { name: "lsh", code: 0x60, k: "shift", result: (a, b) => shl(a, count(b)) },
  { name: "rsh", code: 0x70, k: "shift", result: (a, b) => lshr(a, count(b)) },
  { name: "mod", code: 0x90, k: "divisor", result: (a, b) => urem(a, b) },
  { name: "xor", code: 0xa0, k: "number", result: (a, b) => xor(a, b) },
];

function arithmeticRows({ name, code, k, result }: Arithmetic): readonly ClassicRow[] {
  const divides = k === "divisor";
  const row = (operand: "k" | "x", from: Term<32>): ClassicRow => ({
    name: `${name}_${operand}`,
    code: CLASS.alu | code | (operand === "x" ? FROM_X : 0),
    k: operand === "x" ? "none" : k,
    mnemonic: name,
    operand: operand === "x" ? "x" : "immediate",
    operation: {
      kind: "set",
      to: "a",
      result: result(A, from),
      ...(divides ? { ends: eq(from, ZERO) } : {}),
    },
  });
  return [row("k", K), row("x", X)];
}

interface Condition {
  readonly name: string;
  readonly code: number;
  readonly taken: (a: Term<32>, operand: Term<32>) => Term<1>;
}

const CONDITIONS: readonly Condition[] = [
  { name: "jeq", code: 0x10, taken: (a, b) => eq(a, b) },
  { name: "jgt", code: 0x20, taken: (a, b) => ugt(a, b) },
  { name: "jge", code: 0x30, taken: (a, b) => uge(a, b) },
  { name: "jset", code: 0x40, taken: (a, b) => ne(and(a, b), ZERO) },
];

function conditionRows({ name, code, taken }: Condition): readonly ClassicRow[] {
  return [
    {
      name: `${name}_k`,
      code: CLASS.jmp | code,
      k: "number",
      mnemonic: name,
      operand: "immediate",
      operation: { kind: "jump", taken: taken(A, K) },
    },
    {
      name: `${name}_x`,
      code: CLASS.jmp | code | FROM_X,
      k: "none",
      mnemonic: name,
      operand: "x",
      operation: { kind: "jump", taken: taken(A, X) },
    },
  ];
}

/** The packet's bytes as a number of network order. */
const packetNumber = (size: LoadSize): Term<32> => zext(32, bswap<number>(LOADED[size]));

function packetRows(size: LoadSize): readonly ClassicRow[] {
  const row = (mode: "abs" | "ind", address: Term<32>): ClassicRow => ({
    name: `ld${SUFFIX[size]}_${mode}`,
    code: CLASS.ld | MODE[mode] | SIZE[size],
    k: "offset",
    mnemonic: `ld${SUFFIX[size]}`,
    operand: mode === "abs" ? "absolute" : "indirect",
    operation: { kind: "packet", size, address, to: "a", result: packetNumber(size) },
  });
  return [row("abs", K), row("ind", add(X, K))];
}

const OTHERS: readonly ClassicRow[] = [
  {
    name: "ld_len",
    code: CLASS.ld | MODE.len,
    k: "none",
    mnemonic: "ld",
    operand: "length",
    operation: { kind: "set", to: "a", result: LENGTH },
  },
  {
    name: "ld_imm",
    code: CLASS.ld | MODE.imm,
    k: "number",
    mnemonic: "ld",
    operand: "immediate",
    operation: { kind: "set", to: "a", result: K },
  },
  {
    name: "ld_mem",
    code: CLASS.ld | MODE.mem,
    k: "scratch",
    mnemonic: "ld",
    operand: "scratch",
    operation: { kind: "set", to: "a", result: WORD },
  },
  {
    name: "ldx_len",
    code: CLASS.ldx | MODE.len,
    k: "none",
    mnemonic: "ldx",
    operand: "length",
    operation: { kind: "set", to: "x", result: LENGTH },
  },
  {
    name: "ldx_imm",
    code: CLASS.ldx | MODE.imm,
    k: "number",
    mnemonic: "ldx",
    operand: "immediate",
    operation: { kind: "set", to: "x", result: K },
  },
  {
    name: "ldx_mem",
    code: CLASS.ldx | MODE.mem,
    k: "scratch",
    mnemonic: "ldx",
    operand: "scratch",
    operation: { kind: "set", to: "x", result: WORD },
  },
  {
    // The length of an IPv4 header, from its first byte.
    name: "ldxb_msh",
    code: CLASS.ldx | MODE.msh | SIZE[1],
    k: "offset",
    mnemonic: "ldxb",
    operand: "header",
    operation: {
      kind: "packet",
      size: 1,
      address: K,
      to: "x",
      result: shl(and(packetNumber(1), number(15)), number(2)),
    },
  },
  {
    name: "st",
    code: CLASS.st,
    k: "scratch",
    mnemonic: "st",
    operand: "scratch",
    operation: { kind: "store", stored: A },
  },
  {
    name: "stx",
    code: CLASS.stx,
    k: "scratch",
    mnemonic: "stx",
    operand: "scratch",
    operation: { kind: "store", stored: X },
  },
  {
    name: "neg",
    code: CLASS.alu | 0x80,
    k: "none",
    mnemonic: "neg",
    operand: "none",
    operation: { kind: "set", to: "a", result: neg(A) },
  },
  {
    name: "ja",
    code: CLASS.jmp,
    k: "distance",
    mnemonic: "jmp",
    operand: "label",
    operation: { kind: "goto" },
  },
  {
    name: "ret_k",
    code: CLASS.ret,
    k: "number",
    mnemonic: "ret",
    operand: "immediate",
    operation: { kind: "return", result: K },
  },
  {
    name: "ret_a",
    code: CLASS.ret | FROM_A,
    k: "none",
    mnemonic: "ret",
    operand: "a",
    operation: { kind: "return", result: A },
  },
  {
    name: "tax",
    code: CLASS.misc,
    k: "none",
    mnemonic: "tax",
    operand: "none",
    operation: { kind: "set", to: "x", result: A },
  },
  {
    name: "txa",
    code: CLASS.misc | 0x80,
    k: "none",
    mnemonic: "txa",
    operand: "none",
    operation: { kind: "set", to: "a", result: X },
  },
];

export const CLASSIC_ROWS: readonly ClassicRow[] = [
  ...([4, 2, 1] as const).flatMap(packetRows),
  ...ARITHMETIC.flatMap(arithmeticRows),
  ...CONDITIONS.flatMap(conditionRows),
  ...OTHERS,
];

const BY_CODE: ReadonlyMap<number, ClassicRow> = new Map(CLASSIC_ROWS.map((row) => [row.code, row]));
const BY_NAME: ReadonlyMap<string, ClassicRow> = new Map(CLASSIC_ROWS.map((row) => [row.name, row]));

/** The row of a code; `undefined` for a code that Linux does not know. */
export const classicRow = (code: number): ClassicRow | undefined => BY_CODE.get(code);

/** The row called `name`. There being none is a mistake of the caller's: an assertion. */
export function classicRowByName(name: string): ClassicRow {
  const row = BY_NAME.get(name);
  if (row === undefined) throw new Error(`no classic instruction is called ${name}`);
  return row;
}
