/** Objects by their ids: which there are, and descriptors of them. */
import { MAP_FLAGS } from "../../semantics/program/map-types.ts";
import { EFAULT, EINVAL, ENOENT, EPERM } from "../../vm/errno.ts";
import { OpenFile, READ_WRITE } from "../descriptors.ts";
import { may } from "../privileges.ts";
import type { ObjectKind } from "../system.ts";
import { type Call, tokenProblem } from "./call.ts";
import { accessOf, isContradiction } from "./maps.ts";

type Kind = "prog" | "map" | "btf" | "link";
type NextId = `${Kind}_get_next_id`;
type FdById = `${Kind}_get_fd_by_id`;

const INT_MAX = 0x7fff_ffff;
const ACCESS = MAP_FLAGS.rdonly | MAP_FLAGS.wronly;
/** BPF_F_TOKEN_FD. */
const TOKEN = 1 << 16;

/** BPF_MAP_GET_NEXT_ID and its like: the least id above `start_id`. */
export const nextId =
  (kind: ObjectKind) =>
  ({ kernel, process, attr }: Call<NextId>): number => {
    const start = attr.u32("start_id");
    if (start >= INT_MAX) return EINVAL;
    if (!may(process, "cap_sys_admin")) return EPERM;
    const next = kernel.objects.alive(kind).find((id) => id > start);
    if (next === undefined) return ENOENT;
    return attr.writeBack("next_id", next) ? 0 : EFAULT;
  };

function open({ kernel, process, attr }: Call<FdById>, kind: ObjectKind, flags = 0): number {
  if (!may(process, "cap_sys_admin")) return EPERM;
  if (isContradiction(flags)) return EINVAL;
  const object = kernel.objects.find(kind, attr.u32("id"));
  if (object === undefined) return ENOENT;
  return process.descriptors.open(new OpenFile(object, kind === "map" ? accessOf(flags) : READ_WRITE));
}

/** BPF_PROG_GET_FD_BY_ID and BPF_LINK_GET_FD_BY_ID. */
export const fdById =
  (kind: "program" | "link") =>
  (call: Call<"prog_get_fd_by_id" | "link_get_fd_by_id">): number =>
    open(call, kind);

export function mapFdById(call: Call<"map_get_fd_by_id">): number {
  const flags = call.attr.u32("open_flags");
  return (flags & ~ACCESS) === 0 ? open(call, "map", flags) : EINVAL;
}

export function btfFdById(call: Call<"btf_get_fd_by_id">): number {
  const flags = call.attr.u32("open_flags");
  if ((flags & ~TOKEN) !== 0) return EINVAL;
  return flags === 0 ? open(call, "btf") : tokenProblem(call.process, call.attr.s32("fd_by_id_token_fd"));
}
