/** From paths to places, with the errors of Linux in its order. */
import { EACCES, EEXIST, ENOENT, EPERM } from "../../vm/errno.ts";
import type { Process } from "../kernel.ts";
import { type Place, uppermost } from "./mounts.ts";
import { ENOTDIR, placeOf } from "./open-place.ts";
import { type Entry, entriesOf, type Inode, STICKY } from "./tree.ts";

export const EISDIR = -21;
const ENAMETOOLONG = -36;
export const ENOTEMPTY = -39;
export const EXDEV = -18;

const MAY_EXECUTE = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** Bytes of a path with its NUL, and of a name. */
const PATH_MAX = 4096;
const NAME_MAX = 255;

const encoder = new TextEncoder();
const size = (text: string): number => encoder.encode(text).length;

/** Whether a process may do with a file what the bits say. User 0 may do everything, but not execute a file that nobody may. */
export function permitted({ credentials: { uid, gid } }: Process, inode: Inode, wanted: number): boolean {
  if (uid === 0) return inode.isDirectory || (wanted & MAY_EXECUTE) === 0 || (inode.mode & 0o111) !== 0;
  const shift = uid === inode.uid ? 6 : gid === inode.gid ? 3 : 0;
  return ((inode.mode >> shift) & wanted) === wanted;
}

/** Whether the process may do to a file what only its owner may. */
export const owns = ({ credentials: { uid } }: Process, inode: Inode): boolean =>
  uid === 0 || uid === inode.uid;

/** The last part of a path, with the directory that it is in. */
export interface Last {
  readonly parent: Place;
  /** `.` and `..` are such too; empty where the path is only slashes. */
  readonly name: string;
  /** Whether slashes follow. */
  readonly slashes: boolean;
}

/** A place, or a negative error number. */
export type Found = Place | number;

/** Where the process's paths begin. */
const rootOf = ({ mounts: { root } }: Process): Place => ({ mount: root, entry: root.root });

function above(process: Process, place: Place): Place {
  const root = rootOf(process);
  let at = place;
  for (;;) {
    if (at.mount === root.mount && at.entry === root.entry) return at;
    if (at.entry !== at.mount.root) break;
    // The root of a mount that is mounted no more has nothing above it.
    if (at.mount.at === undefined) return at;
    at = at.mount.at;
  }
  return at.entry.parent === undefined ? at : uppermost({ mount: at.mount, entry: at.entry.parent });
}

/** The name's entry in a directory; nothing if there is none; or a negative error number. */
export function lookUp({ entry }: Place, name: string): Entry | number | undefined {
  const found = entriesOf(entry).get(name);
  if (found !== undefined) return found;
  // A directory that has been taken away, and in which a place is open.
  if (entry.inode.links === 0) return ENOENT;
  // Dots are kept for the future, unless nobody has any right to the directory.
  if (entry.inode.fileSystem.type === "bpf" && (entry.inode.mode & 0o7777) !== 0 && name.includes("."))
    return EPERM;
  return size(name) > NAME_MAX ? ENAMETOOLONG : undefined;
}

/** One step of a walk. */
function step(process: Process, at: Place, name: string): Found {
  if (name === ".") return at;
  if (name === "..") return above(process, at);
  const found = lookUp(at, name);
  if (found === undefined) return ENOENT;
  return typeof found === "number" ? found : uppermost({ mount: at.mount, entry: found });
}

/** Whether one may go on from here. */
function passable(process: Process, { entry: { inode } }: Place): number {
  if (!inode.isDirectory) return ENOTDIR;
  return permitted(process, inode, MAY_EXECUTE) ? 0 : EACCES;
}

/** In place of a directory's descriptor: the directory that the process is in, which is its root. */
export const AT_FDCWD = -100;

/**
 * The directory of a path's last part.
 * @param directory  descriptor of the place where a path that is not absolute begins
 */
export function walkToLast(process: Process, path: string, directory = AT_FDCWD): Last | number {
  if (path === "") return ENOENT;
  if (size(path) >= PATH_MAX) return ENAMETOOLONG;
  const names = path.split("/").filter((name) => name !== "");
  const start =
    path.startsWith("/") || directory === AT_FDCWD ? rootOf(process) : placeOf(process, directory);
  if (typeof start === "number") return start;
  let at = start;
  for (const [index, name] of names.entries()) {
    const refused = passable(process, at);
    if (refused !== 0) return refused;
    if (index === names.length - 1) return { parent: at, name, slashes: path.endsWith("/") };
    const next = step(process, at, name);
    if (typeof next === "number") return next;
    at = next;
  }
  return { parent: at, name: "", slashes: false };
}

/** The place that a path names; `directory` as for `walkToLast`. */
export function walk(process: Process, path: string, directory = AT_FDCWD): Found {
  const last = walkToLast(process, path, directory);
  if (typeof last === "number") return last;
  if (last.name === "") return last.parent;
  const place = step(process, last.parent, last.name);
  if (typeof place === "number" || !last.slashes) return place;
  return place.entry.inode.isDirectory ? place : ENOTDIR;
}

export const isPlainName = ({ name }: Last): boolean => name !== "" && name !== "." && name !== "..";

/** The name of something that is to be made; `directory` as for `walkToLast`. */
export function walkToNew(
  process: Process,
  path: string,
  isDirectory: boolean,
  directory = AT_FDCWD,
): Last | number {
  const last = walkToLast(process, path, directory);
  if (typeof last === "number") return last;
  if (!isPlainName(last)) return EEXIST;
  const found = lookUp(last.parent, last.name);
  if (typeof found === "number") return found;
  if (found !== undefined) return EEXIST;
  return last.slashes && !isDirectory ? ENOENT : last;
}

/** Whether a name may be made in a directory: 0, or a negative error number. */
export function mayCreate(process: Process, { entry }: Place): number {
  return permitted(process, entry.inode, MAY_WRITE | MAY_EXECUTE) ? 0 : EACCES;
}

/**
 * Whether a name may be taken out of its directory: 0, or a negative error number.
 * @param directory  whether it is to be one; nothing where both will do
 */
export function mayDelete(process: Process, parent: Place, entry: Entry, directory?: boolean): number {
  const { inode } = parent.entry;
  if (!permitted(process, inode, MAY_WRITE | MAY_EXECUTE)) return EACCES;
  if ((inode.mode & STICKY) !== 0 && !owns(process, inode) && !owns(process, entry.inode)) return EPERM;
  if (directory === undefined || directory === entry.inode.isDirectory) return 0;
  return directory ? ENOTDIR : EISDIR;
}
