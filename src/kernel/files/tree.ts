/**
 * File systems as trees of names. A name (`Entry`) stands for a file (`Inode`), which several names may stand for. A file is there as long as a name or an open place
 * stands for it, and what it pins as long as the file; a file system as long as it is mounted somewhere.
 */
import type { KernelObject } from "../objects.ts";

export type FileSystemType = "bpf" | "tmpfs";

export const STICKY = 0o1000;
const SET_ID_BITS = 0o6000;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A file: a directory, or one that pins an object. */
export class Inode {
  mode: number;
  uid: number;
  gid: number;
  /** The names in a directory; nothing else has any. */
  readonly entries: Map<string, Entry> | undefined;
  readonly pinned: KernelObject | undefined;
  readonly fileSystem: FileSystem;
  /** How many names it has; for a directory also `.` and the `..` of those in it. */
  links: number;
  /** Names, mounts and open places. */
  #references = 0;

  constructor(fileSystem: FileSystem, mode: number, { uid, gid }: Owner, pinned?: KernelObject) {
    this.fileSystem = fileSystem;
    this.mode = mode & ~SET_ID_BITS;
    this.uid = uid;
    this.gid = gid;
    this.pinned = pinned;
    this.entries = pinned === undefined ? new Map() : undefined;
    this.links = pinned === undefined ? 2 : 1;
    pinned?.holdUser();
  }

  get isDirectory(): boolean {
    return this.entries !== undefined;
  }

  hold(): void {
    this.#references += 1;
  }

  put(): void {
    this.#references -= 1;
    if (this.#references === 0) this.pinned?.putUser();
  }
}

/** A name in a directory; or the root of a file system, which has none. */
export class Entry {
  readonly inode: Inode;
  name: string;
  parent: Entry | undefined;
  /** Whether the name has been taken away. */
  removed = false;

  constructor(inode: Inode, name: string, parent: Entry | undefined) {
    this.inode = inode;
    this.name = name;
    this.parent = parent;
    inode.hold();
  }
}

/** The directory's names; nothing for what is no directory. */
export const entriesOf = (entry: Entry): Map<string, Entry> =>
  entry.inode.entries ?? new Map<string, Entry>();

/** A mount as far as file systems know it. */
interface Mounted {
  readonly at: { readonly entry: Entry } | undefined;
  readonly detach: () => void;
}

export class FileSystem {
  readonly type: FileSystemType;
  readonly root: Entry;
  /** What is mounted at entries of this one, in all namespaces. */
  readonly mountpoints = new Set<Mounted>();
  #mounts = 0;

  constructor(type: FileSystemType, owner: Owner) {
    this.type = type;
    this.root = new Entry(new Inode(this, STICKY | 0o777, owner), "", undefined);
  }

  hold(): void {
    this.#mounts += 1;
  }

  /** One mount fewer; with the last one all files go. */
  put(): void {
    this.#mounts -= 1;
    if (this.#mounts === 0) release(this.root);
  }
}

function release(entry: Entry): void {
  for (const inner of entriesOf(entry).values()) release(inner);
  entry.inode.put();
}

/** Gives an inode a name. */
export function addEntry(parent: Entry, name: string, inode: Inode): void {
  entriesOf(parent).set(name, new Entry(inode, name, parent));
  if (inode.isDirectory) parent.inode.links += 1;
}

/** Takes a name away. */
export function removeEntry(entry: Entry): void {
  const { parent, inode } = entry;
  if (parent === undefined) return;
  entriesOf(parent).delete(entry.name);
  entry.removed = true;
  inode.links -= inode.isDirectory ? 2 : 1;
  if (inode.isDirectory) parent.inode.links -= 1;
  inode.put();
}

/** Moves a name elsewhere. */
export function moveEntry(entry: Entry, parent: Entry, name: string): void {
  if (entry.parent !== undefined) {
    if (entriesOf(entry.parent).get(entry.name) === entry) entriesOf(entry.parent).delete(entry.name);
    if (entry.inode.isDirectory) entry.parent.inode.links -= 1;
  }
  entry.parent = parent;
  entry.name = name;
  entriesOf(parent).set(name, entry);
  if (entry.inode.isDirectory) parent.inode.links += 1;
}

/** Whether the entry is `other` or in it. */
export function isInside(entry: Entry, other: Entry): boolean {
  for (let at: Entry | undefined = entry; at !== undefined; at = at.parent) if (at === other) return true;
  return false;
}
