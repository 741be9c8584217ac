/** Changes of a program's length: instructions put in or left out, and everything that counts in slots moved along. */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { layOut } from "../../semantics/isa/make.ts";
import type { Program } from "../../semantics/program/program.ts";

/** Where an instruction leads, if it names another slot: the field that holds the distance. */
function distance({ row: { operation } }: Instruction): "off" | "imm" | undefined {
  switch (operation.kind) {
    case "goto":
      return operation.wide ? "imm" : "off";
    case "jump":
    case "may_goto":
      return "off";
    case "call":
      return operation.callee === "subprogram" ? "imm" : undefined;
    case "ld_imm64":
      return operation.load === "func" ? "imm" : undefined;
    default:
      return undefined;
  }
}

const slotsOf = (instructions: readonly Instruction[]): number => layOut(instructions).length;

/**
 * The program with `count` slots from `at` on replaced by other instructions, which jump nowhere or, by distances in slots of their own, within themselves. Who
 * jumped to `at` comes to the first of the new ones; who jumped into what is gone, behind them.
 */
export function replaced(program: Program, at: number, count: number, by: readonly Instruction[]): Program {
  const grown = slotsOf(by) - count;
  // A call's or a function's place is that of its own instruction, which is moved by what is put in front of it.
  const own = (slot: number): number => (slot >= at + count ? slot + grown : slot);
  const goal = (slot: number): number =>
    slot <= at ? slot : slot < at + count ? at + slotsOf(by) : slot + grown;
  const moved = (slot: number, instruction: Instruction): Instruction => {
    const field = distance(instruction);
    if (field === undefined) return instruction;
    const to = slot + 1 + instruction[field];
    return { ...instruction, [field]: goal(to) - own(slot) - 1 };
  };
  const part = (from: number, end: number): readonly Instruction[] =>
    program.insns.slice(from, end).flatMap((insn, i) => (insn === undefined ? [] : [moved(from + i, insn)]));
  const kept = <T extends { readonly insn: number }>(records: readonly T[]): T[] =>
    records.flatMap((record) =>
      record.insn >= at && record.insn < at + count ? [] : [{ ...record, insn: own(record.insn) }],
    );
  const { kfuncs, ksyms, lineInfo: _, ...rest } = program;
  return {
    ...rest,
    insns: layOut([...part(0, at), ...by, ...part(at + count, program.insns.length)]),
    lines: [],
    functions: program.functions.map((each) => ({ ...each, insn: goal(each.insn) })),
    ...(kfuncs === undefined ? {} : { kfuncs: kept(kfuncs) }),
    ...(ksyms === undefined ? {} : { ksyms: kept(ksyms) }),
  };
}

/** Slots that an instruction fills. */
export const widthAt = ({ insns }: Program, slot: number): number =>
  slot + 1 < insns.length && insns[slot + 1] === undefined ? 2 : 1;

/** A run of instructions that neither jump nor call nor end anything and refer to nothing outside of registers and memory. */
export function plainRun({ insns }: Program, from: number, most: number): readonly Instruction[] {
  const run: Instruction[] = [];
  for (let slot = from; slot < insns.length && run.length < most; slot += 1) {
    const insn = insns[slot];
    if (insn === undefined) continue;
    if (!PLAIN.has(insn.row.operation.kind)) break;
    run.push(insn);
  }
  return run;
}

const PLAIN: ReadonlySet<string> = new Set(["alu", "load", "store", "atomic"]);
