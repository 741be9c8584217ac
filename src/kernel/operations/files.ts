/**
 * Operations on file systems. The first process's root is a BPF file system that is empty, with mode 1777; others are mounted in it. Paths are absolute.
 *
 * Roots and edges: each process → its mount namespace → the mounts in it → their file systems → the files that have a name in them → what they pin; a place that is open
 * (`open_path`) → its mount, and its file.
 */
import { z } from "zod";
import { inProcess, path } from "./fields.ts";

const mode = z.int().min(0).max(0o7777);
const owner = z.int().min(-1).max(0x7fff_ffff);

export const fileOperation = z.discriminatedUnion("do", [
  inProcess("mkdir", { path, mode: mode.optional() }),
  inProcess("rmdir", { path }),
  inProcess("unlink", { path }),
  /** renameat2(2). */
  inProcess("rename", {
    from: path,
    to: path,
    flags: z.array(z.enum(["noreplace", "exchange"])).optional(),
  }),
  /** link(2): another name of a file. */
  inProcess("link", { from: path, to: path }),
  inProcess("chmod", { path, mode }),
  /** chown(2); -1 leaves what it is. */
  inProcess("chown", { path, uid: owner, gid: owner }),
  /** `mode`, `links`, `uid` and `gid` of a file, as what is written. */
  inProcess("stat", { path }),
  /** The names in a directory, in order with `/` between them, as `names` of what is written; the result is how many. */
  inProcess("readdir", { path }),
  /** open(2) with O_PATH. */
  inProcess("open_path", { path, close_on_exec: z.boolean().optional() }),
  /** A new file system of a kind at a directory. */
  inProcess("mount", { type: z.enum(["bpf", "tmpfs"]), path }),
  /** What is at `from`, at `path` too. */
  inProcess("bind", { from: path, path }),
  inProcess("umount", { path, detach: z.boolean().optional() }),
  /** A mount namespace of the process's own: a copy. */
  inProcess("unshare", {}),
]);

export type FileOperation = z.infer<typeof fileOperation>;

const NAMES: ReadonlySet<string> = new Set(fileOperation.options.map(({ shape }) => shape.do.value));

/** Whether an operation is one of these. */
export const isFileOperation = (operation: { readonly do: string }): operation is FileOperation =>
  NAMES.has(operation.do);
