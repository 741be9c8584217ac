/**
 * The system call bpf(2) as data: command numbers and where each command finds its arguments in `union bpf_attr`, as of Linux 6.18.
 * Source: the kernel's user-space header linux/bpf.h. Kernels take bytes behind the fields that they know for right if they are zero.
 */

/**
 * Byte offset and size of a field; 8-byte fields may hold an address, 16-byte ones hold a name that ends with NUL. What the kernel writes to
 * the bytes at an address comes back: all of them, or a text up to its first NUL; without a word about it, it writes nothing there.
 */
export type Field = readonly [offset: number, size: 4 | 8 | 16, back?: "all" | "text"];

interface CommandLayout {
  /** `enum bpf_cmd`. */
  readonly number: number;
  /** Bytes of the attribute up to the end of the last field that the command has. */
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

/** `sizeof(union bpf_attr)`. */
export const ATTRIBUTE_SIZE = 168;

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
const ATTACHMENT = {
  target_fd: [0, 4],
  target_ifindex: [0, 4],
  attach_bpf_fd: [4, 4],
  attach_type: [8, 4],
  attach_flags: [12, 4],
  replace_bpf_fd: [16, 4],
  relative_fd: [20, 4],
  relative_id: [20, 4],
  expected_revision: [24, 8],
} as const;

export const COMMANDS = {
  map_create: {
    number: 0,
    size: 92,
    fields: {
      map_type: [0, 4],
      key_size: [4, 4],
      value_size: [8, 4],
      max_entries: [12, 4],
      map_flags: [16, 4],
      inner_map_fd: [20, 4],
      numa_node: [24, 4],
      map_name: [28, 16],
      map_ifindex: [44, 4],
      btf_fd: [48, 4],
      btf_key_type_id: [52, 4],
      btf_value_type_id: [56, 4],
      btf_vmlinux_value_type_id: [60, 4],
      map_extra: [64, 8],
      value_type_btf_obj_fd: [72, 4],
      map_token_fd: [76, 4],
      excl_prog_hash: [80, 8],
      excl_prog_hash_size: [88, 4],
    },
  },
  map_lookup_elem: { number: 1, size: 32, fields: { ...ELEMENT, value: [16, 8, "all"] } },
  map_update_elem: { number: 2, size: 32, fields: ELEMENT },
  map_delete_elem: { number: 3, size: 16, fields: { map_fd: [0, 4], key: [8, 8] } },
  map_get_next_key: {
    number: 4,
    size: 24,
    fields: { map_fd: [0, 4], key: [8, 8], next_key: [16, 8, "all"] },
  },
  prog_load: {
    number: 5,
    size: ATTRIBUTE_SIZE,
    fields: {
      prog_type: [0, 4],
      insn_cnt: [4, 4],
      insns: [8, 8],
      license: [16, 8],
      log_level: [24, 4],
      log_size: [28, 4],
      log_buf: [32, 8, "text"],
      kern_version: [40, 4],
      prog_flags: [44, 4],
      prog_name: [48, 16],
      prog_ifindex: [64, 4],
      expected_attach_type: [68, 4],
      prog_btf_fd: [72, 4],
      func_info_rec_size: [76, 4],
      func_info: [80, 8],
      func_info_cnt: [88, 4],
      line_info_rec_size: [92, 4],
      line_info: [96, 8],
      line_info_cnt: [104, 4],
      attach_btf_id: [108, 4],
      attach_prog_fd: [112, 4],
      core_relo_cnt: [116, 4],
      fd_array: [120, 8],
      core_relos: [128, 8],
      core_relo_rec_size: [136, 4],
      /** Written by Linux 6.4 and later: how long the whole log is, with its final NUL. */
      log_true_size: [140, 4],
      prog_token_fd: [144, 4],
      fd_array_cnt: [148, 4],
      signature: [152, 8],
      signature_size: [160, 4],
      keyring_id: [164, 4],
    },
  },
  obj_pin: {
    number: 6,
    size: 20,
    fields: { pathname: [0, 8], bpf_fd: [8, 4], file_flags: [12, 4], path_fd: [16, 4] },
  },
  obj_get: {
    number: 7,
    size: 20,
    fields: { pathname: [0, 8], bpf_fd: [8, 4], file_flags: [12, 4], path_fd: [16, 4] },
  },
  prog_attach: { number: 8, size: 32, fields: ATTACHMENT },
  prog_detach: { number: 9, size: 32, fields: ATTACHMENT },
  prog_test_run: {
    number: 10,
    size: 76,
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
      flags: [64, 4],
      cpu: [68, 4],
      batch_size: [72, 4],
    },
  },
  prog_get_next_id: { number: 11, size: 8, fields: NEXT_ID },
  map_get_next_id: { number: 12, size: 8, fields: NEXT_ID },
  prog_get_fd_by_id: { number: 13, size: 4, fields: { id: [0, 4] } },
  map_get_fd_by_id: { number: 14, size: 12, fields: { id: [0, 4], open_flags: [8, 4] } },
  obj_get_info_by_fd: {
    number: 15,
    size: 16,
    fields: { bpf_fd: [0, 4], info_len: [4, 4], info: [8, 8, "all"] },
  },
  prog_query: {
    number: 16,
    size: 64,
    fields: {
      target_fd: [0, 4],
      target_ifindex: [0, 4],
      attach_type: [4, 4],
      query_flags: [8, 4],
      attach_flags: [12, 4],
      prog_ids: [16, 8, "all"],
      count: [24, 4],
      prog_attach_flags: [32, 8, "all"],
      link_ids: [40, 8, "all"],
      link_attach_flags: [48, 8, "all"],
      revision: [56, 8],
    },
  },
  raw_tracepoint_open: { number: 17, size: 24, fields: { name: [0, 8], prog_fd: [8, 4], cookie: [16, 8] } },
  btf_load: {
    number: 18,
    size: 40,
    fields: {
      btf: [0, 8],
      btf_log_buf: [8, 8, "text"],
      btf_size: [16, 4],
      btf_log_size: [20, 4],
      btf_log_level: [24, 4],
      btf_log_true_size: [28, 4],
      btf_flags: [32, 4],
      btf_token_fd: [36, 4],
    },
  },
  btf_get_fd_by_id: {
    number: 19,
    size: 16,
    fields: { id: [0, 4], open_flags: [8, 4], fd_by_id_token_fd: [12, 4] },
  },
  task_fd_query: {
    number: 20,
    size: 48,
    fields: {
      pid: [0, 4],
      fd: [4, 4],
      flags: [8, 4],
      buf_len: [12, 4],
      buf: [16, 8, "all"],
      prog_id: [24, 4],
      fd_type: [28, 4],
      probe_offset: [32, 8],
      probe_addr: [40, 8],
    },
  },
  map_lookup_and_delete_elem: { number: 21, size: 32, fields: { ...ELEMENT, value: [16, 8, "all"] } },
  map_freeze: { number: 22, size: 4, fields: { map_fd: [0, 4] } },
  btf_get_next_id: { number: 23, size: 8, fields: NEXT_ID },
  map_lookup_batch: { number: 24, size: 56, fields: BATCH },
  map_lookup_and_delete_batch: { number: 25, size: 56, fields: BATCH },
  map_update_batch: { number: 26, size: 56, fields: BATCH },
  map_delete_batch: { number: 27, size: 56, fields: BATCH },
  link_create: {
    number: 28,
    size: 60,
    fields: {
      prog_fd: [0, 4],
      map_fd: [0, 4],
      target_fd: [4, 4],
      target_ifindex: [4, 4],
      attach_type: [8, 4],
      flags: [12, 4],
      target_btf_id: [16, 4],
      iter_info: [16, 8],
      iter_info_len: [24, 4],
      "perf_event.bpf_cookie": [16, 8],
      "kprobe_multi.flags": [16, 4],
      "kprobe_multi.cnt": [20, 4],
      "kprobe_multi.syms": [24, 8],
      "kprobe_multi.addrs": [32, 8],
      "kprobe_multi.cookies": [40, 8],
      "tracing.target_btf_id": [16, 4],
      "tracing.cookie": [24, 8],
      "netfilter.pf": [16, 4],
      "netfilter.hooknum": [20, 4],
      "netfilter.priority": [24, 4],
      "netfilter.flags": [28, 4],
      /** Of tcx, netkit and cgroups alike. */
      relative_fd: [16, 4],
      relative_id: [16, 4],
      expected_revision: [24, 8],
      "uprobe_multi.path": [16, 8],
      "uprobe_multi.offsets": [24, 8],
      "uprobe_multi.ref_ctr_offsets": [32, 8],
      "uprobe_multi.cookies": [40, 8],
      "uprobe_multi.cnt": [48, 4],
      "uprobe_multi.flags": [52, 4],
      "uprobe_multi.pid": [56, 4],
    },
  },
  link_update: {
    number: 29,
    size: 16,
    fields: {
      link_fd: [0, 4],
      new_prog_fd: [4, 4],
      new_map_fd: [4, 4],
      flags: [8, 4],
      old_prog_fd: [12, 4],
      old_map_fd: [12, 4],
    },
  },
  link_get_fd_by_id: { number: 30, size: 4, fields: { id: [0, 4] } },
  link_get_next_id: { number: 31, size: 8, fields: NEXT_ID },
  enable_stats: { number: 32, size: 4, fields: { type: [0, 4] } },
  iter_create: { number: 33, size: 8, fields: { link_fd: [0, 4], flags: [4, 4] } },
  link_detach: { number: 34, size: 4, fields: { link_fd: [0, 4] } },
  prog_bind_map: { number: 35, size: 12, fields: { prog_fd: [0, 4], map_fd: [4, 4], flags: [8, 4] } },
  token_create: { number: 36, size: 8, fields: { flags: [0, 4], bpffs_fd: [4, 4] } },
  prog_stream_read_by_fd: {
    number: 37,
    size: 20,
    fields: { stream_buf: [0, 8, "all"], stream_buf_len: [8, 4], stream_id: [12, 4], prog_fd: [16, 4] },
  },
} as const satisfies Record<string, CommandLayout>;

export type Command = keyof typeof COMMANDS;
export type FieldOf<C extends Command> = keyof (typeof COMMANDS)[C]["fields"];

/** All commands, by number. */
export const COMMAND_NAMES: readonly Command[] = Object.keys(COMMANDS).filter(isCommand);

function isCommand(name: string): name is Command {
  return name in COMMANDS;
}
