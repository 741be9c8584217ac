/** What traces of attachments are made of: the programs, maps and devices that there are at the beginning, and the flags that are tried. */
import type { Operation } from "../../kernel/operation.ts";
import type { AttributeValue, BpfOperation } from "../../kernel/operations/bpf.ts";
import { MAP_TYPES, type MapType } from "../../semantics/program/map-types.ts";
import {
  ATTACH_TYPES,
  type AttachType,
  PROGRAM_TYPES,
  type ProgramType,
} from "../../semantics/program/program-types.ts";

export const AREAS = [
  "xdp",
  "tcx",
  "tc",
  "cgroup",
  "socket",
  "netns",
  "socket_map",
  "device_map",
  "event",
  "netfilter",
] as const;
export type Area = (typeof AREAS)[number];

export type Attributes = Readonly<Record<string, AttributeValue>>;
type Command = Extract<BpfOperation["command"], string>;
/** An operation whose process is still to be said. */
export type Act = Operation extends infer O ? (O extends Operation ? Omit<O, "process"> : never) : never;

/** `r0 = 1; exit`. */
const INSNS = { hex: "b7000000010000009500000000000000" };
export const EMPTY = { hex: "00".repeat(64) };
export const HOLE = 4_000_000_000;

export const bpf = (command: Command, attr: Attributes): Act => ({ do: "bpf", command, attr });
export const number = (attach: AttachType): number => ATTACH_TYPES.indexOf(attach);

/** `r0 = 2; exit`. */
const CONGESTED = { hex: "b7000000020000009500000000000000" };
/** `r1 = map of descriptor 5`, in front of that. */
const USES_MAP = { hex: `18110000050000000000000000000000${INSNS.hex}` };

function load(type: ProgramType, attach?: AttachType, more: Attributes = {}): Act {
  const expected = attach === undefined ? {} : { expected_attach_type: number(attach) };
  const attr = {
    prog_type: PROGRAM_TYPES.indexOf(type),
    insn_cnt: 2,
    insns: INSNS,
    license: { text: "GPL" },
  };
  return bpf("prog_load", { ...attr, ...expected, ...more });
}

const map = (type: MapType, valueSize = 4): Act =>
  bpf("map_create", {
    map_type: MAP_TYPES.indexOf(type),
    key_size: 4,
    value_size: valueSize,
    max_entries: 4,
  });

/** What a trace of an area begins with, and what is made again in it. */
export const OBJECTS: Readonly<Record<Area, readonly Act[]>> = {
  xdp: [
    load("xdp", "xdp"),
    load("xdp", "xdp"),
    load("xdp"),
    load("xdp", "xdp_devmap"),
    load("xdp", "xdp_cpumap"),
    load("sched_cls"),
  ],
  tcx: [load("sched_cls"), load("sched_cls"), load("sched_cls"), load("sched_cls"), load("xdp", "xdp")],
  tc: [load("sched_cls"), load("sched_cls"), load("sched_cls"), load("xdp", "xdp")],
  cgroup: [
    load("cgroup_skb", "cgroup_inet_ingress"),
    load("cgroup_skb", "cgroup_inet_ingress"),
    load("cgroup_skb", "cgroup_inet_egress"),
    load("cgroup_skb", "cgroup_inet_egress", { insns: CONGESTED }),
    load("cgroup_skb"),
    load("cgroup_sock"),
    load("cgroup_sock", "cgroup_inet4_post_bind"),
    load("cgroup_device"),
    load("sock_ops"),
  ],
  socket: [
    load("socket_filter"),
    load("socket_filter"),
    load("sk_reuseport", "sk_reuseport_select"),
    load("xdp", "xdp"),
  ],
  netns: [
    load("flow_dissector"),
    load("flow_dissector"),
    load("sk_lookup", "sk_lookup"),
    load("sk_lookup", "sk_lookup"),
    load("xdp", "xdp"),
  ],
  socket_map: [
    load("sk_skb"),
    load("sk_skb"),
    load("sk_skb", "sk_skb_verdict"),
    load("sk_msg", "sk_msg_verdict"),
    load("sk_msg"),
    map("sockmap"),
    map("sockmap", 8),
    map("sockhash", 8),
    map("reuseport_sockarray", 8),
    load("sk_skb", undefined, { insn_cnt: 4, insns: USES_MAP }),
    map("hash"),
  ],
  device_map: [
    load("xdp", "xdp_devmap"),
    load("xdp", "xdp_devmap"),
    load("xdp", "xdp_cpumap"),
    load("xdp", "xdp"),
    map("devmap", 8),
    map("devmap_hash", 8),
    map("cpumap", 8),
    map("devmap"),
  ],
  event: [
    load("perf_event"),
    load("perf_event"),
    load("raw_tracepoint"),
    load("raw_tracepoint"),
    load("xdp", "xdp"),
    load("tracepoint"),
    load("tracepoint"),
    load("kprobe"),
  ],
  netfilter: [
    load("netfilter", "netfilter"),
    load("netfilter", "netfilter"),
    load("netfilter", "netfilter"),
    load("flow_dissector"),
    load("sk_lookup", "sk_lookup"),
  ],
};

export const ATTACH: Readonly<Record<Area, readonly AttachType[]>> = {
  xdp: ["xdp", "xdp", "xdp", "xdp_devmap"],
  tcx: ["tcx_ingress", "tcx_ingress", "tcx_egress"],
  tc: ["tcx_ingress", "tcx_egress"],
  cgroup: [
    "cgroup_inet_ingress",
    "cgroup_inet_ingress",
    "cgroup_inet_egress",
    "cgroup_inet_sock_create",
    "cgroup_inet4_post_bind",
    "cgroup_device",
    "cgroup_sock_ops",
  ],
  socket: ["xdp"],
  netns: ["flow_dissector", "sk_lookup"],
  socket_map: ["sk_skb_stream_parser", "sk_skb_stream_verdict", "sk_skb_verdict", "sk_msg_verdict"],
  device_map: ["xdp"],
  event: ["perf_event"],
  netfilter: ["netfilter", "netfilter", "netfilter", "netfilter", "flow_dissector"],
};

/** Bits of attach flags (linux/bpf.h). */
export const F = {
  override: 1,
  multi: 2,
  replace: 4,
  before: 8,
  after: 16,
  id: 32,
  preorder: 64,
  link: 0x2000,
} as const;
export const LIST_FLAGS = [
  0,
  0,
  F.before,
  F.after,
  F.replace,
  F.before | F.id,
  F.after | F.id,
  F.before | F.link,
  F.after | F.link | F.id,
  F.replace | F.before,
  F.before | F.after,
  F.id,
  F.link,
];
export const CGROUP_FLAGS = [
  0,
  F.override,
  F.multi,
  F.multi,
  F.multi,
  F.multi | F.before,
  F.multi | F.after,
  F.multi | F.replace,
  F.multi | F.preorder,
  F.multi | F.preorder | F.before,
  F.before,
  F.multi | F.after | F.id,
  F.multi | F.before | F.id,
  F.multi | F.before | F.link,
];
export const CGROUP_LINK_FLAGS = [
  0,
  0,
  F.before,
  F.after,
  F.preorder,
  F.before | F.link,
  F.after | F.link | F.id,
  F.before | F.id,
];
export const XDP_LINK_FLAGS = [0, 0, 2, 4, 8, 6, 1];
export const XDP_FLAGS = [0, 0, 2, 4, 1, 3, 5, 16, 18, 20, 8];
export const PATHS = ["a", "a/b", "a/b/c", "d"];
export const PINS = ["/p", "/q"];

const PAIR: readonly Act[] = [
  { do: "veth_create", first: { name: "a", index: 10 }, second: { name: "b", index: 11 } },
  { do: "netns_open" },
];

/** What there is besides objects at the beginning. */
export const SCENES: Readonly<Partial<Record<Area, readonly Act[]>>> = {
  xdp: PAIR,
  tcx: PAIR,
  tc: PAIR,
  cgroup: [
    { do: "cgroup_create", path: "a" },
    { do: "cgroup_create", path: "a/b" },
    { do: "cgroup_open", path: "" },
    { do: "cgroup_open", path: "a" },
    { do: "cgroup_open", path: "a/b" },
  ],
  socket: [{ do: "socket" }],
  netns: [{ do: "netns_open" }],
  socket_map: [{ do: "socket" }, { do: "socket" }, { do: "socketpair" }, { do: "socket_bind", fd: 10 }],
  device_map: PAIR,
  event: [{ do: "perf_event_open" }, { do: "perf_event_open", tracepoint: "task/task_newtask" }],
  netfilter: [{ do: "netns_open" }],
};
