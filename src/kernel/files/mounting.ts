/** mount(2), umount2(2) and unshare(2). All mounts are private: what is mounted in one namespace is not seen in another. */
import { Unsupported } from "../../semantics/errors.ts";
import { EBUSY, EINVAL, ENOENT, EPERM } from "../../vm/errno.ts";
import type { Process } from "../kernel.ts";
import { Mount, type Place, uppermost } from "./mounts.ts";
import { ENOTDIR } from "./open-place.ts";
import { type Entry, FileSystem, type FileSystemType } from "./tree.ts";
import { walk } from "./walk.ts";

const mayMount = ({ credentials: { uid } }: Process): boolean => uid === 0;

const isRoot = ({ mounts }: Process, { mount, entry }: Place): boolean =>
  mount === mounts.root && entry === mount.root;

/**
 * Mounts what is seen from an entry on.
 * @throws Unsupported  for the root: processes would go on seeing what is beneath
 */
function attach(process: Process, root: () => Entry, place: Place): number {
  if (isRoot(process, place)) throw new Unsupported("mounting at the root");
  const at = uppermost(place);
  // What has no name any more may still be seen through another mount.
  if (at.entry.removed) return ENOENT;
  const entry = root();
  if (entry.inode.isDirectory !== at.entry.inode.isDirectory) return ENOTDIR;
  new Mount(entry).attach(process.mounts, at);
  return 0;
}

/** A new file system. */
export function mount(process: Process, type: FileSystemType, path: string): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  if (!mayMount(process)) return EPERM;
  return attach(process, () => new FileSystem(type, process.credentials).root, place);
}

/** MS_BIND. */
export function bind(process: Process, from: string, path: string): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  if (!mayMount(process)) return EPERM;
  if (from === "") return EINVAL;
  const source = walk(process, from);
  if (typeof source === "number") return source;
  return attach(process, () => source.entry, place);
}

/** @param detach  MNT_DETACH: even if somebody is in it, who keeps it */
export function umount(process: Process, path: string, detach = false): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  if (!mayMount(process)) return EPERM;
  if (place.entry !== place.mount.root) return EINVAL;
  if (isRoot(process, place)) throw new Unsupported("umount of the root");
  if (place.mount.busy && !detach) return EBUSY;
  place.mount.detach();
  return 0;
}

/** CLONE_NEWNS. */
export function unshare(process: Process): number {
  if (!mayMount(process)) return EPERM;
  const before = process.mounts;
  process.mounts = before.copy().hold();
  before.put();
  return 0;
}
