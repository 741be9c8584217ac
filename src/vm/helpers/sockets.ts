/** Helpers that look up the environment's sockets, and tell what they are. */

import { Unsupported } from "../../semantics/errors.ts";
import type { Socket } from "../environment/sockets.ts";
import { EINVAL, EOPNOTSUPP } from "../errno.ts";
import type { SocketStruct } from "../region.ts";
import { findSocket, isFull, type SocketPointer } from "../sockets.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** `struct bpf_sock_tuple`: two addresses and two ports, of IPv4 or of IPv6. */
const TUPLE_SIZES: ReadonlyMap<number, number> = new Map([
  [12, 4],
  [36, 16],
]);
/** A namespace's number is at most this; a negative one stands for the program's own. */
const MAX_NAMESPACE = 0x7fff_ffffn;

function soughtSocket(call: Call, protocol: "tcp" | "udp"): Socket | undefined {
  call.context(1);
  const size = call.size(3, "tuple_size", "zero");
  const tuple = call.readOrNull(2, size, "tuple");
  const namespace = call.u64(4, "netns");
  const flags = call.u64(5, "flags");
  const length = TUPLE_SIZES.get(size);
  const isOwn = BigInt.asIntN(32, namespace) < 0n;
  if (length === undefined || flags !== 0n || (!isOwn && namespace > MAX_NAMESPACE)) return undefined;
  // No other namespace has a number here.
  if (!isOwn) return undefined;
  const view = new DataView(tuple.buffer, tuple.byteOffset, size);
  const { network } = call.state.environment;
  return findSocket(network?.sockets ?? [], {
    protocol,
    remote: { address: tuple.slice(0, length), port: view.getUint16(2 * length) },
    local: { address: tuple.slice(length, 2 * length), port: view.getUint16(2 * length + 2) },
    ifindex: deviceIndex(call),
  });
}

/** `ingress_ifindex` in `xdp_md`. */
const XDP_DEVICE = 12;

/** The device that the packet is at. */
function deviceIndex({ state }: Call): number {
  const { socketBuffer, context } = state.input;
  if (socketBuffer !== undefined) return socketBuffer.get("ifindex");
  const { view, origin } = context.region;
  return view.getUint32(origin + XDP_DEVICE, true);
}

/** A pointer with a reference of its own. */
export function referred(call: Call, socket: Socket | undefined, struct: SocketStruct): number | undefined {
  if (socket === undefined) return 0;
  const reference = {};
  call.run.held.acquire(reference, "a socket");
  return point(call, { socket, reference }, struct);
}

function point(call: Call, pointer: SocketPointer, struct: SocketStruct): undefined {
  call.state.setPointer(0, call.state.sockets.region(pointer, struct), 0);
  return undefined;
}

function lookup(call: Call, protocol: "tcp" | "udp"): number | undefined {
  const socket = soughtSocket(call, protocol);
  return referred(call, socket !== undefined && isFull(socket) ? socket : undefined, "bpf_sock");
}

/** The socket that an argument points to. */
export function socketAt(call: Call, register: number): SocketPointer {
  const region = call.region(register, "sk");
  const found = call.state.sockets.pointerOf(region);
  if (found === undefined) return call.refuse(register, "sk", "is not a socket");
  if (!region.live || call.state.offset(register, region) !== 0)
    return call.refuse(register, "sk", "is a socket no longer, or not its beginning");
  return found;
}

function release(call: Call): number {
  const { reference } = socketAt(call, 1);
  if (reference === undefined || !call.run.held.release(reference))
    return call.refuse(1, "sk", "no reference is held to it");
  call.state.sockets.end(reference);
  return 0;
}

function fullSocket(call: Call): number | undefined {
  const pointer = socketAt(call, 1);
  return isFull(pointer.socket) ? point(call, pointer, "bpf_sock") : 0;
}

function tcpSocket(call: Call): number | undefined {
  const pointer = socketAt(call, 1);
  const isTcp = isFull(pointer.socket) && pointer.socket.protocol === "tcp";
  return isTcp ? point(call, pointer, "bpf_tcp_sock") : 0;
}

/** A listening socket is there as long as the program runs, whatever becomes of the reference. */
function listener(call: Call): number | undefined {
  const { socket } = socketAt(call, 1);
  return socket.state === "listen" ? point(call, { socket, reference: undefined }, "bpf_sock") : 0;
}

/** Gives the packet to a socket, which only the receiving side of a device does. */
function assign(call: Call): number {
  call.socketBuffer(1);
  socketAt(call, 2);
  if (call.u64(3, "flags") !== 0n) return EINVAL;
  if (call.state.environment.arrival !== undefined) throw new Unsupported("sk_assign at a device's hook");
  return EOPNOTSUPP;
}

export const SOCKET_HELPERS: HelperTable = {
  sk_lookup_tcp: (call) => lookup(call, "tcp"),
  sk_lookup_udp: (call) => lookup(call, "udp"),
  skc_lookup_tcp: (call) => referred(call, soughtSocket(call, "tcp"), "bpf_sock_common"),
  sk_release: release,
  sk_fullsock: fullSocket,
  tcp_sock: tcpSocket,
  get_listener_sock: listener,
  sk_assign: assign,
};
