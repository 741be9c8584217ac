/**
 * Sections: RCU read sections, those without preemption and those without interrupts (state.ts has their depths, references.ts the saved interrupt flags).
 * What may be called inside of which, and what ends with them.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { allows } from "../../semantics/profile/lookup.ts";
import { isOfTimer, isOfWork, keptAwakeBy } from "../callbacks.ts";
import { lastLock, lastReference, REFERENCE } from "../references.ts";
import { baseOf, FLAG, hasFlag, kindOf, setId, setKind } from "../register.ts";
import { forEachRegister, SECTION, sectionDepth, setSectionDepth } from "../state.ts";
import { expireIterators } from "./counted-slots.ts";
import type { Machine } from "./machine.ts";
import { reject } from "./rejection.ts";

/** The deepest nesting that a state can tell. */
const DEEPEST = 255;

const insideRcu = (m: Machine): boolean => sectionDepth(m.state, SECTION.rcu) > 0;
const insidePreemption = (m: Machine): boolean => sectionDepth(m.state, SECTION.preemption) > 0;
const insideInterrupts = (m: Machine): boolean => lastReference(m.state, REFERENCE.interrupts) >= 0;

/** Whether what is executed may sleep where no section is around it: what timers call never, what work queues call always. */
export const maySleep = ({ program, state }: Pick<Machine, "program" | "state">): boolean =>
  isOfTimer(state) ? isOfWork(state) : program.flags.includes("sleepable");

/** Whether pointers under RCU stay valid from here to the end of some section: programs that may not sleep are in one throughout. */
export const isUnderRcu = (m: Machine): boolean => insideRcu(m) || !maySleep(m) || lastLock(m.state) >= 0;

/** Rejects a helper that may sleep where nobody may. @param label `bpf_copy_from_user#148` */
export function requireHelperMaySleep(m: Machine, label: string): void {
  const inside = (where: string): never => reject("EINVAL", `sleepable helper ${label} in ${where} region`);
  if (insideRcu(m)) inside("rcu_read_lock");
  if (insidePreemption(m)) inside("non-preemptible");
  if (insideInterrupts(m)) inside("IRQ-disabled");
  const kept = keptAwakeBy(m.state);
  if (kept !== undefined) inside(kept);
}

/** The same of a kernel function. */
export function requireKfuncMaySleep(m: Machine, name: string): void {
  const inside = (where: string): never =>
    reject("EACCES", `kernel func ${name} is sleepable within ${where} region`);
  if (insideRcu(m)) inside("rcu_read_lock");
  if (insidePreemption(m)) inside("non-preemptible");
  if (insideInterrupts(m)) inside("IRQ-disabled");
  const kept = keptAwakeBy(m.state);
  if (kept !== undefined) inside(kept);
}

/** What functions that begin and end sections do. */
export const SECTION_FUNCTIONS: ReadonlyMap<string, (m: Machine) => void> = new Map([
  ["bpf_rcu_read_lock", enterRcu],
  ["bpf_rcu_read_unlock", leaveRcu],
  ["bpf_preempt_disable", enterPreemption],
  ["bpf_preempt_enable", leavePreemption],
]);

function enterRcu(m: Machine): void {
  const depth = sectionDepth(m.state, SECTION.rcu);
  if (depth > 0 && !allows(m.profile, "nested_rcu")) {
    reject("EINVAL", "nested rcu read lock (kernel function bpf_rcu_read_lock)");
  }
  if (depth === DEEPEST) throw new Unsupported(`more than ${DEEPEST} RCU read sections in each other`);
  setSectionDepth(m.state, SECTION.rcu, depth + 1);
}

function leaveRcu(m: Machine): void {
  const depth = sectionDepth(m.state, SECTION.rcu);
  if (depth === 0) reject("EINVAL", "unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)");
  setSectionDepth(m.state, SECTION.rcu, depth - 1);
  if (depth > 1) return;
  forEachRegister(m.state, (at) => {
    const kind = kindOf(at);
    if (baseOf(kind) === 0 || !hasFlag(kind, FLAG.rcu)) return;
    // From now on it may be an address of anything, null included.
    setKind(at, (kind & ~(FLAG.rcu | FLAG.orNull)) | FLAG.untrusted);
    setId(at, 0);
  });
  expireIterators(m, ({ flags }) => flags.includes("rcu_protected"));
}

function enterPreemption(m: Machine): void {
  const depth = sectionDepth(m.state, SECTION.preemption);
  if (depth === DEEPEST) reject("EINVAL", "preemption is disabled too often");
  setSectionDepth(m.state, SECTION.preemption, depth + 1);
}

function leavePreemption(m: Machine): void {
  const depth = sectionDepth(m.state, SECTION.preemption);
  if (depth === 0) {
    reject("EINVAL", "unmatched attempt to enable preemption (kernel function bpf_preempt_enable)");
  }
  setSectionDepth(m.state, SECTION.preemption, depth - 1);
}
