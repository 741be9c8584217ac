/** Which maps programs of a type may refer to: what some keep in their values is not for programs that may interrupt others. */
import { allows } from "../../semantics/profile/lookup.ts";
import type { Profile } from "../../semantics/profile/profile.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { holdsGraph, holdsLock, holdsTimer, holdsWork } from "./map-fields.ts";
import { reject } from "./rejection.ts";

/** Programs of these types may interrupt others that hold a lock, or the code that timers rest on. */
const INTERRUPTS: ReadonlySet<string> = new Set([
  "kprobe",
  "tracepoint",
  "perf_event",
  "raw_tracepoint",
  "raw_tracepoint_writable",
]);

/**
 * Checks that a program may refer to a map with such values.
 *
 * @throws Rejection  with the kernel's message, in its order
 */
export function requireCompatible({ type }: Program, profile: Profile, map: MapDefinition): void {
  const interrupts = INTERRUPTS.has(type);
  if (holdsGraph(map) && interrupts) {
    reject("EINVAL", "tracing progs cannot use bpf_{list_head,rb_root} yet");
  }
  if (holdsLock(map)) {
    if (type === "socket_filter") reject("EINVAL", "socket filter progs cannot use bpf_spin_lock yet");
    if (interrupts) reject("EINVAL", "tracing progs cannot use bpf_spin_lock yet");
  }
  if (holdsTimer(map) && interrupts && !allows(profile, "timers_in_tracing")) {
    reject("EINVAL", "tracing progs cannot use bpf_timer yet");
  }
  if (holdsWork(map) && interrupts && !allows(profile, "work_queues_in_tracing")) {
    reject("EINVAL", "tracing progs cannot use bpf_wq yet");
  }
}
