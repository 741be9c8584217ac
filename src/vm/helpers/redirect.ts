/** Helpers that send packets somewhere else: by name of a device, through a map, or as a copy. What they remember is in the run's effects. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Redirect } from "../effects.ts";
import { type Device, deviceOf, LOOPBACK } from "../environment/network.ts";
import { EBADMSG, EINVAL, ERANGE } from "../errno.ts";
import type { MapStorage } from "../maps/map.ts";
import { indexKey } from "../maps/storage.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

const XDP_ABORTED = 0;
const XDP_REDIRECT = 4;
const TC_ACT_SHOT = 2;
const TC_ACT_REDIRECT = 7;
const INGRESS = 1n;

/** Remembers where the packet is to go, and returns the action that sends it there. */
function redirect(call: Call): number {
  const ifindex = call.u32(1, "ifindex");
  const flags = call.u64(2, "flags");
  const xdp = call.type === "xdp";
  if ((flags & ~(xdp ? 0n : INGRESS)) !== 0n) return xdp ? XDP_ABORTED : TC_ACT_SHOT;
  call.run.redirect = { to: "device", ifindex, ingress: flags === INGRESS };
  return xdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
}

function redirectPeer(call: Call): number {
  const ifindex = call.u32(1, "ifindex");
  if (call.u64(2, "flags") !== 0n) return TC_ACT_SHOT;
  call.run.redirect = { to: "peer", ifindex };
  return TC_ACT_REDIRECT;
}

/** `struct bpf_redir_neigh`: a family and an address. */
const NEIGHBOUR_SIZE = 20;

function redirectNeighbour(call: Call): number {
  const ifindex = call.u32(1, "ifindex");
  const size = call.size(3, "plen", "zero");
  const given = call.readOrNull(2, size, "params");
  const flags = call.u64(4, "flags");
  if (flags !== 0n || (size > 0 && size < NEIGHBOUR_SIZE)) return TC_ACT_SHOT;
  const view = new DataView(given.buffer, given.byteOffset, size);
  const nextHop =
    size === 0
      ? {}
      : { nextHop: { family: view.getUint32(0, true), address: given.slice(4, NEIGHBOUR_SIZE) } };
  call.run.redirect = { to: "neighbour", ifindex, ...nextHop };
  return TC_ACT_REDIRECT;
}

// --- Through a map

/** What is returned if the map has nothing there: XDP_ABORTED, DROP, PASS or TX. */
const FALLBACK = 0x3n;
const BROADCAST = 0x8n;
const EXCLUDE_INGRESS = 0x10n;

const BY_DEVICE: ReadonlySet<string> = new Set(["devmap", "devmap_hash"]);

function redirectMap(call: Call): number {
  const map = call.map(1);
  const key = call.u32(2, "key");
  const flags = call.u64(3, "flags");
  const own = BY_DEVICE.has(map.definition.type) ? BROADCAST | EXCLUDE_INGRESS : 0n;
  if ((flags & ~(FALLBACK | own)) !== 0n) return XDP_ABORTED;
  const all = (flags & BROADCAST) !== 0n;
  if (!all && !hasTarget(call, map, key)) {
    call.run.redirect = undefined;
    return Number(flags & FALLBACK);
  }
  const exceptIngress = all && (flags & EXCLUDE_INGRESS) !== 0n;
  const target: Redirect = { to: "map", map: map.definition.name, key, all, exceptIngress };
  call.run.redirect = target;
  return XDP_REDIRECT;
}

function hasTarget(call: Call, map: MapStorage, key: number): boolean {
  if (map.kind === "devices") return map.find(indexKey(key)) !== undefined;
  if (map.kind === "sockets" && map.definition.type === "xskmap")
    return map.find(indexKey(key)) !== undefined;
  return call.refuse(1, "map", `a map of type ${map.definition.type} does not redirect`);
}

// --- Copies

/** What becomes of a clone that is not sent: dropped, or refused by the queue of a device that is down. */
const DROPPED = 1;
const CONGESTED = 2;

const VLAN_HEADER = 4;

/** Whether a device sends packets of a length, as a virtual Ethernet device does; the loopback device sends all. */
function passes({ ifindex, mtu }: Device, length: number): boolean {
  const isLoopback = ifindex === LOOPBACK.ifindex;
  return isLoopback || (length >= ETHERNET_HEADER && length <= mtu + ETHERNET_HEADER + VLAN_HEADER);
}

function cloneRedirect(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const ifindex = call.u32(2, "ifindex");
  const flags = call.u64(3, "flags");
  const { packet, headers } = socketBuffer;
  packet.invalidate();
  if ((flags & ~INGRESS) !== 0n) return EINVAL;
  if (socketBuffer.isSegmented) {
    if (socketBuffer.segmentsHaveType) throw new Unsupported("copies of a packet that stands for several");
    return EBADMSG;
  }
  const device = deviceOf(call.state.environment, ifindex);
  if (device === undefined) return EINVAL;
  if (headers.link >= headers.network || packet.length === 0) return ERANGE;
  const ingress = flags === INGRESS;
  if (!device.up) return ingress ? DROPPED : CONGESTED;
  if (!ingress && !passes(device, packet.length)) return DROPPED;
  const bytes = packet.buffer.slice(packet.data, packet.end);
  call.run.clones.push({ ifindex, ingress, packet: bytes, socketBuffer: socketBuffer.state() });
  return 0;
}

export const REDIRECT_HELPERS: HelperTable = {
  redirect,
  redirect_peer: redirectPeer,
  redirect_neigh: redirectNeighbour,
  redirect_map: redirectMap,
  clone_redirect: cloneRedirect,
};
