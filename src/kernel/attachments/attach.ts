/** BPF_PROG_ATTACH and BPF_PROG_DETACH: what is attached stays when the process that attached it ends. */
import { Unsupported } from "../../semantics/errors.ts";
import type { AttachType, ProgramType } from "../../semantics/program/program-types.ts";
import { EINVAL, ENODEV, EPERM } from "../../vm/errno.ts";
import { type Call, mapByFd } from "../commands/call.ts";
import type { ProgramObject } from "../objects.ts";
import { may } from "../privileges.ts";
import {
  attachTypeOf,
  checkAttachType,
  isCgroupType,
  isTcx,
  programTypeFor,
  typeOf,
} from "./attach-types.ts";
import { BASE_FLAGS, FLAGS, LIST_FLAGS } from "./flags.ts";
import { programByFd } from "./lookup.ts";
import type { Position } from "./program-list.ts";
import { SocketMapHook } from "./socket-map.ts";
import { cgroupByFd } from "./targets.ts";

type Attach = Call<"prog_attach"> | Call<"prog_detach">;

const positionOf = ({ attr }: Attach): Position => ({
  flags: attr.u32("attach_flags"),
  relative: attr.u32("relative_fd"),
  revision: attr.u64("expected_revision"),
});

const isSocketMapType = (type: ProgramType): boolean => type === "sk_skb" || type === "sk_msg";

/** Whether the flags and what belongs to them are known for programs of a type: 0 or -EINVAL. */
function checkFlags({ attr }: Attach, type: ProgramType, flags: number): number {
  const known = type === "sched_cls" ? LIST_FLAGS : BASE_FLAGS | (isCgroupType(type) ? LIST_FLAGS : 0);
  if ((flags & ~known) !== 0) return EINVAL;
  if (type === "sched_cls" || isCgroupType(type)) return 0;
  return attr.u32("relative_fd") === 0 && attr.u64("expected_revision") === 0n ? 0 : EINVAL;
}

/** Returns 0 or a negative error number. @throws Unsupported  for what is not modelled */
export function progAttach(call: Call<"prog_attach">): number {
  const { process, attr } = call;
  const attach = attachTypeOf(attr.u32("attach_type"));
  const type = attach === undefined ? undefined : programTypeFor(attach);
  if (attach === undefined || type === undefined) return EINVAL;
  const wrongFlags = checkFlags(call, type, attr.u32("attach_flags"));
  if (wrongFlags !== 0) return wrongFlags;
  const program = programByFd(process, attr.s32("attach_bpf_fd"), type);
  if (typeof program === "number") return program;
  if (checkAttachType(program, attach, call.kernel.rules) !== 0) return EINVAL;
  if (type === "cgroup_skb" && !may(process, "cap_net_admin")) return EINVAL;
  if (isTcx(attach)) return attachTcx(call, program, attach);
  if (attach === "lsm_cgroup") throw new Unsupported("prog_attach of lsm_cgroup");
  if (attach === "lsm_mac") return EINVAL;
  if (isCgroupType(type)) return attachCgroup(call, program, attach);
  if (isSocketMapType(type)) return attachSocketMap(call, program, attach);
  switch (type) {
    case "flow_dissector":
      if (attr.u32("target_fd") !== 0 || attr.u32("attach_flags") !== 0 || attr.u32("replace_bpf_fd") !== 0)
        return EINVAL;
      return process.network.hooks.flow_dissector.attach(program);
    case "lirc_mode2":
    case "sched_cls":
      throw new Unsupported(`prog_attach of ${attach}`);
    default:
      return EINVAL;
  }
}

function attachTcx(
  call: Call<"prog_attach">,
  program: ProgramObject,
  attach: "tcx_ingress" | "tcx_egress",
): number {
  const { process, attr } = call;
  const device = process.network.devices.get(attr.s32("target_ifindex"));
  if (device === undefined) return ENODEV;
  const replace = (attr.u32("attach_flags") & FLAGS.replace) !== 0;
  const old = replace ? programByFd(process, attr.s32("replace_bpf_fd"), "sched_cls") : undefined;
  if (typeof old === "number") return old;
  return device.tcx[attach].attach(call, program, old, positionOf(call));
}

function attachCgroup(call: Call<"prog_attach">, program: ProgramObject, attach: AttachType): number {
  const { process, attr } = call;
  const cgroup = cgroupByFd(process, attr.s32("target_fd"));
  if (typeof cgroup === "number") return cgroup;
  const both = FLAGS.replace | FLAGS.allow_multi;
  const replace = (attr.u32("attach_flags") & both) === both;
  const old = replace ? programByFd(process, attr.s32("replace_bpf_fd"), typeOf(program)) : undefined;
  if (typeof old === "number") return old;
  return cgroup.attach(call, attach, program, old, positionOf(call));
}

function attachSocketMap(call: Call<"prog_attach">, program: ProgramObject, attach: AttachType): number {
  const { attr } = call;
  if (attr.u32("attach_flags") !== 0 || attr.u32("replace_bpf_fd") !== 0) return EINVAL;
  const hook = socketMapHook(call);
  return typeof hook === "number" ? hook : hook.attach(attach, program);
}

function socketMapHook({ process, attr }: Attach): SocketMapHook | number {
  const open = mapByFd(process, attr.s32("target_fd"));
  return typeof open === "number" ? open : SocketMapHook.of(open.map);
}

/** Returns 0 or a negative error number. @throws Unsupported  for what is not modelled */
export function progDetach(call: Call<"prog_detach">): number {
  const { attr } = call;
  const attach = attachTypeOf(attr.u32("attach_type"));
  const type = attach === undefined ? undefined : programTypeFor(attach);
  if (attach === undefined || type === undefined) return EINVAL;
  const flags = attr.u32("attach_flags");
  if (isTcx(attach)) return detachTcx(call, attach);
  if (isCgroupType(type)) {
    if (flags !== 0 || attr.u32("relative_fd") !== 0) return EINVAL;
    return detachCgroup(call, attach, type);
  }
  if (flags !== 0 || attr.u32("relative_fd") !== 0 || attr.u64("expected_revision") !== 0n) return EINVAL;
  if (isSocketMapType(type)) return detachSocketMap(call, attach, type);
  switch (type) {
    case "flow_dissector":
      return detachFlowDissector(call);
    case "lirc_mode2":
    case "sched_cls":
      throw new Unsupported(`prog_detach of ${attach}`);
    default:
      return EINVAL;
  }
}

function detachTcx(call: Call<"prog_detach">, attach: "tcx_ingress" | "tcx_egress"): number {
  const { process, attr } = call;
  if ((attr.u32("attach_flags") & ~LIST_FLAGS) !== 0) return EINVAL;
  const fd = attr.s32("attach_bpf_fd");
  if (fd === 0 && !may(process, "cap_net_admin")) return EPERM;
  const program = fd === 0 ? undefined : programByFd(process, fd, "sched_cls");
  if (typeof program === "number") return program;
  const device = process.network.devices.get(attr.s32("target_ifindex"));
  if (device === undefined) return ENODEV;
  return device.tcx[attach].detach(call, program, positionOf(call));
}

function detachCgroup(call: Call<"prog_detach">, attach: AttachType, type: ProgramType): number {
  const { process, attr } = call;
  const cgroup = cgroupByFd(process, attr.s32("target_fd"));
  if (typeof cgroup === "number") return cgroup;
  if (attach === "lsm_cgroup") throw new Unsupported("prog_detach of lsm_cgroup");
  if (attach === "lsm_mac") return EINVAL;
  const program = programByFd(process, attr.s32("attach_bpf_fd"), type);
  return cgroup.detach(
    attach,
    typeof program === "number" ? undefined : program,
    attr.u64("expected_revision"),
  );
}

function detachSocketMap(call: Call<"prog_detach">, attach: AttachType, type: ProgramType): number {
  const { process, attr } = call;
  if (attr.u32("replace_bpf_fd") !== 0) return EINVAL;
  const open = mapByFd(process, attr.s32("target_fd"));
  if (typeof open === "number") return open;
  const program = programByFd(process, attr.s32("attach_bpf_fd"));
  if (typeof program === "number") return program;
  if (typeOf(program) !== type) return EINVAL;
  const hook = SocketMapHook.of(open.map);
  return typeof hook === "number" ? hook : hook.detach(attach, program);
}

function detachFlowDissector({ process, attr }: Call<"prog_detach">): number {
  if (attr.u32("target_fd") !== 0 || attr.u32("replace_bpf_fd") !== 0) return EINVAL;
  const program = programByFd(process, attr.s32("attach_bpf_fd"), "flow_dissector");
  return typeof program === "number" ? program : process.network.hooks.flow_dissector.detach(program);
}
