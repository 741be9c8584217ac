/** The references that attachments are, where they are kept: for instruments that look whether counts are right. */
import type { OpenFile, Target } from "../descriptors.ts";
import type { Kernel } from "../kernel.ts";
import { type Device, NetworkNamespace } from "../network.ts";
import { type KernelObject, MapObject, type ProgramObject } from "../objects.ts";
import { UnixSocket } from "../unix-socket.ts";
import type { Cgroup } from "./cgroup.ts";
import { IteratorFile, PerfEvent } from "./events.ts";
import { LinkObject } from "./link.ts";
import { SocketMapHook } from "./socket-map.ts";
import { SocketFile } from "./sockets.ts";

/** Open files that objects keep open. */
export function filesOfObjects(objects: readonly KernelObject[]): readonly OpenFile[] {
  return objects.flatMap((object) => (object instanceof LinkObject ? object.files : []));
}

/**
 * The programs that things hold which have no id, as often as they do.
 * @param targets  what open files are of, each once
 */
export function attachedPrograms(
  kernel: Kernel,
  targets: readonly Target[],
  objects: readonly KernelObject[],
): readonly ProgramObject[] {
  const namespaces = new Set([...kernel.processes.values()].map(({ network }) => network));
  for (const object of objects)
    if (object instanceof LinkObject && object.network instanceof NetworkNamespace)
      namespaces.add(object.network);
  for (const target of targets) {
    if (target instanceof NetworkNamespace) namespaces.add(target);
    if (target instanceof SocketFile || target instanceof UnixSocket) namespaces.add(target.network);
  }
  return [
    ...[...namespaces].flatMap(inNamespace),
    ...inCgroup(kernel.cgroups),
    ...targets.flatMap(heldByFile),
    ...objects.flatMap(heldByMap),
  ];
}

const keepsPrograms = (target: Target): target is SocketFile | UnixSocket | PerfEvent | IteratorFile =>
  target instanceof SocketFile ||
  target instanceof UnixSocket ||
  target instanceof PerfEvent ||
  target instanceof IteratorFile;

/** The programs that what is open holds: a socket, an event, an iterator. */
export const heldByFile = (target: Target): readonly ProgramObject[] =>
  keepsPrograms(target) ? target.held : [];

/** The programs of a socket map. */
export const heldByMap = (object: KernelObject): readonly ProgramObject[] =>
  object instanceof MapObject && object.attached instanceof SocketMapHook ? object.attached.held : [];

const inNamespace = ({ devices, hooks }: NetworkNamespace): readonly ProgramObject[] => [
  ...Object.values(hooks).flatMap(({ held }) => held),
  ...[...devices.values()].flatMap(onDevice),
];

const onDevice = ({ xdp, tcx, traffic }: Device): readonly ProgramObject[] => [
  ...[...xdp.attached.values()].flatMap(({ program, link }) => (link === undefined ? program : [])),
  ...Object.values(tcx).flatMap(({ list }) =>
    (list?.places ?? []).flatMap(({ program, link }) => (link === undefined ? program : [])),
  ),
  ...traffic.all.map(({ program }) => program),
];

const inCgroup = (cgroup: Cgroup): readonly ProgramObject[] => [
  ...cgroup.held,
  ...[...cgroup.children.values()].flatMap(inCgroup),
];
