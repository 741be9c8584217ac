/** BPF_OBJ_PIN and BPF_OBJ_GET: the attribute's checks. Paths are the file system's (`src/kernel/files`). */
import { MAP_FLAGS } from "../../semantics/program/map-types.ts";
import { EFAULT, EINVAL, ENOENT } from "../../vm/errno.ts";
import { OpenFile, READ_WRITE } from "../descriptors.ts";
import { pin, pinned } from "../files/pins.ts";
import { AT_FDCWD } from "../files/walk.ts";
import type { Kernel } from "../kernel.ts";
import { KernelObject } from "../objects.ts";
import type { Attribute } from "./attribute.ts";
import type { Call } from "./call.ts";
import { accessOf, isContradiction } from "./maps.ts";

/** The path is one from the directory that `path_fd` stands for. */
const PATH_FD = 1 << 14;
/** The first release that knows of it. */
const PATH_FD_SINCE = [6, 5] as const;
const ACCESS = MAP_FLAGS.rdonly | MAP_FLAGS.wronly;
/** What a path may have at most, with its NUL. */
const PATH_MAX = 4096;

/** The path that the attribute names, or a negative error number. */
function pathOf(attr: Pick<Attribute<"obj_pin" | "obj_get">, "u64" | "memory">): string | number {
  const path = attr.memory.readText(attr.u64("pathname"), PATH_MAX);
  if (path === undefined) return EFAULT;
  return path === "" ? ENOENT : path;
}

/** Where a path begins that is not absolute. */
const directoryOf = (attr: Pick<Attribute<"obj_pin" | "obj_get">, "s32">, flags: number): number =>
  (flags & PATH_FD) === 0 ? AT_FDCWD : attr.s32("path_fd");

/** Flags beside those of access. */
function knownFlags({ release }: Kernel): number {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const [since, sinceMinor] = PATH_FD_SINCE;
  return major > since || (major === since && minor >= sinceMinor) ? PATH_FD : 0;
}

export function objPin({ kernel, process, attr }: Call<"obj_pin">): number {
  const flags = attr.u32("file_flags");
  if ((flags & ~knownFlags(kernel)) !== 0) return EINVAL;
  if ((flags & PATH_FD) === 0 && attr.u32("path_fd") !== 0) return EINVAL;
  const target = process.descriptors.target(attr.s32("bpf_fd"));
  // What has no id is no object, and BTF has no place in a file system.
  if (!(target instanceof KernelObject) || target.kind === "btf") return EINVAL;
  const path = pathOf(attr);
  return typeof path === "number" ? path : pin(process, path, target, directoryOf(attr, flags));
}

export function objGet({ kernel, process, attr }: Call<"obj_get">): number {
  const flags = attr.u32("file_flags");
  if (attr.u32("bpf_fd") !== 0 || (flags & ~(ACCESS | knownFlags(kernel))) !== 0) return EINVAL;
  if ((flags & PATH_FD) === 0 && attr.u32("path_fd") !== 0) return EINVAL;
  if (isContradiction(flags)) return EINVAL;
  const path = pathOf(attr);
  if (typeof path === "number") return path;
  const access = accessOf(flags);
  const object = pinned(process, path, access, directoryOf(attr, flags));
  if (typeof object === "number") return object;
  return process.descriptors.open(new OpenFile(object, object.kind === "map" ? access : READ_WRITE));
}
