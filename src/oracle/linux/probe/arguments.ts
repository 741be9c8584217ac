/** What the pointers among the arguments are of whatever programs attach to: the kernel lists by name those that may be null. */
import type { Btf } from "../../../object/btf.ts";
import type { BtfKind } from "../../../object/btf-types.ts";
import type { ArgumentFacts, ArgumentPointer } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { readAt } from "./contexts.ts";
import { type Kind, loadable } from "./program.ts";

interface Family {
  readonly attach: "trace_raw_tp" | "trace_iter";
  readonly kind: BtfKind;
  readonly prefix: string;
}

/** What is in the kernel's BTF under names that begin so. */
const FAMILIES: readonly Family[] = [
  { attach: "trace_raw_tp", kind: "typedef", prefix: "btf_trace_" },
  { attach: "trace_iter", kind: "func", prefix: "bpf_iter_" },
];

/** Of each attach type, by the target's name and the argument's number what differs from the usual. */
export function* probeArgumentPointers(
  kernel: Kernel,
  btf: Btf,
): Ask<Partial<Record<Family["attach"], ArgumentFacts>>> {
  const found = yield* all(FAMILIES.map((family) => probeFamily(kernel, btf, family)));
  return Object.fromEntries(
    found.flatMap((facts, i) => (facts === undefined ? [] : [[FAMILIES[i]?.attach ?? "", facts]])),
  );
}

function* probeFamily(kernel: Kernel, btf: Btf, family: Family): Ask<ArgumentFacts | undefined> {
  const found = yield* all(
    targetsOf(btf, family).map(function* ({
      id,
      name,
      count,
    }): Ask<(readonly [name: string, index: number, given: ArgumentPointer])[]> {
      const kind = yield* loadable(kernel, { type: "tracing", attach: family.attach, target: id });
      if (kind === undefined) return [];
      const places = Array.from({ length: count }, (_, index) => index);
      const given = yield* all(places.map((index) => pointerAt(kernel, kind, index)));
      return given.flatMap((each, index) => (each === undefined ? [] : [[name, index, each] as const]));
    }),
  );
  const pointers = found.flat();
  const counts = new Map<string, number>();
  for (const [, , given] of pointers) {
    counts.set(JSON.stringify(given), (counts.get(JSON.stringify(given)) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const usual = pointers.find(([, , given]) => JSON.stringify(given) === most?.[0])?.[2];
  if (usual === undefined) return undefined;
  const others: Record<string, Record<string, ArgumentPointer>> = {};
  for (const [name, index, given] of pointers) {
    if (JSON.stringify(given) !== JSON.stringify(usual)) others[name] = { ...others[name], [index]: given };
  }
  return { usual, others };
}

/** What an argument is if it is a pointer that programs may follow. */
function* pointerAt(kernel: Kernel, kind: Kind, index: number): Ask<ArgumentPointer | undefined> {
  const given = yield* readAt(kernel, kind, 8 * index, 8);
  if (given?.value !== "btf_id" && given?.value !== "buffer") return undefined;
  const { value, flags } = given;
  return { value, ...(flags === undefined ? {} : { flags }) };
}

/** The targets by their ids, with the number of arguments that programs see. */
function targetsOf(
  btf: Btf,
  { kind, prefix }: Family,
): readonly { readonly id: number; readonly name: string; readonly count: number }[] {
  const targets: { id: number; name: string; count: number }[] = [];
  for (let id = 1; id < btf.count; id += 1) {
    const type = btf.type(id);
    if (type.kind !== kind || !("name" in type) || !type.name.startsWith(prefix)) continue;
    const count = argumentCount(btf, id);
    if (count !== undefined) targets.push({ id, name: type.name.slice(prefix.length), count });
  }
  return targets;
}

function argumentCount(btf: Btf, id: number): number | undefined {
  let { type } = btf.resolve(id);
  // The first parameter of a tracepoint's function is not the program's.
  const hidden = type.kind === "func" ? 0 : 1;
  if (type.kind === "func" || type.kind === "ptr") ({ type } = btf.resolve(type.type));
  return type.kind === "func_proto" ? type.params.length - hidden : undefined;
}
