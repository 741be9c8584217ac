/**
 * In what the targets differ that programs attach to: the kernel lists by name those of which arguments may be null, and hooks that want other results or
 * are closed to programs.
 */
import type { Btf } from "../../../object/btf.ts";
import type { BtfKind } from "../../../object/btf-types.ts";
import type { ArgumentPointer, TargetFacts, TargetReturns } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { readAt } from "./contexts.ts";
import { probeReturns } from "./permissions.ts";
import { type Kind, load, loadable } from "./program.ts";

interface Family {
  readonly type: "tracing" | "lsm";
  readonly attach: "trace_raw_tp" | "trace_iter" | "lsm_mac" | "lsm_cgroup";
  readonly kind: BtfKind;
  readonly prefix: string;
}

/** What is in the kernel's BTF under names that begin so. */
const FAMILIES: readonly Family[] = [
  { type: "tracing", attach: "trace_raw_tp", kind: "typedef", prefix: "btf_trace_" },
  { type: "tracing", attach: "trace_iter", kind: "func", prefix: "bpf_iter_" },
  { type: "lsm", attach: "lsm_mac", kind: "func", prefix: "bpf_lsm_" },
  { type: "lsm", attach: "lsm_cgroup", kind: "func", prefix: "bpf_lsm_" },
];

/** Of each attach type, by the target's name and the argument's number what differs from the usual. */
export function* probeTargets(kernel: Kernel, btf: Btf): Ask<Partial<Record<Family["attach"], TargetFacts>>> {
  const found = yield* all(FAMILIES.map((family) => probeFamily(kernel, btf, family)));
  return Object.fromEntries(
    found.flatMap((facts, i) => (facts === undefined ? [] : [[FAMILIES[i]?.attach ?? "", facts]])),
  );
}

/** What is learnt of one target. */
interface Learnt {
  readonly name: string;
  /** What the kernel says that it points to, if it refuses all programs for it. */
  readonly refused?: string;
  readonly returns?: TargetReturns;
  readonly pointers: readonly (ArgumentPointer | undefined)[];
}

/** The kernel's words of a target that no program may have. */
const REFUSED = /points to (disabled hook|wrong type name) /;

function* probeFamily(kernel: Kernel, btf: Btf, family: Family): Ask<TargetFacts | undefined> {
  const found = (yield* all(targetsOf(btf, family).map((target) => learn(kernel, family, target)))).flatMap(
    (learnt) => learnt ?? [],
  );
  const usual = mostFrequent(found.flatMap(({ pointers }) => pointers.flatMap((each) => each ?? [])));
  if (usual === undefined) return undefined;
  const usualReturns = mostFrequent(found.flatMap(({ returns }) => (returns === undefined ? [] : [returns])));
  const others: Record<string, Record<string, ArgumentPointer>> = {};
  const returns: Record<string, TargetReturns> = {};
  const refused: Record<string, string> = {};
  for (const each of found) {
    if (each.refused !== undefined) refused[each.name] = each.refused;
    if (each.returns !== undefined && !isSame(each.returns, usualReturns)) returns[each.name] = each.returns;
    each.pointers.forEach((given, index) => {
      if (given === undefined || isSame(given, usual)) return;
      others[each.name] = { ...others[each.name], [index]: given };
    });
  }
  return {
    known: found.flatMap(({ name, refused: why }) => (why === undefined ? [name] : [])).join(" "),
    usual,
    others,
    ...(Object.keys(returns).length === 0 ? {} : { returns }),
    ...(Object.keys(refused).length === 0 ? {} : { refused }),
  };
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(JSON.stringify(value), (counts.get(JSON.stringify(value)) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return values.find((value) => JSON.stringify(value) === most?.[0]);
}

/** Undefined for what is not a target at all. */
function* learn(
  kernel: Kernel,
  { type, attach }: Family,
  { id, name, count }: Target,
): Ask<Learnt | undefined> {
  const kind = yield* loadable(kernel, { type, attach, target: id });
  if (kind === undefined) {
    const { log } = yield* load(kernel, { type, attach, target: id, retval: 0 }, []);
    const refused = REFUSED.exec(log)?.[1];
    return refused === undefined ? undefined : { name, refused, pointers: [] };
  }
  const places = Array.from({ length: count }, (_, index) => index);
  const pointers = yield* all(places.map((index) => pointerAt(kernel, kind, index)));
  // What tracing programs return is the same for all targets.
  if (type === "tracing") return { name, pointers };
  return { name, returns: (yield* probeReturns(kernel, kind)) ?? "any", pointers };
}

/** What an argument is if it is a pointer that programs may follow. */
function* pointerAt(kernel: Kernel, kind: Kind, index: number): Ask<ArgumentPointer | undefined> {
  const given = yield* readAt(kernel, kind, 8 * index, 8);
  if (given?.value !== "btf_id" && given?.value !== "buffer") return undefined;
  const { value, flags } = given;
  return { value, ...(flags === undefined ? {} : { flags }) };
}

interface Target {
  readonly id: number;
  readonly name: string;
  /** Arguments that programs see. */
  readonly count: number;
}

function targetsOf(btf: Btf, { kind, prefix }: Family): readonly Target[] {
  const targets: Target[] = [];
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
