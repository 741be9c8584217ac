/** BPF_OBJ_PIN and BPF_OBJ_GET as far as they are about files; and the pins that there are. */
import { EACCES, EINVAL, EPERM } from "../../vm/errno.ts";
import { READ, WRITE } from "../descriptors.ts";
import type { Kernel, Process } from "../kernel.ts";
import type { KernelObject } from "../objects.ts";
import type { Pin } from "../system.ts";
import type { Mount, MountNamespace } from "./mounts.ts";
import { UMASK } from "./names.ts";
import { addEntry, type Entry, entriesOf, Inode } from "./tree.ts";
import { AT_FDCWD, MAY_READ, MAY_WRITE, mayCreate, permitted, walk, walkToNew } from "./walk.ts";

/**
 * Gives an object a name.
 * @param directory  descriptor of the place where a path that is not absolute begins
 * @returns 0, or a negative error number
 */
export function pin(process: Process, path: string, object: KernelObject, directory = AT_FDCWD): number {
  const last = walkToNew(process, path, false, directory);
  if (typeof last === "number") return last;
  const { parent, name } = last;
  const { fileSystem } = parent.entry.inode;
  if (fileSystem.type !== "bpf") return EPERM;
  const refused = mayCreate(process, parent);
  if (refused !== 0) return refused;
  addEntry(parent.entry, name, new Inode(fileSystem, 0o600 & ~UMASK, process.credentials, object));
  return 0;
}

/**
 * The object of a name.
 * @param access  what it is opened for, bits of `READ` and `WRITE`
 * @returns a negative error number where there is none, or it may not be had
 */
export function pinned(
  process: Process,
  path: string,
  access: number,
  directory = AT_FDCWD,
): KernelObject | number {
  const place = walk(process, path, directory);
  if (typeof place === "number") return place;
  const { inode } = place.entry;
  const wanted = ((access & READ) === 0 ? 0 : MAY_READ) | ((access & WRITE) === 0 ? 0 : MAY_WRITE);
  if (!permitted(process, inode, wanted)) return EACCES;
  const object = inode.pinned;
  if (object === undefined) return EACCES;
  return object.kind === "link" && access !== (READ | WRITE) ? EINVAL : object;
}

/** The pins that a namespace's root leads to; what is hidden beneath a mount is not among them. */
function pinsIn(mount: Mount, entry: Entry, path: string): readonly Omit<Pin, "process">[] {
  const upon = mount.upon(entry);
  if (upon !== undefined) return pinsIn(upon, upon.root, path);
  const object = entry.inode.pinned;
  if (object !== undefined) return [{ path, kind: object.kind, id: object.id }];
  return [...entriesOf(entry).values()].flatMap((inner) => pinsIn(mount, inner, `${path}/${inner.name}`));
}

/** The pins of every mount namespace, as the first of its processes sees them. */
export function allPins({ processes }: Kernel): readonly Pin[] {
  const seen = new Map<MountNamespace, number>();
  for (const [number, { mounts }] of processes) if (!seen.has(mounts)) seen.set(mounts, number);
  const pins = [...seen].flatMap(([{ root }, process]) =>
    pinsIn(root, root.root, "").map((pin) => ({ ...pin, ...(process === 1 ? {} : { process }) })),
  );
  const key = ({ process = 1, path }: Pin): string => `${String(process).padStart(6, "0")} ${path}`;
  return pins.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
