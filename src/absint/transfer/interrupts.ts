/** Sections without interrupts: flags that are saved in an unused place on the stack, and restored from there in the opposite order. */
import {
  acquireReference,
  lastReference,
  placeId,
  REFERENCE,
  referenceOfState,
  releaseReference,
  shownId,
} from "../references.ts";
import { KIND, kindOf } from "../register.ts";
import { flagsIn, hasObject, putFlags, removeObject } from "./counted-slots.ts";
import { overwriteDynptr } from "./dynptr-slots.ts";
import { stackPlace } from "./iterator.ts";
import type { Machine, Target } from "./machine.ts";
import { reject } from "./rejection.ts";
import { requireRoom } from "./stack.ts";

/** What a function does with interrupts: by itself, or with a lock. */
export interface FlagsUse {
  readonly saves: boolean;
  readonly ofLock: boolean;
}

/** Saves the flags and turns interrupts off, or restores them. */
export function saveOrRestore(m: Machine, { saves, ofLock }: FlagsUse, target: Target): void {
  const index = target.number - 1;
  if (kindOf(target.at) !== KIND.stack)
    reject("EINVAL", `arg#${index} doesn't point to an irq flag on stack`);
  const wrong = (detail?: string): never => {
    const line = `expected ${saves ? "uninitialized irq flag" : "an initialized irq flag"} as arg#${index}`;
    return reject("EINVAL", detail === undefined ? line : `${detail}\n${line}`);
  };
  const place = stackPlace(target, "irq_flag");
  if (typeof place === "string") return wrong(place);
  const id = placeId(place.frame, place.slot);
  if (saves) {
    requireRoom(m, target, 8);
    overwriteDynptr(m, place.frame, place.slot);
    if (hasObject(m, place)) wrong();
    putFlags(m, place, ofLock);
    acquireReference(m.state, id, REFERENCE.interrupts, m.pc);
    return;
  }
  const found = flagsIn(m, place) ?? wrong();
  if (found.ofLock !== ofLock) {
    const [by, used] = [found.ofLock, ofLock].map((lock) => (lock ? "lock" : "native"));
    reject("EINVAL", `irq flag acquired by ${by} kfuncs cannot be restored with ${used} kfuncs`);
  }
  const last = lastReference(m.state, REFERENCE.interrupts);
  const { id: expected, insn } = referenceOfState(m.state, last);
  if (expected !== id) {
    reject(
      "EACCES",
      `cannot restore irq state out of order, expected id=${shownId(expected)} acquired at insn_idx=${insn}`,
    );
  }
  releaseReference(m.state, id);
  removeObject(m, place);
}
