/**
 * Counts beside what they count: every reference is looked for where references are kept, and there must be as many as an object says; and nothing may be referred to that has
 * been freed. For instruments: the runtime itself goes by its counts alone.
 */
import { LinkObject } from "./attachments/link.ts";
import { attachedPrograms, filesOfObjects } from "./attachments/references.ts";
import type { OpenFile } from "./descriptors.ts";
import type { MountNamespace } from "./files/mounts.ts";
import { OpenPlace } from "./files/open-place.ts";
import { type Entry, entriesOf, type FileSystem, type Inode } from "./files/tree.ts";
import type { Kernel } from "./kernel.ts";
import { KernelObject, MapObject } from "./objects.ts";
import { OBJECT_KINDS } from "./system.ts";

/** How often each thing was found. */
class Tally<T> {
  readonly #counts = new Map<T, number>();

  add(thing: T): void {
    this.#counts.set(thing, this.of(thing) + 1);
  }

  of(thing: T): number {
    return this.#counts.get(thing) ?? 0;
  }

  get things(): readonly T[] {
    return [...this.#counts.keys()];
  }
}

/** What does not agree, a line each. */
export function audit(kernel: Kernel): readonly string[] {
  const wrong: string[] = [];
  const objects = OBJECT_KINDS.flatMap((kind) =>
    kernel.objects.alive(kind).flatMap((id) => kernel.objects.find(kind, id) ?? []),
  );
  const files = openFiles(kernel);
  for (const file of filesOfObjects(objects)) files.add(file);
  for (const file of files.things) {
    if (file.references !== files.of(file)) {
      wrong.push(`an open ${file.target.kind} counts ${file.references} references, found ${files.of(file)}`);
    }
  }
  const users = new Tally<KernelObject>();
  for (const { target } of files.things) if (target instanceof KernelObject) users.add(target);
  for (const { pinned } of inodes(kernel, files.things)) if (pinned !== undefined) users.add(pinned);

  const reaching = new Tally<KernelObject>();
  for (const object of objects)
    if (object instanceof LinkObject && object.userOf !== undefined) reaching.add(object.userOf);

  const found = new Tally<KernelObject>();
  for (const object of objects) for (const held of object.holds()) found.add(held);
  const targets = files.things.map(({ target }) => target);
  for (const program of attachedPrograms(kernel, targets, objects)) found.add(program);
  const alive = new Set(objects);
  for (const object of new Set([...users.things, ...found.things])) {
    if (!alive.has(object)) wrong.push(`${object.kind} ${object.id} was freed and is referred to`);
  }
  for (const object of objects) {
    const name = `${object.kind} ${object.id}`;
    const references = users.of(object) + found.of(object);
    if (object.references !== references) {
      wrong.push(`${name} counts ${object.references} references, found ${references}`);
    }
    const reached = users.of(object) + reaching.of(object);
    if (object instanceof MapObject && object.users !== reached) {
      wrong.push(`${name} counts ${object.users} users, found ${reached}`);
    }
  }
  return wrong;
}

/** Open files by how many descriptors and messages refer to each. */
function openFiles({ processes, sockets }: Kernel): Tally<OpenFile> {
  const files = new Tally<OpenFile>();
  for (const { descriptors } of processes.values()) for (const file of descriptors.files()) files.add(file);
  for (const { messages } of sockets) for (const file of messages.flat()) files.add(file);
  return files;
}

/** All files that have a name in a file system that is mounted, or that are mounted, or that a place is open of. */
function inodes({ processes }: Kernel, files: readonly OpenFile[]): ReadonlySet<Inode> {
  const found = new Set<Inode>();
  const visit = (entry: Entry): void => {
    found.add(entry.inode);
    for (const inner of entriesOf(entry).values()) visit(inner);
  };
  const namespaces = new Set<MountNamespace>([...processes.values()].map(({ mounts }) => mounts));
  const fileSystems = new Set<FileSystem>();
  for (const namespace of namespaces)
    for (const { fileSystem, root } of namespace.mounts()) {
      fileSystems.add(fileSystem);
      found.add(root.inode);
    }
  for (const { target } of files) {
    if (!(target instanceof OpenPlace)) continue;
    found.add(target.place.entry.inode);
    found.add(target.place.mount.root.inode);
    fileSystems.add(target.place.mount.fileSystem);
  }
  for (const { root } of fileSystems) visit(root);
  return found;
}
