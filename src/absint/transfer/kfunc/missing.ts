/** Calls of kernel functions of which the profile has none. */
import { Unsupported } from "../../../semantics/errors.ts";
import { kfuncFacts } from "../../../semantics/profile/lookup.ts";
import type { Machine } from "../machine.ts";
import { reject } from "../rejection.ts";

/** How the kernel's types name a function's form with the arguments that the kernel puts in itself. */
const IMPLICIT = /_impl$/;

/**
 * Refuses the call, as the kernel does of which the types are at hand: it looks for the address of what only its types know, and calls nothing that it does not know at all, which
 * only instructions may do to which no path leads.
 *
 * @throws Unsupported  if the kernel may have the function: some have no type there, those of modules among them where no types are at hand
 */
export function refuseUnknown(m: Machine, name: string): never {
  const base = IMPLICIT.test(name) ? kfuncFacts(m.profile, name.replace(IMPLICIT, "")) : undefined;
  if (base?.flags.includes("implicit_args") === true) {
    reject("EINVAL", `cannot find address for kernel function ${name}`);
  }
  if (m.rules.types !== undefined && m.rules.types.addressOf(name) === undefined) {
    reject("EINVAL", "invalid kernel function call not eliminated in verifier pass");
  }
  throw new Unsupported(`kernel function ${name}`);
}
