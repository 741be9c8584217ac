/**
 * Operations on what programs are attached to: network devices and namespaces, sockets, cgroups, perf events. Attaching itself is by `bpf` too.
 *
 * Roots and edges: each process → its network namespace → its devices → their XDP programs, tc filters and tcx programs; network namespace → its flow dissector; open namespace → the
 * namespace; socket → the namespace that it was made in; socket → its filter and its chooser; cgroup (a root while its directory is there) → programs; socket map → programs; perf event → program; every link → its program;
 * link of a perf event → the event; link of a socket map → the map; open iterator → program. What links are attached to does not keep them.
 */
import { z } from "zod";
import { descriptor, inProcess } from "./fields.ts";

/** A device's number. */
const index = z.int().positive();
const device = z.strictObject({ name: z.string().min(1).max(15), index: z.int().positive() });
const direction = z.enum(["ingress", "egress"]);
const discipline = z.enum(["clsact", "ingress"]);
/** Only what is not there, only what is, or either. */
const manner = z.enum(["exclusive", "change", "create"]);
/** Names of cgroups with `/` between them, from the root of the trace's own on, which is empty. */
const cgroup = z.string();

/** Some that every kernel of today has, and that seldom come. */
const tracepoint = z.enum(["sched/sched_process_exec", "task/task_newtask", "syscalls/sys_enter_acct"]);

export const attachmentOperation = z.discriminatedUnion("do", [
  // --- Network namespaces
  /** A network namespace of the process's own. */
  inProcess("unshare_net", {}),
  /** A descriptor of the process's network namespace. */
  inProcess("netns_open", {}),
  /** setns(2): into the network namespace that a descriptor stands for. */
  inProcess("netns_enter", { fd: descriptor }),

  // --- Devices of the process's network namespace
  inProcess("veth_create", { first: device, second: device }),
  inProcess("device_delete", { index }),
  /** To the network namespace that a descriptor stands for. */
  inProcess("device_move", { index, fd: descriptor }),
  /** XDP by netlink; -1 takes the program away. Flags are the bits of linux/if_link.h. */
  inProcess("xdp_set", {
    index,
    fd: descriptor,
    expected_fd: descriptor.optional(),
    flags: z.int().nonnegative(),
  }),
  /** Ids of the programs by mode, 0 for none, as what is written: `native`, `generic`. */
  inProcess("xdp_query", { index }),
  inProcess("qdisc_create", { index, discipline, manner }),
  inProcess("qdisc_delete", { index, discipline }),
  /**
   * A filter of the kind `bpf` for all protocols; 0 has the kernel choose priority or handle. Without a class it is of direct action: what the program returns is done. With one, the program says which packets are of that class.
   */
  inProcess("filter_create", {
    index,
    direction,
    priority: z.int(),
    handle: z.int(),
    fd: descriptor,
    manner,
    class: z.int().min(0).max(0x7fff_ffff).optional(),
  }),
  inProcess("filter_delete", { index, direction, priority: z.int(), handle: z.int() }),
  /** The filters in order, as what is written: `filters`, each as priority:handle:program. */
  inProcess("filter_query", { index, direction }),

  // --- Sockets
  /** A UDP socket over IPv4. */
  inProcess("socket", {}),
  /** bind(2) to all addresses, at a port that the kernel takes. */
  inProcess("socket_bind", { fd: descriptor }),
  inProcess("setsockopt", {
    fd: descriptor,
    option: z.enum([
      "reuseport",
      "lock_filter",
      "detach_filter",
      "attach_bpf",
      "attach_filter",
      "attach_reuseport_ebpf",
      "attach_reuseport_cbpf",
      "detach_reuseport_bpf",
    ]),
    /** A descriptor or a number; for filters in classic BPF what they return. */
    value: z.int(),
  }),

  // --- Cgroups, version 2
  inProcess("cgroup_create", { path: cgroup }),
  inProcess("cgroup_remove", { path: cgroup }),
  inProcess("cgroup_open", { path: cgroup }),

  // --- Perf events
  /** An event of a tracepoint, named by its group and name; or a software event that counts nothing (PERF_COUNT_SW_DUMMY). For the process itself. */
  inProcess("perf_event_open", { tracepoint: tracepoint.optional() }),
  /** ioctl(2) with PERF_EVENT_IOC_SET_BPF. */
  inProcess("perf_event_set_bpf", { fd: descriptor, program: descriptor }),
]);

export type AttachmentOperation = z.infer<typeof attachmentOperation>;

const NAMES: ReadonlySet<string> = new Set(attachmentOperation.options.map(({ shape }) => shape.do.value));

/** Whether an operation is one of these. */
export const isAttachmentOperation = (operation: { readonly do: string }): operation is AttachmentOperation =>
  NAMES.has(operation.do);
