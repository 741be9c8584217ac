/** BPF_PROG_QUERY: what is attached somewhere, written to where the caller wants it. */
import { Unsupported } from "../../semantics/errors.ts";
import type { AttachType } from "../../semantics/program/program-types.ts";
import { EFAULT, EINVAL, ENODEV, ENOSPC } from "../../vm/errno.ts";
import { type Call, mapByFd } from "../commands/call.ts";
import { attachTypeOf, isCgroupAttach, isTcx } from "./attach-types.ts";
import type { Cgroup } from "./cgroup.ts";
import { QUERY_EFFECTIVE } from "./flags.ts";
import type { NamespaceAttach } from "./namespace-programs.ts";
import { SocketMapHook } from "./socket-map.ts";
import { cgroupByFd, namespaceByFd } from "./targets.ts";

type Query = Call<"prog_query">;
type Ids = "prog_ids" | "link_ids" | "prog_attach_flags" | "link_attach_flags";

/** How the numbers are told: how many there are, with what flags, and each of them in columns of equal length. */
interface Told {
  readonly flags: number;
  readonly revision?: bigint;
  readonly count: number;
  readonly columns: Readonly<Partial<Record<Ids, readonly number[]>>>;
}

/** Returns 0 or a negative error number. @throws Unsupported  for what is not modelled */
export function progQuery(call: Query): number {
  const { attr } = call;
  if ((attr.u32("query_flags") & ~QUERY_EFFECTIVE) !== 0) return EINVAL;
  const attach = attachTypeOf(attr.u32("attach_type"));
  if (attach === undefined) return EINVAL;
  if (attach === "lsm_cgroup") throw new Unsupported("prog_query of lsm_cgroup");
  if (isCgroupAttach(attach)) return queryCgroup(call, attach);
  if (isTcx(attach)) return queryTcx(call, attach);
  switch (attach) {
    case "flow_dissector":
    case "sk_lookup":
      return queryNamespace(call, attach);
    case "sk_msg_verdict":
    case "sk_skb_stream_parser":
    case "sk_skb_stream_verdict":
    case "sk_skb_verdict":
      return querySocketMap(call, attach);
    case "lirc_mode2":
    case "netkit_primary":
    case "netkit_peer":
      throw new Unsupported(`prog_query of ${attach}`);
    default:
      return EINVAL;
  }
}

function tell({ attr }: Query, { flags, revision, count, columns }: Told): number {
  if (!attr.writeBack("attach_flags", flags)) return EFAULT;
  if (revision !== undefined && !attr.writeBackLong("revision", revision)) return EFAULT;
  if (!attr.writeBack("count", count)) return EFAULT;
  const room = attr.u32("count");
  if (room === 0 || attr.u64("prog_ids") === 0n || count === 0) return 0;
  for (const name of ["prog_ids", "prog_attach_flags", "link_ids", "link_attach_flags"] as const) {
    const column = columns[name];
    if (column === undefined || attr.u64(name) === 0n) continue;
    const bytes = new Uint8Array(Uint32Array.from(column.slice(0, room)).buffer);
    if (!attr.write(name, bytes)) return EFAULT;
  }
  return room < count ? ENOSPC : 0;
}

function queryTcx(call: Query, attach: "tcx_ingress" | "tcx_egress"): number {
  const { attr, process } = call;
  const device = process.network.devices.get(attr.s32("target_ifindex"));
  if (device === undefined) return ENODEV;
  if (attr.u32("query_flags") !== 0 || attr.u32("attach_flags") !== 0) return EINVAL;
  const { list } = device.tcx[attach];
  const places = list?.places ?? [];
  return tell(call, {
    flags: 0,
    revision: list?.revision ?? 1n,
    count: places.length,
    columns: {
      prog_ids: places.map(({ program }) => program.id),
      prog_attach_flags: places.map(() => 0),
      link_ids: places.map(({ link }) => link?.id ?? 0),
      link_attach_flags: places.map(() => 0),
    },
  });
}

function queryCgroup(call: Query, attach: AttachType): number {
  const cgroup = cgroupByFd(call.process, call.attr.s32("target_fd"));
  if (typeof cgroup === "number") return cgroup;
  const effective = (call.attr.u32("query_flags") & QUERY_EFFECTIVE) !== 0;
  return effective ? queryEffective(call, cgroup, attach) : queryOwn(call, cgroup, attach);
}

function queryEffective(call: Query, cgroup: Cgroup, attach: AttachType): number {
  if (call.attr.u64("prog_attach_flags") !== 0n) return EINVAL;
  const ids = cgroup.effective(attach).map(({ id }) => id);
  return tell(call, { flags: 0, count: ids.length, columns: { prog_ids: ids } });
}

function queryOwn(call: Query, cgroup: Cgroup, attach: AttachType): number {
  const { places, flags, revision } = cgroup.hook(attach);
  return tell(call, {
    flags,
    revision,
    count: places.length,
    columns: {
      prog_ids: places.map(({ program }) => program.id),
      prog_attach_flags: places.map(() => flags),
    },
  });
}

function queryNamespace(call: Query, attach: NamespaceAttach): number {
  if (call.attr.u32("query_flags") !== 0) return EINVAL;
  const namespace = namespaceByFd(call.process, call.attr.s32("target_fd"));
  if (typeof namespace === "number") return namespace;
  const ids = namespace.hooks[attach].programs.map(({ id }) => id);
  return tell(call, { flags: 0, count: ids.length, columns: { prog_ids: ids } });
}

function querySocketMap(call: Query, attach: AttachType): number {
  if (call.attr.u32("query_flags") !== 0) return EINVAL;
  const open = mapByFd(call.process, call.attr.s32("target_fd"));
  if (typeof open === "number") return open;
  const hook = SocketMapHook.of(open.map);
  const wrong = typeof hook === "number" ? hook : hook.check(attach);
  const program = typeof hook === "number" || wrong !== 0 ? undefined : hook.program(attach);
  const ids = program === undefined ? [] : [program.id];
  const told = tell(call, { flags: 0, count: ids.length, columns: { prog_ids: ids } });
  return wrong === 0 ? told : wrong;
}
