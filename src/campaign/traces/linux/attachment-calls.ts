/**
 * Operations on what programs are attached to, on Linux: system calls of the process that the operation is of. All of x86-64. A call leaves no descriptor but the one that it gives, which
 * is the lowest that was free.
 */
import type { Operation } from "../../../kernel/operation.ts";
import type { AttachmentOperation } from "../../../kernel/operations/attachments.ts";
import type { Answer } from "../../../kernel/system.ts";
import type { Argument, Memory, Outcome, SystemCall } from "../../../oracle/linux/calls.ts";
import { errnoName, KernelError } from "../../../oracle/linux/errno.ts";
import {
  askDevice,
  askFilters,
  changeXdp,
  type Direction,
  deleteDevice,
  deleteDiscipline,
  deleteFilter,
  listedFilters,
  moveDevice,
  newDiscipline,
  newPair,
  putFilter,
  xdpIds,
} from "../../../oracle/linux/network/attachment-requests.ts";
import { acknowledged, message, type Request } from "../../../oracle/linux/network/netlink.ts";
import type { LinuxTrace } from "./linux-trace.ts";
import { eventAttribute, PERF_FLAG_FD_CLOEXEC } from "./perf-events.ts";

const X64 = {
  close: 3,
  ioctl: 16,
  nanosleep: 35,
  socket: 41,
  sendto: 44,
  recvfrom: 45,
  bind: 49,
  setsockopt: 54,
  fcntl: 72,
  openat: 257,
  mkdirat: 258,
  unlinkat: 263,
  unshare: 272,
  perf_event_open: 298,
  setns: 308,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
} as const;

const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const CLOEXEC = 0o2_000_000;
const O_DIRECTORY = 0o200_000;
const AT_REMOVEDIR = 0x200;
const MSG_DONTWAIT = 0x40;
const CLONE_NEWNET = 0x4000_0000;
const F_DUPFD_CLOEXEC = 1030;
/** Of a socket: a descriptor of its network namespace. */
const SIOCGSKNS = 0x894c;
const FSCONFIG_CMD_CREATE = 6;
const SOL_SOCKET = 1;
const OPTIONS = {
  reuseport: 15,
  attach_filter: 26,
  detach_filter: 27,
  lock_filter: 44,
  attach_bpf: 50,
  attach_reuseport_cbpf: 51,
  attach_reuseport_ebpf: 52,
  detach_reuseport_bpf: 68,
} as const;
const PERF_EVENT_IOC_SET_BPF = 0x4004_2408;

const EBADF = -9;
const EAGAIN = -11;

const given = (bytes: Uint8Array): Memory => ({ bytes, back: "nothing" });
const path = (name: string): Memory => given(new TextEncoder().encode(`${name}\0`));
const word = (value: number): Memory => given(new Uint8Array(Int32Array.of(value).buffer));
const made = (name: keyof typeof X64, ...values: readonly Argument[]): SystemCall => ({
  number: X64[name],
  arguments: values,
});
const of = (call: number): Argument => ({ resultOf: call });
const errorOf = (outcome: Outcome | undefined): number =>
  outcome === undefined ? EBADF : outcome.errno === 0 ? outcome.result : -outcome.errno;

/** Makes calls in the process of the operation, one after the other. */
type Make = (list: readonly SystemCall[]) => readonly Outcome[];

/** Operations by which a namespace or a cgroup may have no more use. */
const ENDING: ReadonlySet<Operation["do"]> = new Set([
  "unshare_net",
  "netns_enter",
  "cgroup_remove",
  "exit",
  "unlink",
]);
/** Traces that have, or had, a namespace or a cgroup of their own. */
const OWNING = new WeakSet<LinuxTrace>();
const PAUSE_NS = 150_000_000n;

/** Whether an operation that has not been done yet may be the end of a namespace or a cgroup. */
export function mayEnd(trace: LinuxTrace, operation: Operation): boolean {
  if (operation.do === "unshare_net" || operation.do === "cgroup_create") OWNING.add(trace);
  if (!OWNING.has(trace)) return false;
  if (operation.do === "bpf") return operation.command === "link_detach";
  if (operation.do !== "close") return ENDING.has(operation.do);
  const open = trace.running.get(operation.process)?.find(({ fd }) => fd === operation.fd);
  return open?.kind === "netns" || open?.kind === "link";
}

/** Linux takes namespaces and cgroups down a little later, and what was attached to them away. */
export function awaitEnds(trace: LinuxTrace): void {
  const pause = new Uint8Array(16);
  new DataView(pause.buffer).setBigUint64(8, PAUSE_NS, true);
  trace.world.oversee([made("nanosleep", given(pause), 0)]);
}

/** Does the operation in its process. */
export function doAttachment(trace: LinuxTrace, operation: AttachmentOperation): Answer {
  const make: Make = (list) => trace.processes.calls(operation.process, list);
  const answer = act(trace, make, operation);
  return typeof answer === "number" ? { result: answer } : answer;
}

function act(trace: LinuxTrace, make: Make, operation: AttachmentOperation): Answer | number {
  const one = (name: keyof typeof X64, ...values: readonly Argument[]): number =>
    errorOf(make([made(name, ...values)])[0]);
  const fd = (number: number): number => trace.descriptor(number);
  const ask = (request: Request): number => netlink(make, request).result;
  switch (operation.do) {
    case "unshare_net":
      return one("unshare", CLONE_NEWNET);
    case "netns_open":
      return openNamespace(make);
    case "netns_enter":
      return one("setns", fd(operation.fd), CLONE_NEWNET);
    case "veth_create":
      return ask(newPair(operation.first, operation.second));
    case "device_delete":
      return ask(deleteDevice(operation.index));
    case "device_move":
      return ask(moveDevice(operation.index, operation.fd));
    case "xdp_set":
      return ask(changeXdp(operation.index, operation.fd, operation.flags, operation.expected_fd));
    case "xdp_query":
      return queryXdp(trace, make, operation.index);
    case "qdisc_create":
      return ask(newDiscipline(operation.index, operation.discipline, operation.manner));
    case "qdisc_delete":
      return ask(deleteDiscipline(operation.index, operation.discipline));
    case "filter_create":
      return ask(putFilter(operation, operation.fd, operation.manner, operation.class));
    case "filter_delete":
      return ask(deleteFilter(operation));
    case "filter_query":
      return queryFilters(trace, make, operation.index, operation.direction);
    case "socket":
      return one("socket", AF_INET, SOCK_DGRAM | CLOEXEC, 0);
    case "socket_bind":
      return one("bind", fd(operation.fd), given(Uint8Array.of(AF_INET, ...new Uint8Array(15))), 16);
    case "setsockopt":
      return one(
        "setsockopt",
        fd(operation.fd),
        SOL_SOCKET,
        OPTIONS[operation.option],
        ...optionValue(operation),
      );
    case "cgroup_create":
    case "cgroup_remove":
    case "cgroup_open":
      return cgroup(trace, make, operation);
    case "perf_event_open":
      return one(
        "perf_event_open",
        given(eventAttribute(trace.world, operation.tracepoint)),
        0,
        -1,
        -1,
        PERF_FLAG_FD_CLOEXEC,
      );
    case "perf_event_set_bpf":
      return one("ioctl", fd(operation.fd), PERF_EVENT_IOC_SET_BPF, operation.program);
  }
}

// --- Network

const BUFFER = 0x8000;
/** Requests name descriptors of the trace, and the socket's must not be one. */
const OUT_OF_THE_WAY = 1500;

/** Asks, and reads what comes: the error number or 0, and the messages. */
function netlink(make: Make, request: Request): { readonly result: number; readonly answers: Uint8Array } {
  const bytes = message(request);
  const buffers = [0, 1, 2].map(() => new Uint8Array(BUFFER));
  const outcomes = make([
    made("socket", AF_NETLINK, SOCK_RAW | CLOEXEC, 0),
    made("fcntl", of(0), F_DUPFD_CLOEXEC, OUT_OF_THE_WAY),
    made("close", of(0)),
    made("sendto", of(1), given(bytes), bytes.length, 0, 0, 0),
    ...buffers.map((buffer) =>
      made("recvfrom", of(1), { bytes: buffer, back: "all" }, BUFFER, MSG_DONTWAIT, 0, 0),
    ),
    made("close", of(1)),
  ]);
  const sent = errorOf(outcomes[3]);
  if (sent < 0) return { result: sent, answers: new Uint8Array(0) };
  const parts = buffers.map((buffer, at) => buffer.subarray(0, Math.max(0, errorOf(outcomes[4 + at]))));
  const first = errorOf(outcomes[4]);
  if (first === EAGAIN) throw new Error("a netlink request without an answer");
  const errno = parts[0] === undefined ? 0 : (acknowledged(parts[0]) ?? 0);
  return { result: errno === 0 ? 0 : -errno, answers: new Uint8Array(Buffer.concat(parts)) };
}

function openNamespace(make: Make): number {
  const outcomes = make([
    made("socket", AF_INET, SOCK_DGRAM | CLOEXEC, 0),
    made("ioctl", of(0), SIOCGSKNS, 0),
    made("close", of(0)),
    made("fcntl", of(1), F_DUPFD_CLOEXEC, 0),
    made("close", of(1)),
  ]);
  const opened = errorOf(outcomes[1]);
  return opened < 0 ? opened : errorOf(outcomes[3]);
}

/** Our id of a program; 0 for none. */
const ours = (trace: LinuxTrace, id: number): number => (id === 0 ? 0 : (trace.ours("program", id) ?? -1));

function queryXdp(trace: LinuxTrace, make: Make, index: number): Answer {
  const { result, answers } = netlink(make, askDevice(index));
  if (result !== 0) return { result };
  const { native, generic } = xdpIds(answers);
  return { result, out: { native: ours(trace, native), generic: ours(trace, generic) } };
}

function queryFilters(trace: LinuxTrace, make: Make, index: number, direction: Direction): Answer {
  const device = netlink(make, askDevice(index));
  if (device.result !== 0) return { result: device.result };
  const { result, answers } = netlink(make, askFilters(index, direction));
  if (result !== 0) return { result };
  const filters = listedFilters(answers);
  const text = filters.map(
    ({ priority, handle, program }) => `${priority}:${handle}:${ours(trace, program)}`,
  );
  return { result: filters.length, out: { filters: text.join(" ") } };
}

// --- Sockets

/** Two instructions of classic BPF: return a number. */
function optionValue({
  option,
  value,
}: Extract<AttachmentOperation, { do: "setsockopt" }>): readonly Argument[] {
  if (option !== "attach_filter" && option !== "attach_reuseport_cbpf") return [word(value), 4];
  const insn = new Uint8Array(8);
  const view = new DataView(insn.buffer);
  view.setUint16(0, BPF_RET, true);
  view.setInt32(4, value, true);
  const program = new Uint8Array(16);
  new DataView(program.buffer).setUint16(0, 1, true);
  return [{ bytes: program, back: "nothing", pointers: [[8, given(insn)]] }, program.length];
}

const BPF_RET = 6;

// --- Cgroups

/** The trace's own cgroup, beneath the root of version 2, and what is in it. */
interface Cgroups {
  readonly root: string;
  readonly made: string[];
}

const CGROUPS = new WeakMap<LinuxTrace, Cgroups>();
let traces = 0;

/** Calls on names beneath the root of version 2, by a mount that is nowhere; the first call's index is 4. */
const inCgroups = (...calls: readonly SystemCall[]): readonly SystemCall[] => [
  made("fsopen", path("cgroup2"), 1),
  made("fsconfig", of(0), FSCONFIG_CMD_CREATE, 0, 0, 0),
  made("fsmount", of(0), 1, 0),
  made("close", of(0)),
  ...calls,
  made("close", of(2)),
];

const remove = (name: string): SystemCall => made("unlinkat", of(2), path(name), AT_REMOVEDIR);

/** Made when it is asked for, and removed when the trace ends. */
function cgroupsOf(trace: LinuxTrace): Cgroups {
  const known = CGROUPS.get(trace);
  if (known !== undefined) return known;
  traces += 1;
  const root = `soundcheck-${process.pid}-${traces}`;
  const cgroups = { root, made: [] };
  CGROUPS.set(trace, cgroups);
  const result = errorOf(trace.world.oversee(inCgroups(made("mkdirat", of(2), path(root), MODE)))[4]);
  if (result < 0) throw new KernelError("a cgroup of the trace's own", errnoName(-result));
  trace.endings.push(() => {
    const names = [...cgroups.made].toReversed();
    trace.world.oversee(inCgroups(...names.map(remove), remove(root)));
  });
  return cgroups;
}

const MODE = 0o755;

function cgroup(
  trace: LinuxTrace,
  make: Make,
  operation: Extract<AttachmentOperation, { do: "cgroup_create" | "cgroup_remove" | "cgroup_open" }>,
): number {
  const cgroups = cgroupsOf(trace);
  const name = [cgroups.root, operation.path].filter((part) => part !== "").join("/");
  switch (operation.do) {
    case "cgroup_create":
      cgroups.made.push(name);
      return errorOf(make(inCgroups(made("mkdirat", of(2), path(name), MODE)))[4]);
    case "cgroup_remove":
      return errorOf(make(inCgroups(remove(name)))[4]);
    case "cgroup_open":
      return errorOf(make(inCgroups(made("openat", of(2), path(name), O_DIRECTORY | CLOEXEC, 0)))[4]);
  }
}
