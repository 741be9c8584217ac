/** Locks that may fail to be taken, and interrupts that are turned off, with a lock or without. */

import { EDEADLK } from "../errno.ts";
import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { lockAt } from "../helpers/lock.ts";
import { findInSlots, putInSlots, removeFromSlots } from "../objects/in-slots.ts";
import type { InSlots } from "../objects/slots.ts";

class SavedFlags implements InSlots {
  readonly what = "saved interrupt flags";
  readonly size = 8;
}

/** Turns interrupts off; what they were lies where an argument points to. */
function save(call: Call, register: number): undefined {
  const flags = new SavedFlags();
  putInSlots(call, register, "flags__irq_flag", flags);
  call.run.held.acquire(flags, "interrupts off");
  return call.noResult();
}

function restore(call: Call, register: number): undefined {
  const flags = findInSlots(call, register, "flags__irq_flag");
  if (!(flags instanceof SavedFlags)) return call.refuse(register, "flags__irq_flag", "there are no flags");
  if (!call.run.held.release(flags)) fault("not_held", `call ${call.helper}: the flags were restored before`);
  removeFromSlots(call, register, "flags__irq_flag", flags);
  return call.noResult();
}

/** Says whether the lock was free. */
function takeLock(call: Call): boolean {
  const lock = lockAt(call, "res_spin_lock");
  if (call.run.held.holds(lock)) return false;
  call.run.held.acquire(lock, lock.what);
  return true;
}

function leaveLock(call: Call): undefined {
  if (!call.run.held.release(lockAt(call, "res_spin_lock")))
    fault("not_held", `call ${call.helper}: the program does not have the lock`);
  return call.noResult();
}

export const LOCK_FUNCTIONS: HelperTable = {
  bpf_local_irq_save: (call) => save(call, 1),
  bpf_local_irq_restore: (call) => restore(call, 1),
  bpf_res_spin_lock: (call) => (takeLock(call) ? 0 : EDEADLK),
  bpf_res_spin_unlock: leaveLock,
  bpf_res_spin_lock_irqsave(call) {
    if (!takeLock(call)) return EDEADLK;
    save(call, 2);
    return 0;
  },
  bpf_res_spin_unlock_irqrestore(call) {
    restore(call, 2);
    return leaveLock(call);
  },
};
