/** What processes do with Unix sockets: make pairs, send and receive. */
import { Unsupported } from "../semantics/errors.ts";
import { EBADF, ENOTSOCK } from "../vm/errno.ts";
import { SocketFile } from "./attachments/sockets.ts";
import { OpenFile } from "./descriptors.ts";
import type { Kernel, Process } from "./kernel.ts";
import type { Answer } from "./system.ts";
import { UnixSocket } from "./unix-socket.ts";

const EPIPE = -32;

export function socketpair(kernel: Kernel, { descriptors, network }: Process, closeOnExec = false): Answer {
  const one = new UnixSocket(kernel.sockets, kernel.cookies, network);
  const other = new UnixSocket(kernel.sockets, kernel.cookies, network);
  one.peer = other;
  other.peer = one;
  const open = (socket: UnixSocket): number => {
    socket.file = new OpenFile(socket);
    return descriptors.open(socket.file, closeOnExec);
  };
  const first = open(one);
  return { result: 0, out: { first, second: open(other) } };
}

/** The socket of a descriptor, or a negative error number. */
function socketOf({ descriptors }: Process, fd: number): UnixSocket | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  if (target instanceof SocketFile) throw new Unsupported("messages of a UDP socket");
  return target instanceof UnixSocket ? target : ENOTSOCK;
}

export function send(process: Process, fd: number, fds: readonly number[]): number {
  const socket = socketOf(process, fd);
  if (typeof socket === "number") return socket;
  const files = fds.map((each) => process.descriptors.get(each)).filter((file) => file !== undefined);
  if (files.length < fds.length) return EBADF;
  if (socket.peer === undefined) return EPIPE;
  socket.peer.deliver(files);
  return 1;
}

export function receive(process: Process, fd: number, closeOnExec = false): Answer | number {
  const socket = socketOf(process, fd);
  if (typeof socket === "number") return socket;
  const message = socket.take();
  if (typeof message === "number") return message;
  const out: Record<string, number> = {};
  for (const [index, file] of message.entries()) {
    out[`fd${index}`] = process.descriptors.open(file, closeOnExec);
    file.put();
  }
  return { result: 1, out };
}
