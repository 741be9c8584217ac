/** Flags of attaching (linux/bpf.h). */
export const FLAGS = {
  allow_override: 1 << 0,
  allow_multi: 1 << 1,
  replace: 1 << 2,
  before: 1 << 3,
  after: 1 << 4,
  id: 1 << 5,
  preorder: 1 << 6,
  link: 1 << 13,
} as const;

/** What attaching to a list with positions knows. */
export const LIST_FLAGS = FLAGS.replace | FLAGS.before | FLAGS.after | FLAGS.id | FLAGS.link;
/** What attaching elsewhere knows. */
export const BASE_FLAGS = FLAGS.allow_override | FLAGS.allow_multi | FLAGS.replace | FLAGS.preorder;
/** What linking to a cgroup knows. */
export const CGROUP_LINK_FLAGS = FLAGS.id | FLAGS.before | FLAGS.after | FLAGS.preorder | FLAGS.link;

/** BPF_LINK_UPDATE: the old program is given. */
export const LINK_REPLACE = 1 << 2;
/** BPF_PROG_QUERY: what runs there, with what comes from above. */
export const QUERY_EFFECTIVE = 1 << 0;
