/** Calls of the kernel's functions, by name. */
import { Unsupported } from "../../semantics/errors.ts";
import { Call } from "../helpers/call.ts";
import type { Run } from "../run.ts";
import { KERNEL_FUNCTIONS } from "./table.ts";

/**
 * Calls a function of the kernel with the arguments in r1 … r5, which hold nothing afterwards; the result is in r0.
 *
 * @returns the slot where the program goes on; nothing if it has ended
 * @throws Unsupported  for a function that the machine does not have
 */
export function callKernelFunction(run: Run, name: string): number | undefined {
  const { state } = run;
  const next = state.pc + 1;
  const kernelFunction = KERNEL_FUNCTIONS[name.replace(/_impl$/, "")];
  if (kernelFunction === undefined) throw new Unsupported(`kernel function ${name}`);
  const result = kernelFunction(new Call(name, run));
  state.scratch();
  if (result !== undefined) state.setNumber(0, BigInt(result));
  return next;
}
