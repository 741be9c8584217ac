/**
 * Exceptions: `bpf_throw` ends the program from whatever function it is called in. The kernel leaves all frames at once, and the program's result is the
 * cookie that was thrown, or what the program's *exception callback* makes of it: a global function that the declaration tag `exception_callback:NAME` of
 * the main function names. None of the frames gets to give anything back, so nothing may be held in any of them.
 *
 * The callback is proved by itself, like other global functions, for every cookie; and its result is the program's.
 *
 * A global function that may throw ends its caller's run, too: so at its call nothing may be held either. Linux 6.18 does not ask for that, nor for the range
 * of a cookie that a global function throws; Linux 7.3 does.
 */
import type { Program } from "../../semantics/program/program.ts";
import { isInCallback } from "../callbacks.ts";
import { functionOf } from "../state.ts";
import { checkReturnValue, requireNothingHeld } from "./call/function.ts";
import type { GlobalFunction } from "./global-functions.ts";
import { type Machine, register, STEP, type Step } from "./machine.ts";
import { reject } from "./rejection.ts";

/** The kernel function that throws. */
export const THROW = "bpf_throw";

/** Whether the instruction at which the machine stands throws. */
export const isThrow = ({ kfuncs, pc }: Pick<Machine, "kfuncs" | "pc">): boolean => kfuncs.get(pc) === THROW;

/** Executes a call of `bpf_throw`, whose argument is known to be a number. */
export function throwException(m: Machine): Step {
  if (m.exceptionCallback === undefined) checkReturnValue(m, register(m, 1), "R1");
  requireMayThrow(m, m.pc, THROW);
  return STEP.exit;
}

/** Before a call of a global function: if it throws, the run ends there. */
export function requireMayEnd(m: Machine, { name, number, throwsAt }: GlobalFunction): void {
  if (throwsAt !== undefined) requireMayThrow(m, throwsAt, `${THROW} in func#${number} ('${name}')`);
}

/** @param insn  the call of `bpf_throw` that messages name */
function requireMayThrow(m: Machine, insn: number, where: string): void {
  requireNothingHeld(m, where, true);
  const ofException = functionOf(m.state, 0) === m.exceptionCallback;
  if (!ofException && !isInCallback(m.state)) return;
  reject(
    "EINVAL",
    `bpf_throw kfunc (insn ${insn}) cannot be called from callback subprog ${numberOf(m.program, insn)}`,
  );
}

/** The kernel's number of the function that an instruction is in. */
const numberOf = ({ functions }: Program, insn: number): number =>
  functions.filter((info) => info.insn > 0 && info.insn <= insn).length;
