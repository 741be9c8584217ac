/**
 * What a process is allowed, as far as bpf(2) asks: its capabilities, and whether the kernel lets processes without any make objects at all
 * (the setting kernel.unprivileged_bpf_disabled). Linux asks in the order in which the commands here do.
 */
import { MAP_FLAGS, type MapType } from "../semantics/program/map-types.ts";
import { type Capability, isCapable } from "../semantics/program/privileges.ts";
import { EPERM } from "../vm/errno.ts";

/** `kernel.unprivileged_bpf_disabled`: with 0 processes without `cap_bpf` may make maps and programs of some types; 1 cannot be taken back. */
export type UnprivilegedBpfDisabled = 0 | 1 | 2;

/** Whose capabilities are asked for. */
export interface Privileged {
  capabilities: readonly Capability[];
}

/** Whether a process has a capability; `cap_sys_admin` stands for the others. */
export const may = ({ capabilities }: Privileged, capability: Capability): boolean =>
  capability === "cap_sys_admin"
    ? capabilities.includes(capability)
    : isCapable({ privileges: capabilities }, capability);

/** Maps that everybody may make where anybody may. */
const FOR_ALL: ReadonlySet<MapType> = new Set([
  "array",
  "percpu_array",
  "prog_array",
  "perf_event_array",
  "cgroup_array",
  "array_of_maps",
  "hash",
  "percpu_hash",
  "hash_of_maps",
  "ringbuf",
  "user_ringbuf",
  "cgroup_storage",
  "percpu_cgroup_storage",
]);
/** Maps of the network. */
const FOR_NETWORK: ReadonlySet<MapType> = new Set(["sockmap", "sockhash", "devmap", "devmap_hash", "xskmap"]);

/** Whether a process may begin the hash function of a hash table from 0 (BPF_F_ZERO_SEED): 0 or -EPERM. */
export const zeroSeedAllowed = (process: Privileged, type: MapType, flags: number): number =>
  HASHES.has(type) && (flags & MAP_FLAGS.zero_seed) !== 0 && !may(process, "cap_sys_admin") ? EPERM : 0;

const HASHES: ReadonlySet<MapType> = new Set([
  "hash",
  "percpu_hash",
  "lru_hash",
  "lru_percpu_hash",
  "hash_of_maps",
]);

/** Whether a process may make maps of a type: 0 or -EPERM. */
export function mapCreationAllowed(
  process: Privileged,
  type: MapType,
  disabled: UnprivilegedBpfDisabled,
): number {
  if (disabled !== 0 && !may(process, "cap_bpf")) return EPERM;
  if (FOR_ALL.has(type)) return 0;
  return may(process, FOR_NETWORK.has(type) ? "cap_net_admin" : "cap_bpf") ? 0 : EPERM;
}
