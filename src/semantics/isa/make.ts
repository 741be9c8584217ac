/** Making instructions by name, for whoever generates programs: the assembler, converters, campaigns and tests. */
import type { Slots } from "../program/program.ts";
import { isWide } from "./codec.ts";
import type { Instruction } from "./instruction.ts";
import { rowByName } from "./table.ts";

/** The instruction of row `name` with the given operands; those left out are 0. */
export function insn(name: string, operands: Partial<Omit<Instruction, "row">> = {}): Instruction {
  return { row: rowByName(name), dst: 0, src: 0, off: 0, imm: 0, immHigh: 0, ...operands };
}

/** Instructions in a row, each 16-byte load followed by the empty slot that it also fills. */
export function layOut(instructions: readonly Instruction[]): Slots {
  const slots: (Instruction | undefined)[] = [];
  for (const instruction of instructions) {
    slots.push(instruction);
    if (isWide(instruction.row)) slots.push(undefined);
  }
  return slots;
}
