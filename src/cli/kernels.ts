/** The kernels that commands can ask, by the names that users give: the running one, and guests. */
import { lastingGuest } from "../oracle/guest/lasting.ts";
import type { Kernel } from "../oracle/linux/calls.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../oracle/linux/this-machine.ts";
import { InputError } from "../semantics/errors.ts";
import { startGuest } from "./guest.ts";
import { isGuestName, RUNNING } from "./kernel-names.ts";

/** A translated guest takes minutes to verify the largest programs. */
const PATIENCE_MS = 600_000;

/** A kernel for as long as a command works with it. */
export interface OpenKernel {
  /** A guest that failed has another one in its place. */
  readonly kernel: () => Kernel;
  readonly close: () => void;
}

/** @throws InputError for a kernel that cannot be had or asked, with the reason in one line */
export function openKernel(name: string): OpenKernel {
  if (name !== RUNNING) {
    if (!isGuestName(name))
      throw new InputError(`there is no kernel ${name} to ask: ${RUNNING}, linux-X.Y, linux-X.Y.Z or newest`);
    const guest = lastingGuest(() => startGuest(name, { answerMs: PATIENCE_MS }));
    guest.kernel();
    return { kernel: guest.kernel, close: guest.stop };
  }
  const state = kernelAvailable();
  if (!state.ok) throw new InputError(`the running kernel cannot be asked: ${state.reason}`);
  return { kernel: () => THIS_MACHINE, close: () => undefined };
}

/** What a kernel is called in tables. */
export function kernelTitle({ release }: Pick<Kernel, "release">): string {
  return `Linux ${release}`;
}
