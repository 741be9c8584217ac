import type { Arrival } from "./environment/arrival.ts";
import type { Network } from "./environment/network.ts";
import type { PacketSocket, SocketBufferGiven } from "./environment/socket-buffer.ts";
import type { TracingEnvironment } from "./environment/tracing.ts";

/**
 * What a run depends on beside the program and its maps: the packet or context it is given, time, chance and who is running.
 * Defaults are those of BPF_PROG_TEST_RUN where it has any. Equal environments and maps give equal runs.
 */
export interface Task {
  readonly pid: number;
  /** The thread group: what user space calls the process's id. */
  readonly tgid: number;
  readonly uid: number;
  readonly gid: number;
  /** At most 15 bytes. */
  readonly comm: string;
  /** Where the kernel has its `struct task_struct`, of the running one 0xffff888100000000 if it is not said. */
  readonly address?: bigint;
  /** Where its registers were saved when it entered the kernel. */
  readonly registers?: bigint;
}

export interface Environment extends TracingEnvironment {
  /** A frame from its Ethernet header on. Programs on packets need one of at least 14 bytes. */
  readonly packet?: Uint8Array;
  /**
   * As BPF_PROG_TEST_RUN takes it in `ctx_in`: for socket buffers a `__sk_buff` with the fields that it lets one set, for XDP an `xdp_md` whose
   * `data` says how many of the packet's first bytes are metadata, for tracing programs the context itself. Missing bytes are 0.
   */
  readonly context?: Uint8Array;
  /** That the packet is at a hook of a device, and how it came there; otherwise it is one that BPF_PROG_TEST_RUN has made. */
  readonly arrival?: Arrival;
  /** What is known of the packet beside its context, for programs on socket buffers. */
  readonly socketBuffer?: SocketBufferGiven;
  readonly network?: Network;
  /** The socket that a hook of sockets is about, for programs that see it in their context. */
  readonly hookSocket?: PacketSocket;
  /** The clock at the start; it advances by a nanosecond an instruction. */
  readonly clockNs?: bigint;
  /** Of get_prandom_u32; an integer. */
  readonly seed?: number;
  /** The processor that the program runs on. */
  readonly cpu?: number;
  readonly task?: Partial<Task>;
  /** Tasks that there are beside the running one: none by default. */
  readonly otherTasks?: readonly Task[];
  /** The ids of the control groups from the root down to that of all tasks, each in the one before it: the root alone, 1, by default. */
  readonly cgroups?: readonly bigint[];
}

/** Where the running task's `struct task_struct` is if nothing else is said: behind all memory of the machine's own. */
export const TASK_ADDRESS = 0xffff_8881_0000_0000n;

export const DEFAULT_TASK: Task = {
  pid: 1,
  tgid: 1,
  uid: 0,
  gid: 0,
  comm: "soundcheck",
};
