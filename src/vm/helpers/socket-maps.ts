/**
 * Programs and maps of sockets: what lies in a sockmap or sockhash is looked up with a reference, and put there by a program that has a socket; what lies in a map of AF_XDP sockets tells
 * the queue that it takes packets from.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Socket } from "../environment/sockets.ts";
import { EINVAL, EOPNOTSUPP } from "../errno.ts";
import type { ReferredSocket, SocketMap } from "../maps/sockets.ts";
import { isFull } from "../sockets.ts";
import type { Call } from "./call.ts";
import { referred, socketAt } from "./sockets.ts";

/** A pointer in r0, or null. */
export function lookUpSocket(call: Call, map: SocketMap): number | undefined {
  const { type, name, keySize } = map.definition;
  const found = map.find(call.read(2, keySize, "key"));
  if (found === undefined) return 0;
  if (type === "xskmap") {
    if (found.queue === undefined) throw new Unsupported("a socket of which nobody says the queue");
    const bytes = new Uint8Array(Uint32Array.of(found.queue).buffer);
    const place = { kind: "element", of: `map ${name}` } as const;
    call.state.setPointer(0, call.state.space.region({ place, bytes, writable: false }), 0);
    return undefined;
  }
  if (found.seen === undefined) throw new Unsupported("a socket of which nobody says what programs see");
  return referred(call, found.seen, "bpf_sock");
}

/** What programs have put into maps: the same socket is the same thing there. */
const PUT = new WeakMap<Socket, ReferredSocket>();

function inMaps(socket: Socket): ReferredSocket {
  const known = PUT.get(socket);
  if (known !== undefined) return known;
  const { protocol, state } = socket;
  const open = state === "listen" || state === "established" || state === "close_wait";
  const made = {
    kind: "socket",
    id: 0,
    cookie: 0n,
    family: "inet",
    protocol,
    open,
    reuseport: false,
  } as const;
  const put = { ...made, seen: socket };
  PUT.set(socket, put);
  return put;
}

/** Linux takes sockets of TCP that are connected or listen, and of UDP that are bound. */
const isSuitable = ({ protocol, state, local }: Socket): boolean =>
  protocol === "tcp" ? state === "listen" || state === "established" : protocol === "udp" && local.port !== 0;

export function putSocket(call: Call, map: SocketMap): number {
  const key = call.read(2, map.definition.keySize, "key");
  const { socket } = socketAt(call, 3);
  const flags = call.u64(4, "flags");
  if (!isFull(socket)) return EINVAL;
  return isSuitable(socket) ? map.put(key, inMaps(socket), flags) : EOPNOTSUPP;
}

export const removeSocket = (call: Call, map: SocketMap): number =>
  map.remove(call.read(2, map.definition.keySize, "key"));
