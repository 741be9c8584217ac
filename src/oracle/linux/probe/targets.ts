/**
 * Ways of loading programs that attach to something in the kernel's BTF: for each attach type one thing that the kernel offers for it. What such
 * a program may do hangs on the attach type, not on the one thing; what its arguments are, the thing's own prototype in BTF says.
 */
import type { Btf } from "../../../object/btf.ts";
import type { BtfKind } from "../../../object/btf-types.ts";
import type { AttachType, ProgramType } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { type Kind, loads } from "./program.ts";

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

/** A structure of callbacks, and the one that is tried. */
const CALLBACKS = { struct: "tcp_congestion_ops", member: "ssthresh" } as const;
/** The kernel takes the member's place where other types have the attach type: 0 is the same as none. */
const FIRST = 0;

const RETURN_VALUES = [0, 1];

/** A kind, and other ways to load programs of it. */
export interface TargetKind {
  readonly kind: Kind;
  readonly others: readonly Kind[];
}

/** The kinds that load; the kernel may forbid all of them. */
export function targetKinds(kernel: Kernel, btf: Btf): TargetKind[] {
  const found = TARGETS.flatMap(({ type, attach, kind, names }) => {
    const targets = names.flatMap((name) => btf.findKind(name, kind) ?? []);
    return [false, true].flatMap((sleepable) => {
      const base = { type, ...(attach === undefined ? {} : { attach }) };
      return together(targets.flatMap((target) => loadable(kernel, { ...base, target }, sleepable)));
    });
  });
  return [...found, ...callbackKinds(kernel, btf)];
}

function together([kind, ...others]: readonly Kind[]): TargetKind[] {
  return kind === undefined ? [] : [{ kind, others }];
}

function callbackKinds(kernel: Kernel, btf: Btf): TargetKind[] {
  const target = btf.findKind(CALLBACKS.struct, "struct");
  const struct = target === undefined ? undefined : btf.type(target);
  if (target === undefined || struct?.kind !== "struct") return [];
  const index = struct.members.findIndex(({ name }) => name === CALLBACKS.member);
  if (index !== FIRST)
    throw new Error(`${CALLBACKS.member} is not the first callback of ${CALLBACKS.struct}`);
  return [false, true].flatMap((sleepable) =>
    together(loadable(kernel, { type: "struct_ops", target }, sleepable)),
  );
}

function loadable(kernel: Kernel, base: Omit<Kind, "retval" | "sleepable">, sleepable: boolean): Kind[] {
  const kind = RETURN_VALUES.map(
    (retval): Kind => ({ ...base, retval, ...(sleepable ? { sleepable } : {}) }),
  ).find((tried) => loads(kernel, tried, []));
  return kind === undefined ? [] : [kind];
}
