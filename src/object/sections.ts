/**
 * Which program a section holds: libbpf's convention that a section's name gives the program's type, its expected attach type and what
 * it attaches to. Source: libbpf's documentation, Documentation/bpf/libbpf/program_types.rst.
 */
import type { AttachType, LoadFlag, ProgramType } from "../semantics/program/program-types.ts";

interface SectionRow {
  readonly name: string;
  readonly type: ProgramType;
  readonly attach: AttachType | undefined;
  readonly flags: readonly LoadFlag[];
  /** Whether `name/anything` is meant too; the rest then names what the program attaches to. */
  readonly target: boolean;
}

export interface SectionMeaning {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly flags: readonly LoadFlag[];
  /** The part after the slash, where the section has one: a kernel function, a tracepoint, a hook. */
  readonly target?: string;
}

function exact(name: string, type: ProgramType, attach?: AttachType, ...flags: LoadFlag[]): SectionRow {
  return { name, type, attach, flags, target: false };
}

function open(name: string, type: ProgramType, attach?: AttachType, ...flags: LoadFlag[]): SectionRow {
  return { name, type, attach, flags, target: true };
}

/** The whole table; the first row that fits decides. */
const SECTIONS: readonly SectionRow[] = [
  exact("socket", "socket_filter"),
  exact("sk_reuseport/migrate", "sk_reuseport", "sk_reuseport_select_or_migrate"),
  exact("sk_reuseport", "sk_reuseport", "sk_reuseport_select"),
  open("kprobe", "kprobe"),
  open("uprobe", "kprobe"),
  open("uprobe.s", "kprobe", undefined, "sleepable"),
  open("kretprobe", "kprobe"),
  open("uretprobe", "kprobe"),
  open("uretprobe.s", "kprobe", undefined, "sleepable"),
  open("kprobe.multi", "kprobe", "trace_kprobe_multi"),
  open("kretprobe.multi", "kprobe", "trace_kprobe_multi"),
  open("kprobe.session", "kprobe", "trace_kprobe_session"),
  open("uprobe.multi", "kprobe", "trace_uprobe_multi"),
  open("uretprobe.multi", "kprobe", "trace_uprobe_multi"),
  open("uprobe.session", "kprobe", "trace_uprobe_session"),
  open("uprobe.multi.s", "kprobe", "trace_uprobe_multi", "sleepable"),
  open("uretprobe.multi.s", "kprobe", "trace_uprobe_multi", "sleepable"),
  open("uprobe.session.s", "kprobe", "trace_uprobe_session", "sleepable"),
  open("ksyscall", "kprobe"),
  open("kretsyscall", "kprobe"),
  open("usdt", "kprobe"),
  open("usdt.s", "kprobe", undefined, "sleepable"),
  exact("tc/ingress", "sched_cls", "tcx_ingress"),
  exact("tc/egress", "sched_cls", "tcx_egress"),
  exact("tcx/ingress", "sched_cls", "tcx_ingress"),
  exact("tcx/egress", "sched_cls", "tcx_egress"),
  exact("tc", "sched_cls"),
  exact("classifier", "sched_cls"),
  exact("action", "sched_act"),
  exact("netkit/primary", "sched_cls", "netkit_primary"),
  exact("netkit/peer", "sched_cls", "netkit_peer"),
  open("tracepoint", "tracepoint"),
  open("tp", "tracepoint"),
  open("raw_tracepoint", "raw_tracepoint"),
  open("raw_tp", "raw_tracepoint"),
  open("raw_tracepoint.w", "raw_tracepoint_writable"),
  open("raw_tp.w", "raw_tracepoint_writable"),
  open("tracepoint.s", "tracepoint", undefined, "sleepable"),
  open("tp.s", "tracepoint", undefined, "sleepable"),
  open("raw_tracepoint.s", "raw_tracepoint", undefined, "sleepable"),
  open("raw_tp.s", "raw_tracepoint", undefined, "sleepable"),
  open("tp_btf.s", "tracing", "trace_raw_tp", "sleepable"),
  open("tp_btf", "tracing", "trace_raw_tp"),
  open("fentry", "tracing", "trace_fentry"),
  open("fmod_ret", "tracing", "modify_return"),
  open("fexit", "tracing", "trace_fexit"),
  open("fentry.s", "tracing", "trace_fentry", "sleepable"),
  open("fmod_ret.s", "tracing", "modify_return", "sleepable"),
  open("fexit.s", "tracing", "trace_fexit", "sleepable"),
  open("fsession", "tracing", "trace_fsession"),
  open("fsession.s", "tracing", "trace_fsession", "sleepable"),
  open("freplace", "ext"),
  open("lsm", "lsm", "lsm_mac"),
  open("lsm.s", "lsm", "lsm_mac", "sleepable"),
  open("lsm_cgroup", "lsm", "lsm_cgroup"),
  open("iter", "tracing", "trace_iter"),
  open("iter.s", "tracing", "trace_iter", "sleepable"),
  exact("syscall", "syscall", undefined, "sleepable"),
  exact("xdp.frags/devmap", "xdp", "xdp_devmap", "xdp_has_frags"),
  exact("xdp/devmap", "xdp", "xdp_devmap"),
  exact("xdp.frags/cpumap", "xdp", "xdp_cpumap", "xdp_has_frags"),
  exact("xdp/cpumap", "xdp", "xdp_cpumap"),
  exact("xdp.frags", "xdp", "xdp", "xdp_has_frags"),
  exact("xdp", "xdp", "xdp"),
  exact("perf_event", "perf_event"),
  exact("lwt_in", "lwt_in"),
  exact("lwt_out", "lwt_out"),
  exact("lwt_xmit", "lwt_xmit"),
  exact("lwt_seg6local", "lwt_seg6local"),
  exact("sockops", "sock_ops", "cgroup_sock_ops"),
  exact("sk_skb/stream_parser", "sk_skb", "sk_skb_stream_parser"),
  exact("sk_skb/stream_verdict", "sk_skb", "sk_skb_stream_verdict"),
  exact("sk_skb/verdict", "sk_skb", "sk_skb_verdict"),
  exact("sk_skb", "sk_skb"),
  exact("sk_msg", "sk_msg", "sk_msg_verdict"),
  exact("lirc_mode2", "lirc_mode2", "lirc_mode2"),
  exact("flow_dissector", "flow_dissector", "flow_dissector"),
  exact("cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress"),
  exact("cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress"),
  exact("cgroup/skb", "cgroup_skb"),
  exact("cgroup/sock_create", "cgroup_sock", "cgroup_inet_sock_create"),
  exact("cgroup/sock_release", "cgroup_sock", "cgroup_inet_sock_release"),
  exact("cgroup/sock", "cgroup_sock", "cgroup_inet_sock_create"),
  exact("cgroup/post_bind4", "cgroup_sock", "cgroup_inet4_post_bind"),
  exact("cgroup/post_bind6", "cgroup_sock", "cgroup_inet6_post_bind"),
  exact("cgroup/bind4", "cgroup_sock_addr", "cgroup_inet4_bind"),
  exact("cgroup/bind6", "cgroup_sock_addr", "cgroup_inet6_bind"),
  exact("cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect"),
  exact("cgroup/connect6", "cgroup_sock_addr", "cgroup_inet6_connect"),
  exact("cgroup/connect_unix", "cgroup_sock_addr", "cgroup_unix_connect"),
  exact("cgroup/sendmsg4", "cgroup_sock_addr", "cgroup_udp4_sendmsg"),
  exact("cgroup/sendmsg6", "cgroup_sock_addr", "cgroup_udp6_sendmsg"),
  exact("cgroup/sendmsg_unix", "cgroup_sock_addr", "cgroup_unix_sendmsg"),
  exact("cgroup/recvmsg4", "cgroup_sock_addr", "cgroup_udp4_recvmsg"),
  exact("cgroup/recvmsg6", "cgroup_sock_addr", "cgroup_udp6_recvmsg"),
  exact("cgroup/recvmsg_unix", "cgroup_sock_addr", "cgroup_unix_recvmsg"),
  exact("cgroup/getpeername4", "cgroup_sock_addr", "cgroup_inet4_getpeername"),
  exact("cgroup/getpeername6", "cgroup_sock_addr", "cgroup_inet6_getpeername"),
  exact("cgroup/getpeername_unix", "cgroup_sock_addr", "cgroup_unix_getpeername"),
  exact("cgroup/getsockname4", "cgroup_sock_addr", "cgroup_inet4_getsockname"),
  exact("cgroup/getsockname6", "cgroup_sock_addr", "cgroup_inet6_getsockname"),
  exact("cgroup/getsockname_unix", "cgroup_sock_addr", "cgroup_unix_getsockname"),
  exact("cgroup/sysctl", "cgroup_sysctl", "cgroup_sysctl"),
  exact("cgroup/getsockopt", "cgroup_sockopt", "cgroup_getsockopt"),
  exact("cgroup/setsockopt", "cgroup_sockopt", "cgroup_setsockopt"),
  exact("cgroup/dev", "cgroup_device", "cgroup_device"),
  open("struct_ops", "struct_ops"),
  open("struct_ops.s", "struct_ops", undefined, "sleepable"),
  exact("sk_lookup", "sk_lookup", "sk_lookup"),
  exact("netfilter", "netfilter", "netfilter"),
];

/**
 * What libbpf takes a section of this name for; `undefined` if the name says nothing. A leading `?` (not loaded by default) is skipped.
 * Libraries before libbpf 1.0 took any continuation after a slash, and objects of that time have names like `lirc_mode2/rc_mm`: where
 * nothing fits exactly, that is accepted too.
 */
export function sectionMeaning(section: string): SectionMeaning | undefined {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const continues = (row: SectionRow): boolean => name.startsWith(`${row.name}/`);
  const row = SECTIONS.find((r) => name === r.name || (r.target && continues(r))) ?? SECTIONS.find(continues);
  if (row === undefined) return undefined;
  const target = name.slice(row.name.length + 1);
  return {
    type: row.type,
    flags: row.flags,
    ...(row.attach === undefined ? {} : { attach: row.attach }),
    ...(row.target && target !== "" ? { target } : {}),
  };
}
