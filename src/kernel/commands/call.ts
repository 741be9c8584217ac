/** What a command of bpf(2) is given, and how it finds the objects that it names. */
import type { Command } from "../../semantics/abi/bpf-commands.ts";
import { EBADF, EINVAL } from "../../vm/errno.ts";
import { DeviceMap } from "../../vm/maps/devices.ts";
import type { Referent } from "../../vm/maps/user-side.ts";
import { SocketMapHook } from "../attachments/socket-map.ts";
import { SocketFile } from "../attachments/sockets.ts";
import { type OpenFile, READ, WRITE } from "../descriptors.ts";
import type { Kernel, Process } from "../kernel.ts";
import { MapObject, ProgramObject } from "../objects.ts";
import { UnixSocket } from "../unix-socket.ts";
import type { Attribute } from "./attribute.ts";

export interface Call<C extends Command> {
  readonly kernel: Kernel;
  readonly process: Process;
  readonly attr: Attribute<C>;
}

/** What a command does: it returns what the call does, a descriptor, a number, 0 or a negative error number; and writes to the process's memory. */
export type Handler<C extends Command> = (call: Call<C>) => number;

/** A map with what the descriptor that it was named by lets one do. */
export interface OpenMap {
  readonly map: MapObject;
  readonly storage: MapObject["storage"];
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

/** The map that a descriptor stands for, or a negative error number. Descriptors in its values are those of the process until the next command. */
export function mapByFd({ descriptors, network }: Process, fd: number): OpenMap | number {
  const file = descriptors.file(fd);
  if (file === undefined) return EBADF;
  const { target, access } = file;
  if (!(target instanceof MapObject)) return EINVAL;
  const { storage } = target;
  const [mayRead, mayWrite] = [(access & READ) !== 0, (access & WRITE) !== 0];
  storage.descriptors = (value) => referentOf(descriptors.file(value));
  if (storage instanceof DeviceMap && storage.definition.type !== "cpumap") {
    storage.exists = (number) => network.devices.has(number);
    storage.watch = (number, gone) => network.devices.get(number)?.watch(gone);
  }
  if (storage.kind === "sockets") storage.mapping = SocketMapHook.mapping(target, storage);
  storage.access = { mayRead, mayWrite };
  return { map: target, storage, mayRead, mayWrite: mayWrite && !storage.frozen };
}

/** What a descriptor in a map's value stands for; what maps do not hold is a thing without an id. */
function referentOf(file: OpenFile | undefined): Referent | undefined {
  const target = file?.target;
  if (target instanceof MapObject) return target.storage;
  if (target instanceof ProgramObject) return target.referent;
  if (target instanceof SocketFile || target instanceof UnixSocket) return target.mapped;
  return target;
}

/** The program that a descriptor stands for, or a negative error number. */
export function programByFd({ descriptors }: Process, fd: number): ProgramObject | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  return target instanceof ProgramObject ? target : EINVAL;
}

/** What comes of a descriptor where a token's is wanted: there are no tokens, which are for user namespaces. */
export const tokenProblem = ({ descriptors }: Process, fd: number): number =>
  descriptors.file(fd) === undefined ? EBADF : EINVAL;
