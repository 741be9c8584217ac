/**
 * Which maps may be created: the sizes and flags that each type takes, and the error number for others, as Linux 6.18 answers BPF_MAP_CREATE to a process with all capabilities. How much
 * memory there is plays no part.
 */
import { MAP_FLAGS, type MapDefinition, type MapType } from "../../semantics/program/map-types.ts";
import { E2BIG, EINVAL, ENOTSUPP, ERANGE } from "../errno.ts";

const { rdonly, wronly, rdonly_prog, wronly_prog, numa_node, no_prealloc } = MAP_FLAGS;
const USER_ACCESS = rdonly | wronly;
const ACCESS = USER_ACCESS | rdonly_prog | wronly_prog;

/** The flags that a type takes. */
const FLAGS: { readonly [type in MapType]?: number } = {
  array: numa_node | ACCESS | MAP_FLAGS.mmapable | MAP_FLAGS.inner_map,
  percpu_array: ACCESS,
  hash: no_prealloc | numa_node | ACCESS | MAP_FLAGS.zero_seed,
  percpu_hash: no_prealloc | numa_node | ACCESS | MAP_FLAGS.zero_seed,
  lru_hash: no_prealloc | numa_node | ACCESS | MAP_FLAGS.zero_seed | MAP_FLAGS.no_common_lru,
  lru_percpu_hash: no_prealloc | numa_node | ACCESS | MAP_FLAGS.zero_seed | MAP_FLAGS.no_common_lru,
  lpm_trie: no_prealloc | numa_node | ACCESS,
  prog_array: numa_node | USER_ACCESS,
  perf_event_array: numa_node | USER_ACCESS | MAP_FLAGS.preserve_elems,
  cgroup_array: numa_node | USER_ACCESS,
  array_of_maps: numa_node | USER_ACCESS,
  hash_of_maps: no_prealloc | numa_node | ACCESS | MAP_FLAGS.zero_seed,
  queue: numa_node | ACCESS,
  stack: numa_node | ACCESS,
  bloom_filter: numa_node | ACCESS | MAP_FLAGS.zero_seed,
  ringbuf: numa_node,
  user_ringbuf: numa_node,
  stack_trace: numa_node | USER_ACCESS | MAP_FLAGS.stack_build_id,
  devmap: numa_node | USER_ACCESS,
  devmap_hash: numa_node | USER_ACCESS,
  cpumap: numa_node,
  xskmap: numa_node | USER_ACCESS,
  sockmap: numa_node | USER_ACCESS,
  sockhash: numa_node | USER_ACCESS,
  reuseport_sockarray: numa_node | ACCESS,
  cgroup_storage: numa_node | ACCESS,
  percpu_cgroup_storage: numa_node | ACCESS,
  task_storage: no_prealloc | MAP_FLAGS.clone,
  sk_storage: no_prealloc | MAP_FLAGS.clone,
  inode_storage: no_prealloc | MAP_FLAGS.clone,
  cgrp_storage: no_prealloc | MAP_FLAGS.clone,
  arena: MAP_FLAGS.mmapable | MAP_FLAGS.segv_on_fault | MAP_FLAGS.no_user_conversion,
};

/** The largest block of kmalloc, and of the allocator of per-CPU memory. */
const LARGEST = 2 ** 22;
const LARGEST_PER_CPU = 2 ** 15;
/** A value of storage that an owner has lies behind a header, with a length of 16 bits for both. */
const LARGEST_STORED = 2 ** 16 - 1 - 128;
/** How many processors a kernel is built for at most: few are built for as many. */
const MOST_PROCESSORS = 8192;
const INT_MAX = 2 ** 31 - 1;
const PAGE = 4096;
/** What the kernel keeps in front of an element of a hash table. */
const ELEMENT = 48;
/** How many frames a stack trace may have (the default of the setting kernel.perf_event_max_stack). */
const FRAMES = 127;
const BUILD_ID = 32;

type Check = (definition: MapDefinition) => number;

const wrong = (...conditions: readonly boolean[]): number => (conditions.includes(true) ? EINVAL : 0);

const has = ({ flags }: MapDefinition, flag: number): boolean => (flags & flag) !== 0;

const roundedUp = (size: number): number => Math.ceil(size / 8) * 8;

const isWord = (size: number): boolean => size === 4 || size === 8;

/** Arrays of values. */
const array: Check = ({ type, keySize, valueSize, maxEntries }) => {
  if (maxEntries === 0 || keySize !== 4 || valueSize === 0) return EINVAL;
  if (valueSize > INT_MAX) return E2BIG;
  return type === "percpu_array" && roundedUp(valueSize) > LARGEST_PER_CPU ? E2BIG : 0;
};

/** Arrays of what descriptors stand for. */
const slots: Check = (definition) => wrong(definition.valueSize !== 4) || array(definition);

const hash: Check = (definition) => {
  const { type, keySize, valueSize, maxEntries } = definition;
  if (type.startsWith("lru") && has(definition, no_prealloc)) return ENOTSUPP;
  const perCpu = type === "percpu_hash" || type === "lru_percpu_hash";
  if (has(definition, numa_node) && (perCpu || has(definition, MAP_FLAGS.no_common_lru))) return EINVAL;
  if (maxEntries === 0 || keySize === 0 || valueSize === 0) return EINVAL;
  if (keySize + valueSize >= LARGEST - ELEMENT) return E2BIG;
  return (perCpu && roundedUp(valueSize) > LARGEST_PER_CPU) || maxEntries > 2 ** 31 ? E2BIG : 0;
};

const trie: Check = (definition) =>
  wrong(
    definition.maxEntries === 0,
    !has(definition, no_prealloc),
    definition.keySize < 5 || definition.keySize > 260,
    definition.valueSize === 0 || definition.valueSize > LARGEST - 264 - ELEMENT,
  );

/** Before all else. */
const bloom: Check = (definition) => (definition.valueSize > LARGEST ? E2BIG : 0);

const keyless: Check = ({ keySize, valueSize, maxEntries }) => {
  if (maxEntries === 0 || keySize !== 0 || valueSize === 0) return EINVAL;
  return valueSize > LARGEST ? E2BIG : 0;
};

const ring: Check = ({ keySize, valueSize, maxEntries }) =>
  wrong(keySize !== 0 || valueSize !== 0, maxEntries < PAGE || !Number.isInteger(Math.log2(maxEntries)));

const stackTrace: Check = (definition) => {
  const { keySize, valueSize, maxEntries } = definition;
  const frame = has(definition, MAP_FLAGS.stack_build_id) ? BUILD_ID : 8;
  return wrong(
    maxEntries === 0 || keySize !== 4,
    valueSize < 8 || valueSize % frame !== 0 || valueSize / frame > FRAMES,
  );
};

/** Tables of devices, processors and sockets, where an index is a word. */
const references =
  (valueSizes: (size: number) => boolean): Check =>
  ({ keySize, valueSize, maxEntries }) =>
    wrong(maxEntries === 0 || keySize !== 4 || !valueSizes(valueSize));

const socketHash: Check = ({ keySize, valueSize, maxEntries }) => {
  if (maxEntries === 0 || keySize === 0 || !isWord(valueSize)) return EINVAL;
  return keySize > 512 ? E2BIG : 0;
};

/** Storage of owners: what lies in it must have types. */
const ownedStorage: Check = (definition) => {
  const { keySize, valueSize, maxEntries, btfKey = 0, btfValue = 0 } = definition;
  const problem = wrong(
    !has(definition, no_prealloc),
    maxEntries !== 0 || keySize !== 4 || valueSize === 0,
    btfKey === 0 || btfValue === 0,
  );
  return problem === 0 && valueSize > LARGEST_STORED ? E2BIG : problem;
};

/** Sizes before flags. */
const cgroupStorage: Check = ({ type, keySize, valueSize }) => {
  if ((keySize !== 8 && keySize !== 16) || valueSize === 0) return EINVAL;
  return valueSize > (type === "percpu_cgroup_storage" ? LARGEST_PER_CPU : LARGEST_STORED) ? E2BIG : 0;
};

const noEntries: Check = ({ maxEntries }) => wrong(maxEntries !== 0);

const arena: Check = (definition) => {
  const { keySize, valueSize, maxEntries, extra = 0 } = definition;
  const size = maxEntries * PAGE;
  if (keySize !== 0 || valueSize !== 0 || maxEntries === 0) return EINVAL;
  if (!has(definition, MAP_FLAGS.mmapable) || extra % PAGE !== 0) return EINVAL;
  if (size > 2 ** 32) return E2BIG;
  return Math.floor(extra / 2 ** 32) === Math.floor((extra + size - 1) / 2 ** 32) ? 0 : ERANGE;
};

const CHECKS: { readonly [type in MapType]?: Check } = {
  array,
  percpu_array: array,
  hash,
  percpu_hash: hash,
  lru_hash: hash,
  lru_percpu_hash: hash,
  lpm_trie: trie,
  prog_array: slots,
  perf_event_array: slots,
  cgroup_array: slots,
  array_of_maps: slots,
  hash_of_maps: (definition) => wrong(definition.valueSize !== 4) || hash(definition),
  queue: keyless,
  stack: keyless,
  bloom_filter: keyless,
  ringbuf: ring,
  user_ringbuf: ring,
  stack_trace: stackTrace,
  devmap: references(isWord),
  devmap_hash: references(isWord),
  cpumap: (definition) =>
    references(isWord)(definition) || (definition.maxEntries > MOST_PROCESSORS ? E2BIG : 0),
  xskmap: references((size) => size === 4),
  sockmap: references(isWord),
  sockhash: socketHash,
  reuseport_sockarray: (definition) => wrong(!isWord(definition.valueSize)) || array(definition),
  cgroup_storage: noEntries,
  percpu_cgroup_storage: noEntries,
  task_storage: ownedStorage,
  sk_storage: ownedStorage,
  inode_storage: ownedStorage,
  cgrp_storage: ownedStorage,
  arena,
};

/** What is looked at before the flags. */
const FIRST: { readonly [type in MapType]?: Check } = {
  bloom_filter: bloom,
  cgroup_storage: cgroupStorage,
  percpu_cgroup_storage: cgroupStorage,
};

/** The most that `map_extra` may be, where a type takes it at all. */
const MOST_EXTRA: { readonly [type in MapType]?: number } = {
  bloom_filter: 15,
  arena: Number.MAX_SAFE_INTEGER,
};

/** The negative error number with which the creation of such a map ends, or 0; `undefined` for a type that is not modelled. */
export function creationError(definition: MapDefinition): number | undefined {
  const { type, flags, extra = 0 } = definition;
  const allowed = FLAGS[type];
  const check = CHECKS[type];
  if (allowed === undefined || check === undefined) return undefined;
  const bothWays = (mask: number): boolean => (flags & mask) === mask;
  if ((MOST_EXTRA[type] === undefined && extra !== 0) || bothWays(USER_ACCESS)) return EINVAL;
  const first = FIRST[type]?.(definition) ?? 0;
  if (first !== 0) return first;
  if (extra > (MOST_EXTRA[type] ?? 0) || (flags & ~(allowed | MAP_FLAGS.token)) !== 0) return EINVAL;
  if (bothWays(rdonly_prog | wronly_prog)) return EINVAL;
  // A token would have to be named.
  return check(definition) || wrong(has(definition, MAP_FLAGS.token));
}
