/** Making, taking away and changing names: directories, hard links, renaming. */
import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT, EPERM } from "../../vm/errno.ts";
import type { Process } from "../kernel.ts";
import { detachAt, type Place } from "./mounts.ts";
import { ENOTDIR } from "./open-place.ts";
import { addEntry, type Entry, entriesOf, Inode, isInside, moveEntry, removeEntry, STICKY } from "./tree.ts";
import {
  EISDIR,
  ENOTEMPTY,
  EXDEV,
  isPlainName,
  type Last,
  lookUp,
  MAY_READ,
  MAY_WRITE,
  mayCreate,
  mayDelete,
  owns,
  permitted,
  walk,
  walkToLast,
  walkToNew,
} from "./walk.ts";

/** The processes' mask of modes. */
export const UMASK = 0o022;

export function mkdir(process: Process, path: string, mode = 0o777): number {
  const last = walkToNew(process, path, true);
  if (typeof last === "number") return last;
  const { parent, name } = last;
  const refused = mayCreate(process, parent);
  if (refused !== 0) return refused;
  const allowed = mode & (0o777 | STICKY) & ~UMASK;
  addEntry(parent.entry, name, new Inode(parent.entry.inode.fileSystem, allowed, process.credentials));
  return 0;
}

/** What is mounted upon an entry in another namespace goes with the entry. */
function remove(entry: Entry): void {
  removeEntry(entry);
  detachAt(entry);
}

export function rmdir(process: Process, path: string): number {
  const last = walkToLast(process, path);
  if (typeof last === "number") return last;
  if (last.name === "") return EBUSY;
  if (last.name === ".") return EINVAL;
  if (last.name === "..") return ENOTEMPTY;
  const entry = lookUp(last.parent, last.name) ?? ENOENT;
  if (typeof entry === "number") return entry;
  const refused = mayDelete(process, last.parent, entry, true);
  if (refused !== 0) return refused;
  if (process.mounts.mountedAt(entry)) return EBUSY;
  if (entriesOf(entry).size > 0) return ENOTEMPTY;
  remove(entry);
  return 0;
}

export function unlink(process: Process, path: string): number {
  const last = walkToLast(process, path);
  if (typeof last === "number") return last;
  if (!isPlainName(last)) return EISDIR;
  const entry = lookUp(last.parent, last.name) ?? ENOENT;
  if (typeof entry === "number") return entry;
  if (last.slashes) return entry.inode.isDirectory ? EISDIR : ENOTDIR;
  const refused = mayDelete(process, last.parent, entry, false);
  if (refused !== 0) return refused;
  if (process.mounts.mountedAt(entry)) return EBUSY;
  remove(entry);
  return 0;
}

/** link(2). */
export function link(process: Process, from: string, to: string): number {
  const source = walk(process, from);
  if (typeof source === "number") return source;
  const { inode } = source.entry;
  const last = walkToNew(process, to, false);
  if (typeof last === "number") return last;
  if (last.parent.mount !== source.mount) return EXDEV;
  // Others' files get names only from those who could write to them.
  if (!owns(process, inode) && (inode.isDirectory || !permitted(process, inode, MAY_READ | MAY_WRITE)))
    return EPERM;
  const refused = mayCreate(process, last.parent);
  if (refused !== 0) return refused;
  if (inode.isDirectory) return EPERM;
  inode.links += 1;
  addEntry(last.parent.entry, last.name, inode);
  return 0;
}

interface Renamed {
  readonly source: Entry;
  /** What has the new name already. */
  readonly target: Entry | undefined;
}

/** What the two names stand for; or what is wrong with the names. */
function renamed(from: Last, to: Last, noreplace: boolean, exchange: boolean): Renamed | number {
  if (from.parent.mount !== to.parent.mount) return EXDEV;
  if (!isPlainName(from)) return EBUSY;
  if (!isPlainName(to)) return noreplace ? EEXIST : EBUSY;
  const source = lookUp(from.parent, from.name) ?? ENOENT;
  if (typeof source === "number") return source;
  const target = lookUp(to.parent, to.name);
  if (typeof target === "number") return target;
  if (noreplace && target !== undefined) return EEXIST;
  if (exchange && target === undefined) return ENOENT;
  if (exchange && to.slashes && target?.inode.isDirectory === false) return ENOTDIR;
  if (!source.inode.isDirectory && (from.slashes || (!exchange && to.slashes))) return ENOTDIR;
  if (isInside(to.parent.entry, source)) return EINVAL;
  if (target !== undefined && isInside(from.parent.entry, target)) return exchange ? EINVAL : ENOTEMPTY;
  return { source, target };
}

function mayRename(
  process: Process,
  from: Place,
  to: Place,
  { source, target }: Renamed,
  exchange: boolean,
): number {
  const directory = source.inode.isDirectory;
  const taken = mayDelete(process, from, source, directory);
  if (taken !== 0) return taken;
  const given =
    target === undefined
      ? mayCreate(process, to)
      : mayDelete(process, to, target, exchange ? undefined : directory);
  if (given !== 0 || from.entry === to.entry) return given;
  // A directory that moves changes its `..`.
  const moved = [source, ...(exchange && target !== undefined ? [target] : [])];
  const writable = ({ inode }: Entry): boolean => !inode.isDirectory || permitted(process, inode, MAY_WRITE);
  return moved.every(writable) ? 0 : EACCES;
}

/** renameat2(2). */
export function rename(
  process: Process,
  from: string,
  to: string,
  flags: readonly ("noreplace" | "exchange")[] = [],
): number {
  const [noreplace, exchange] = [flags.includes("noreplace"), flags.includes("exchange")];
  if (noreplace && exchange) return EINVAL;
  const old = walkToLast(process, from);
  if (typeof old === "number") return old;
  const last = walkToLast(process, to);
  if (typeof last === "number") return last;
  const both = renamed(old, last, noreplace, exchange);
  if (typeof both === "number") return both;
  const { source, target } = both;
  if (target?.inode === source.inode) return 0;
  const refused = mayRename(process, old.parent, last.parent, both, exchange);
  if (refused !== 0) return refused;
  const mounted = [source, ...(target === undefined ? [] : [target])].some((entry) =>
    process.mounts.mountedAt(entry),
  );
  if (mounted) return EBUSY;
  if (!exchange && target !== undefined) {
    if (entriesOf(target).size > 0) return ENOTEMPTY;
    remove(target);
  }
  moveEntry(source, last.parent.entry, last.name);
  if (exchange && target !== undefined) moveEntry(target, old.parent.entry, old.name);
  return 0;
}
