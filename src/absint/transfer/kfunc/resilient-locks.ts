/**
 * Resilient spin locks: to take one may fail, where it would mean to wait for ever, and then the program goes on without it. So a call forks: the lock is held
 * and the result is 0, or it is not and the result is an error. Several may be held at once, which are left in the opposite order. One that is taken with
 * interrupts off saves the flags on the stack (interrupts.ts).
 */
import { arena } from "../../arena.ts";
import { REFERENCE } from "../../references.ts";
import { KIND, kindOf, setConstant, setNone, setUnknown } from "../../register.ts";
import { LAYOUT, synchronise } from "../../scalar/operators.ts";
import { unpack } from "../../state.ts";
import { saveOrRestore } from "../interrupts.ts";
import { type Machine, onForked, readable, register, STEP, type Step, type Target } from "../machine.ts";
import { releaseResilientLock, requireFreeResilientLock, takeResilientLock } from "../map-fields.ts";
import { reject } from "../rejection.ts";
import type { KfuncCall } from "./facts.ts";
import { requireNotNull } from "./graph.ts";
import { clearArguments, OWNED } from "./own-objects.ts";

const NAME = /^bpf_res_spin_(?<what>lock|unlock)(?<irq>_irqsave|_irqrestore)?$/;

/** Whether the function of that name takes or leaves a resilient lock. */
export const isResilientLockFunction = (name: string): boolean => NAME.test(name);

/** The greatest error, as a positive number (MAX_ERRNO). */
const MAX_ERRNO = 4095;

/** Executes a call. */
export function callResilientLock(m: Machine, call: KfuncCall): Step {
  const { what, irq } = NAME.exec(call.facts.name)?.groups ?? {};
  requireNotNull(m, call, 1);
  const lock: Target = { number: 1, at: readable(m, 1), off: 0 };
  if (kindOf(lock.at) !== KIND.mapValue && kindOf(lock.at) !== OWNED) {
    reject("EINVAL", "arg#0 doesn't point to map value or allocated object");
  }
  const flags: Target | undefined = irq === undefined ? undefined : { number: 2, at: readable(m, 2), off: 0 };
  const kind = irq === undefined ? REFERENCE.resilientLock : REFERENCE.resilientLockIrq;
  if (what === "unlock") {
    releaseResilientLock(m, lock, kind);
    if (flags !== undefined) saveOrRestore(m, { saves: false, ofLock: true }, flags);
    clearArguments(m);
    setNone(register(m, 0));
    m.pc += 1;
    return STEP.next;
  }
  requireFreeResilientLock(m, lock);
  unpack(m.state, m.forked);
  onForked(m, fail);
  takeResilientLock(m, lock, kind);
  if (flags !== undefined) saveOrRestore(m, { saves: true, ofLock: true }, flags);
  clearArguments(m);
  setConstant(register(m, 0), 0, 0);
  m.pc += 1;
  m.forkedPc = m.pc;
  return STEP.fork;
}

/**
 * The lock is not held, and r0 has an error. Linux takes all 64 bits for that negative number; the function gives 32, and what is above them the processor's
 * instructions decide, which mostly put 0 there.
 */
function fail(m: Machine): void {
  clearArguments(m);
  const r0 = register(m, 0);
  setUnknown(r0);
  arena.i32[(r0 + LAYOUT.smin32) >> 2] = -MAX_ERRNO;
  arena.i32[(r0 + LAYOUT.smax32) >> 2] = -1;
  synchronise(r0);
}
