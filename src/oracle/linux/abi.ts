/**
 * The system call bpf(2) as data: command numbers and where each command finds its arguments in `union bpf_attr`.
 * Source: the kernel's user-space header linux/bpf.h. Fields that soundcheck never sets are left out; the kernel takes zero for them.
 */
import type { Memory } from "./calls.ts";

/**
 * Byte offset and size of a field; 8-byte fields may hold an address, 16-byte ones hold a name that ends with NUL. What the kernel writes to
 * the bytes at an address comes back; without a word about it, it writes nothing there.
 */
export type Field = readonly [offset: number, size: 4 | 8 | 16, back?: Memory["back"]];

interface CommandLayout {
  /** `enum bpf_cmd`. */
  readonly number: number;
  /** Bytes of the attribute that are passed: up to the end of the last field. */
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

const ELEMENT = { map_fd: [0, 4], key: [8, 8], value: [16, 8], flags: [24, 8] } as const;
const BATCH = {
  in_batch: [0, 8],
  out_batch: [8, 8, "all"],
  keys: [16, 8, "all"],
  values: [24, 8, "all"],
  count: [32, 4],
  map_fd: [36, 4],
  elem_flags: [40, 8],
  flags: [48, 8],
} as const;
const NEXT_ID = { start_id: [0, 4], next_id: [4, 4] } as const;

export const COMMANDS = {
  map_create: {
    number: 0,
    size: 72,
    fields: {
      map_type: [0, 4],
      key_size: [4, 4],
      value_size: [8, 4],
      max_entries: [12, 4],
      map_flags: [16, 4],
      inner_map_fd: [20, 4],
      map_name: [28, 16],
      btf_fd: [48, 4],
      btf_key_type_id: [52, 4],
      btf_value_type_id: [56, 4],
      map_extra: [64, 8],
    },
  },
  map_lookup_elem: { number: 1, size: 32, fields: { ...ELEMENT, value: [16, 8, "all"] } },
  map_update_elem: { number: 2, size: 32, fields: ELEMENT },
  map_delete_elem: { number: 3, size: 32, fields: ELEMENT },
  map_get_next_key: {
    number: 4,
    size: 32,
    fields: { map_fd: [0, 4], key: [8, 8], next_key: [16, 8, "all"] },
  },
  prog_load: {
    number: 5,
    size: 144,
    fields: {
      prog_type: [0, 4],
      insn_cnt: [4, 4],
      insns: [8, 8],
      license: [16, 8],
      log_level: [24, 4],
      log_size: [28, 4],
      log_buf: [32, 8, "text"],
      prog_flags: [44, 4],
      prog_name: [48, 16],
      expected_attach_type: [68, 4],
      prog_btf_fd: [72, 4],
      func_info_rec_size: [76, 4],
      func_info: [80, 8],
      func_info_cnt: [88, 4],
      line_info_rec_size: [92, 4],
      line_info: [96, 8],
      line_info_cnt: [104, 4],
      attach_btf_id: [108, 4],
      /** Written by Linux 6.4 and later: how long the whole log is, with its final NUL. */
      log_true_size: [140, 4],
    },
  },
  obj_pin: { number: 6, size: 16, fields: { pathname: [0, 8], bpf_fd: [8, 4] } },
  obj_get: { number: 7, size: 16, fields: { pathname: [0, 8] } },
  prog_test_run: {
    number: 10,
    size: 80,
    fields: {
      prog_fd: [0, 4],
      retval: [4, 4],
      data_size_in: [8, 4],
      data_size_out: [12, 4],
      data_in: [16, 8],
      data_out: [24, 8, "all"],
      repeat: [32, 4],
      duration: [36, 4],
      ctx_size_in: [40, 4],
      ctx_size_out: [44, 4],
      ctx_in: [48, 8],
      ctx_out: [56, 8, "all"],
    },
  },
  prog_get_next_id: { number: 11, size: 12, fields: NEXT_ID },
  map_get_next_id: { number: 12, size: 12, fields: NEXT_ID },
  prog_get_fd_by_id: { number: 13, size: 12, fields: { id: [0, 4] } },
  map_get_fd_by_id: { number: 14, size: 12, fields: { id: [0, 4] } },
  obj_get_info_by_fd: {
    number: 15,
    size: 16,
    fields: { bpf_fd: [0, 4], info_len: [4, 4], info: [8, 8, "all"] },
  },
  btf_load: {
    number: 18,
    size: 28,
    fields: {
      btf: [0, 8],
      btf_log_buf: [8, 8, "text"],
      btf_size: [16, 4],
      btf_log_size: [20, 4],
      btf_log_level: [24, 4],
    },
  },
  map_lookup_and_delete_elem: { number: 21, size: 32, fields: { ...ELEMENT, value: [16, 8, "all"] } },
  map_freeze: { number: 22, size: 4, fields: { map_fd: [0, 4] } },
  map_lookup_batch: { number: 24, size: 56, fields: BATCH },
  map_lookup_and_delete_batch: { number: 25, size: 56, fields: BATCH },
  map_update_batch: { number: 26, size: 56, fields: BATCH },
  map_delete_batch: { number: 27, size: 56, fields: BATCH },
  link_create: {
    number: 28,
    size: 16,
    fields: { prog_fd: [0, 4], target_ifindex: [4, 4], attach_type: [8, 4], flags: [12, 4] },
  },
} as const satisfies Record<string, CommandLayout>;

export type Command = keyof typeof COMMANDS;
export type FieldOf<C extends Command> = keyof (typeof COMMANDS)[C]["fields"];

/** The number of bpf(2) in the system call table, by Node's name of the architecture; little-endian 64-bit ones only. */
export const SYSCALL_NUMBERS: Readonly<Record<string, number>> = {
  x64: 321,
  arm64: 280,
  riscv64: 280,
  loong64: 280,
};
