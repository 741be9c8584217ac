/**
 * Attach types: which programs go where. Source: linux/bpf.h, and the running kernel, which `scripts/attachments.ts` compares with.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import { ATTACH_TYPES, type AttachType, type ProgramType } from "../../semantics/program/program-types.ts";
import { mayOnlyReturn } from "../../verifier/results.ts";
import { EINVAL } from "../../vm/errno.ts";
import type { ProgramObject } from "../objects.ts";

/** The type of the programs that BPF_PROG_ATTACH and its like take for an attach type; those that are missing belong to links alone. */
const PROGRAMS: Readonly<Partial<Record<AttachType, ProgramType>>> = {
  cgroup_inet_ingress: "cgroup_skb",
  cgroup_inet_egress: "cgroup_skb",
  cgroup_inet_sock_create: "cgroup_sock",
  cgroup_inet_sock_release: "cgroup_sock",
  cgroup_inet4_post_bind: "cgroup_sock",
  cgroup_inet6_post_bind: "cgroup_sock",
  cgroup_inet4_bind: "cgroup_sock_addr",
  cgroup_inet6_bind: "cgroup_sock_addr",
  cgroup_inet4_connect: "cgroup_sock_addr",
  cgroup_inet6_connect: "cgroup_sock_addr",
  cgroup_unix_connect: "cgroup_sock_addr",
  cgroup_inet4_getpeername: "cgroup_sock_addr",
  cgroup_inet6_getpeername: "cgroup_sock_addr",
  cgroup_unix_getpeername: "cgroup_sock_addr",
  cgroup_inet4_getsockname: "cgroup_sock_addr",
  cgroup_inet6_getsockname: "cgroup_sock_addr",
  cgroup_unix_getsockname: "cgroup_sock_addr",
  cgroup_udp4_sendmsg: "cgroup_sock_addr",
  cgroup_udp6_sendmsg: "cgroup_sock_addr",
  cgroup_unix_sendmsg: "cgroup_sock_addr",
  cgroup_udp4_recvmsg: "cgroup_sock_addr",
  cgroup_udp6_recvmsg: "cgroup_sock_addr",
  cgroup_unix_recvmsg: "cgroup_sock_addr",
  cgroup_sock_ops: "sock_ops",
  cgroup_device: "cgroup_device",
  cgroup_sysctl: "cgroup_sysctl",
  cgroup_getsockopt: "cgroup_sockopt",
  cgroup_setsockopt: "cgroup_sockopt",
  lsm_cgroup: "lsm",
  lsm_mac: "lsm",
  sk_msg_verdict: "sk_msg",
  sk_skb_stream_parser: "sk_skb",
  sk_skb_stream_verdict: "sk_skb",
  sk_skb_verdict: "sk_skb",
  lirc_mode2: "lirc_mode2",
  flow_dissector: "flow_dissector",
  sk_lookup: "sk_lookup",
  xdp: "xdp",
  trace_iter: "tracing",
  trace_raw_tp: "tracing",
  trace_fentry: "tracing",
  trace_fexit: "tracing",
  modify_return: "tracing",
  tcx_ingress: "sched_cls",
  tcx_egress: "sched_cls",
  netkit_primary: "sched_cls",
  netkit_peer: "sched_cls",
};

/** The last attach type that Linux 6.18 knows. */
const LAST = ATTACH_TYPES.indexOf("trace_uprobe_session");

/** The attach type of a number; nothing for numbers that Linux 6.18 does not know. */
export const attachTypeOf = (number: number): AttachType | undefined =>
  number <= LAST ? ATTACH_TYPES[number] : undefined;

export const programTypeFor = (attach: AttachType): ProgramType | undefined => PROGRAMS[attach];

/** Types that are attached to cgroups; a program of type lsm may be. */
export const isCgroupType = (type: ProgramType): boolean =>
  type === "lsm" || type === "sock_ops" || type.startsWith("cgroup_");

/** Whether an attach type is one of a cgroup. */
export const isCgroupAttach = (attach: AttachType): boolean =>
  attach.startsWith("cgroup_") || attach === "lsm_cgroup";

export const isTcx = (attach: AttachType): attach is "tcx_ingress" | "tcx_egress" =>
  attach === "tcx_ingress" || attach === "tcx_egress";

/** What the program was loaded to be attached as: number 0 where the loader did not say, which for some types Linux replaces. */
export function expectedAttach({ referent: { program } }: ProgramObject): AttachType {
  if (program.attach !== undefined) return program.attach;
  return program.type === "cgroup_sock" ? "cgroup_inet_sock_create" : "cgroup_inet_ingress";
}

export const typeOf = ({ referent: { program } }: ProgramObject): ProgramType => program.type;

/** Types whose programs go where they were loaded for, and nowhere else. */
const EXACT: readonly ProgramType[] = ["cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "sk_lookup"];
const KPROBE: readonly AttachType[] = [
  "perf_event",
  "trace_kprobe_multi",
  "trace_kprobe_session",
  "trace_uprobe_multi",
  "trace_uprobe_session",
];

/** A program for outgoing packets that returns 2 or 3, which say something of the network's congestion, is for these alone. */
function tellsCongestion({ referent: { program } }: ProgramObject, rules: Rules): boolean {
  return program.attach === "cgroup_inet_egress" && mayOnlyReturn(program, 2n, 1n, rules);
}

/** Whether a program may be attached as that: 0 or -EINVAL. @param rules  those that it was verified by */
export function checkAttachType(program: ProgramObject, attach: AttachType, rules: Rules): number {
  const type = typeOf(program);
  const expected = expectedAttach(program);
  const wrong = (fits: boolean): number => (fits ? 0 : EINVAL);
  if (EXACT.includes(type)) return wrong(attach === expected);
  switch (type) {
    case "cgroup_skb":
      if (programTypeFor(attach) !== "cgroup_skb") return EINVAL;
      return wrong(attach === expected || !tellsCongestion(program, rules));
    case "ext":
      return 0;
    case "netfilter":
      return wrong(attach === "netfilter");
    case "perf_event":
    case "tracepoint":
      return wrong(attach === "perf_event");
    case "kprobe":
      if (!KPROBE.includes(attach)) return EINVAL;
      if (expected !== "cgroup_inet_ingress" && expected !== attach)
        throw new Unsupported(`a kprobe program for ${expected} as ${attach}`);
      return wrong(attach === "perf_event" || expected === attach);
    case "sched_cls":
      return wrong(programTypeFor(attach) === "sched_cls");
    default:
      return wrong(programTypeFor(attach) === type);
  }
}
