/** Messages of Unix sockets with descriptors in them; and sockets that only lie in messages. */
import type { Memory } from "../../../oracle/linux/calls.ts";
import { room, systemCall } from "./syscalls.ts";
import type { World } from "./world.ts";

export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const CMSG_HEADER = 16;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const POLLIN = 1;
/** How long the kernel may take, in milliseconds. */
const LONGEST_MS = 2000;

/** `struct msghdr` of one byte and so many bytes of control messages. */
export function messageHeader(control: Memory | undefined): Memory {
  const vector = new Uint8Array(16);
  vector[8] = 1;
  const header = new Uint8Array(56);
  const view = new DataView(header.buffer);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(40, BigInt(control?.bytes.length ?? 0), true);
  return {
    bytes: header,
    back: "all",
    pointers: [
      [16, { bytes: vector, back: "nothing", pointers: [[0, room(1)]] }],
      ...(control === undefined ? [] : [[32, control] as const]),
    ],
  };
}

/** A message of one byte with these descriptors. */
export function messageWith(fds: readonly number[]): Memory {
  if (fds.length === 0) return messageHeader(undefined);
  const bytes = new Uint8Array(CMSG_HEADER + 8 * Math.ceil(fds.length / 2));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(CMSG_HEADER + 4 * fds.length), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  for (const [index, fd] of fds.entries()) view.setInt32(CMSG_HEADER + 4 * index, fd, true);
  return messageHeader({ bytes, back: "nothing" });
}

/**
 * Has the kernel collect sockets that nobody can receive from, and waits until it has. It does so when a Unix socket is closed; such a socket is made, with the end of a pipe in
 * its own message: when the pipe's other end hears of that, it has been collected.
 */
export function collectSockets(world: World): void {
  const [pipe, pair] = [room(8), room(8)];
  world.oversee([systemCall("pipe2", pipe, 0), systemCall("socketpair", AF_UNIX, SOCK_STREAM, 0, pair)]);
  const ends = ({ bytes }: Memory): readonly [number, number] => {
    const view = new DataView(bytes.buffer);
    return [view.getInt32(0, true), view.getInt32(4, true)];
  };
  const [read, write] = ends(pipe);
  const [one, other] = ends(pair);
  const awaited = room(8);
  const view = new DataView(awaited.bytes.buffer);
  view.setInt32(0, read, true);
  view.setInt16(4, POLLIN, true);
  world.oversee([
    systemCall("sendmsg", one, messageWith([other, write]), MSG_NOSIGNAL),
    ...[other, write, one].map((fd) => systemCall("close", fd)),
    systemCall("poll", awaited, 1, LONGEST_MS),
    systemCall("close", read),
  ]);
}
