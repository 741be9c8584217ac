/** Processes in a guest. The guest is theirs alone: its first process, which is process 0, does not keep the root that it began with. */
import type { Outcome, SystemCall } from "../linux/calls.ts";
import { ProcessHost } from "../linux/process-host.ts";
import type { Guest } from "./guest.ts";

export class GuestProcesses extends ProcessHost {
  readonly firstRoot = true;
  readonly release: string;
  readonly #guest: Guest;

  constructor(guest: Guest) {
    super();
    this.#guest = guest;
    this.release = guest.kernel.release;
  }

  /** @throws GuestFailure if the guest is gone */
  calls(process: number, list: readonly SystemCall[]): readonly Outcome[] {
    return this.#guest.processCalls(process, list);
  }

  stop(): void {
    this.#guest.stop();
  }
}
