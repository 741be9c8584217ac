/** mount(2), umount2(2) and unshare(2). All mounts are private: what is mounted in one namespace is not seen in another. */
import { Unsupported } from "../../semantics/errors.ts";
import { EBUSY, EINVAL, EPERM } from "../../vm/errno.ts";
import type { Process } from "../kernel.ts";
import { Mount, type Place, uppermost } from "./mounts.ts";
import { ENOTDIR } from "./open-place.ts";
import { FileSystem, type FileSystemType } from "./tree.ts";
import { walk } from "./walk.ts";

const mayMount = ({ credentials: { uid } }: Process): boolean => uid === 0;

const isRoot = ({ mounts }: Process, { mount, entry }: Place): boolean =>
  mount === mounts.root && entry === mount.root;

/** @throws Unsupported  for the root: processes would go on seeing what is beneath */
function attach(process: Process, mount: Mount, place: Place): void {
  if (isRoot(process, place)) throw new Unsupported("mounting at the root");
  mount.attach(process.mounts, uppermost(place));
}

/** A new file system. */
export function mount(process: Process, type: FileSystemType, path: string): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  if (!mayMount(process)) return EPERM;
  if (!place.entry.inode.isDirectory) return ENOTDIR;
  attach(process, new Mount(new FileSystem(type, process.credentials).root), place);
  return 0;
}

/** MS_BIND. */
export function bind(process: Process, from: string, path: string): number {
  const place = walk(process, path);
  if (typeof place === "number") return place;
  if (!mayMount(process)) return EPERM;
  if (from === "") return EINVAL;
  const source = walk(process, from);
  if (typeof source === "number") return source;
  if (source.entry.inode.isDirectory !== place.entry.inode.isDirectory) return ENOTDIR;
  attach(process, new Mount(source.entry), place);
  return 0;
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
