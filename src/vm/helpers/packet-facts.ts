/** Helpers that tell or set what is known of a socket buffer beside its bytes: hash, time, class, its socket and control group. */
import { Unsupported } from "../../semantics/errors.ts";
import { EINVAL, EOPNOTSUPP } from "../errno.ts";
import { flowHash } from "../flow-hash.ts";
import { ETH_P_IP, ETH_P_IPV6 } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** A packet's hash is computed once, and then again only if it was dropped. */
function hashRecalculated(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  if (!socketBuffer.hashIsKnown)
    socketBuffer.setHash(flowHash(socketBuffer, call.state.environment.seed ?? 0));
  return socketBuffer.get("hash");
}

function setHash(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  socketBuffer.setHash(call.u32(2, "hash"));
  return 0;
}

/** Clocks of a packet's time: real time, monotonic, TAI. Only the first may say nothing. */
const REALTIME = 0;
const CLOCKS = 3;

function setTime(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const time = call.u64(2, "tstamp");
  const clock = call.u32(3, "tstamp_type");
  const { protocol } = socketBuffer;
  if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) return EOPNOTSUPP;
  if (clock >= CLOCKS || (clock !== REALTIME && time === 0n)) return EINVAL;
  socketBuffer.setTime(time, clock);
  return 0;
}

/** The bits for congestion in an IP header, of which 00 says that the sender does not want to know. */
const CONGESTED = 0x3;

/** Marks an IP packet as having met congestion: 1 if it is marked now, 0 if it cannot be. */
function setCongestion(call: Call): number {
  const { protocol, packet, headers } = call.socketBuffer(1);
  const view = new DataView(packet.buffer.buffer, packet.buffer.byteOffset, packet.end);
  const at = headers.network;
  if (protocol === ETH_P_IP && at + 20 <= packet.end) return markIpv4(view, at);
  return protocol === ETH_P_IPV6 && at + 40 <= packet.end ? markIpv6(view, at) : 0;
}

function markIpv4(view: DataView, at: number): number {
  const service = view.getUint8(at + 1);
  const ecn = service & CONGESTED;
  if (ecn === CONGESTED) return 1;
  if (ecn === 0) return 0;
  // One of the two bits that were 0 becomes 1, so the checksum, which counts the other way, becomes less by that.
  const sum = view.getUint16(at + 10, true) + htons(0xfffb) + htons(ecn === 1 ? 2 : 3);
  view.setUint16(at + 10, (sum + (sum >>> 16)) & 0xffff, true);
  view.setUint8(at + 1, service | CONGESTED);
  return 1;
}

const htons = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

function markIpv6(view: DataView, at: number): number {
  const word = view.getUint32(at);
  if (((word >>> 20) & CONGESTED) === 0) return 0;
  view.setUint32(at, (word | (CONGESTED << 20)) >>> 0);
  return 1;
}

// --- Where it belongs

/** Nothing has routed the packet, so it has no realm. */
function routeRealm(call: Call): number {
  call.context(1);
  return 0;
}

/** Programs on packets ask for the class of a packet, others for that of the current task: either is what the environment says. */
function classId(call: Call): number {
  if (OF_PACKET.has(call.type)) call.context(1);
  return call.state.environment.network?.classid ?? 0;
}

const OF_PACKET: ReadonlySet<string> = new Set([
  "sched_cls",
  "sched_act",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
  "lwt_seg6local",
]);

const ON_SOCKET_BUFFERS: ReadonlySet<string> = new Set([
  ...OF_PACKET,
  "socket_filter",
  "cgroup_skb",
  "sk_skb",
]);

/** The user of a packet without a socket (DEFAULT_OVERFLOWUID). */
const NOBODY = 65_534;

function namespaceCookie(call: Call): bigint {
  if (call.u64(1, "ctx") !== 0n) call.context(1);
  return call.state.environment.network?.cookie ?? 1n;
}

/** Types whose context is about a socket. */
const ON_SOCKETS: ReadonlySet<string> = new Set(["sock_ops", "cgroup_sock", "cgroup_sock_addr"]);

/** Of a packet's socket, or the hook's. */
function socketCookie(call: Call): bigint {
  if (ON_SOCKET_BUFFERS.has(call.type)) return call.socketBuffer(1).socket?.cookie ?? 0n;
  if (!ON_SOCKETS.has(call.type)) throw new Unsupported(`get_socket_cookie in ${call.type} programs`);
  call.context(1);
  const { hookSocket } = call.state.environment;
  if (hookSocket === undefined) throw new Unsupported("get_socket_cookie without the hook's socket");
  return hookSocket.cookie;
}

export const PACKET_FACT_HELPERS: HelperTable = {
  get_hash_recalc: hashRecalculated,
  set_hash: setHash,
  set_hash_invalid: (call) => {
    call.socketBuffer(1).clearHash();
    return 0;
  },
  skb_set_tstamp: setTime,
  skb_ecn_set_ce: setCongestion,
  get_route_realm: routeRealm,
  get_cgroup_classid: classId,
  get_socket_cookie: socketCookie,
  get_socket_uid: (call) => call.socketBuffer(1).socket?.uid ?? NOBODY,
  get_netns_cookie: namespaceCookie,
};
