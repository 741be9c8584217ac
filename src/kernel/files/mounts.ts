/**
 * Mounts: what is seen at which place of a mount namespace. A mount is there as long as its namespace has it, or an open place lies in it; its file system, and the file that it shows, even
 * without a name, as long as any mount shows it; a namespace as long as a process is in it.
 */
import { type Entry, FileSystem } from "./tree.ts";

/** A place: an entry, seen through a mount. */
export interface Place {
  readonly mount: Mount;
  readonly entry: Entry;
}

export class Mount {
  readonly fileSystem: FileSystem;
  /** What is seen of the file system. */
  readonly root: Entry;
  /** Where it is; nothing for the root of a namespace, and what is mounted no more. */
  #at: Place | undefined;
  readonly #upon = new Set<Mount>();
  namespace: MountNamespace | undefined;
  /** Open places. */
  #places = 0;

  constructor(root: Entry) {
    this.fileSystem = root.inode.fileSystem;
    this.root = root;
    root.inode.hold();
    this.fileSystem.hold();
  }

  get at(): Place | undefined {
    return this.#at;
  }

  /** Whether somebody is in it: another mount, an open place. */
  get busy(): boolean {
    return this.#upon.size > 0 || this.#places > 0;
  }

  attach(namespace: MountNamespace, at: Place | undefined): void {
    this.namespace = namespace;
    this.#at = at;
    if (at === undefined) return;
    at.mount.#upon.add(this);
    at.mount.fileSystem.mountpoints.add(this);
  }

  /** The mount at a place of this one. */
  upon(entry: Entry): Mount | undefined {
    return [...this.#upon].find((mount) => mount.#at?.entry === entry);
  }

  get mountsUpon(): readonly Mount[] {
    return [...this.#upon];
  }

  /** Takes it, and what is mounted in it, out of its namespace. */
  detach(): void {
    for (const mount of this.#upon) mount.detach();
    const at = this.#at;
    if (at !== undefined) {
      at.mount.#upon.delete(this);
      at.mount.fileSystem.mountpoints.delete(this);
    }
    this.#at = undefined;
    this.namespace = undefined;
    if (this.#places === 0) this.#end();
  }

  /** What it shows may have no name any more. */
  #end(): void {
    this.root.inode.put();
    this.fileSystem.put();
  }

  holdPlace(): void {
    this.#places += 1;
  }

  putPlace(): void {
    this.#places -= 1;
    if (this.#places === 0 && this.namespace === undefined) this.#end();
  }
}

export class MountNamespace {
  readonly root: Mount;
  #processes = 0;

  constructor(root: Mount) {
    this.root = root;
    root.attach(this, undefined);
  }

  hold(): this {
    this.#processes += 1;
    return this;
  }

  put(): void {
    this.#processes -= 1;
    if (this.#processes === 0) this.root.detach();
  }

  mounts(): readonly Mount[] {
    const all = [this.root];
    for (const mount of all) all.push(...mount.mountsUpon);
    return all;
  }

  /** Whether something is mounted at the entry, in whichever mount. */
  mountedAt(entry: Entry): boolean {
    return this.mounts().some((mount) => mount.at?.entry === entry);
  }

  /** A namespace with the same mounts. */
  copy(): MountNamespace {
    const copy = new MountNamespace(new Mount(this.root.root));
    const copies = new Map([[this.root, copy.root]]);
    for (const mount of this.mounts()) {
      const to = mount.at === undefined ? undefined : copies.get(mount.at.mount);
      if (mount.at === undefined || to === undefined) continue;
      const copied = new Mount(mount.root);
      copied.attach(copy, { mount: to, entry: mount.at.entry });
      copies.set(mount, copied);
    }
    return copy;
  }
}

/** Whoever takes a name away takes what is mounted there in other namespaces. */
export function detachAt(entry: Entry): void {
  for (const mount of entry.inode.fileSystem.mountpoints) if (mount.at?.entry === entry) mount.detach();
}

/** The namespace of the first process: a BPF file system. */
export const firstNamespace = (): MountNamespace =>
  new MountNamespace(new Mount(new FileSystem("bpf", { uid: 0, gid: 0 }).root));

/** The place that is seen where other things may be mounted: the uppermost. */
export function uppermost(place: Place): Place {
  let at = place;
  for (let mount = at.mount.upon(at.entry); mount !== undefined; mount = at.mount.upon(at.entry))
    at = { mount, entry: mount.root };
  return at;
}
