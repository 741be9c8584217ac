/** The maps that are tried, by type: sizes, flags, keys and values that meet one another often. */
import { KEY_TYPE, LOCK_VALUE, VALUE_TYPE } from "../../src/oracle/linux/probe/types.ts";
import { MAP_FLAGS, type MapDefinition, type MapType } from "../../src/semantics/program/map-types.ts";
import { creationError } from "../../src/vm/maps/creation.ts";
import { INNER, type Reference } from "./map-references.ts";

const shape = (
  type: MapType,
  keySize: number,
  valueSize: number,
  maxEntries: number,
  flags = 0,
  rest: Partial<MapDefinition> = {},
): MapDefinition => ({ name: "m", type, keySize, valueSize, maxEntries, flags, ...rest });

const {
  zero_seed,
  no_prealloc,
  no_common_lru,
  rdonly,
  wronly,
  rdonly_prog,
  wronly_prog,
  inner_map,
  mmapable,
} = MAP_FLAGS;
const LOCK: Partial<MapDefinition> = {
  fields: [{ kind: "spin_lock", offset: 8 }],
  btfKey: KEY_TYPE,
  btfValue: LOCK_VALUE,
};
const TYPED: Partial<MapDefinition> = { btfKey: KEY_TYPE, btfValue: VALUE_TYPE };
const HELD: Partial<MapDefinition> = { inner: INNER };

const hashes = (type: "hash" | "percpu_hash"): readonly MapDefinition[] => [
  shape(type, 4, 8, 4, zero_seed),
  shape(type, 4, 12, 3, zero_seed | no_prealloc),
  shape(type, 1, 1, 7, zero_seed),
  shape(type, 13, 24, 5, zero_seed | no_prealloc),
  shape(type, 24, 3, 4),
  shape(type, 4, 8, 4, zero_seed | rdonly_prog),
  shape(type, 4, 8, 4, zero_seed | wronly_prog),
];

const lru = (type: "lru_hash" | "lru_percpu_hash"): readonly MapDefinition[] => [
  shape(type, 4, 8, 4, zero_seed),
  shape(type, 4, 8, 3),
  shape(type, 8, 12, 6, no_common_lru),
];

const BASIC: { readonly [type in MapType]?: readonly MapDefinition[] } = {
  array: [
    shape("array", 4, 8, 4),
    shape("array", 4, 13, 3, mmapable),
    shape("array", 4, 1, 1),
    shape("array", 4, 8, 4, rdonly_prog),
    shape("array", 4, 8, 4, wronly_prog),
    shape("array", 4, 8, 4, inner_map),
    shape("array", 4, 16, 3, 0, LOCK),
  ],
  percpu_array: [
    shape("percpu_array", 4, 8, 4),
    shape("percpu_array", 4, 12, 3),
    shape("percpu_array", 4, 1, 2),
  ],
  hash: [
    ...hashes("hash"),
    shape("hash", 4, 16, 3, zero_seed, LOCK),
    shape("hash", 4, 16, 3, zero_seed | no_prealloc, LOCK),
  ],
  percpu_hash: hashes("percpu_hash"),
  lru_hash: lru("lru_hash"),
  lru_percpu_hash: lru("lru_percpu_hash"),
  lpm_trie: [
    shape("lpm_trie", 8, 4, 6, no_prealloc),
    shape("lpm_trie", 5, 1, 3, no_prealloc),
    shape("lpm_trie", 7, 9, 20, no_prealloc),
    shape("lpm_trie", 8, 4, 6, no_prealloc | rdonly_prog),
  ],
  queue: [shape("queue", 0, 8, 3), shape("queue", 0, 5, 1)],
  stack: [shape("stack", 0, 8, 3), shape("stack", 0, 5, 1)],
  bloom_filter: [
    shape("bloom_filter", 0, 4, 3, zero_seed),
    shape("bloom_filter", 0, 7, 40, zero_seed, { extra: 1 }),
    shape("bloom_filter", 0, 13, 100, zero_seed, { extra: 9 }),
  ],
  ringbuf: [shape("ringbuf", 0, 0, 4096), shape("ringbuf", 0, 0, 8192)],
  user_ringbuf: [shape("user_ringbuf", 0, 0, 4096)],
  stack_trace: [shape("stack_trace", 4, 64, 3)],
  array_of_maps: [shape("array_of_maps", 4, 4, 3, 0, HELD)],
  hash_of_maps: [
    shape("hash_of_maps", 4, 4, 3, zero_seed, HELD),
    shape("hash_of_maps", 9, 4, 2, zero_seed | no_prealloc, HELD),
  ],
  prog_array: [shape("prog_array", 4, 4, 3)],
  perf_event_array: [shape("perf_event_array", 4, 4, 3)],
  cgroup_array: [shape("cgroup_array", 4, 4, 3)],
  devmap: [shape("devmap", 4, 4, 3), shape("devmap", 4, 8, 3)],
  devmap_hash: [shape("devmap_hash", 4, 4, 3), shape("devmap_hash", 4, 8, 2)],
  cpumap: [shape("cpumap", 4, 4, 3), shape("cpumap", 4, 8, 2)],
  xskmap: [shape("xskmap", 4, 4, 3)],
  sockmap: [shape("sockmap", 4, 8, 3), shape("sockmap", 4, 4, 3)],
  sockhash: [shape("sockhash", 4, 8, 2), shape("sockhash", 9, 4, 3)],
  reuseport_sockarray: [shape("reuseport_sockarray", 4, 8, 3), shape("reuseport_sockarray", 4, 4, 3)],
  task_storage: [shape("task_storage", 4, 8, 0, no_prealloc, TYPED)],
  sk_storage: [shape("sk_storage", 4, 8, 0, no_prealloc, TYPED)],
  inode_storage: [shape("inode_storage", 4, 8, 0, no_prealloc, TYPED)],
  cgrp_storage: [shape("cgrp_storage", 4, 8, 0, no_prealloc, TYPED)],
  cgroup_storage: [shape("cgroup_storage", 16, 8, 0), shape("cgroup_storage", 8, 8, 0)],
  percpu_cgroup_storage: [shape("percpu_cgroup_storage", 16, 8, 0)],
  arena: [shape("arena", 0, 0, 2, mmapable, { extra: 2 ** 32 })],
};

/** What the kernel has in such a map has to be looked up and deleted by the test at times. */
export const isSettled = ({ type }: MapDefinition): boolean => /^(sock|xsk|reuseport|lru)/.test(type);

/** As they are, and each type's first one for user space that may only read, or only write. */
export const SHAPES: { readonly [type in MapType]?: readonly MapDefinition[] } = Object.fromEntries(
  Object.entries(BASIC).map(([type, [first, ...rest]]) => {
    const restricted = [rdonly, wronly].flatMap((flag) => {
      const one = first === undefined ? undefined : { ...first, flags: first.flags | flag };
      return one !== undefined && !isSettled(one) && creationError(one) === 0 ? [one] : [];
    });
    return [type, [...(first === undefined ? [] : [first]), ...rest, ...restricted]];
  }),
);

/** Types whose values are descriptors, by what they refer to; the others of the pool are errors. */
const REFER: { readonly [type in MapType]?: string } = {
  array_of_maps: "values",
  hash_of_maps: "values",
  prog_array: "program",
  perf_event_array: "perf_event",
  cgroup_array: "cgroup",
  xskmap: "socket",
  sockmap: "socket",
  sockhash: "socket",
  reuseport_sockarray: "socket",
};
const OWNERS: { readonly [type in MapType]?: string } = {
  task_storage: "task",
  sk_storage: "socket",
  inode_storage: "inode",
  cgrp_storage: "cgroup",
};

/** A descriptor that is not open. */
const CLOSED = 54_321;

/** A descriptor: mostly of the right kind. */
function descriptorOf(pool: readonly Reference[], kind: string | undefined, n: number): number {
  if (n % 8 === 7) return n % 16 === 7 ? CLOSED : (pool[(n >> 4) % pool.length]?.fd ?? CLOSED);
  const right = pool.filter(({ referent }) => referent.kind === kind);
  return right[n % Math.max(1, right.length)]?.fd ?? CLOSED;
}

const little = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : 0));

/** Key number `n` (0 … 255, few of which differ) of a map. */
export function keyOf(
  { type, keySize, maxEntries }: MapDefinition,
  pool: readonly Reference[],
  n: number,
): Uint8Array {
  const owner = OWNERS[type];
  if (owner !== undefined) return little(descriptorOf(pool, owner, n), keySize);
  if (type.includes("cgroup_storage")) {
    const group = pool.find(({ referent }) => referent.kind === "cgroup")?.referent.inode ?? 1n;
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, n % 8 === 7 ? BigInt(n) : group, true);
    return bytes.subarray(0, keySize);
  }
  if (type === "lpm_trie") {
    const length = n % 16 === 15 ? 8 * keySize : Math.min(n % 5, 3) * 7 + (n % 3);
    return Uint8Array.from({ length: keySize }, (_, i) =>
      i < 4 ? (little(length, 4)[i] ?? 0) : (n * 0x5b + i) & 0x91,
    );
  }
  const few = n % 16 === 15 ? 0xffff_ffff : n % (maxEntries + 2);
  return Uint8Array.from({ length: keySize }, (_, i) =>
    i < 4 ? (little(few, 4)[i] ?? 0) : (few * 7 + i) & 0xff,
  );
}

/** Bytes for one or several values: what pads those of per-CPU maps stays 0, since it is not anybody's to rely on. */
export function valueOf(
  definition: MapDefinition,
  pool: readonly Reference[],
  size: number,
  n: number,
): Uint8Array {
  const { type, valueSize } = definition;
  const kind = REFER[type];
  if (kind !== undefined) return little(descriptorOf(pool, kind, n), size);
  if (type.startsWith("devmap") || type === "cpumap") {
    const number = type === "cpumap" ? [192, 20_000, 0, 5][n % 4] : [1, 99, 0, 1][n % 4];
    const bytes = little(number ?? 0, size);
    const program = n % 3 === 0 ? descriptorOf(pool, "program", n >> 2) : 0;
    if (size === 8) bytes.set(little(program, 4), 4);
    return bytes;
  }
  const stride = Math.ceil(valueSize / 8) * 8;
  return Uint8Array.from({ length: size }, (_, i) => {
    const isPadding = size !== valueSize && i % stride >= valueSize;
    return isPadding ? 0 : ((n % 4) * 16 + i + 1) & 0xff;
  });
}
