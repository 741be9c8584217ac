/** Near misses: programs of the corpus with an instruction changed in one field, a check removed or a helper exchanged. */
import fc from "fast-check";
import { InputError } from "../../src/semantics/errors.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import type { Program } from "../../src/semantics/program/program.ts";

/** Rows that an instruction may become without its operands meaning something else. */
function cousins({ operation }: Row): readonly Row[] {
  return ROWS.filter(({ operation: other }) => {
    if (other.kind !== operation.kind) return false;
    if (other.kind === "alu" && operation.kind === "alu") return other.operand === operation.operand;
    if (other.kind === "jump" && operation.kind === "jump") return other.operand === operation.operand;
    if (other.kind === "store" && operation.kind === "store") return other.operand === operation.operand;
    return other.kind === "load";
  });
}

const small = fc.constantFrom(-8, -4, -2, -1, 1, 2, 4, 8);
const isFree = (row: Row, field: "dst" | "src" | "off" | "imm"): boolean => row.fields[field] === "any";

const GOTO = ROWS.find(({ operation }) => operation.kind === "goto" && !operation.wide);

/** A check removed: a conditional jump that is never taken, or always. */
function unchecked(insn: Instruction): readonly Instruction[] {
  if (insn.row.operation.kind !== "jump" || GOTO === undefined) return [];
  const jump = { ...insn, row: GOTO, dst: 0, src: 0, imm: 0 };
  return [{ ...jump, off: 0 }, jump];
}

/** Numbers of helpers: those of Linux 6.18 and one more. */
const HELPERS = 212;

function changed(insn: Instruction): fc.Arbitrary<Instruction> {
  const { row } = insn;
  const options: fc.Arbitrary<Instruction>[] = [];
  const removed = unchecked(insn);
  if (removed.length > 0) options.push(fc.constantFrom(...removed));
  if (row.name === "call_helper") options.push(fc.nat(HELPERS).map((imm) => ({ ...insn, imm })));
  if (isFree(row, "imm") && row.operation.kind !== "ld_imm64") {
    options.push(small.map((by) => ({ ...insn, imm: (insn.imm + by) | 0 })));
    options.push(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((imm) => ({ ...insn, imm })));
  }
  if (isFree(row, "off")) options.push(small.map((by) => ({ ...insn, off: ((insn.off + by) << 16) >> 16 })));
  if (isFree(row, "dst")) options.push(fc.nat(10).map((dst) => ({ ...insn, dst })));
  if (isFree(row, "src")) options.push(fc.nat(10).map((src) => ({ ...insn, src })));
  const others = cousins(row);
  if (others.length > 0) options.push(fc.constantFrom(...others).map((other) => ({ ...insn, row: other })));
  return options.length === 0 ? fc.constant(insn) : fc.oneof(...options);
}

/** Whether a program's instructions are such: a change may have put a number where a row has none. */
export function wellEncoded({ insns }: Program): boolean {
  try {
    encode(insns);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** One of the programs, with one to three instructions changed. */
export function nearMisses(
  programs: readonly Program[],
): fc.Arbitrary<{ original: Program; mutant: Program }> {
  return fc.constantFrom(...programs).chain((original) => {
    const places = original.insns.flatMap((insn, pc) => (insn === undefined ? [] : [{ insn, pc }]));
    const edit = fc.constantFrom(...places).chain(({ insn, pc }) => changed(insn).map((to) => ({ pc, to })));
    return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
      const insns = [...original.insns];
      for (const { pc, to } of edits) insns[pc] = to;
      return { original, mutant: { ...original, insns } };
    });
  });
}
