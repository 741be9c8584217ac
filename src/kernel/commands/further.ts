/** Commands that are small, or of which only the attribute is looked at here. */
import { Unsupported } from "../../semantics/errors.ts";
import { EBADF, EFAULT, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EPERM } from "../../vm/errno.ts";
import { type Attachment, PerfEvent, TracepointLink } from "../attachments/events.ts";
import type { Target } from "../descriptors.ts";
import { may } from "../privileges.ts";
import { type Call, mapByFd, programByFd } from "./call.ts";

/** A descriptor while which Linux measures the time of programs. */
const STATISTICS: Target = { kind: "statistics", id: 0, holdUser: () => undefined, putUser: () => undefined };

/** BPF_ENABLE_STATS: one kind of statistics, the time that programs run. */
export function enableStats({ process, attr }: Call<"enable_stats">): number {
  if (!may(process, "cap_sys_admin")) return EPERM;
  return attr.u32("type") === 0 ? process.descriptors.open(STATISTICS) : EINVAL;
}

/** BPF_PROG_BIND_MAP: the program holds the map from then on. */
export function progBindMap({ process, attr }: Call<"prog_bind_map">): number {
  if (attr.u32("flags") !== 0) return EINVAL;
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  program.bind(open.map);
  return 0;
}

/** BPF_TOKEN_CREATE: tokens are for user namespaces, which there are none of. */
export function tokenCreate({ process, attr }: Call<"token_create">): number {
  if (attr.u32("flags") !== 0) return EINVAL;
  const target = process.descriptors.target(attr.s32("bpffs_fd"));
  if (target === undefined) return EBADF;
  if (target.kind === "directory") throw new Unsupported("token_create: tokens");
  return EINVAL;
}

/** BPF_TASK_FD_QUERY: what a descriptor of some process stands for, where that is a tracing program's attachment. */
export function taskFdQuery({ kernel, process, attr }: Call<"task_fd_query">): number {
  if (!may(process, "cap_sys_admin")) return EPERM;
  if (attr.u32("flags") !== 0) return EINVAL;
  const task = kernel.processes.get(attr.u32("pid"));
  if (task === undefined) return ENOENT;
  // Also a mere place in a file system is found.
  const target = task.descriptors.get(attr.s32("fd"))?.target;
  if (target === undefined) return EBADF;
  if (target instanceof TracepointLink) return tellAttachment(attr, target.attachment);
  if (!(target instanceof PerfEvent)) return ENOTSUPP;
  if (target.attachment !== undefined) return tellAttachment(attr, target.attachment);
  return target.held.length === 0 ? ENOENT : EOPNOTSUPP;
}

function tellAttachment(attr: Call<"task_fd_query">["attr"], { program, type, name }: Attachment): number {
  const room = attr.u32("buf_len");
  if (!attr.writeBack("buf_len", name.length)) return EFAULT;
  const pointer = attr.u64("buf");
  const copied = room === 0 || pointer === 0n ? 0 : attr.memory.writeName(pointer, room, name);
  if (copied === EFAULT) return EFAULT;
  const isTold =
    attr.writeBack("prog_id", program.id) &&
    attr.writeBack("fd_type", type) &&
    attr.writeBackLong("probe_offset", 0n) &&
    attr.writeBackLong("probe_addr", 0n);
  return isTold ? copied : EFAULT;
}

/** The streams of a program that writes to its standard output and errors. */
const STREAMS = [1, 2];

/** BPF_PROG_STREAM_READ_BY_FD: programs of the machine write nothing to them. */
export function streamRead({ process, attr }: Call<"prog_stream_read_by_fd">): number {
  const program = programByFd(process, attr.s32("prog_fd"));
  if (typeof program === "number") return program;
  return STREAMS.includes(attr.u32("stream_id")) ? 0 : ENOENT;
}
