/**
 * What a program finds behind r1 when it starts: the layout of each program type's context, and which accesses Linux permits.
 *
 * A context is not memory: the kernel rewrites every access to a field into an access to a structure of its own. So an access is
 * judged by the field it lies in, and must be aligned to its own size; what lies in no field cannot be accessed. Offsets are those of linux/bpf.h
 * (`xdp_md`, `__sk_buff`, `bpf_perf_event_data`) and, for x86-64, asm/ptrace.h (`pt_regs`). The access rights are those that Linux 6.18 answers to
 * one small program for each offset, size and direction; a test compares them with the profile of that kernel.
 */
import type { Size } from "../isa/instruction.ts";
import type { AttachType, ProgramType } from "./program-types.ts";

/** What a load from the field gives. All but `scalar` are pointers (that the 32-bit packet fields load as 64-bit pointers is the kernel's rewriting). */
export type ContextFieldKind = "scalar" | "packet" | "packet_end" | "packet_meta" | "sock_common_or_null";

export interface ContextField {
  readonly name: string;
  /** Bytes from the start of the context. */
  readonly offset: number;
  /** Bytes; an array such as `cb` is one field. */
  readonly size: number;
  readonly kind: ContextFieldKind;
  /** Sizes in bytes that may be read: anywhere in the field where the access is aligned to its own size. */
  readonly reads: readonly Size[];
  /** The same for writes. */
  readonly writes: readonly Size[];
}

export interface ContextLayout {
  /** The structure's name in C. */
  readonly struct: string;
  /** Bytes. */
  readonly size: number;
  /** Sorted by offset, disjoint. */
  readonly fields: readonly ContextField[];
  /** What may be done through the pointers that the packet fields load. */
  readonly packet: "none" | "read" | "write";
}

const NONE: readonly Size[] = [];
const EXACT_4: readonly Size[] = [4];
const EXACT_8: readonly Size[] = [8];
const UP_TO_4: readonly Size[] = [1, 2, 4];
const UP_TO_8: readonly Size[] = [1, 2, 4, 8];

function field(
  name: string,
  offset: number,
  size: number,
  reads: readonly Size[],
  writes: readonly Size[] = NONE,
  kind: ContextFieldKind = "scalar",
): ContextField {
  return { name, offset, size, kind, reads, writes };
}

// --- XDP

const XDP_FIELDS = [
  field("data", 0, 4, EXACT_4, NONE, "packet"),
  field("data_end", 4, 4, EXACT_4, NONE, "packet_end"),
  field("data_meta", 8, 4, EXACT_4, NONE, "packet_meta"),
  field("ingress_ifindex", 12, 4, EXACT_4),
  field("rx_queue_index", 16, 4, EXACT_4),
];

const XDP: ContextLayout = { struct: "xdp_md", size: 24, fields: XDP_FIELDS, packet: "write" };

/** Programs in a device map know where the packet goes. */
const XDP_DEVMAP: ContextLayout = {
  ...XDP,
  fields: [...XDP_FIELDS, field("egress_ifindex", 20, 4, EXACT_4)],
};

// --- Socket buffers: one structure, and for each program type the fields it may read and write

const SK_BUFF_FIELDS = [
  field("len", 0, 4, UP_TO_4),
  field("pkt_type", 4, 4, UP_TO_4),
  field("mark", 8, 4, UP_TO_4, EXACT_4),
  field("queue_mapping", 12, 4, UP_TO_4, EXACT_4),
  field("protocol", 16, 4, UP_TO_4),
  field("vlan_present", 20, 4, UP_TO_4),
  field("vlan_tci", 24, 4, UP_TO_4),
  field("vlan_proto", 28, 4, UP_TO_4),
  field("priority", 32, 4, UP_TO_4, EXACT_4),
  field("ingress_ifindex", 36, 4, UP_TO_4),
  field("ifindex", 40, 4, UP_TO_4),
  field("tc_index", 44, 4, UP_TO_4, EXACT_4),
  field("cb", 48, 20, UP_TO_8, UP_TO_8),
  field("hash", 68, 4, UP_TO_4),
  field("tc_classid", 72, 4, UP_TO_4, EXACT_4),
  field("data", 76, 4, EXACT_4, NONE, "packet"),
  field("data_end", 80, 4, EXACT_4, NONE, "packet_end"),
  field("napi_id", 84, 4, UP_TO_4),
  field("family", 88, 4, UP_TO_4),
  field("remote_ip4", 92, 4, EXACT_4),
  field("local_ip4", 96, 4, EXACT_4),
  field("remote_ip6", 100, 16, EXACT_4),
  field("local_ip6", 116, 16, EXACT_4),
  field("remote_port", 132, 4, UP_TO_4),
  field("local_port", 136, 4, UP_TO_4),
  field("data_meta", 140, 4, EXACT_4, NONE, "packet_meta"),
  field("tstamp", 152, 8, EXACT_8, EXACT_8),
  field("wire_len", 160, 4, UP_TO_4),
  field("gso_segs", 164, 4, UP_TO_4),
  field("sk", 168, 8, EXACT_8, NONE, "sock_common_or_null"),
  field("gso_size", 176, 4, UP_TO_4),
  field("tstamp_type", 180, 1, [1]),
  field("hwtstamp", 184, 8, EXACT_8),
];

const SOCKET_FIELDS = [
  "family",
  "remote_ip4",
  "local_ip4",
  "remote_ip6",
  "local_ip6",
  "remote_port",
  "local_port",
];
const PACKET_FIELDS = ["data", "data_end"];

/** `__sk_buff` without the `hidden` fields, where only the `writable` ones may be written. */
function skBuff(
  hidden: readonly string[],
  writable: readonly string[],
  packet: ContextLayout["packet"],
): ContextLayout {
  const fields = SK_BUFF_FIELDS.filter(({ name }) => !hidden.includes(name)).map((f) =>
    writable.includes(f.name) ? f : { ...f, writes: NONE },
  );
  return { struct: "__sk_buff", size: 192, fields, packet };
}

const CLASSIFIER = skBuff(
  SOCKET_FIELDS,
  ["mark", "queue_mapping", "priority", "tc_index", "cb", "tc_classid", "tstamp"],
  "write",
);

const SOCKET_FILTER = skBuff(
  [
    ...SOCKET_FIELDS,
    ...PACKET_FIELDS,
    "tc_classid",
    "data_meta",
    "tstamp",
    "wire_len",
    "tstamp_type",
    "hwtstamp",
  ],
  ["cb"],
  "none",
);

const CGROUP_SKB = skBuff(
  ["tc_classid", "data_meta", "wire_len", "tstamp_type"],
  ["mark", "priority", "cb", "tstamp"],
  "read",
);

const LWT_HIDDEN = [
  ...SOCKET_FIELDS,
  "tc_classid",
  "data_meta",
  "tstamp",
  "wire_len",
  "tstamp_type",
  "hwtstamp",
];
const LWT_WRITABLE = ["mark", "priority", "cb"];
const LWT = skBuff(LWT_HIDDEN, LWT_WRITABLE, "read");
const LWT_XMIT = skBuff(LWT_HIDDEN, LWT_WRITABLE, "write");

const SK_SKB = skBuff(
  ["mark", "tc_classid", "data_meta", "tstamp", "wire_len", "tstamp_type", "hwtstamp"],
  ["priority", "tc_index"],
  "write",
);

// --- Tracing

/** x86-64's `struct pt_regs`: 21 registers of 8 bytes. */
const PT_REGS_SIZE = 168;

const KPROBE: ContextLayout = {
  struct: "pt_regs",
  size: PT_REGS_SIZE,
  fields: [field("regs", 0, PT_REGS_SIZE, UP_TO_8)],
  packet: "none",
};

/** The record's first 8 bytes belong to the kernel; how long a record is, only attaching tells. */
const TRACEPOINT: ContextLayout = {
  struct: "trace_entry",
  size: 8192,
  fields: [field("record", 8, 8184, UP_TO_8)],
  packet: "none",
};

const RAW_TRACEPOINT: ContextLayout = {
  struct: "bpf_raw_tracepoint_args",
  size: 96,
  fields: [field("args", 0, 96, UP_TO_8)],
  packet: "none",
};

const PERF_EVENT: ContextLayout = {
  struct: "bpf_perf_event_data",
  size: PT_REGS_SIZE + 16,
  fields: [
    field("regs", 0, PT_REGS_SIZE, EXACT_8),
    field("sample_period", PT_REGS_SIZE, 8, UP_TO_8),
    field("addr", PT_REGS_SIZE + 8, 8, UP_TO_8),
  ],
  packet: "none",
};

const LAYOUTS: { readonly [T in ProgramType]?: ContextLayout } = {
  socket_filter: SOCKET_FILTER,
  kprobe: KPROBE,
  sched_cls: CLASSIFIER,
  sched_act: CLASSIFIER,
  tracepoint: TRACEPOINT,
  xdp: XDP,
  perf_event: PERF_EVENT,
  cgroup_skb: CGROUP_SKB,
  lwt_in: LWT,
  lwt_out: LWT,
  lwt_xmit: LWT_XMIT,
  sk_skb: SK_SKB,
  raw_tracepoint: RAW_TRACEPOINT,
};

/** The context of a program type; `undefined` if it is not modelled. */
export function contextOf(type: ProgramType, attach?: AttachType): ContextLayout | undefined {
  if (type === "xdp" && attach === "xdp_devmap") return XDP_DEVMAP;
  return LAYOUTS[type];
}

/** The field that an access of `size` bytes at `offset` may touch, or `undefined` if Linux forbids the access. */
export function contextAccess(
  layout: ContextLayout,
  access: "read" | "write",
  offset: number,
  size: Size,
): ContextField | undefined {
  if (offset % size !== 0) return undefined;
  const found = layout.fields.find((f) => offset >= f.offset && offset + size <= f.offset + f.size);
  const sizes = access === "read" ? found?.reads : found?.writes;
  return sizes?.includes(size) === true ? found : undefined;
}
