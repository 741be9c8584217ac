/** Maps of which a program has one at most. */
import { reject } from "../absint/transfer/rejection.ts";
import { mapsOfType } from "../semantics/program/maps-of-type.ts";
import { isCapable } from "../semantics/program/privileges.ts";
import type { Program } from "../semantics/program/program.ts";

/**
 * Checks that a program has one arena at most, and a loader who may use it, and of the storages of control groups one of each type. That the kernel compiles programs,
 * without which there are no arenas, is taken for granted.
 *
 * @throws Rejection  with the kernel's message
 */
export function checkSingleMaps(program: Program): void {
  for (const type of ["cgroup_storage", "percpu_cgroup_storage"] as const) {
    if (mapsOfType(program, type).length > 1)
      reject("EBUSY", "only one cgroup storage of each type is allowed");
  }
  const arenas = mapsOfType(program, "arena");
  if (arenas.length === 0) return;
  if (!isCapable(program, "cap_bpf") || !isCapable(program, "cap_perfmon")) {
    reject("EPERM", "CAP_BPF and CAP_PERFMON are required to use arena");
  }
  if (arenas.length > 1) reject("EBUSY", "Only one arena per program");
}
