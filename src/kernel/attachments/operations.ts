/** Operations on what programs are attached to. */
import { Unsupported } from "../../semantics/errors.ts";
import { EBADF, EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, ENOTTY, EOPNOTSUPP, EPERM } from "../../vm/errno.ts";
import type { Kernel, Process } from "../kernel.ts";
import { Device, NetworkNamespace } from "../network.ts";
import type { AttachmentOperation } from "../operations/attachments.ts";
import { may } from "../privileges.ts";
import type { Answer } from "../system.ts";
import { Cgroup, CgroupFile } from "./cgroup.ts";
import { PerfEvent, setEventProgram } from "./events.ts";
import { programByFd } from "./lookup.ts";
import { bindSocket, SocketFile, setSocketOption } from "./sockets.ts";
import { namespaceByFd } from "./targets.ts";
import { modesOf, XDP_FLAGS } from "./xdp.ts";

type Of<N extends AttachmentOperation["do"]> = Extract<AttachmentOperation, { readonly do: N }>;

/** What takes `cap_net_admin`, and `cap_sys_admin`. */
const NETWORK: ReadonlySet<AttachmentOperation["do"]> = new Set([
  "netns_open",
  "veth_create",
  "device_delete",
  "device_move",
  "xdp_set",
  "qdisc_create",
  "qdisc_delete",
  "filter_create",
  "filter_delete",
]);
const SYSTEM: ReadonlySet<AttachmentOperation["do"]> = new Set([
  "cgroup_create",
  "cgroup_remove",
  "cgroup_open",
  "perf_event_open",
]);

/** Returns what the call does, or what it does and writes. @throws Unsupported  for what is not modelled */
export function attachment(
  kernel: Kernel,
  process: Process,
  operation: AttachmentOperation,
): Answer | number {
  if (NETWORK.has(operation.do) && !may(process, "cap_net_admin")) return EPERM;
  if (SYSTEM.has(operation.do) && !may(process, "cap_sys_admin"))
    throw new Unsupported(`${operation.do} without cap_sys_admin`);
  switch (operation.do) {
    case "unshare_net":
      if (!may(process, "cap_sys_admin")) return EPERM;
      return enter(process, new NetworkNamespace());
    case "netns_open":
      return process.descriptors.open(process.network);
    case "netns_enter": {
      const namespace = namespaceByFd(process, operation.fd);
      if (typeof namespace === "number") return namespace;
      return may(process, "cap_sys_admin") ? enter(process, namespace) : EPERM;
    }
    case "veth_create":
      return createPair(process, operation);
    case "device_move": {
      const to = namespaceByFd(process, operation.fd);
      return typeof to === "number" ? to : move(process, to, operation.index);
    }
    case "device_delete":
    case "xdp_set":
    case "xdp_query":
    case "qdisc_create":
    case "qdisc_delete":
    case "filter_create":
    case "filter_delete":
    case "filter_query": {
      if (isUnclear(operation)) return ENOENT;
      const device = process.network.devices.get(operation.index);
      return device === undefined ? ENODEV : onDevice(process, device, operation);
    }
    case "socket":
      return process.descriptors.open(new SocketFile(kernel.cookies, process.network));
    case "socket_bind":
      return bindSocket(process, operation.fd);
    case "setsockopt":
      return setSocketOption(process, operation.fd, operation);
    case "cgroup_create":
    case "cgroup_remove":
    case "cgroup_open":
      return cgroup(kernel, process, operation);
    case "perf_event_open":
      return process.descriptors.open(new PerfEvent(kernel.tracepoint(operation.tracepoint)));
    case "perf_event_set_bpf": {
      const target = process.descriptors.target(operation.fd);
      if (target === undefined) return EBADF;
      return target instanceof PerfEvent ? setEventProgram(process, target, operation.program) : ENOTTY;
    }
  }
}

function enter(process: Process, namespace: NetworkNamespace): number {
  const before = process.network;
  process.network = namespace.hold();
  before.put();
  return 0;
}

/** The second device of a pair is made first. */
function createPair({ network }: Process, { first, second }: Of<"veth_create">): number {
  // A number that is taken is one of the device that the request is then about.
  if (network.devices.has(first.index)) return EEXIST;
  if (network.byName(second.name) !== undefined) return EEXIST;
  if (network.devices.has(second.index)) return EBUSY;
  if (first.name === second.name || network.byName(first.name) !== undefined) return EEXIST;
  if (first.index === second.index) return EBUSY;
  const peer = new Device(second.name, "to come");
  peer.enter(network, second.index);
  new Device(first.name, peer).enter(network, first.index);
  return 0;
}

/** A filter that is to be there already needs its priority; and all filters cannot be one. Linux looks at that before it looks for the device. */
function isUnclear(operation: OnDevice): boolean {
  if (operation.do === "filter_create") return operation.priority === 0 && operation.manner === "change";
  return operation.do === "filter_delete" && operation.priority === 0 && operation.handle !== 0;
}

type OnDevice = Of<
  | "device_delete"
  | "xdp_set"
  | "xdp_query"
  | "qdisc_create"
  | "qdisc_delete"
  | "filter_create"
  | "filter_delete"
  | "filter_query"
>;

function onDevice(process: Process, device: Device, operation: OnDevice): Answer | number {
  switch (operation.do) {
    case "device_delete":
      if (device.isLoopback) return EOPNOTSUPP;
      device.remove();
      return 0;
    case "xdp_set":
      return setXdp(process, device, operation);
    case "xdp_query": {
      const id = (mode: "native" | "generic"): number => device.xdp.attached.get(mode)?.program.id ?? 0;
      return { result: 0, out: { native: id("native"), generic: id("generic") } };
    }
    case "qdisc_create":
      return device.traffic.create(operation.discipline, operation.manner);
    case "qdisc_delete":
      return device.traffic.delete(operation.discipline);
    case "filter_create": {
      const { direction, fd } = operation;
      return device.traffic.put(direction, operation, () => programByFd(process, fd, "sched_cls"));
    }
    case "filter_delete": {
      const { direction, priority, handle } = operation;
      return device.traffic.take(direction, priority, handle);
    }
    case "filter_query": {
      const filters = device.traffic.filters(operation.direction);
      const text = filters
        .map(({ priority, handle, program }) => `${priority}:${handle}:${program.id}`)
        .join(" ");
      return { result: filters.length, out: { filters: text } };
    }
  }
}

function move(process: Process, to: NetworkNamespace, index: number): number {
  const device = process.network.devices.get(index);
  if (device === undefined) return ENODEV;
  if (to === process.network) return 0;
  if (device.isLoopback) return EINVAL;
  if (to.byName(device.name) !== undefined) return EEXIST;
  device.move(to, to.devices.has(device.index) ? to.freeIndex() : device.index);
  return 0;
}

function setXdp(process: Process, { xdp }: Device, { fd, expected_fd, flags }: Of<"xdp_set">): number {
  const known = Object.values(XDP_FLAGS).reduce((all, flag) => all | flag, 0);
  if ((flags & ~known) !== 0 || modesOf(flags).length > 1) return EINVAL;
  const replace = (flags & XDP_FLAGS.replace) !== 0;
  if (replace && expected_fd === undefined) return EINVAL;
  const program = fd < 0 ? undefined : programByFd(process, fd, "xdp");
  if (typeof program === "number") return program;
  const expected = replace ? (expected_fd ?? -1) : -1;
  const old = expected < 0 ? undefined : programByFd(process, expected, "xdp");
  return typeof old === "number" ? old : xdp.set(program, old, flags);
}

/** Cgroups are directories: `path` names one from the root on. */
function cgroup(
  kernel: Kernel,
  process: Process,
  { do: what, path }: Of<"cgroup_create" | "cgroup_remove" | "cgroup_open">,
): number {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop();
  let parent: Cgroup | undefined = kernel.cgroups;
  for (const name of names) parent = parent?.children.get(name);
  const found = last === undefined ? kernel.cgroups : parent?.children.get(last);
  if (what === "cgroup_create") {
    if (found !== undefined) return EEXIST;
    if (parent === undefined || last === undefined) return ENOENT;
    parent.children.set(last, new Cgroup(last, parent));
    return 0;
  }
  if (found === undefined) return ENOENT;
  if (what === "cgroup_open") return process.descriptors.open(new CgroupFile(found));
  if (found.children.size > 0 || found === kernel.cgroups) return EBUSY;
  found.remove();
  return 0;
}
