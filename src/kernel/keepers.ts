/** Who keeps what: the references that there are, told by names. Instruments draw them and follow them; the runtime itself goes by its counts. */
import type { Cgroup } from "./attachments/cgroup.ts";
import { CgroupFile } from "./attachments/cgroup.ts";
import { LinkObject } from "./attachments/link.ts";
import { filesOfObjects, heldByFile, heldByMap } from "./attachments/references.ts";
import { SocketFile } from "./attachments/sockets.ts";
import type { OpenFile } from "./descriptors.ts";
import { OpenPlace } from "./files/open-place.ts";
import { allPins } from "./files/pins.ts";
import type { Kernel } from "./kernel.ts";
import { type Device, NetworkNamespace } from "./network.ts";
import { KernelObject, type ProgramObject } from "./objects.ts";
import { OBJECT_KINDS } from "./system.ts";
import { UnixSocket } from "./unix-socket.ts";

/** A thing that is kept by another. */
export interface Keeping {
  /** `process 1`, `/a`, `socket 2`, `program 3`, `network 1`, `device one of network 1`, `cgroup /a`. */
  readonly keeper: string;
  readonly kept: string;
  /** `fd 3`, `pin`, `uses`, `message`, `xdp`. */
  readonly how: string;
  /** Whether the keeper is one that nothing has to keep. */
  readonly root: boolean;
}

/** What has no id, by a number of its own kind: the first that is met is 1, and each stays what it was called. */
export class Names {
  readonly #names = new WeakMap<object, string>();
  readonly #counts = new Map<string, number>();

  #numbered(kind: string, thing: object): string {
    const known = this.#names.get(thing);
    if (known !== undefined) return known;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    this.#names.set(thing, `${kind} ${number}`);
    return `${kind} ${number}`;
  }

  of(file: OpenFile): string | undefined {
    const { target } = file;
    if (target instanceof KernelObject) return `${target.kind} ${target.id}`;
    if (target instanceof UnixSocket || target instanceof SocketFile) return this.socket(target);
    if (target instanceof NetworkNamespace) return this.network(target);
    if (target instanceof CgroupFile) return cgroupName(target.cgroup);
    if (!(target instanceof OpenPlace)) return this.#numbered(target.kind, target);
    const object = target.place.entry.inode.pinned;
    return object === undefined ? undefined : `${object.kind} ${object.id}`;
  }

  socket(socket: UnixSocket | SocketFile): string {
    return this.#numbered("socket", socket);
  }

  network(namespace: NetworkNamespace): string {
    return this.#numbered("network", namespace);
  }

  mounts(namespace: object): string {
    return this.#numbered("mounts", namespace);
  }
}

function cgroupName({ name, parent }: Cgroup): string {
  if (parent === undefined) return "cgroup /";
  const above = cgroupName(parent);
  return `${above}${above.endsWith("/") ? "" : "/"}${name}`;
}

/** Every reference that keeps something, each once. @param names  what things were called before */
export function keepers(kernel: Kernel, names: Names): readonly Keeping[] {
  const found: Keeping[] = [];
  const add = (keeper: string, kept: string | undefined, how: string, root = false): void => {
    if (kept !== undefined) found.push({ keeper, kept, how, root });
  };
  const files = new Set<OpenFile>();
  const networks = new Set<NetworkNamespace>();
  const within = (keeper: string, namespace: NetworkNamespace, how: string, root = false): void => {
    networks.add(namespace);
    add(keeper, names.network(namespace), how, root);
  };
  for (const [number, { descriptors, mounts, network }] of kernel.processes) {
    for (const { fd, file } of descriptors.numbered()) {
      files.add(file);
      add(`process ${number}`, names.of(file), `fd ${fd}`, true);
    }
    within(`process ${number}`, network, "in", true);
    add(`process ${number}`, names.mounts(mounts), "in", true);
  }
  for (const { process = 1, path, kind, id } of allPins(kernel)) {
    const name = process === 1 ? path : `${path} of process ${process}`;
    const namespace = kernel.processes.get(process)?.mounts;
    if (namespace !== undefined) add(names.mounts(namespace), name, "name");
    add(name, `${kind} ${id}`, "pin");
  }
  for (const socket of kernel.sockets) {
    for (const file of socket.messages.flat()) {
      files.add(file);
      add(names.socket(socket), names.of(file), "message");
    }
  }
  const objects = OBJECT_KINDS.flatMap((kind) =>
    kernel.objects.alive(kind).flatMap((id) => kernel.objects.find(kind, id) ?? []),
  );
  for (const object of objects) {
    const name = `${object.kind} ${object.id}`;
    for (const held of object.holds())
      add(name, `${held.kind} ${held.id}`, object.kind === "program" ? "uses" : "holds");
    for (const file of filesOfObjects([object])) {
      files.add(file);
      add(name, names.of(file), "holds");
    }
    if (object instanceof LinkObject && object.network instanceof NetworkNamespace)
      within(name, object.network, "at a hook of");
    for (const program of heldByMap(object)) add(name, programName(program), "runs");
  }
  const targets = new Set<OpenFile["target"]>();
  for (const file of files) {
    const { target } = file;
    if (targets.has(target)) continue;
    targets.add(target);
    if (target instanceof NetworkNamespace) networks.add(target);
    if (target instanceof SocketFile || target instanceof UnixSocket)
      within(names.socket(target), target.network, "made in");
    for (const program of heldByFile(target))
      add(names.of(file) ?? target.kind, programName(program), "runs");
  }
  for (const namespace of networks) {
    for (const [hook, { held }] of Object.entries(namespace.hooks))
      for (const program of held) add(names.network(namespace), programName(program), hook);
    for (const device of namespace.devices.values()) {
      const attached = onDevice(device);
      // One that nothing is attached to keeps nothing.
      if (attached.length === 0) continue;
      const name = `device ${device.name} of ${names.network(namespace)}`;
      add(names.network(namespace), name, "has");
      for (const [hook, program] of attached) add(name, programName(program), hook);
    }
  }
  for (const cgroup of cgroupsFrom(kernel.cgroups))
    for (const program of cgroup.held) add(cgroupName(cgroup), programName(program), "runs", true);
  return found;
}

const programName = ({ id }: ProgramObject): string => `program ${id}`;

const cgroupsFrom = (cgroup: Cgroup): readonly Cgroup[] => [
  cgroup,
  ...[...cgroup.children.values()].flatMap(cgroupsFrom),
];

/** The programs that a device holds, with the hooks at which it does. */
const onDevice = ({ xdp, tcx, traffic }: Device): readonly (readonly [string, ProgramObject])[] => [
  ...[...xdp.attached.values()].flatMap(({ program, link }) =>
    link === undefined ? [["xdp", program] as const] : [],
  ),
  ...Object.entries(tcx).flatMap(([hook, { list }]) =>
    (list?.places ?? []).flatMap(({ program, link }) =>
      link === undefined ? [[hook, program] as const] : [],
    ),
  ),
  ...traffic.all.map(({ program }) => ["filter", program] as const),
];

/** The shortest chain from a root to a thing: nothing if none leads there. */
export function chainTo(keepings: readonly Keeping[], thing: string): readonly Keeping[] | undefined {
  const ways = new Map<string, readonly Keeping[]>();
  const next = keepings.filter(({ root }) => root).map((first) => [first]);
  for (const way of next) {
    const { kept } = way.at(-1) ?? { kept: "" };
    if (ways.has(kept)) continue;
    ways.set(kept, way);
    if (kept === thing) return way;
    next.push(...keepings.filter(({ keeper }) => keeper === kept).map((step) => [...way, step]));
  }
  return undefined;
}
