/**
 * Functions that may return before they come to an exit: where a tail call is taken, or a legacy packet load finds nothing, the caller goes on with a
 * number in r0. So the function has to be one that returns a number, by its type.
 */
import { reject } from "../absint/transfer/rejection.ts";
import { helperId } from "../semantics/helpers/names.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import type { FunctionInfo, Program } from "../semantics/program/program.ts";

const TAIL_CALL = helperId("tail_call");

/** The kernel's name of an instruction that may leave a function. */
function leaving(insn: Instruction | undefined): "tail_call" | "LD_ABS" | undefined {
  const operation = insn?.row.operation;
  if (operation?.kind === "packet") return "LD_ABS";
  const tail = operation?.kind === "call" && operation.callee === "helper" && insn?.imm === TAIL_CALL;
  return tail ? "tail_call" : undefined;
}

/**
 * Checks the functions that the program calls.
 *
 * @param owner  for each instruction, the first instruction of its function
 * @throws Rejection  with the kernel's message
 */
export function checkEarlyReturns({ insns, functions, btf }: Program, owner: Int32Array): void {
  const typed = btf !== undefined && functions.every(({ typeId }) => typeId !== undefined);
  const byStart = new Map(functions.map((info): [number, FunctionInfo] => [info.insn, info]));
  insns.forEach((insn, pc) => {
    const start = owner[pc] ?? 0;
    const what = start === 0 ? undefined : leaving(insn);
    if (what === undefined) return;
    const info = typed ? byStart.get(start) : undefined;
    if (info === undefined) reject("EINVAL", `${what} is not allowed in subprogs without BTF`);
    if (info.prototype?.returns !== "scalar") {
      reject("EINVAL", `${what} is only allowed in functions that return 'int'.`);
    }
  });
}
