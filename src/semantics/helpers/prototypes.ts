/**
 * Prototypes of the helpers that are modelled: what each argument must be and what comes back. Facts from the kernel's documentation of
 * the helpers (linux/bpf.h, bpf-helpers(7)).
 */
import { helperId } from "./names.ts";

export type ArgumentKind =
  | "context"
  /** A map itself; which types fit is in `maps`. */
  | "map"
  /** Initialised bytes, as many as the key (the value) of the map argument has. */
  | "key"
  | "value"
  /** Initialised bytes, as many as the size argument after it says. */
  | "bytes"
  | "bytes_or_null"
  /** As many bytes, which the helper fills. */
  | "bytes_out"
  /** The size of the argument before it, at least 1, or at least 0. */
  | "size"
  | "size_or_zero"
  | "anything";

export interface HelperPrototype {
  readonly name: string;
  readonly arguments: readonly ArgumentKind[];
  /** `nothing` leaves r0 unreadable. */
  readonly returns: "number" | "value_or_null" | "nothing";
  /** The map types that the map argument may have; any that a look-up works on, if not given. */
  readonly maps?: readonly string[];
  /** Whether the helper may move or resize the packet, so that pointers into it are stale afterwards. */
  readonly changesPacket?: true;
  /** Whether packet pointers may be passed as memory. */
  readonly packetMemory?: true;
}

const LOOKED_UP = ["array", "hash", "percpu_array", "percpu_hash", "lru_hash", "lru_percpu_hash"];

const PROTOTYPES: readonly HelperPrototype[] = [
  {
    name: "map_lookup_elem",
    arguments: ["map", "key"],
    returns: "value_or_null",
    maps: [...LOOKED_UP, "array_of_maps", "hash_of_maps"],
    packetMemory: true,
  },
  {
    name: "map_update_elem",
    arguments: ["map", "key", "value", "anything"],
    returns: "number",
    maps: LOOKED_UP,
    packetMemory: true,
  },
  {
    name: "map_delete_elem",
    arguments: ["map", "key"],
    returns: "number",
    maps: LOOKED_UP,
    packetMemory: true,
  },
  { name: "probe_read", arguments: ["bytes_out", "size_or_zero", "anything"], returns: "number" },
  { name: "probe_read_user", arguments: ["bytes_out", "size_or_zero", "anything"], returns: "number" },
  { name: "probe_read_kernel", arguments: ["bytes_out", "size_or_zero", "anything"], returns: "number" },
  { name: "ktime_get_ns", arguments: [], returns: "number" },
  { name: "ktime_get_boot_ns", arguments: [], returns: "number" },
  { name: "ktime_get_coarse_ns", arguments: [], returns: "number" },
  { name: "jiffies64", arguments: [], returns: "number" },
  // The format's own arguments, r3 to r5, are not checked.
  { name: "trace_printk", arguments: ["bytes", "size"], returns: "number" },
  { name: "get_prandom_u32", arguments: [], returns: "number" },
  { name: "get_smp_processor_id", arguments: [], returns: "number" },
  { name: "get_numa_node_id", arguments: [], returns: "number" },
  {
    name: "skb_store_bytes",
    arguments: ["context", "anything", "bytes", "size", "anything"],
    returns: "number",
    changesPacket: true,
  },
  {
    name: "l3_csum_replace",
    arguments: ["context", "anything", "anything", "anything", "anything"],
    returns: "number",
    changesPacket: true,
  },
  {
    name: "l4_csum_replace",
    arguments: ["context", "anything", "anything", "anything", "anything"],
    returns: "number",
    changesPacket: true,
  },
  { name: "tail_call", arguments: ["context", "map", "anything"], returns: "nothing", maps: ["prog_array"] },
  { name: "get_current_pid_tgid", arguments: [], returns: "number" },
  { name: "get_current_uid_gid", arguments: [], returns: "number" },
  { name: "get_current_comm", arguments: ["bytes_out", "size"], returns: "number" },
  { name: "redirect", arguments: ["anything", "anything"], returns: "number" },
  {
    name: "perf_event_output",
    arguments: ["context", "map", "anything", "bytes", "size_or_zero"],
    returns: "number",
    maps: ["perf_event_array"],
  },
  { name: "skb_load_bytes", arguments: ["context", "anything", "bytes_out", "size"], returns: "number" },
  {
    name: "csum_diff",
    arguments: ["bytes_or_null", "size_or_zero", "bytes_or_null", "size_or_zero", "anything"],
    returns: "number",
    packetMemory: true,
  },
  { name: "get_hash_recalc", arguments: ["context"], returns: "number" },
  { name: "skb_pull_data", arguments: ["context", "anything"], returns: "number", changesPacket: true },
  { name: "xdp_adjust_head", arguments: ["context", "anything"], returns: "number", changesPacket: true },
  { name: "xdp_adjust_meta", arguments: ["context", "anything"], returns: "number", changesPacket: true },
  { name: "xdp_adjust_tail", arguments: ["context", "anything"], returns: "number", changesPacket: true },
];

const BY_ID = new Map(PROTOTYPES.map((prototype) => [helperId(prototype.name), prototype]));

/** The prototype of a helper; `undefined` if it is not modelled. */
export const prototypeOf = (id: number): HelperPrototype | undefined => BY_ID.get(id);
