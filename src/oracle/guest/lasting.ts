/** A guest for long work: booted when it is first needed, and again after a failure. */
import type { Kernel } from "../linux/calls.ts";
import type { GuestFailure } from "./failure.ts";
import type { Guest } from "./guest.ts";

export interface LastingGuest {
  /**
   * The kernel that is up now. After a `GuestFailure` this is another one: what was opened in the failed one (descriptors, maps) is gone, and
   * closing it does nothing.
   * @throws what `boot` throws
   */
  readonly kernel: () => Kernel;
  /** What ended earlier ones, in order. */
  readonly failures: () => readonly GuestFailure[];
  readonly stop: () => void;
}

/** @param boot starts a guest */
export function lastingGuest(boot: () => Guest): LastingGuest {
  let guest: Guest | undefined;
  const earlier: GuestFailure[] = [];
  const failed = (): readonly GuestFailure[] => [guest?.failure() ?? []].flat();
  return {
    kernel: () => {
      const failures = failed();
      if (failures.length > 0) {
        guest?.stop();
        guest = undefined;
        earlier.push(...failures);
      }
      guest ??= boot();
      return guest.kernel;
    },
    failures: () => [...earlier, ...failed()],
    stop: () => {
      guest?.stop();
      guest = undefined;
    },
  };
}
