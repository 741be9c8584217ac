/** What must hold of a program with an arena before it is looked at. */
import { reject } from "../absint/transfer/rejection.ts";
import { arenasOf } from "../semantics/program/arenas.ts";
import { isCapable } from "../semantics/program/privileges.ts";
import type { Program } from "../semantics/program/program.ts";

/**
 * Checks that a program has one arena at most, and a loader who may use it. That the kernel compiles programs, without which there are no arenas, is
 * taken for granted.
 *
 * @throws Rejection  with the kernel's message
 */
export function checkArenas(program: Program): void {
  const arenas = arenasOf(program);
  if (arenas.length === 0) return;
  if (!isCapable(program, "cap_bpf") || !isCapable(program, "cap_perfmon")) {
    reject("EPERM", "CAP_BPF and CAP_PERFMON are required to use arena");
  }
  if (arenas.length > 1) reject("EBUSY", "Only one arena per program");
}
