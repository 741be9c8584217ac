/** BPF_LINK_CREATE and what is done with links; BPF_RAW_TRACEPOINT_OPEN, which makes one as well. */
import { Unsupported } from "../../semantics/errors.ts";
import type { AttachType } from "../../semantics/program/program-types.ts";
import { EFAULT, EINVAL, ENODEV, ENOENT, EPERM } from "../../vm/errno.ts";
import { type Call, mapByFd } from "../commands/call.ts";
import type { ProgramObject } from "../objects.ts";
import { may } from "../privileges.ts";
import {
  attachTypeOf,
  checkAttachType,
  expectedAttach,
  isCgroupType,
  isTcx,
  typeOf,
} from "./attach-types.ts";
import { IteratorFile, IteratorLink, linkEvent, TracepointLink } from "./events.ts";
import { CGROUP_LINK_FLAGS, LINK_REPLACE } from "./flags.ts";
import type { LinkObject } from "./link.ts";
import { linkByFd, programByFd } from "./lookup.ts";
import type { Position } from "./program-list.ts";
import { SocketMapHook } from "./socket-map.ts";
import { cgroupByFd, namespaceByFd } from "./targets.ts";

type Create = Call<"link_create">;

/** Returns a descriptor or a negative error number. @throws Unsupported  for what is not modelled */
export function linkCreate(call: Create): number {
  const { kernel, process, attr } = call;
  const attach = attachTypeOf(attr.u32("attach_type"));
  if (attach === "struct_ops") throw new Unsupported("link_create of struct_ops");
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  if (attach === undefined) return typeOf(program) === "ext" ? unsupported("link_create of ext") : EINVAL;
  if (typeOf(program) === "cgroup_skb" && !may(process, "cap_net_admin")) return EPERM;
  const wrong = checkAttachType(program, attach, kernel.rules);
  if (wrong !== 0) return wrong;
  const link = linkFor(call, program, attach);
  return typeof link === "number" ? link : process.descriptors.open(link);
}

function unsupported(what: string): never {
  throw new Unsupported(what);
}

function linkFor(call: Create, program: ProgramObject, attach: AttachType): LinkObject | number {
  const type = typeOf(program);
  if (isCgroupType(type) && type !== "lsm") return linkCgroup(call, program, attach);
  switch (type) {
    case "xdp":
      return linkXdp(call, program);
    case "sched_cls":
      return isTcx(attach) ? linkTcx(call, program, attach) : unsupported(`link_create of ${attach}`);
    case "flow_dissector":
    case "sk_lookup":
      return linkNamespace(call, program, type);
    case "sk_msg":
    case "sk_skb":
      return linkSocketMap(call, program, attach);
    case "perf_event":
    case "tracepoint":
      return linkPerfEvent(call, program);
    case "kprobe":
      return attach === "perf_event" ? linkPerfEvent(call, program) : unsupported(`link_create of ${attach}`);
    case "netfilter":
      return linkNetfilter(call, program);
    case "tracing":
      return linkTracing(call, program, attach);
    case "lsm":
    case "ext":
      return unsupported(`link_create of a program of type ${type}`);
    default:
      return EINVAL;
  }
}

function linkCgroup(call: Create, program: ProgramObject, attach: AttachType): LinkObject | number {
  const { process, attr } = call;
  if ((attr.u32("flags") & ~CGROUP_LINK_FLAGS) !== 0) return EINVAL;
  const cgroup = cgroupByFd(process, attr.s32("target_fd"));
  return typeof cgroup === "number" ? cgroup : cgroup.link(call, attach, program, positionOf(call));
}

const positionOf = ({ attr }: Create): Position => ({
  flags: attr.u32("flags"),
  relative: attr.u32("relative_fd"),
  revision: attr.u64("expected_revision"),
});

function linkXdp({ kernel, process, attr }: Create, program: ProgramObject): LinkObject | number {
  const device = process.network.devices.get(attr.s32("target_ifindex"));
  return device === undefined ? EINVAL : device.xdp.link(kernel.objects, program, attr.u32("flags"));
}

function linkTcx(
  call: Create,
  program: ProgramObject,
  attach: "tcx_ingress" | "tcx_egress",
): LinkObject | number {
  const { process, attr } = call;
  const device = process.network.devices.get(attr.s32("target_ifindex"));
  return device === undefined ? ENODEV : device.tcx[attach].link(call, program, attach, positionOf(call));
}

function linkNamespace(
  call: Create,
  program: ProgramObject,
  type: "flow_dissector" | "sk_lookup",
): LinkObject | number {
  const { kernel, process, attr } = call;
  if (attr.u32("flags") !== 0) return EINVAL;
  const namespace = namespaceByFd(process, attr.s32("target_fd"));
  return typeof namespace === "number" ? namespace : namespace.hooks[type].link(kernel.objects, program);
}

function linkSocketMap(
  { kernel, process, attr }: Create,
  program: ProgramObject,
  attach: AttachType,
): LinkObject | number {
  if (attr.u32("flags") !== 0) return EINVAL;
  const open = mapByFd(process, attr.s32("target_fd"));
  if (typeof open === "number") return open;
  const hook = SocketMapHook.of(open.map);
  return typeof hook === "number" ? EINVAL : hook.link(kernel.objects, attach, program, open.map);
}

function linkPerfEvent({ kernel, process, attr }: Create, program: ProgramObject): LinkObject | number {
  if (attr.u32("flags") !== 0) return EINVAL;
  return linkEvent(kernel.objects, process, attr.s32("target_fd"), program);
}

function linkTracing(
  { kernel, attr }: Create,
  program: ProgramObject,
  attach: AttachType,
): LinkObject | number {
  if (attach !== expectedAttach(program)) return EINVAL;
  if (attach !== "trace_iter") return unsupported(`link_create of ${attach}`);
  if (attr.u32("target_fd") !== 0 || attr.u32("flags") !== 0) return EINVAL;
  const parameters = attr.u32("iter_info_len");
  if ((attr.u64("iter_info") === 0n) !== (parameters === 0)) return EINVAL;
  if (parameters !== 0) return unsupported("link_create of an iterator with parameters");
  return new IteratorLink(kernel.objects, program);
}

function linkNetfilter({ kernel, process, attr }: Create, program: ProgramObject): LinkObject | number {
  if (attr.u32("flags") !== 0) return EINVAL;
  const place = {
    family: attr.u32("netfilter.pf"),
    hook: attr.u32("netfilter.hooknum"),
    priority: attr.s32("netfilter.priority"),
    flags: attr.u32("netfilter.flags"),
  };
  return process.network.netfilter.link(kernel.objects, process.network, program, place);
}

/** BPF_LINK_UPDATE. Returns 0 or a negative error number. */
export function linkUpdate({ process, attr }: Call<"link_update">): number {
  const flags = attr.u32("flags");
  if ((flags & ~LINK_REPLACE) !== 0) return EINVAL;
  const link = linkByFd(process, attr.s32("link_fd"));
  if (typeof link === "number") return link;
  const program = programByFd(process, attr.s32("new_prog_fd"));
  if (typeof program === "number") return program;
  const replace = (flags & LINK_REPLACE) !== 0;
  if (!replace && attr.u32("old_prog_fd") !== 0) return EINVAL;
  const old = replace ? programByFd(process, attr.s32("old_prog_fd")) : undefined;
  return typeof old === "number" ? old : link.update(program, old);
}

/** BPF_LINK_DETACH. Returns 0 or a negative error number. */
export function linkDetach({ process, attr }: Call<"link_detach">): number {
  const link = linkByFd(process, attr.s32("link_fd"));
  return typeof link === "number" ? link : link.detach();
}

/** BPF_ITER_CREATE. Returns a descriptor or a negative error number. */
export function iterCreate({ process, attr }: Call<"iter_create">): number {
  if (attr.u32("flags") !== 0) return EINVAL;
  const link = linkByFd(process, attr.s32("link_fd"));
  if (typeof link === "number") return link;
  return link instanceof IteratorLink ? process.descriptors.open(new IteratorFile(link)) : EINVAL;
}

/** The tracepoints that every kernel of today has, of those that traces name. */
const TRACEPOINTS: ReadonlySet<string> = new Set([
  "sys_enter",
  "sys_exit",
  "sched_switch",
  "sched_wakeup",
  "sched_process_fork",
  "sched_process_exec",
  "sched_process_exit",
  "task_newtask",
]);
const LONGEST_NAME = 127;

/** BPF_RAW_TRACEPOINT_OPEN. Returns a descriptor or a negative error number. @throws Unsupported  for tracepoints that not every kernel has */
export function rawTracepointOpen({ kernel, process, attr }: Call<"raw_tracepoint_open">): number {
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  switch (typeOf(program)) {
    case "raw_tracepoint":
    case "raw_tracepoint_writable":
      break;
    case "tracing":
    case "lsm":
    case "ext":
      if (attr.u64("name") !== 0n) return EINVAL;
      return unsupported(`raw_tracepoint_open of a program of type ${typeOf(program)}`);
    default:
      return EINVAL;
  }
  const name = attr.memory.readText(attr.u64("name"), LONGEST_NAME);
  if (name === undefined) return EFAULT;
  if (name === "") return ENOENT;
  if (!TRACEPOINTS.has(name)) return unsupported(`raw_tracepoint_open of ${name}`);
  return process.descriptors.open(new TracepointLink(kernel.objects, program, name));
}
