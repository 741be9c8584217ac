/** What programs may do because of their loader's capabilities. */
import { Unsupported } from "../../semantics/errors.ts";
import { idsOf } from "../../semantics/profile/lookup.ts";
import type { Profile } from "../../semantics/profile/profile.ts";
import { isCapable } from "../../semantics/program/privileges.ts";
import type { Program } from "../../semantics/program/program.ts";

/** What follows from the loader's capabilities. */
export interface Rights {
  /** Addresses may become numbers (`cap_perfmon`). */
  readonly leaks: boolean;
  /** Bytes of the stack may be read that have not been written (`cap_perfmon`, by kernels since 6.3): γ of such a number is all numbers. */
  readonly uninitialisedStack: boolean;
  /** `cap_bpf`. */
  readonly bpf: boolean;
  /** Helpers that the program lacks because of what its loader may not do. */
  readonly withoutHelpers: ReadonlySet<number>;
}

const NO_HELPERS: ReadonlySet<number> = new Set();

/** @throws Unsupported  if the profile does not say what capabilities its kernel asks for */
export function rightsOf(program: Program, { kernel, capabilities, limits }: Profile): Rights {
  const [leaks, bpf] = [isCapable(program, "cap_perfmon"), isCapable(program, "cap_bpf")];
  const uninitialisedStack = leaks && limits.uninitialisedStack;
  if (leaks && bpf) return { leaks, uninitialisedStack, bpf, withoutHelpers: NO_HELPERS };
  if (capabilities === undefined) throw new Unsupported(`programs without capabilities on Linux ${kernel}`);
  const without = [...(bpf ? [] : idsOf(capabilities.bpf)), ...(leaks ? [] : idsOf(capabilities.perfmon))];
  return { leaks, uninitialisedStack, bpf, withoutHelpers: new Set(without) };
}
