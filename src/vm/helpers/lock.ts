/** Spin locks in map values and objects. Nobody else runs here, so that a lock is free unless the program has it. */
import { fault } from "../fault.ts";
import { type InField, keep, keptIn } from "../objects/field.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** A lock: what a run holds of it is a reference. */
class Lock implements InField {
  readonly what = "a lock";

  leave(): void {
    // Whoever has it has it.
  }
}

/** The lock of a kind that r1 points to. */
export function lockAt(call: Call, kind: "spin_lock" | "res_spin_lock"): Lock {
  const region = call.region(1, "lock");
  const place = call.state.things.fieldAt(region, call.state.offset(1, region), [kind]);
  if (place === undefined) return call.refuse(1, "lock", `is no ${kind}`);
  const found = keptIn(place);
  if (found instanceof Lock) return found;
  const lock = new Lock();
  keep(place, lock);
  return lock;
}

function lock(call: Call): undefined {
  const taken = lockAt(call, "spin_lock");
  if (call.run.held.holds(taken)) fault("deadlock", `call ${call.helper}: the program has the lock already`);
  call.run.held.acquire(taken, taken.what);
  return call.noResult();
}

function unlock(call: Call): undefined {
  if (!call.run.held.release(lockAt(call, "spin_lock")))
    fault("not_held", `call ${call.helper}: the program does not have the lock`);
  return call.noResult();
}

export const LOCK_HELPERS: HelperTable = { spin_lock: lock, spin_unlock: unlock };
