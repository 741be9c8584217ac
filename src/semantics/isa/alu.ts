/**
 * Arithmetic, moves and byte swaps (RFC 9669 sections 4.1 and 4.2). 32-bit operations work on the lower halves and clear the upper
 * half of `dst`. Division by zero gives 0, modulo by zero leaves the dividend, and a shift takes its count modulo the width.
 */
import {
  add,
  and,
  ashr,
  bswap,
  constant,
  eq,
  extract,
  ite,
  lshr,
  mul,
  neg,
  or,
  sdiv,
  sext,
  shl,
  srem,
  sub,
  udiv,
  urem,
  xor,
} from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { AluOp, ConformanceGroup, IsaVersion, Row } from "./instruction.ts";
import { CLASS, DST, fields, low32, OPERAND_BIT, SRC, widen } from "./row.ts";

type Width = 32 | 64;
type Result = <N extends Width>(dst: Term<N>, src: Term<N>, width: N) => Term<N>;

const OPERANDS = ["imm", "reg"] as const;
const WIDTHS = [32, 64] as const;

function count<N extends Width>(src: Term<N>, width: N): Term<N> {
  return and(src, constant(width, width - 1));
}

function unlessZero<N extends Width>(src: Term<N>, result: Term<N>, otherwise: Term<N>): Term<N> {
  return ite(eq(src, constant(src.width, 0)), otherwise, result);
}

/** An operation on two operands: the upper four bits of its opcode, the `off` that selects it, its sign in the text, and its result. */
interface Binary {
  readonly op: AluOp;
  readonly code: number;
  readonly off: number;
  readonly sign: string;
  readonly group: "base" | "divmul";
  readonly version: IsaVersion;
  readonly result: Result;
}

function binary(op: AluOp, code: number, sign: string, result: Result): Binary {
  return { op, code, off: 0, sign, group: "base", version: 1, result };
}

function divmul(op: AluOp, code: number, off: 0 | 1, sign: string, result: Result): Binary {
  return { op, code, off, sign, group: "divmul", version: off === 0 ? 1 : 4, result };
}

const BINARY: readonly Binary[] = [
  binary("add", 0x00, "+=", (dst, src) => add(dst, src)),
  binary("sub", 0x10, "-=", (dst, src) => sub(dst, src)),
  divmul("mul", 0x20, 0, "*=", (dst, src) => mul(dst, src)),
  divmul("div", 0x30, 0, "/=", (dst, src, n) => unlessZero(src, udiv(dst, src), constant(n, 0))),
  divmul("sdiv", 0x30, 1, "s/=", (dst, src, n) => unlessZero(src, sdiv(dst, src), constant(n, 0))),
  binary("or", 0x40, "|=", (dst, src) => or(dst, src)),
  binary("and", 0x50, "&=", (dst, src) => and(dst, src)),
  binary("lsh", 0x60, "<<=", (dst, src, n) => shl(dst, count(src, n))),
  binary("rsh", 0x70, ">>=", (dst, src, n) => lshr(dst, count(src, n))),
  divmul("mod", 0x90, 0, "%=", (dst, src) => unlessZero(src, urem(dst, src), dst)),
  divmul("smod", 0x90, 1, "s%=", (dst, src) => unlessZero(src, srem(dst, src), dst)),
  binary("xor", 0xa0, "^=", (dst, src) => xor(dst, src)),
  binary("mov", 0xb0, "=", (_, src) => src),
  binary("arsh", 0xc0, "s>>=", (dst, src, n) => ashr(dst, count(src, n))),
];

const classOf = (width: Width): number => (width === 32 ? CLASS.alu : CLASS.alu64);
const baseOf = (width: Width): ConformanceGroup => (width === 32 ? "base32" : "base64");
/** The prefix of register placeholders: 32-bit registers print as `w`. */
const prefixOf = (width: Width): string => (width === 32 ? "w" : "");
/** Compilers use 32-bit arithmetic from ISA version 3 on. */
const versionOf = (width: Width, least: IsaVersion = 1): IsaVersion =>
  width === 32 && least < 3 ? 3 : least;

function binaryRow(entry: Binary, width: Width, operand: "imm" | "reg"): Row {
  const { op, off, sign } = entry;
  const p = prefixOf(width);
  return {
    name: `${op}${width}_${operand}`,
    opcode: entry.code | OPERAND_BIT[operand] | classOf(width),
    fields: fields({ dst: "any", off, ...(operand === "reg" ? { src: "any" } : { imm: "any" }) }),
    syntax: `{${p}dst} ${sign} ${operand === "reg" ? `{${p}src}` : width === 32 ? "{bits}" : "{imm}"}`,
    group: entry.group === "divmul" ? `divmul${width}` : baseOf(width),
    version: versionOf(width, entry.version),
    operation: {
      kind: "alu",
      op,
      width,
      operand,
      result: width === 32 ? widen(entry.result(low32(DST), low32(SRC), 32)) : entry.result(DST, SRC, 64),
    },
  };
}

function negRow(width: Width): Row {
  const p = prefixOf(width);
  return {
    name: `neg${width}`,
    opcode: 0x80 | classOf(width),
    fields: fields({ dst: "any" }),
    syntax: `{${p}dst} = -{${p}dst}`,
    group: baseOf(width),
    version: versionOf(width),
    operation: {
      kind: "alu",
      op: "neg",
      width,
      operand: "none",
      result: width === 32 ? widen(neg(low32(DST))) : neg(DST),
    },
  };
}

const EXTENSIONS = [
  { op: "movsx8", from: 8, widths: [32, 64] },
  { op: "movsx16", from: 16, widths: [32, 64] },
  { op: "movsx32", from: 32, widths: [64] },
] as const;

function extensionRow(op: AluOp, from: 8 | 16 | 32, width: Width): Row {
  const p = prefixOf(width);
  return {
    name: `${op}_${width}`,
    opcode: 0xb0 | OPERAND_BIT.reg | classOf(width),
    fields: fields({ dst: "any", src: "any", off: from }),
    syntax: `{${p}dst} = (s${from}){${p}src}`,
    group: baseOf(width),
    version: 4,
    operation: {
      kind: "alu",
      op,
      width,
      operand: "reg",
      result: widen(sext(width, extract(from, SRC))),
    },
  };
}

/**
 * Byte swaps keep the lowest `bits` and clear the rest; `le` only clears, since the machine is little-endian. A swap counts as a
 * 32-bit operation unless it reads all 64 bits.
 */
const SWAPS = [
  { name: "le", opcode: 0xd4, version: 1, swap: <N extends number>(part: Term<N>) => part },
  { name: "be", opcode: 0xdc, version: 1, swap: bswap },
  { name: "bswap", opcode: 0xd7, version: 4, swap: bswap },
] as const;

function swapRow(entry: (typeof SWAPS)[number], bits: 16 | 32 | 64): Row {
  const op: AluOp = `${entry.name}${bits}`;
  const width = bits === 64 ? 64 : 32;
  return {
    name: op,
    opcode: entry.opcode,
    fields: fields({ dst: "any", imm: bits }),
    syntax: `{dst} = ${op} {dst}`,
    group: baseOf(width),
    version: entry.version,
    operation: { kind: "alu", op, width, operand: "none", result: widen(entry.swap(extract(bits, DST))) },
  };
}

/** `imm` holds the destination's address space in its upper 16 bits and the source's in its lower. */
const CAST: Row = {
  name: "addr_space_cast",
  opcode: 0xb0 | OPERAND_BIT.reg | CLASS.alu64,
  fields: fields({ dst: "any", src: "any", off: 1, imm: "any" }),
  syntax: "{dst} = addr_space_cast({src}, {spaces})",
  group: "linux",
  version: 4,
  operation: { kind: "addr_space_cast" },
};

export const ALU_ROWS: readonly Row[] = [
  ...BINARY.flatMap((entry) =>
    WIDTHS.flatMap((width) => OPERANDS.map((operand) => binaryRow(entry, width, operand))),
  ),
  ...WIDTHS.map(negRow),
  ...EXTENSIONS.flatMap(({ op, from, widths }) => widths.map((width) => extensionRow(op, from, width))),
  ...SWAPS.flatMap((entry) => ([16, 32, 64] as const).map((bits) => swapRow(entry, bits))),
  CAST,
];
