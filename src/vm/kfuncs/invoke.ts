/** Calls of the kernel's functions, by name. */
import { Unsupported } from "../../semantics/errors.ts";
import { isTreeAddition } from "../../semantics/helpers/callbacks.ts";
import { defaultProfile } from "../../semantics/profile/default.ts";
import { kfuncFacts } from "../../semantics/profile/lookup.ts";
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
  const kernelFunction = KERNEL_FUNCTIONS[plainName(name)];
  if (kernelFunction === undefined) throw new Unsupported(`kernel function ${name}`);
  const result = kernelFunction(new Call(name, run));
  state.scratch();
  if (result !== undefined) state.setNumber(0, BigInt.asUintN(resultBits(name), BigInt(result)));
  return state.pc + 1;
}

/** The name without what the kernel's headers hide. */
const plainName = (name: string): string => (name.endsWith("_impl") ? name.slice(0, -5) : name);

const BITS = new Map<string, number>();

/**
 * Bits of what a function returns, by its type: the others of r0 are whatever is there, which with Linux's compilers are zeros if the type is of 32 bits. They are
 * zeros here.
 */
function resultBits(name: string): number {
  let bits = BITS.get(name);
  if (bits === undefined) {
    const profile = defaultProfile();
    const facts = kfuncFacts(profile, name) ?? kfuncFacts(profile, plainName(name));
    bits = facts?.returns.kind === "scalar" ? 8 * (facts.returns.size ?? 8) : 64;
    BITS.set(name, bits);
  }
  return bits;
}

/** One step of a call that asks a function of the program where an object belongs. */
function addToTree(run: Run, name: string): number {
  const { state } = run;
  const { calling } = state.frame;
  if (calling !== undefined) return goOnCalling(state, calling) ?? state.pc + 1;
  beginAddition(new Call(name, run));
  return state.pc;
}
