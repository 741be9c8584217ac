/** Calls of the kernel's functions, by name. */
import { Unsupported } from "../../semantics/errors.ts";
import { isTreeAddition } from "../../semantics/helpers/callbacks.ts";
import { Call } from "../helpers/call.ts";
import { goOnCalling } from "../helpers/callback.ts";
import type { Run } from "../run.ts";
import { isThrow, throwException } from "./exceptions.ts";
import { KERNEL_FUNCTIONS } from "./table.ts";
import { beginAddition } from "./trees.ts";

/**
 * Calls a function of the kernel with the arguments in r1 … r5, which hold nothing afterwards; the result is in r0.
 *
 * @returns the slot where the program goes on; nothing if it has ended
 * @throws Unsupported  for a function that the machine does not have
 */
export function callKernelFunction(run: Run, name: string): number | undefined {
  const { state } = run;
  if (isThrow(name)) return throwException(new Call(name, run));
  if (isTreeAddition(name)) return addToTree(run, name);
  const kernelFunction = KERNEL_FUNCTIONS[name.replace(/_impl$/, "")];
  if (kernelFunction === undefined) throw new Unsupported(`kernel function ${name}`);
  const result = kernelFunction(new Call(name, run));
  state.scratch();
  if (result !== undefined) state.setNumber(0, BigInt(result));
  return state.pc + 1;
}

/** One step of a call that asks a function of the program where an object belongs. */
function addToTree(run: Run, name: string): number {
  const { state } = run;
  const { calling } = state.frame;
  if (calling !== undefined) return goOnCalling(state, calling) ?? state.pc + 1;
  beginAddition(new Call(name, run));
  return state.pc;
}
