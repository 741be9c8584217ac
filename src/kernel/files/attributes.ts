/** What is known of files: mode, owner, names; and places that are held open. */
import { Unsupported } from "../../semantics/errors.ts";
import { EACCES, ENOENT, EPERM } from "../../vm/errno.ts";
import { OpenFile } from "../descriptors.ts";
import type { Process } from "../kernel.ts";
import type { Answer } from "../system.ts";
import { ENOTDIR, OpenPlace } from "./open-place.ts";
import { MAY_READ, owns, permitted, walk } from "./walk.ts";

const SET_ID_BITS = 0o6000;

/** @throws Unsupported  for the bits that make programs run as the file's owner */
export function chmod(process: Process, path: string, mode: number): number {
  if ((mode & SET_ID_BITS) !== 0) throw new Unsupported("chmod: set-user-id and set-group-id bits");
  const place = walk(process, path);
  if (typeof place === "number") return place;
  const { inode } = place.entry;
  if (!owns(process, inode)) return EPERM;
  inode.mode = mode;
  return 0;
}

export function chown(process: Process, path: string, uid: number, gid: number): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  const { inode } = place.entry;
  const { credentials } = process;
  if (credentials.uid !== 0) {
    if (uid !== -1 && (inode.uid !== credentials.uid || uid !== inode.uid)) return EPERM;
    if (gid !== -1 && (inode.uid !== credentials.uid || (gid !== credentials.gid && gid !== inode.gid)))
      return EPERM;
  }
  if (uid !== -1) inode.uid = uid;
  if (gid !== -1) inode.gid = gid;
  return 0;
}

export function stat(process: Process, path: string): Answer | number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  const { mode, links, uid, gid } = place.entry.inode;
  return { result: 0, out: { mode, links, uid, gid } };
}

export function readdir(process: Process, path: string): Answer | number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  const { inode } = place.entry;
  if (inode.entries === undefined) return ENOTDIR;
  if (!permitted(process, inode, MAY_READ)) return EACCES;
  // It can be opened where it is mounted, and not be read.
  if (place.entry.removed) return ENOENT;
  const names = [...inode.entries.keys()].sort();
  return { result: names.length, out: { names: names.join("/") } };
}

export function openPath(process: Process, path: string, closeOnExec = true): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  return process.descriptors.open(new OpenFile(new OpenPlace(place)), closeOnExec);
}
