/**
 * Programs that a kernel may not survive loading, by what is known of kernels: loads from the packet in the old way (LD_ABS, LD_IND) have an exit hidden in them, and where they are in functions
 * Linux 6.18 has walked past the end of its history when it looked for what is precise. Such a program is for guests.
 */
import type { Program } from "../../semantics/program/program.ts";

/** Why a kernel that people work with is not asked about the program; undefined where nothing is known against it. */
export function hazardOf({ insns }: Program): string | undefined {
  let [legacy, functions] = [false, false];
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (operation?.kind === "packet") legacy = true;
    if (operation?.kind === "call" && operation.callee === "subprogram") functions = true;
    if (operation?.kind === "ld_imm64" && operation.load === "func") functions = true;
  }
  return legacy && functions ? "legacy packet loads together with functions" : undefined;
}
