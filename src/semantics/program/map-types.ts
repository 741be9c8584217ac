/**
 * The map types of the kernel's `enum bpf_map_type`, by libbpf's names. The position is the number that bpf(2) takes.
 * Source: the kernel's user-space header linux/bpf.h, documented in Documentation/bpf/maps.rst.
 */
export const MAP_TYPES = [
  "unspec",
  "hash",
  "array",
  "prog_array",
  "perf_event_array",
  "percpu_hash",
  "percpu_array",
  "stack_trace",
  "cgroup_array",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "array_of_maps",
  "hash_of_maps",
  "devmap",
  "sockmap",
  "cpumap",
  "xskmap",
  "sockhash",
  "cgroup_storage",
  "reuseport_sockarray",
  "percpu_cgroup_storage",
  "queue",
  "stack",
  "sk_storage",
  "devmap_hash",
  "struct_ops",
  "ringbuf",
  "inode_storage",
  "task_storage",
  "bloom_filter",
  "user_ringbuf",
  "cgrp_storage",
  "arena",
  "insn_array",
  "rhash",
] as const;

export type MapType = (typeof MAP_TYPES)[number];

/** Bits of a map's `map_flags` (linux/bpf.h). */
export const MAP_FLAGS = {
  no_prealloc: 1 << 0,
  no_common_lru: 1 << 1,
  numa_node: 1 << 2,
  rdonly: 1 << 3,
  wronly: 1 << 4,
  stack_build_id: 1 << 5,
  zero_seed: 1 << 6,
  rdonly_prog: 1 << 7,
  wronly_prog: 1 << 8,
  clone: 1 << 9,
  mmapable: 1 << 10,
  preserve_elems: 1 << 11,
  inner_map: 1 << 12,
  token: 1 << 16,
  segv_on_fault: 1 << 17,
  no_user_conversion: 1 << 18,
} as const;

/** What lies in a map's value that BTF would tell: a lock, a timer, a pointer to a kernel object. */
export interface MapField {
  readonly kind: string;
  /** Byte offset in the value. */
  readonly offset: number;
  /** What a pointer points to, by name, and the id of that type in the program's own BTF. */
  readonly type?: string;
  readonly struct?: number;
  /** What a list or tree is made of: a structure, by its id, and where in it the links are, in bytes. */
  readonly node?: { readonly struct: number; readonly offset: number };
}

/** What the kernel keeps in values for programs, by `MapField.kind`: bytes, and the structure's name (linux/bpf.h). Others are not modelled. */
export const MAP_FIELDS: ReadonlyMap<string, { readonly size: number; readonly name: string }> = new Map([
  ["spin_lock", { size: 4, name: "bpf_spin_lock" }],
  ["res_spin_lock", { size: 4, name: "bpf_res_spin_lock" }],
  ["timer", { size: 16, name: "bpf_timer" }],
  ["workqueue", { size: 16, name: "bpf_wq" }],
  ["task_work", { size: 8, name: "bpf_task_work" }],
  ["list_head", { size: 16, name: "bpf_list_head" }],
  ["rb_root", { size: 16, name: "bpf_rb_root" }],
  ["kptr", { size: 8, name: "kptr" }],
  ["kptr_ref", { size: 8, name: "kptr" }],
  ["kptr_percpu", { size: 8, name: "kptr" }],
]);

/** A map as a program refers to it, before it exists anywhere. Sizes in bytes. */
export interface MapDefinition {
  readonly name: string;
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `map_flags` bits. */
  readonly flags: number;
  /** The shape of the maps that a map of maps holds. */
  readonly inner?: MapDefinition;
  /** Initial contents of element 0 (global data). */
  readonly data?: Uint8Array;
  /** User space may no longer write, so a program may rely on `data` (BPF_MAP_FREEZE). */
  readonly frozen?: boolean;
  readonly fields?: readonly MapField[];
  /** Type ids of key and value in the program's BTF. */
  readonly btfKey?: number;
  readonly btfValue?: number;
  /** `map_extra`: what a map type takes besides, e.g. the hashes of a bloom filter. */
  readonly extra?: number;
  /** What a map of maps or of programs holds at start, by name in the same object. */
  readonly holds?: readonly { readonly index: number; readonly name: string }[];
  /** libbpf's `pinning` attribute. */
  readonly pinning?: "none" | "by_name";
}
