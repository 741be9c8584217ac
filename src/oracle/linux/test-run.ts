/**
 * Runs a loaded program in the kernel on given input (BPF_PROG_TEST_RUN; Documentation/bpf/bpf_prog_run.rst).
 *
 * What goes in and comes out, by program type, as Linux 6.18 does it:
 * - xdp: a packet of at least 14 bytes; the context (`xdp_md`), if given, as 24 bytes: `data` the length of the metadata that the packet
 *   begins with (0 or 4 … 32), `data_end` the packet's length, `data_meta` 0, `ingress_ifindex` and queue of a device that exists, or 0;
 * - socket_filter, sched_cls, sched_act, cgroup_skb, lwt_in, lwt_out, lwt_xmit: an Ethernet frame of at least 14 bytes. sched_cls and sched_act see
 *   it from its first byte; the others from byte 14, and zeros come back in place of the header. Of the context (`__sk_buff`) the kernel takes
 *   mark, priority, ingress_ifindex, ifindex, cb, tstamp, wire_len (at least the packet's length), gso_segs, gso_size and hwtstamp;
 *   anything else must be 0. Without a context, ifindex is 1 (the loopback device);
 * - flow_dissector: a packet; `struct bpf_flow_keys` comes back. netfilter: a packet, which does not come back;
 * - sk_lookup: a context. raw_tracepoint and syscall: a context, which does not come back.
 * Programs of other types (kprobe, tracepoint, perf_event, sk_skb, lwt_seg6local, the other cgroup types, …) cannot be run: ENOTSUPP.
 */
import { bpf } from "./bpf.ts";
import type { Kernel } from "./calls.ts";
import { errnoText } from "./errno.ts";
import { THIS_MACHINE } from "./this-machine.ts";

export interface TestInput {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
  /** Whether to ask for the context afterwards (the default); raw_tracepoint and syscall programs refuse to be asked. */
  readonly contextBack?: boolean;
  /** How many bytes longer the program may make the packet; more is an error. Default 4096. */
  readonly growth?: number;
  /** Runs in a row; the packet is not put back between them. Default 1. */
  readonly repeat?: number;
}

export interface TestRun {
  readonly ran: true;
  /** r0's low 32 bits, unsigned. */
  readonly retval: number;
  /** The packet afterwards; empty if there was none. */
  readonly packet: Uint8Array;
  /** The context afterwards; empty if none was given or asked for. */
  readonly context: Uint8Array;
  /** Nanoseconds for one run, on average. */
  readonly durationNs: number;
}

export interface NotRun {
  readonly ran: false;
  /** `ENOTSUPP` for a type that cannot be run, `EINVAL` for input that the type does not take. */
  readonly errno: string;
  readonly message: string;
}

const GROWTH = 4096;

/** @param fd the program's descriptor, in the given kernel. */
export function testRun(fd: number, input: TestInput = {}, kernel: Kernel = THIS_MACHINE): TestRun | NotRun {
  const { packet, context, repeat, growth = GROWTH } = input;
  const packetOut = packet === undefined ? undefined : new Uint8Array(packet.length + growth);
  const contextOut =
    input.contextBack === false || context === undefined ? undefined : new Uint8Array(context.length);
  const answer = bpf(kernel, "prog_test_run", {
    prog_fd: fd,
    ...(packet === undefined || packetOut === undefined
      ? {}
      : {
          data_in: packet,
          data_size_in: packet.length,
          data_out: packetOut,
          data_size_out: packetOut.length,
        }),
    ...(context === undefined ? {} : { ctx_in: context, ctx_size_in: context.length }),
    ...(contextOut === undefined ? {} : { ctx_out: contextOut, ctx_size_out: contextOut.length }),
    ...(repeat === undefined ? {} : { repeat }),
  });
  if (answer.errno !== undefined) {
    return { ran: false, errno: answer.errno, message: `test run: ${errnoText(answer.errno)}` };
  }
  return {
    ran: true,
    retval: answer.read("retval"),
    packet: packetOut?.subarray(0, answer.read("data_size_out")) ?? new Uint8Array(0),
    context: contextOut?.subarray(0, answer.read("ctx_size_out")) ?? new Uint8Array(0),
    durationNs: answer.read("duration"),
  };
}
