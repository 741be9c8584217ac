/**
 * BPF_PROG_TEST_RUN of programs that are given a packet: the machine runs them. Contexts, repetition and what asks for more than one processor are not modelled.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { EFAULT, EINVAL, ENOSPC, ENOTSUPP } from "../../vm/errno.ts";
import { Machine } from "../../vm/machine.ts";
import type { ProgramObject } from "../objects.ts";
import { type Call, programByFd } from "./call.ts";

/** Types that are given a packet as a socket's buffer, or as a device has it. */
const BUFFERS: ReadonlySet<ProgramType> = new Set([
  "socket_filter",
  "sched_cls",
  "sched_act",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
]);
/** Types that Linux runs with something else. */
const OTHERS: ReadonlySet<ProgramType> = new Set([
  "flow_dissector",
  "sk_lookup",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "syscall",
  "netfilter",
  "tracing",
  "struct_ops",
]);

const SHORTEST = 14;
/** Longer packets are in several pieces. */
const LONGEST = 3000;
/** Attach types of XDP programs that are run for packets that are already on their way. */
const ON_THE_WAY = ["xdp_devmap", "xdp_cpumap"];

type RunCall = Call<"prog_test_run">;

export function progTestRun(call: RunCall): number {
  const { process, attr } = call;
  const isHalf = (size: "ctx_size_in" | "ctx_size_out", place: "ctx_in" | "ctx_out"): boolean =>
    (attr.u32(size) === 0) !== (attr.u64(place) === 0n);
  if (isHalf("ctx_size_in", "ctx_in") || isHalf("ctx_size_out", "ctx_out")) return EINVAL;
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  const { type, attach = "" } = program.referent.program;
  if (type !== "xdp" && !BUFFERS.has(type)) {
    if (OTHERS.has(type)) throw new Unsupported(`prog_test_run: programs of type ${type}`);
    return ENOTSUPP;
  }
  const [flags, cpu, batch] = [attr.u32("flags"), attr.u32("cpu"), attr.u32("batch_size")];
  if (type === "xdp") {
    if ((flags & ~LIVE_FRAMES) !== 0 || ON_THE_WAY.includes(attach)) return EINVAL;
    if (flags !== 0) throw new Unsupported("prog_test_run: live frames");
    if (batch !== 0) return EINVAL;
  } else {
    if ((flags & ~CHECKSUM_COMPLETE) !== 0 || cpu !== 0 || batch !== 0) return EINVAL;
    if (flags !== 0) throw new Unsupported("prog_test_run: checksums");
  }
  const size = attr.u32("data_size_in");
  if (size > LONGEST) throw new Unsupported(`prog_test_run: a packet of ${size} bytes`);
  if (attr.u64("ctx_in") !== 0n || attr.u64("ctx_out") !== 0n)
    throw new Unsupported("prog_test_run: contexts");
  if (size < SHORTEST) return EINVAL;
  const packet = attr.read("data_in", size);
  if (packet === undefined) return EFAULT;
  if (attr.u32("repeat") > 1) throw new Unsupported("prog_test_run: repetition");
  return run(call, program, packet);
}

/** BPF_F_TEST_XDP_LIVE_FRAMES and BPF_F_TEST_SKB_CHECKSUM_COMPLETE. */
const LIVE_FRAMES = 2;
const CHECKSUM_COMPLETE = 4;

function run({ kernel, attr }: RunCall, { referent }: ProgramObject, packet: Uint8Array): number {
  const { program, maps } = referent.loaded;
  const machine = new Machine(program, { maps, cpus: kernel.cpus });
  const result = machine.run({ packet });
  if (result.outcome === "fault") throw new Error(`a verified program faults: ${result.fault.message}`);
  const out = result.packet ?? packet;
  const room = attr.u32("data_size_out");
  const isShort = room !== 0 && out.length > room;
  // A packet that is cut short is the worse error.
  const unread = isShort ? ENOSPC : EFAULT;
  if (attr.u64("data_out") !== 0n && !attr.write("data_out", isShort ? out.subarray(0, room) : out))
    return unread;
  const told =
    attr.writeBack("data_size_out", out.length) &&
    attr.writeBack("retval", Number(BigInt.asUintN(32, result.r0))) &&
    // How long it took is no machine's to say.
    attr.writeBack("duration", 0);
  return told && !isShort ? 0 : unread;
}
