/**
 * Ways of loading programs that attach to something in the kernel's BTF: for each attach type one thing that the kernel offers for it. What such
 * a program may do hangs on the attach type, not on the one thing; what its arguments are, the thing's own prototype in BTF says.
 */
import type { Btf } from "../../../object/btf.ts";
import type { BtfKind } from "../../../object/btf-types.ts";
import type { AttachType, ProgramType } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { type Kind, loadable } from "./program.ts";

interface Target {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly kind: BtfKind;
  /** Each that is there and loads is a way to load programs of the kind: the first stands for it, the others help to make calls. */
  readonly names: readonly string[];
}

const FUNCTIONS = ["bpf_fentry_test1", "tcp_sendmsg", "security_file_open", "cgroup_attach_task"];

const TARGETS: readonly Target[] = [
  {
    type: "tracing",
    attach: "trace_raw_tp",
    kind: "typedef",
    names: ["btf_trace_sched_switch", "btf_trace_sock_rcvqueue_full", "btf_trace_cgroup_mkdir"],
  },
  { type: "tracing", attach: "trace_fentry", kind: "func", names: FUNCTIONS },
  { type: "tracing", attach: "trace_fexit", kind: "func", names: FUNCTIONS },
  { type: "tracing", attach: "trace_fsession", kind: "func", names: FUNCTIONS },
  {
    type: "tracing",
    attach: "modify_return",
    kind: "func",
    names: ["bpf_modify_return_test", "security_file_open"],
  },
  {
    type: "tracing",
    attach: "trace_iter",
    kind: "func",
    names: ["bpf_iter_task", "bpf_iter_tcp", "bpf_iter_task_file"],
  },
  {
    type: "lsm",
    attach: "lsm_mac",
    kind: "func",
    names: [
      "bpf_lsm_file_open",
      "bpf_lsm_socket_sock_rcv_skb",
      "bpf_lsm_inode_getattr",
      "bpf_lsm_bprm_check_security",
    ],
  },
  {
    type: "lsm",
    attach: "lsm_cgroup",
    kind: "func",
    names: ["bpf_lsm_socket_bind", "bpf_lsm_socket_sock_rcv_skb"],
  },
];

/** A kind, and other ways to load programs of it. */
export interface TargetKind {
  readonly kind: Kind;
  readonly others: readonly Kind[];
}

/** Programs of one sort, and BTF ids of what they may attach to. */
interface Way {
  readonly base: Pick<Kind, "type" | "attach">;
  readonly ids: readonly number[];
}

/** The kinds that load; the kernel may forbid all of them. */
export function* targetKinds(kernel: Kernel, btf: Btf): Ask<TargetKind[]> {
  const ways = TARGETS.map(
    ({ type, attach, kind, names }): Way => ({
      base: { type, ...(attach === undefined ? {} : { attach }) },
      ids: names.flatMap((name) => btf.findKind(name, kind) ?? []),
    }),
  );
  const found = yield* all(
    ways.flatMap(({ base, ids }) => [
      all(ids.map((target) => loadable(kernel, { ...base, target }))),
      all(ids.map((target) => loadable(kernel, { ...base, target, sleepable: true }))),
    ]),
  );
  return found.flatMap((kinds) => {
    const [kind, ...others] = kinds.flatMap((each) => each ?? []);
    return kind === undefined ? [] : [{ kind, others }];
  });
}
