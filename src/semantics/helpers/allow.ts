/**
 * Which helpers a program may call. Linux decides by program type, in places by the expected attach type, by the program's license and by
 * whether it may sleep; the table is what one kernel answered (scripts/probe-kernel.ts).
 */
import { type AttachType, PROGRAM_TYPES, type ProgramType } from "../program/program-types.ts";
import { ALLOWED, SLEEPING } from "./allow-table.ts";

/** `everybody`: programs of any license. */
type Permission = "everybody" | "gpl_only" | "forbidden";

/** The licenses that the kernel takes as compatible with the GPL (include/linux/license.h; Documentation/process/license-rules.rst). */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
]);

export function isGplCompatible(license: string): boolean {
  return GPL_COMPATIBLE.has(license);
}

const expanded = new Map<string, ReadonlyMap<number, Permission>>();

/**
 * Whether a program of a type may call a helper, and under which license; `undefined` if nothing is known about the type.
 * @param attach the expected attach type; without one, the answer for the type's default.
 */
export function helperPermission(type: ProgramType, id: number, attach?: AttachType): Permission | undefined {
  const special = `${type}/${attach}`;
  const name = special in ALLOWED ? special : type;
  const row = ALLOWED[name];
  if (row === undefined) return undefined;
  let permissions = expanded.get(name);
  if (permissions === undefined) {
    const [everybody, gplOnly] = row;
    permissions = new Map([
      ...idsOf(everybody).map((allowed): [number, Permission] => [allowed, "everybody"]),
      ...idsOf(gplOnly).map((allowed): [number, Permission] => [allowed, "gpl_only"]),
    ]);
    expanded.set(name, permissions);
  }
  return permissions.get(id) ?? "forbidden";
}

/** `helperPermission` as a yes or no for programs under the GPL; no for a type that nothing is known about. */
export function helperAllowed(type: ProgramType, id: number, attach?: AttachType): boolean {
  const permission = helperPermission(type, id, attach);
  return permission === "everybody" || permission === "gpl_only";
}

/** Whether a helper is for programs with a GPL-compatible license only: in programs of the type, or without one in any. */
export function isGplOnly(id: number, type?: ProgramType): boolean {
  const types = type === undefined ? PROGRAM_TYPES : [type];
  return types.some((each) => helperPermission(each, id) === "gpl_only");
}

const SLEEPERS: ReadonlySet<number> = new Set(idsOf(SLEEPING));

/** Whether only a program that was loaded as sleepable may call the helper. */
export function helperSleeps(id: number): boolean {
  return SLEEPERS.has(id);
}

/** The ids in `1-3 7`. */
function idsOf(ranges: string): number[] {
  return ranges.split(" ").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return first === undefined || last === undefined
      ? []
      : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
