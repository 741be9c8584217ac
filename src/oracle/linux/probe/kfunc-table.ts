/** The kernel functions of a profile, and the groups of those who may call them. */
import type { Btf } from "../../../object/btf.ts";
import type { KfuncFacts, Profile } from "../../../semantics/profile/profile.ts";
import { PROGRAM_TYPES } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { all, answer, type ProbeProgress } from "./ask.ts";
import { flagsOf, kfuncPrototype, mayCall } from "./kfuncs.ts";
import type { Kind } from "./program.ts";

/** A kind by its name in `Profile.programs`. */
interface NamedKind {
  readonly kind: Kind;
  readonly name: string;
}

/**
 * Asks for each function and each kind whether programs of the kind may call it.
 *
 * @param sets  by BTF id, the flags of the function
 */
export function kfuncTable(
  kernel: Kernel,
  btf: Btf,
  sets: ReadonlyMap<number, number>,
  learnt: readonly NamedKind[],
  progress: ProbeProgress,
): Pick<Profile, "callers" | "kfuncs"> {
  const ids = [...sets.keys()];
  const named = new Map<number, string[]>(ids.map((id) => [id, []]));
  learnt.forEach(({ kind, name }, index) => {
    progress("kernel functions", index, learnt.length);
    const able = answer(kernel, all(ids.map((id) => mayCall(kernel, kind, id))));
    ids.forEach((id, i) => {
      if (able[i] === true) named.get(id)?.push(name);
    });
  });
  const functions = [...sets]
    .flatMap(([id, bits]) => {
      const names = named.get(id) ?? [];
      const prototype = names.length === 0 ? undefined : kfuncPrototype(btf, id);
      if (prototype === undefined) return [];
      return [
        { name: btf.name(id), flags: flagsOf(bits, sets), ...prototype, group: together(learnt, names) },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const groups = new Map<string, readonly string[]>(functions.map(({ group }) => [group.join(" "), group]));
  const places = [...groups.keys()];
  return {
    callers: [...groups.values()],
    kfuncs: functions.map(
      ({ group, ...facts }): KfuncFacts => ({ ...facts, callers: places.indexOf(group.join(" ")) }),
    ),
  };
}

/** Types of which all kinds are among the names, and the other names. */
function together(learnt: readonly NamedKind[], names: readonly string[]): string[] {
  return PROGRAM_TYPES.flatMap((type) => {
    const of = learnt.filter(({ kind }) => kind.type === type).map(({ name }) => name);
    const here = of.filter((name) => names.includes(name));
    return here.length > 0 && here.length === of.length ? [type] : here;
  });
}
