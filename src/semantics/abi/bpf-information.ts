/**
 * What BPF_OBJ_GET_INFO_BY_FD writes: the structures of linux/bpf.h, as of Linux 6.18, by the offsets of their fields.
 */
interface Structure {
  readonly size: number;
  readonly fields: Readonly<Record<string, number>>;
}

export const INFORMATION = {
  /** `struct bpf_map_info`. */
  map: {
    size: 104,
    fields: {
      type: 0,
      id: 4,
      key_size: 8,
      value_size: 12,
      max_entries: 16,
      map_flags: 20,
      name: 24,
      ifindex: 40,
      btf_vmlinux_value_type_id: 44,
      netns_dev: 48,
      netns_ino: 56,
      btf_id: 64,
      btf_key_type_id: 68,
      btf_value_type_id: 72,
      btf_vmlinux_id: 76,
      map_extra: 80,
      hash: 88,
      hash_size: 96,
    },
  },
  /** `struct bpf_prog_info`. */
  program: {
    size: 232,
    fields: {
      type: 0,
      id: 4,
      tag: 8,
      jited_prog_len: 16,
      xlated_prog_len: 20,
      jited_prog_insns: 24,
      xlated_prog_insns: 32,
      load_time: 40,
      created_by_uid: 48,
      nr_map_ids: 52,
      map_ids: 56,
      name: 64,
      ifindex: 80,
      gpl_compatible: 84,
      netns_dev: 88,
      netns_ino: 96,
      nr_jited_ksyms: 104,
      nr_jited_func_lens: 108,
      jited_ksyms: 112,
      jited_func_lens: 120,
      btf_id: 128,
      func_info_rec_size: 132,
      func_info: 136,
      nr_func_info: 144,
      nr_line_info: 148,
      line_info: 152,
      jited_line_info: 160,
      nr_jited_line_info: 168,
      line_info_rec_size: 172,
      jited_line_info_rec_size: 176,
      nr_prog_tags: 180,
      prog_tags: 184,
      run_time_ns: 192,
      run_cnt: 200,
      recursion_misses: 208,
      verified_insns: 216,
      attach_btf_obj_id: 220,
      attach_btf_id: 224,
    },
  },
  /** `struct bpf_btf_info`. */
  btf: { size: 32, fields: { btf: 0, btf_size: 8, id: 12, name: 16, name_len: 24, kernel_btf: 28 } },
  /** `struct bpf_link_info`; what comes behind the program's id is different from type to type. */
  link: { size: 64, fields: { type: 0, id: 4, prog_id: 8 } },
} as const satisfies Record<string, Structure>;

export type InfoKind = keyof typeof INFORMATION;
