/** Jumps, calls and the end of a program (RFC 9669 section 4.3), with Linux's `may_goto`. Offsets count slots from the next instruction. */
import { and, constant, eq, ne, sge, sgt, sle, slt, uge, ugt, ule, ult } from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { JumpOp, Row } from "./instruction.ts";
import { CLASS, DST, fields, low32, OPERAND_BIT, SRC } from "./row.ts";

type Width = 32 | 64;

interface Condition {
  readonly op: JumpOp;
  /** The upper four bits of the opcode. */
  readonly code: number;
  readonly sign: string;
  /** Linux added the four "less" forms later: compilers use them from version 2 on. */
  readonly version: 1 | 2;
  readonly taken: <N extends Width>(dst: Term<N>, src: Term<N>, width: N) => Term<1>;
}

const CONDITIONS: readonly Condition[] = [
  { op: "jeq", code: 0x10, sign: "==", version: 1, taken: (dst, src) => eq(dst, src) },
  { op: "jgt", code: 0x20, sign: ">", version: 1, taken: (dst, src) => ugt(dst, src) },
  { op: "jge", code: 0x30, sign: ">=", version: 1, taken: (dst, src) => uge(dst, src) },
  {
    op: "jset",
    code: 0x40,
    sign: "&",
    version: 1,
    taken: (dst, src, n) => ne(and(dst, src), constant(n, 0)),
  },
  { op: "jne", code: 0x50, sign: "!=", version: 1, taken: (dst, src) => ne(dst, src) },
  { op: "jsgt", code: 0x60, sign: "s>", version: 1, taken: (dst, src) => sgt(dst, src) },
  { op: "jsge", code: 0x70, sign: "s>=", version: 1, taken: (dst, src) => sge(dst, src) },
  { op: "jlt", code: 0xa0, sign: "<", version: 2, taken: (dst, src) => ult(dst, src) },
  { op: "jle", code: 0xb0, sign: "<=", version: 2, taken: (dst, src) => ule(dst, src) },
  { op: "jslt", code: 0xc0, sign: "s<", version: 2, taken: (dst, src) => slt(dst, src) },
  { op: "jsle", code: 0xd0, sign: "s<=", version: 2, taken: (dst, src) => sle(dst, src) },
];

function conditionRow(condition: Condition, width: Width, operand: "imm" | "reg"): Row {
  const { op, code, sign, taken } = condition;
  const p = width === 32 ? "w" : "";
  return {
    name: `${op}${width}_${operand}`,
    opcode: code | OPERAND_BIT[operand] | (width === 32 ? CLASS.jmp32 : CLASS.jmp),
    fields: fields({ dst: "any", off: "any", ...(operand === "reg" ? { src: "any" } : { imm: "any" }) }),
    syntax: `if {${p}dst} ${sign} ${operand === "reg" ? `{${p}src}` : "{hex}"} goto {target}`,
    group: width === 32 ? "base32" : "base64",
    version: width === 32 ? 3 : condition.version,
    operation: {
      kind: "jump",
      op,
      width,
      operand,
      taken: width === 32 ? taken(low32(DST), low32(SRC), 32) : taken(DST, SRC, 64),
    },
  };
}

const OTHERS: readonly Row[] = [
  {
    name: "goto",
    opcode: 0x05,
    fields: fields({ off: "any" }),
    syntax: "goto {target}",
    group: "base32",
    version: 1,
    operation: { kind: "goto", wide: false },
  },
  {
    name: "gotol",
    opcode: 0x06,
    fields: fields({ imm: "any" }),
    syntax: "gotol {wide}",
    group: "base32",
    version: 4,
    operation: { kind: "goto", wide: true },
  },
  {
    name: "may_goto",
    opcode: 0xe5,
    fields: fields({ off: "any" }),
    syntax: "may_goto {target}",
    group: "linux",
    version: 4,
    operation: { kind: "may_goto" },
  },
  {
    name: "call_helper",
    opcode: 0x85,
    fields: fields({ imm: "any" }),
    syntax: "call {helper}",
    group: "base32",
    version: 1,
    operation: { kind: "call", callee: "helper" },
  },
  {
    name: "call_subprogram",
    opcode: 0x85,
    fields: fields({ src: 1, imm: "any" }),
    syntax: "call {wide}",
    group: "base32",
    version: 1,
    operation: { kind: "call", callee: "subprogram" },
  },
  {
    // Linux: `off` chooses the module's BTF by its index in the loader's array of descriptors.
    name: "call_kfunc",
    opcode: 0x85,
    fields: fields({ src: 2, off: "any", imm: "any" }),
    syntax: "call {kfunc}",
    group: "base32",
    version: 1,
    operation: { kind: "call", callee: "kfunc" },
  },
  {
    name: "exit",
    opcode: 0x95,
    fields: fields({}),
    syntax: "exit",
    group: "base32",
    version: 1,
    operation: { kind: "exit" },
  },
];

export const JUMP_ROWS: readonly Row[] = [
  ...CONDITIONS.flatMap((condition) =>
    ([64, 32] as const).flatMap((width) =>
      (["imm", "reg"] as const).map((operand) => conditionRow(condition, width, operand)),
    ),
  ),
  ...OTHERS,
];
