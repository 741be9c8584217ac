/** The kernels that commands can ask, by the names that users give. */
import type { Kernel } from "../oracle/linux/calls.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../oracle/linux/this-machine.ts";
import { InputError } from "../semantics/errors.ts";

/** The running kernel's name. */
const RUNNING = "linux";

/** @throws InputError for a name that no kernel has, or a kernel that cannot be asked, with the reason in one line */
export function kernelNamed(name: string): Kernel {
  if (name !== RUNNING)
    throw new InputError(`there is no kernel ${name} to ask, but ${RUNNING}, the running one`);
  const state = kernelAvailable();
  if (!state.ok) throw new InputError(`the running kernel cannot be asked: ${state.reason}`);
  return THIS_MACHINE;
}

/** What a kernel is called in tables. */
export function kernelTitle({ release }: Pick<Kernel, "release">): string {
  return `Linux ${release}`;
}
