/** Sockets of this process on the loopback device, and the system calls that make them. */
import { type Argument, call, type Memory } from "../../src/oracle/linux/calls.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";

/** asm/unistd_64.h of x86. */
export const CALLS = {
  socket: 41,
  connect: 42,
  sendto: 44,
  bind: 49,
  listen: 50,
  getsockname: 51,
  setsockopt: 54,
  getsockopt: 55,
};
export const [AF_INET, AF_XDP] = [2, 44];
export const [STREAM, DATAGRAM, RAW] = [1, 2, 3];
export const [SOL_SOCKET, SO_PRIORITY, SO_REUSEPORT, SO_ATTACH_REUSEPORT_EBPF] = [1, 12, 15, 52];
const SO_COOKIE = 57;

export const back = (bytes: Uint8Array): Memory => ({ bytes, back: "all" });
export const bytes32 = (...words: readonly number[]): Memory =>
  back(new Uint8Array(Uint32Array.from(words).buffer));
export const system = (number: number, values: readonly Argument[]): number => {
  const { errno, result } = call(THIS_MACHINE, number, values);
  if (errno !== 0) throw new Error(`system call ${number}: error ${errno}`);
  return result;
};
/** An address of the loopback device. */
export const address = (port: number): Memory =>
  back(Uint8Array.from([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1, ...new Uint8Array(8)]));

/** One that is bound, to a free port; of a stream, one that listens. */
export function opened(type: number): {
  readonly fd: number;
  readonly port: number;
  readonly cookie: bigint;
} {
  const fd = system(CALLS.socket, [AF_INET, type, 0]);
  system(CALLS.bind, [fd, address(0), 16]);
  if (type === STREAM) system(CALLS.listen, [fd, 1]);
  const name = address(0);
  system(CALLS.getsockname, [fd, name, bytes32(16)]);
  const cookie = bytes32(0, 0);
  system(CALLS.getsockopt, [fd, SOL_SOCKET, SO_COOKIE, cookie, bytes32(8)]);
  return {
    fd,
    port: Buffer.from(name.bytes).readUInt16BE(2),
    cookie: Buffer.from(cookie.bytes).readBigUInt64LE(0),
  };
}
