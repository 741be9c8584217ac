/**
 * Where a packet's payload begins, as the extension pay_offset has it from Linux's flow dissector: behind the transport header, as far as the headers are known. What
 * is known here: IPv4 and IPv6 (with extension headers and fragments) behind VLAN tags in the packet. Learnt by experiment; `properties/classic` compares.
 */
import { lengthOf, type PacketInput } from "./input.ts";

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const VLAN: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
/** Protocols that the dissector does not know at all: the offset is 0 (unset, and the local experimental EtherTypes). */
const UNKNOWN: ReadonlySet<number> = new Set([0, 0x88b5, 0x88b6]);

const PROTOCOL = {
  hop: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  icmp6: 58,
  destination: 60,
  sctp: 132,
  udplite: 136,
  mpls: 137,
} as const;
const TUNNELS: ReadonlySet<number> = new Set([PROTOCOL.ipip, PROTOCOL.ipv6, PROTOCOL.gre, PROTOCOL.mpls]);
const OPTIONS: ReadonlySet<number> = new Set([PROTOCOL.hop, PROTOCOL.routing, PROTOCOL.destination]);
/** Bytes of transport headers that have one length. */
const HEADERS: ReadonlyMap<number, number> = new Map([
  [PROTOCOL.udp, 8],
  [PROTOCOL.udplite, 8],
  [PROTOCOL.icmp, 8],
  [PROTOCOL.icmp6, 8],
  [PROTOCOL.igmp, 8],
  [PROTOCOL.dccp, 12],
  [PROTOCOL.sctp, 12],
]);
const TCP_HEADER = 20;
/** More headers than any packet has that is not meant to confuse: Linux gives up there as well, at another number. */
const MOST_HEADERS = 8;

/** Where the transport header begins (an index), and its protocol; no protocol for a fragment other than the first. */
interface Transport {
  readonly at: number;
  readonly protocol: number | undefined;
}

/** The headers are wrong or cut: the offset is 0. */
type Found = Transport | "bad" | undefined;

class Headers {
  readonly #view: DataView;

  constructor({ bytes }: PacketInput) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  has(at: number, size: number): boolean {
    return at + size <= this.#view.byteLength;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at);
  }
}

function ipv4(headers: Headers, at: number): Found {
  if (!headers.has(at, 20)) return "bad";
  const words = headers.u8(at) & 15;
  if (words < 5) return "bad";
  const fragment = headers.u16(at + 6);
  const protocol = headers.u8(at + 9);
  const next = at + 4 * words;
  if ((fragment & 0x1fff) !== 0) return { at: next, protocol: undefined };
  // The dissector stops at a first fragment, whatever is inside.
  if ((fragment & 0x2000) !== 0) return { at: next, protocol };
  return TUNNELS.has(protocol) || OPTIONS.has(protocol) || protocol === PROTOCOL.fragment
    ? undefined
    : { at: next, protocol };
}

function ipv6(headers: Headers, at: number): Found {
  if (!headers.has(at, 40)) return "bad";
  let protocol = headers.u8(at + 6);
  let next = at + 40;
  for (let count = 0; count < MOST_HEADERS; count++) {
    if (OPTIONS.has(protocol)) {
      if (!headers.has(next, 2)) return "bad";
      protocol = headers.u8(next);
      next += (headers.u8(next + 1) + 1) * 8;
    } else if (protocol === PROTOCOL.fragment) {
      if (!headers.has(next, 8)) return "bad";
      const first = (headers.u16(next + 2) & 0xfff8) === 0;
      return { at: next + 8, protocol: first ? headers.u8(next) : undefined };
    } else return TUNNELS.has(protocol) ? undefined : { at: next, protocol };
  }
  return undefined;
}

function transport(headers: Headers, input: PacketInput): Found {
  let { protocol = 0, network: at = 14 } = input;
  for (let count = 0; VLAN.has(protocol); count++) {
    if (count === MOST_HEADERS || input.vlan !== undefined) return undefined;
    if (!headers.has(at, 4)) return "bad";
    protocol = headers.u16(at + 2);
    at += 4;
  }
  if (protocol === ETH_P_IP) return ipv4(headers, at);
  if (protocol === ETH_P_IPV6) return ipv6(headers, at);
  return UNKNOWN.has(protocol) ? "bad" : undefined;
}

/** The payload's offset from the packet's offset 0; `undefined` for headers that are not modelled. */
export function payloadOffset(input: PacketInput): number | undefined {
  const headers = new Headers(input);
  const found = transport(headers, input);
  if (found === undefined) return undefined;
  if (found === "bad") return 0;
  const { data = 0 } = input;
  const offset = Math.min((found.at - data) & 0xffff, lengthOf(input));
  const at = data + offset;
  if (found.protocol !== PROTOCOL.tcp) return offset + (HEADERS.get(found.protocol ?? -1) ?? 0);
  if (!headers.has(at + 12, 1)) return offset;
  return offset + Math.max(TCP_HEADER, (headers.u8(at + 12) & 0xf0) >> 2);
}
