/** The kinds of programs that are generated: those that the machine runs, each as often as it is wanted, and what they may do by the newest kernel's profile. */
import { helperCallingBack } from "../../semantics/helpers/callbacks.ts";
import { helperId } from "../../semantics/helpers/names.ts";
import { defaultProfile } from "../../semantics/profile/default.ts";
import { helperCall, idsOf, kfuncFacts, mayCallKfunc, programFacts } from "../../semantics/profile/lookup.ts";
import type { Context, ContextField, ProgramFacts, Prototype } from "../../semantics/profile/profile.ts";
import type { MapType } from "../../semantics/program/map-types.ts";
import type { AttachType, LoadFlag, ProgramType } from "../../semantics/program/program-types.ts";
import { HELPERS_BY_ID } from "../../vm/helpers/table.ts";

export interface Kind {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly flags: readonly LoadFlag[];
}

const kind = (weight: number, type: ProgramType, attach?: AttachType, flags: readonly LoadFlag[] = []) =>
  ({ weight, type, ...(attach === undefined ? {} : { attach }), flags }) as const;

const WEIGHTED = [
  kind(20, "xdp"),
  kind(20, "sched_cls"),
  kind(5, "socket_filter"),
  kind(2, "sched_act"),
  kind(3, "cgroup_skb", "cgroup_inet_egress"),
  kind(1, "lwt_in"),
  kind(1, "lwt_out"),
  kind(2, "lwt_xmit"),
  kind(2, "flow_dissector"),
  kind(2, "sk_lookup", "sk_lookup"),
  kind(3, "kprobe"),
  kind(2, "tracepoint"),
  kind(2, "perf_event"),
  kind(2, "raw_tracepoint"),
  kind(1, "raw_tracepoint_writable"),
  kind(3, "syscall", undefined, ["sleepable"]),
  kind(1, "cgroup_device", "cgroup_device"),
  kind(1, "cgroup_sock", "cgroup_inet4_post_bind"),
  kind(1, "cgroup_sock_addr", "cgroup_inet4_connect"),
  kind(1, "cgroup_sock_addr", "cgroup_udp6_sendmsg"),
  kind(1, "cgroup_sockopt", "cgroup_getsockopt"),
  kind(1, "cgroup_sockopt", "cgroup_setsockopt"),
  kind(1, "cgroup_sysctl", "cgroup_sysctl"),
  kind(2, "sock_ops"),
] as const;

/** Each kind as often as it is wanted. */
export const KINDS: readonly Kind[] = WEIGHTED.flatMap(({ weight, ...rest }) =>
  Array.from({ length: weight }, () => rest),
);

/** A helper that programs of a kind may call and that the machine has. */
export interface Callable {
  readonly id: number;
  readonly name: string;
  readonly prototype: Prototype;
  /** The types that its map may have; undefined if it takes none. */
  readonly maps: readonly MapType[] | undefined;
  readonly changesPacket: boolean;
}

/** What a kind of programs may do. */
export interface Abilities {
  readonly facts: ProgramFacts;
  readonly context: Context | undefined;
  /** Numbers in the context that may be read, and those that may be written. */
  readonly readable: readonly ContextField[];
  readonly writable: readonly ContextField[];
  /** Where the context has pointers to the packet. */
  readonly data: ContextField | undefined;
  readonly end: ContextField | undefined;
  readonly meta: ContextField | undefined;
  readonly socket: ContextField | undefined;
  readonly helpers: ReadonlyMap<string, Callable>;
  /** Whether the kind may have maps with spin locks. */
  readonly mayLock: boolean;
  /** Whether programs of the kind may call a function of the kernel. */
  readonly mayCall: (kfunc: string) => boolean;
}

/** Programs that may not have spin locks, whatever their helpers are. */
const WITHOUT_LOCKS: ReadonlySet<ProgramType> = new Set([
  "socket_filter",
  "kprobe",
  "tracepoint",
  "perf_event",
  "raw_tracepoint",
  "raw_tracepoint_writable",
]);

const known = new Map<Kind, Abilities>();

/** By the newest kernel. */
export function abilitiesOf(of: Kind): Abilities {
  let found = known.get(of);
  if (found === undefined) {
    found = abilities(of);
    known.set(of, found);
  }
  return found;
}

function abilities(of: Kind): Abilities {
  const profile = defaultProfile();
  const facts = programFacts(profile, of);
  if (facts === undefined) throw new Error(`the newest kernel loads no ${of.type} programs`);
  const context = facts.context === undefined ? undefined : profile.contexts[facts.context];
  const fields = context?.fields ?? [];
  const pointer = (value: ContextField["value"]): ContextField | undefined =>
    fields.find((field) => field.value === value && field.reads.length > 0);
  const numbers = fields.filter(({ value }) => value === "scalar");
  const callable = new Map<string, boolean>();
  return {
    facts,
    context,
    readable: numbers.filter(({ reads }) => reads.length > 0),
    writable: numbers.filter(({ writes }) => writes.length > 0),
    data: pointer("packet"),
    end: pointer("packet_end"),
    meta: pointer("packet_meta"),
    socket: pointer("socket") ?? pointer("sock_common"),
    helpers: helpersOf(facts, of.flags.includes("sleepable")),
    mayLock: !WITHOUT_LOCKS.has(of.type),
    mayCall(name) {
      let may = callable.get(name);
      if (may === undefined) {
        const kfunc = kfuncFacts(profile, name);
        may = kfunc !== undefined && mayCallKfunc(profile, facts, kfunc);
        callable.set(name, may);
      }
      return may;
    },
  };
}

/** The machine has these for the kernel's own variables, which no program here has, and not for objects. */
const OF_PROCESSORS: ReadonlySet<number | undefined> = new Set([
  helperId("per_cpu_ptr"),
  helperId("this_cpu_ptr"),
]);

/** Whether the machine has the helper for what is drawn here. */
const isModelled = (id: number): boolean =>
  (HELPERS_BY_ID[id] !== undefined && !OF_PROCESSORS.has(id)) || helperCallingBack(id) !== undefined;

function helpersOf(facts: ProgramFacts, maySleep: boolean): ReadonlyMap<string, Callable> {
  const profile = defaultProfile();
  const found = new Map<string, Callable>();
  for (const id of [...idsOf(facts.helpers.everybody), ...idsOf(facts.helpers.gplOnly)]) {
    const call = helperCall(profile, facts, id);
    if (call?.prototype === undefined || !isModelled(id)) continue;
    if (call.prototype.sleeps === true && !maySleep) continue;
    const without = [...(facts.mapsWithout?.[id] ?? []), ...(facts.forbiddenMaps ?? [])];
    found.set(call.helper.name, {
      id,
      name: call.helper.name,
      prototype: call.prototype,
      maps: call.helper.maps?.filter((type) => !without.includes(type)),
      changesPacket: call.helper.changesPacket === true,
    });
  }
  return found;
}
