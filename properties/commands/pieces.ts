/** What calls of bpf(2) are drawn from: maps, programs, and numbers, addresses and names that are wrong in one way or another. */
import type { AttributeValue } from "../../src/kernel/operations/bpf.ts";
import { MAP_FLAGS, type MapType } from "../../src/semantics/program/map-types.ts";
import { PROGRAM_TYPES } from "../../src/semantics/program/program-types.ts";

export interface Shape {
  readonly type: MapType;
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly flags: number;
  readonly extra?: number;
}

const { zero_seed, no_prealloc, rdonly, wronly, rdonly_prog, mmapable, numa_node } = MAP_FLAGS;

const shape = (type: MapType, key: number, value: number, entries: number, flags = 0, extra = 0): Shape => ({
  type,
  key,
  value,
  entries,
  flags,
  extra,
});

export const SHAPES: readonly Shape[] = [
  shape("array", 4, 8, 3),
  shape("array", 4, 4, 2, mmapable),
  shape("array", 4, 4, 2, rdonly),
  shape("array", 4, 4, 2, wronly),
  shape("array", 4, 8, 1, rdonly_prog),
  shape("array", 4, 8, 2, numa_node),
  shape("percpu_array", 4, 4, 2),
  shape("hash", 4, 8, 3, zero_seed),
  shape("hash", 6, 3, 2, zero_seed | no_prealloc),
  shape("percpu_hash", 4, 8, 2, zero_seed),
  shape("lpm_trie", 8, 4, 3, no_prealloc),
  shape("queue", 0, 8, 2),
  shape("stack", 0, 4, 2),
  shape("bloom_filter", 0, 4, 3, zero_seed),
  shape("ringbuf", 0, 0, 4096),
  shape("user_ringbuf", 0, 0, 4096),
  shape("stack_trace", 4, 64, 3),
  shape("prog_array", 4, 4, 2),
  shape("array_of_maps", 4, 4, 2),
  shape("hash_of_maps", 4, 4, 2, zero_seed),
  shape("perf_event_array", 4, 4, 2),
  shape("cgroup_array", 4, 4, 2),
  shape("sockmap", 4, 4, 2),
  shape("arena", 0, 0, 1, mmapable, 2 ** 32),
];
/** Types that are created, and not used further: what they hold hangs on more than calls of bpf(2). */
export const CREATED_ONLY: readonly Shape[] = [
  shape("lru_hash", 4, 8, 3),
  shape("lru_percpu_hash", 4, 8, 3),
  shape("devmap", 4, 4, 2),
  shape("devmap_hash", 4, 8, 2),
  shape("cpumap", 4, 4, 2),
  shape("xskmap", 4, 4, 2),
  shape("sockhash", 4, 4, 2),
  shape("reuseport_sockarray", 4, 4, 2),
  shape("sk_storage", 4, 8, 0, no_prealloc),
  shape("cgroup_storage", 16, 8, 0),
  shape("percpu_cgroup_storage", 16, 8, 0),
];

export const EXIT = "9500000000000000";
const R0 = "b700000000000000";
/** Programs that use no map, by what they are: right, and wrong in one way each. */
export const PROGRAMS: readonly string[] = [
  R0 + EXIT,
  R0 + EXIT,
  `b7000000ffffff7f${EXIT}`,
  `b400000003000000${EXIT}`,
  // A function that is called; one whose jump leaves it; one that is not there; one that nobody calls, but whose address is taken.
  `8510000001000000${EXIT}${R0}${EXIT}`,
  `8510000001000000${EXIT}${R0}${EXIT}`,
  `8510000001000000${EXIT}0500fdff00000000${EXIT}`,
  `8510000009000000${EXIT}`,
  `${R0}18410000020000000000000000000000${EXIT}${R0}${EXIT}`,
  // r0 is not set.
  EXIT,
  // A jump out of the program.
  `0500070000000000${R0}${EXIT}`,
  // Two instructions that nothing leads to.
  R0 + EXIT + R0 + EXIT,
  // The program runs off its end.
  R0,
  // No such instruction.
  `ff00000000000000${EXIT}`,
  // A load from a number.
  `b7010000000000007910000000000000${EXIT}`,
  // r10 is written.
  `b70a000000000000${R0}${EXIT}`,
];

/** Numbers that are put in the place of right ones. */
export const EDGES: readonly AttributeValue[] = [
  0, 1, 2, 3, 4, 5, 8, 16, 0x7fff_ffff, 0xffff_ffff, 0x7fff_fffe,
];
export const LONG_EDGES: readonly AttributeValue[] = [
  0,
  1,
  2,
  4,
  8,
  { u64: "0xffffffffffffffff" },
  { u64: "0x8000000000000000" },
];
export const BAD_ADDRESSES: readonly AttributeValue[] = [0, 0, 1, 4096, { u64: "0xffffffffffff0000" }];
/** Fields with numbers of their own: larger ones would ask for much memory, or for what is not compared. */
export const EDGES_OF: Readonly<Record<string, readonly AttributeValue[]>> = {
  key_size: [0, 1, 3, 4, 5, 8, 16, 260, 261, 512, 513],
  value_size: [0, 1, 4, 7, 8, 16, 32, 1024, 32_768, 32_769, 65_408, 2 ** 22 + 1],
  max_entries: [0, 1, 3, 4096, 5000],
  map_type: [0, 1, 2, 3, 9, 27, 34, 35, 100, 0xffff_ffff],
  map_flags: Object.values(MAP_FLAGS),
  map_extra: [0, 1, 5, 15, 16, 4096],
  map_ifindex: [0],
  insn_cnt: [0, 1, 2, 3, 1_000_000, 1_000_001, 0xffff_ffff],
  prog_type: [
    0,
    ...Array.from({ length: 34 }, (_, type) => type).filter((type) => !isClosed(type)),
    0xffff_ffff,
  ],
  expected_attach_type: [0, 1, 2, 3, 8, 9, 34, 36, 39, 45, 1000],
  prog_flags: [0, 1, 2, 4, 8, 32, 0x200, 0x1_0000, 0x8000_0000],
  btf_log_level: [0, 1, 2, 3, 4, 8, 15, 16],
  btf_log_size: [0, 1, 4096, 0x3fff_ffff, 0x4000_0000],
  btf_flags: [0, 1, 0x1_0000],
  log_level: [0, 1, 2, 3, 4, 8, 15, 16],
  log_size: [0, 1, 64, 4096, 0x3fff_ffff, 0x4000_0000],
  prog_ifindex: [0],
  func_info_cnt: [0, 1, 2, 3],
  line_info_cnt: [0, 1, 2, 3, 0x800_0000, 0xffff_ffff],
  func_info_rec_size: [0, 4, 8, 10, 12, 252, 256],
  line_info_rec_size: [0, 8, 16, 18, 20, 252, 256],
  signature: [0],
  fd_array_cnt: [0, 1, 2, 0x3fff_ffff, 0xffff_ffff],
  count: [0, 1, 2, 3, 4],
  flags: [0, 1, 2, 4, 8, 0x8000_0000],
  ctx_size_in: [0, 8, 72, 96, 4096, 4097, 0xffff_ffff],
  // Programs of the kernel's own run as often as they are told.
  repeat: [0, 1, 2, 5],
  batch_size: [0, 1, 256, 257],
  data_size_in: [0, 13, 14, 3520, 3712, 3713, 4096, 4097, 0xffff_ffff],
  info_len: [0, 1, 4, 8, 40, 80, 88, 104, 105, 232, 240, 4096, 4097],
  file_flags: [0, 8, 16, 24, 1, 0x4000],
  open_flags: [0, 8, 16, 24, 1, 0x1_0000],
};

/** Types of programs that need a target, or that kernels may refuse for reasons of their own. */
function isClosed(type: number): boolean {
  const name = PROGRAM_TYPES[type] ?? "";
  return /^(tracing|lsm|struct_ops|ext|netfilter|kprobe|perf_event|lirc)/.test(name);
}

export const NAMES: readonly AttributeValue[] = [
  { text: "name" },
  { text: "a_b.C9" },
  { text: "with space" },
  { text: "fifteen.letters" },
  { text: "sixteen..letters" },
  { text: "-" },
];

/** Words of 32 bits. */
export function words(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  for (const [at, number] of numbers.entries()) new DataView(bytes.buffer).setInt32(4 * at, number, true);
  return bytes;
}

export const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
