/**
 * The text of instructions as a table's column: literal text with placeholders in braces, one for each operand. The disassembler
 * prints a row's syntax and the assembler reads it, so that the two cannot drift apart. The notation is that of the kernel's
 * verifier log (Linux 6.18); where the kernel prints an address that no reader could use (references to maps and functions), it is ours.
 */
import type { Row } from "./instruction.ts";

/** What each placeholder stands for. */
export const OPERANDS = {
  dst: "dst as a 64-bit register, `r1`",
  src: "src as a 64-bit register",
  wdst: "dst as a 32-bit register, `w1`",
  wsrc: "src as a 32-bit register",
  imm: "imm as a signed number",
  bits: "imm as a signed number of which no more than 32 bits count; read in unsigned hexadecimal too",
  hex: "imm as an unsigned hexadecimal number",
  imm64: "both immediates as an unsigned hexadecimal number of 64 bits",
  second: "the second immediate as a signed number",
  high: "the second immediate as an unsigned distance, `+8`",
  offset: "off as a distance in bytes, `+8` or `-8`",
  target: "off as a jump's target: `pc+3` or a label",
  wide: "imm as a jump's target",
  helper: "imm as a helper: `bpf_map_lookup_elem#1`",
  kfunc: "imm and off as a kernel function: `name#id`, or `name#id@off` if it is a module's",
  ksym: "imm as a BTF id of the kernel, or the name of a variable or function",
  map: "imm as one of the program's maps: its position or its name",
  spaces: "the halves of imm: the address space cast to, and the one cast from",
} as const;

export type Operand = keyof typeof OPERANDS;

export type Part = { readonly text: string } | { readonly operand: Operand };

function isOperand(name: string): name is Operand {
  return Object.hasOwn(OPERANDS, name);
}

function parse(row: Row): readonly Part[] {
  return row.syntax
    .split(/(\{\w+\})/)
    .filter((text) => text !== "")
    .map((text) => {
      if (!text.startsWith("{")) return { text };
      const name = text.slice(1, -1);
      if (!isOperand(name)) throw new Error(`${row.name}: no operand is called ${name}`);
      return { operand: name };
    });
}

const PARTS = new WeakMap<Row, readonly Part[]>();

/** A row's syntax, taken apart. */
export function syntaxOf(row: Row): readonly Part[] {
  let parts = PARTS.get(row);
  if (parts === undefined) {
    parts = parse(row);
    PARTS.set(row, parts);
  }
  return parts;
}
