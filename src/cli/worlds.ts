/** Where traces happen, by the names that users give: the running kernel, and guests. */
import { World } from "../campaign/traces/linux/world.ts";
import { GuestProcesses } from "../oracle/guest/guest-processes.ts";
import type { Setting } from "../oracle/guest/setup.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { Processes } from "../oracle/linux/processes.ts";
import { InputError } from "../semantics/errors.ts";
import { startGuest } from "./guest.ts";
import { RUNNING } from "./kernel-names.ts";

/**
 * Processes of our own in a kernel: on this machine, or in a guest that is booted for them.
 * @param settings  sysctls of a guest; this machine's are left as they are
 * @throws InputError where there can be none; `GuestFailure` if the guest does not come up
 */
export function openWorld(name: string, settings: readonly Setting[] = []): World {
  if (name !== RUNNING) return new World(new GuestProcesses(startGuest(name, { settings })));
  if (settings.length > 0) throw new InputError("settings are those of a guest");
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(`${name}: ${kernel.reason}`);
  if (process.arch !== "x64") throw new InputError(`${name}: not on ${process.arch}`);
  try {
    return new World(new Processes(process.env));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Worlds that are opened when they are first needed, and again after a guest has failed. */
export class Worlds {
  readonly #open = new Map<string, World>();

  /** @throws as `openWorld` does */
  get(name: string): World {
    const open = this.#open.get(name) ?? openWorld(name);
    this.#open.set(name, open);
    return open;
  }

  /** Nothing of it is used again. */
  stop(name: string): void {
    this.#open.get(name)?.stop();
    this.#open.delete(name);
  }

  stopAll(): void {
    for (const name of this.#open.keys()) this.stop(name);
  }
}
