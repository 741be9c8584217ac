/**
 * Sockets in a run: which one a look-up finds, and the memory that pointers to it lead to, with the fields that the kernel shows (`struct bpf_sock` and its like).
 * Each look-up gives a reference of its own, and memory of its own: what was made of a reference ends with it.
 */
import { Unsupported } from "../semantics/errors.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { fieldAt } from "../semantics/profile/lookup.ts";
import type { ContextField, Context as Layout } from "../semantics/profile/profile.ts";
import type { AddressSpace } from "./address-space.ts";
import { SOCKET_STATES, type Socket } from "./environment/sockets.ts";
import { LateMap } from "./late-map.ts";
import type { Region, SocketStruct } from "./region.ts";
import type { SocketBuffer } from "./socket-buffer.ts";

function socketLayout(struct: SocketStruct): Layout {
  const layout = defaultProfile().contexts[struct];
  if (layout === undefined) throw new Unsupported(`the fields of ${struct}`);
  return layout;
}

const IPV6_FIELDS: ReadonlySet<string> = new Set(["src_ip6", "dst_ip6"]);

/** Whether Linux has never set a field of the socket in a region: it does not clear the memory of its IPv4 sockets, but for that of a test run. */
export function isLeftOver({ view, origin }: Region, struct: SocketStruct, field: string): boolean {
  if (struct === "bpf_tcp_sock" || !IPV6_FIELDS.has(field)) return false;
  const isTest = view.getUint32(origin + SOCK.protocol, true) === 0;
  return view.getUint32(origin + SOCK.family, true) === AF_INET && !isTest;
}

/** The field that a load touches; nothing if it may not. */
export const socketField = (struct: SocketStruct, offset: number, size: Size): ContextField | undefined =>
  fieldAt(socketLayout(struct), "read", offset, size);

/** Offsets in `struct bpf_sock`. */
const SOCK = {
  boundTo: 0,
  family: 4,
  type: 8,
  protocol: 12,
  mark: 16,
  priority: 20,
  sourceIp4: 24,
  sourceIp6: 28,
  sourcePort: 44,
  destinationPort: 48,
  destinationIp4: 52,
  destinationIp6: 56,
  state: 72,
  queue: 76,
};

const AF_INET = 2;
const AF_INET6 = 10;
const TYPES = {
  other: { type: 0, protocol: 0 },
  tcp: { type: 1, protocol: 6 },
  udp: { type: 2, protocol: 17 },
};

export const isFull = ({ state }: Socket): boolean => state !== "time_wait" && state !== "new_syn_recv";

function familyOf({ length }: Uint8Array): number {
  if (length === 0) return 0;
  return length === 4 ? AF_INET : AF_INET6;
}

function sockBytes(socket: Socket): Uint8Array {
  const bytes = new Uint8Array(socketLayout("bpf_sock").size);
  const view = new DataView(bytes.buffer);
  const { local, remote, protocol } = socket;
  view.setUint32(SOCK.boundTo, socket.boundTo ?? 0, true);
  view.setUint32(SOCK.family, familyOf(local.address), true);
  view.setUint32(SOCK.type, TYPES[protocol].type, true);
  view.setUint32(SOCK.protocol, TYPES[protocol].protocol, true);
  view.setUint32(SOCK.mark, socket.mark ?? 0, true);
  view.setUint32(SOCK.priority, socket.priority ?? 0, true);
  putAddress(socket, bytes, SOCK.sourceIp4, SOCK.sourceIp6, local.address);
  view.setUint32(SOCK.sourcePort, local.port, true);
  if (remote !== undefined) {
    putAddress(socket, bytes, SOCK.destinationIp4, SOCK.destinationIp6, remote.address);
    view.setUint16(SOCK.destinationPort, remote.port);
  }
  view.setUint32(SOCK.state, SOCKET_STATES[socket.state], true);
  view.setInt32(SOCK.queue, -1, true);
  return bytes;
}

/** What Linux has as the IPv4 address of a socket with one of IPv6 (LOOPBACK4_IPV6). */
const STANDS_FOR_IPV6 = Uint8Array.of(127, 0, 0, 6);

const isAny = (address: Uint8Array): boolean => address.every((byte) => byte === 0);

function putAddress(
  { protocol }: Socket,
  bytes: Uint8Array,
  ip4: number,
  ip6: number,
  address: Uint8Array,
): void {
  bytes.set(address, address.length === 4 ? ip4 : ip6);
  if (protocol !== "other" && address.length === 16 && !isAny(address)) bytes.set(STANDS_FOR_IPV6, ip4);
}

function tcpBytes({ tcp = {} }: Socket): Uint8Array {
  const { size, fields } = socketLayout("bpf_tcp_sock");
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const field of fields) {
    const value = tcp[field.name] ?? 0n;
    if (field.size === 8) view.setBigUint64(field.offset, value, true);
    else view.setUint32(field.offset, Number(BigInt.asUintN(32, value)), true);
  }
  return bytes;
}

/** A pointer to a socket: the socket, what it shows, and the reference that it was made of, if any. */
export interface SocketPointer {
  readonly socket: Socket;
  readonly reference: object | undefined;
}

/** The socket that a test run makes for a packet: its addresses are the packet's. */
function testSocket(socketBuffer: SocketBuffer): Socket {
  const family = socketBuffer.get("family");
  const address = (ip4: "local_ip4" | "remote_ip4", ip6: "local_ip6" | "remote_ip6"): Uint8Array => {
    if (family === 0) return new Uint8Array(0);
    return family === AF_INET ? socketBuffer.bytes(ip4, 4) : socketBuffer.bytes(ip6, 16);
  };
  return {
    protocol: "other",
    state: "close",
    local: { address: address("local_ip4", "local_ip6"), port: 0 },
    remote: { address: address("remote_ip4", "remote_ip6"), port: 0 },
  };
}

export class Sockets {
  readonly #space: AddressSpace;
  #ofPacket: Region | undefined;
  #ofHook: Region | undefined;
  readonly #pointers = new LateMap<Region, SocketPointer>();

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  /** New memory for a pointer. */
  region(pointer: SocketPointer, struct: SocketStruct): Region {
    const bytes = struct === "bpf_tcp_sock" ? tcpBytes(pointer.socket) : sockBytes(pointer.socket);
    const region = this.#space.region({ place: { kind: "socket", struct }, bytes, writable: false });
    this.#pointers.set(region, pointer);
    return region;
  }

  /** A pointer to the socket that a packet belongs to; nothing if it belongs to none. */
  ofPacket(socketBuffer: SocketBuffer): Region | undefined {
    const { socket, isTest } = socketBuffer;
    if (socket === undefined) return undefined;
    const known = socket.socket ?? (isTest ? testSocket(socketBuffer) : undefined);
    if (known === undefined) throw new Unsupported("the socket of a packet at a device's hook");
    this.#ofPacket ??= this.region({ socket: known, reference: undefined }, "bpf_sock_common");
    return this.#ofPacket;
  }

  /** A pointer to the socket that a hook is about: the same one throughout a run. */
  ofHook(socket: Socket): Region {
    this.#ofHook ??= this.region({ socket, reference: undefined }, "bpf_sock");
    return this.#ofHook;
  }

  pointerOf(region: Region): SocketPointer | undefined {
    return this.#pointers.get(region);
  }

  /** A reference was given back: what was made of it is gone. */
  end(reference: object): void {
    for (const [region, pointer] of this.#pointers.entries())
      if (pointer.reference === reference) region.live = false;
  }
}

// --- Look-ups

/** What a packet says of its connection, seen from the socket: `remote` sent it. */
export interface Sought {
  readonly protocol: "tcp" | "udp";
  readonly remote: { readonly address: Uint8Array; readonly port: number };
  readonly local: { readonly address: Uint8Array; readonly port: number };
  /** The device that it came by. */
  readonly ifindex: number;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Whether the socket takes packets for an address: its own, or any of a family that it takes. */
function takes({ local, ipv6Only }: Socket, address: Uint8Array): boolean {
  if (local.address.length === address.length) return isAny(local.address) || equal(local.address, address);
  return local.address.length === 16 && isAny(local.address) && ipv6Only !== true;
}

const takesDevice = ({ boundTo = 0 }: Socket, ifindex: number): boolean =>
  boundTo === 0 || boundTo === ifindex;

function isFrom({ remote }: Socket, { address, port }: Sought["remote"]): boolean {
  return remote !== undefined && remote.port === port && equal(remote.address, address);
}

/** How well an unconnected socket fits, or nothing if it does not. */
function score(socket: Socket, sought: Sought): number {
  const { local, boundTo = 0 } = socket;
  const own = isAny(local.address) ? 0 : 100;
  const ofFamily = local.address.length === sought.local.address.length ? 1 : 0;
  return own + (boundTo === 0 ? 0 : 10) + ofFamily + (socket.remote === undefined ? 0 : 50);
}

/** The socket that a packet is for. */
export function findSocket(sockets: readonly Socket[], sought: Sought): Socket | undefined {
  const fitting = sockets.filter(
    (socket) =>
      socket.protocol === sought.protocol &&
      socket.local.port === sought.local.port &&
      takes(socket, sought.local.address) &&
      takesDevice(socket, sought.ifindex),
  );
  const connected = fitting.find((socket) => isFrom(socket, sought.remote));
  if (connected !== undefined) return connected;
  const open = fitting.filter(
    ({ protocol, state, remote }) => remote === undefined && (protocol === "udp" || state === "listen"),
  );
  return open.sort((a, b) => score(b, sought) - score(a, sought))[0];
}
