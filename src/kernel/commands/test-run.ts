/** BPF_PROG_TEST_RUN: the kernel's checks in the kernel's order for each type of program, and the machine's run. */
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import {
  E2BIG,
  EAFNOSUPPORT,
  EBADMSG,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOSPC,
  ENOTSUPP,
  ENXIO,
  ERANGE,
} from "../../vm/errno.ts";
import { checkXdpPositions, XDP_MD } from "../../vm/input.ts";
import { Machine } from "../../vm/machine.ts";
import { SK_BUFF } from "../../vm/socket-buffer.ts";
import type { ProgramObject } from "../objects.ts";
import { type Call, programByFd } from "./call.ts";
import { callsNothing, contextGiven, contextReach, giveContext, leavesNothing } from "./test-run-context.ts";

type RunCall = Call<"prog_test_run">;
type Loaded = ProgramObject["referent"]["loaded"];
type Test = (call: RunCall, loaded: Loaded) => number;
type Environment = NonNullable<Parameters<Machine["run"]>[0]>;
type Ended = Extract<ReturnType<Machine["run"]>, { outcome: "exit" }>;

/** How Linux tests programs of a type; the others it does not test. */
const TESTS: { readonly [T in ProgramType]?: Test } = {
  socket_filter: testBuffer,
  sched_cls: testBuffer,
  sched_act: testBuffer,
  cgroup_skb: testBuffer,
  lwt_in: testBuffer,
  lwt_out: testBuffer,
  lwt_xmit: testBuffer,
  xdp: testXdp,
  flow_dissector: testFlowDissector,
  sk_lookup: testSocketLookup,
  raw_tracepoint: testRawTracepoint,
  syscall: testSystemCall,
};
/** Types that Linux tests in ways that are not modelled. */
const NOT_MODELLED: ReadonlySet<ProgramType> = new Set([
  "lwt_seg6local",
  "netfilter",
  "tracing",
  "struct_ops",
]);

export function progTestRun(call: RunCall): number {
  const { process, attr } = call;
  const isHalf = (size: "ctx_size_in" | "ctx_size_out", place: "ctx_in" | "ctx_out"): boolean =>
    (attr.u32(size) === 0) !== (attr.u64(place) === 0n);
  if (isHalf("ctx_size_in", "ctx_in") || isHalf("ctx_size_out", "ctx_out")) return EINVAL;
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  const { loaded } = program.referent;
  const { type } = loaded.program;
  if (NOT_MODELLED.has(type)) throw new Unsupported(`prog_test_run: programs of type ${type}`);
  const test = TESTS[type];
  return test === undefined ? ENOTSUPP : test(call, loaded);
}

// --- What the types have in common

/** BPF_F_TEST_RUN_ON_CPU, BPF_F_TEST_XDP_LIVE_FRAMES and BPF_F_TEST_SKB_CHECKSUM_COMPLETE. */
const [ON_CPU, LIVE_FRAMES, CHECKSUM_COMPLETE] = [1, 2, 4];
const LOOPBACK = 1;
const SHORTEST = 14;
const PAGE = 4096;
/** Room that Linux leaves in front of a socket buffer's packet, that of an XDP packet, and that behind either. */
const [BUFFER_HEADROOM, XDP_HEADROOM, TAILROOM] = [64, 256, 320];

/** What comes of asking for anything by the flags but those that are known, for a processor, or for several packets at once. */
function hasFurther({ attr }: RunCall, flags = 0): boolean {
  return (attr.u32("flags") & ~flags) !== 0 || attr.u32("cpu") !== 0 || attr.u32("batch_size") !== 0;
}

/** Runs the program; an input that Linux refuses is EINVAL. */
function run({ kernel, attr }: RunCall, { program, maps }: Loaded, environment: Environment): Ended | number {
  if (attr.u32("repeat") > 1 && !leavesNothing(program))
    throw new Unsupported("prog_test_run: repetition of programs that may leave something to the next run");
  try {
    const result = new Machine(program, { maps, cpus: kernel.cpus }).run(environment);
    if (result.outcome === "exit") return result;
    throw new Error(`a verified program faults: ${result.fault.message}`);
  } catch (error) {
    if (error instanceof InputError) return EINVAL;
    throw error;
  }
}

const resultOf = ({ r0 }: Ended): number => Number(BigInt.asUintN(32, r0));

/**
 * Tells what came of a run: the packet, as much as there is room for, the result, and how long it took, which is no machine's to say; then the context.
 *
 * @param pieces  how many of the packet's last bytes are not in its first buffer
 */
function finish(
  { attr }: RunCall,
  ended: Ended,
  out: Uint8Array,
  context: Uint8Array | undefined,
  pieces = 0,
): number {
  const room = attr.u32("data_size_out");
  const isShort = room !== 0 && out.length > room;
  // A packet that is cut short is the worse error.
  const unread = isShort ? ENOSPC : EFAULT;
  if (attr.u64("data_out") !== 0n) {
    // Linux leaves out the end of the first buffer, not that of the packet; pieces for which there is no room end it before anything is told.
    if (isShort && room < pieces) return ENOSPC;
    const parts = [out.subarray(0, room - pieces), out.subarray(out.length - pieces)];
    if (!attr.write("data_out", isShort ? Uint8Array.from(Buffer.concat(parts)) : out)) return unread;
  }
  const told =
    attr.writeBack("data_size_out", out.length) &&
    attr.writeBack("retval", resultOf(ended)) &&
    attr.writeBack("duration", 0);
  if (!told || isShort) return unread;
  return context === undefined ? 0 : giveContext(attr, context);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** What comes of a device by its number in a context: only the loopback device's packets are modelled. */
function deviceProblem({ process }: RunCall, ifindex: number): number {
  if (ifindex <= LOOPBACK) return 0;
  if (!process.network.devices.has(ifindex)) return ENODEV;
  throw new Unsupported("prog_test_run: packets of another device than the loopback one");
}

/** The packet of a call, between 14 and `most` bytes, or an error number. */
function packetGiven({ attr }: RunCall, most: number): Uint8Array | number {
  const size = attr.u32("data_size_in");
  if (size < SHORTEST || size > most) return EINVAL;
  return attr.read("data_in", size) ?? EFAULT;
}

// --- Types that are given a packet

const SK_BUFF_SIZE = 192;

function testBuffer(call: RunCall, loaded: Loaded): number {
  if (hasFurther(call, CHECKSUM_COMPLETE)) return EINVAL;
  const packet = packetGiven(call, PAGE - BUFFER_HEADROOM - TAILROOM);
  if (typeof packet === "number") return packet;
  const context = contextGiven(call.attr, SK_BUFF_SIZE);
  if (typeof context === "number") return context;
  const ifindex = context === undefined ? 0 : viewOf(context).getUint32(SK_BUFF.ifindex, true);
  const device = deviceProblem(call, ifindex);
  if (device !== 0) return device;
  const ended = run(call, loaded, { packet, ...(context === undefined ? {} : { context }) });
  if (typeof ended === "number") return ended;
  const out = ended.packet ?? packet;
  if ((call.attr.u32("flags") & CHECKSUM_COMPLETE) !== 0) {
    if (!callsNothing(loaded.program)) throw new Unsupported("prog_test_run: checksums that helpers keep");
    if (sumOf(packet.subarray(SHORTEST)) !== sumOf(out.subarray(SHORTEST))) return EBADMSG;
  }
  return finish(call, ended, out, context === undefined ? undefined : ended.context);
}

/** The sum in ones' complement of the 16-bit words, the last of which may be half a one. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const [at, byte] of bytes.entries()) sum += at % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const XDP_MD_SIZE = 24;
/** TEST_XDP_MAX_BATCH. */
const LARGEST_BATCH = 256;
/** Attach types of XDP programs that are run for packets that are already on their way. */
const ON_THE_WAY = ["xdp_devmap", "xdp_cpumap"];

function testXdp(call: RunCall, loaded: Loaded): number {
  const { attr } = call;
  const { attach = "" } = loaded.program;
  if (ON_THE_WAY.includes(attach) || (attr.u32("flags") & ~LIVE_FRAMES) !== 0) return EINVAL;
  const batch = attr.u32("batch_size");
  const isLive = attr.u32("flags") !== 0;
  if (isLive && batch > LARGEST_BATCH) return E2BIG;
  if (!isLive && batch !== 0) return EINVAL;
  const context = contextGiven(attr, XDP_MD_SIZE);
  if (typeof context === "number") return context;
  if (isLive) throw new Unsupported("prog_test_run: live frames");
  const size = attr.u32("data_size_in");
  if (size > PAGE - XDP_HEADROOM - TAILROOM)
    throw new Unsupported(`prog_test_run: XDP packets of ${size} bytes`);
  if (context !== undefined) {
    const view = viewOf(context);
    const metadata = view.getUint32(XDP_MD.data, true);
    try {
      checkXdpPositions(view, size, metadata);
    } catch (error) {
      if (error instanceof InputError) return EINVAL;
      throw error;
    }
    if (size < metadata + SHORTEST) return EINVAL;
  }
  const packet = packetGiven(call, PAGE);
  if (typeof packet === "number") return packet;
  const arrival = context === undefined ? 0 : arrivalProblem(call, viewOf(context));
  if (arrival !== 0) return arrival;
  const ended = run(call, loaded, { packet, ...(context === undefined ? {} : { context }) });
  if (typeof ended === "number") return ended;
  const out = ended.packet ?? packet;
  const linear =
    ended.context === undefined ? out.length : viewOf(ended.context).getUint32(XDP_MD.data_end, true);
  const contextOut = context === undefined ? undefined : ended.context;
  return finish(call, ended, out, contextOut, out.length - linear);
}

/** What is wrong with where an XDP packet has come from; the loopback device has one queue. */
function arrivalProblem(call: RunCall, view: DataView): number {
  if (view.getUint32(XDP_MD.egress_ifindex, true) !== 0) return EINVAL;
  const ifindex = view.getUint32(XDP_MD.ingress_ifindex, true);
  const queue = view.getUint32(XDP_MD.rx_queue_index, true);
  const device = deviceProblem(call, ifindex);
  return device === 0 && queue !== 0 ? EINVAL : device;
}

const FLOW_KEYS_SIZE = 56;

function testFlowDissector(call: RunCall, loaded: Loaded): number {
  if (hasFurther(call)) return EINVAL;
  const packet = packetGiven(call, PAGE);
  if (typeof packet === "number") return packet;
  const context = contextGiven(call.attr, FLOW_KEYS_SIZE);
  if (typeof context === "number") return context;
  const ended = run(call, loaded, { packet, ...(context === undefined ? {} : { context }) });
  if (typeof ended === "number") return ended;
  // The keys come back as the packet; as the context what was given.
  return finish(call, ended, ended.packet ?? packet, context);
}

// --- Types that are given a context alone

const SOCKET_LOOKUP = { size: 72, sk: 0, family: 8, local_port: 60, behind: 64 };
const [AF_INET, AF_INET6, PORT_MAX] = [2, 10, 0xffff];

function testSocketLookup(call: RunCall, loaded: Loaded): number {
  const { attr } = call;
  if (hasFurther(call)) return EINVAL;
  const hasPacket =
    attr.u64("data_in") !== 0n ||
    attr.u64("data_out") !== 0n ||
    attr.u32("data_size_in") !== 0 ||
    attr.u32("data_size_out") !== 0;
  if (hasPacket) return EINVAL;
  const context = contextGiven(attr, SOCKET_LOOKUP.size);
  if (typeof context === "number") return context;
  if (context === undefined) return EINVAL;
  const view = viewOf(context);
  if (view.getBigUint64(SOCKET_LOOKUP.sk, true) !== 0n) return EINVAL;
  if (context.subarray(SOCKET_LOOKUP.behind).some((byte) => byte !== 0)) return EINVAL;
  if (view.getUint32(SOCKET_LOOKUP.local_port, true) > PORT_MAX) return ERANGE;
  const family = view.getUint16(SOCKET_LOOKUP.family, true);
  if (family !== AF_INET && family !== AF_INET6) return EAFNOSUPPORT;
  const ended = run(call, loaded, { context });
  return typeof ended === "number" ? ended : finish(call, ended, new Uint8Array(0), ended.context ?? context);
}

/** Whether a call asks for what there is only for packets. */
function asksForPackets({ attr }: RunCall): boolean {
  const places = (["data_in", "data_out", "ctx_out"] as const).some((name) => attr.u64(name) !== 0n);
  return places || (["duration", "repeat", "batch_size"] as const).some((name) => attr.u32(name) !== 0);
}

/** The context of a call as a program is given it that takes it whole; the program may look no further than it reaches. */
function wholeContext({ attr }: RunCall, { program }: Loaded, most: number): Uint8Array | number {
  const size = attr.u32("ctx_size_in");
  if (size > most) return EINVAL;
  const reach = contextReach(program);
  if (reach === undefined && size < most)
    throw new Unsupported("prog_test_run: contexts of programs that reach no one knows how far");
  if (reach !== undefined && size < reach) return EINVAL;
  return attr.read("ctx_in", size) ?? EFAULT;
}

/** Twelve arguments. */
const ARGUMENTS_SIZE = 96;

function testRawTracepoint(call: RunCall, loaded: Loaded): number {
  const { attr, kernel } = call;
  if (asksForPackets(call)) return EINVAL;
  const isOnCpu = (attr.u32("flags") & ON_CPU) !== 0;
  const cpu = attr.u32("cpu");
  // What is wrong with the size and what is wrong with the processor is the same error.
  if (attr.u32("ctx_size_in") > ARGUMENTS_SIZE || (!isOnCpu && cpu !== 0)) return EINVAL;
  const context = wholeContext(call, loaded, ARGUMENTS_SIZE);
  if (typeof context === "number") return context;
  if (cpu >= kernel.cpus) return ENXIO;
  const ended = run(call, loaded, { context, ...(isOnCpu ? { cpu } : {}) });
  if (typeof ended === "number") return ended;
  return attr.writeBack("retval", resultOf(ended)) ? 0 : EFAULT;
}

/** The largest context of a program for system calls. */
const LARGEST_CONTEXT = 0xffff;

function testSystemCall(call: RunCall, loaded: Loaded): number {
  const { attr } = call;
  if (asksForPackets(call) || attr.u32("flags") !== 0) return EINVAL;
  const context = wholeContext(call, loaded, LARGEST_CONTEXT);
  if (typeof context === "number") return context;
  const ended = run(call, loaded, { context });
  if (typeof ended === "number") return ended;
  if (!attr.writeBack("retval", resultOf(ended))) return EFAULT;
  return attr.write("ctx_in", ended.context ?? context) ? 0 : EFAULT;
}
