/**
 * The hash of a packet's flow. Linux draws the key of its own at the start, so its numbers say nothing; here they come from the run's seed. What counts is which packets have
 * the same: those of one flow, in either direction, by VLAN tag, addresses, protocol, and ports or, for IPv6, the flow label in their place.
 */
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_IP, ETH_P_IPV6, type SocketBuffer } from "./socket-buffer.ts";

interface Flow {
  /** What belongs to neither side. */
  readonly common: number[];
  /** Of both sides, in any order: addresses, and ports. Linux does not care which port is whose. */
  readonly addresses: (readonly number[])[];
  readonly ports: number[];
}

const TCP = 6;
const WITH_PORTS: ReadonlySet<number> = new Set([TCP, 17, 33, 132, 136]);
/** Headers of IPv6 that say how long they are: hop-by-hop, routing, destination options. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT = 44;

/** Reads a packet from some place on; what lies behind its end is nothing. */
class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  has(size: number): boolean {
    return this.at + size <= this.#bytes.length;
  }

  byte(offset: number): number {
    return this.#bytes[this.at + offset] ?? 0;
  }

  bytes(offset: number, size: number): readonly number[] {
    return [...this.#bytes.subarray(this.at + offset, this.at + offset + size)];
  }

  short(offset: number): number {
    return (this.byte(offset) << 8) | this.byte(offset + 1);
  }
}

function flowOf({ packet, headers, protocol, vlan }: SocketBuffer): Flow {
  const flow: Flow = { common: [], addresses: [], ports: [] };
  const reader = new Reader(packet.buffer.subarray(0, packet.end), headers.network);
  if (vlan !== undefined) flow.common.push(vlan.protocol, vlan.tci);
  let type = protocol;
  for (let tags = vlan === undefined ? 0 : 1; type === ETH_P_8021Q || type === ETH_P_8021AD; tags += 1) {
    if (!reader.has(4)) break;
    if (tags === 0) flow.common.push(type, reader.short(0));
    type = reader.short(2);
    reader.at += 4;
  }
  flow.common.push(type);
  if (type === ETH_P_IP) addIpv4(flow, reader);
  if (type === ETH_P_IPV6) addIpv6(flow, reader);
  return flow;
}

function addIpv4(flow: Flow, reader: Reader): void {
  const length = 4 * (reader.byte(0) & 0xf);
  if (!reader.has(20) || length < 20) return;
  const next = reader.byte(9);
  flow.addresses.push(reader.bytes(12, 4), reader.bytes(16, 4));
  flow.common.push(next);
  const isFragment = (reader.short(6) & 0x3fff) !== 0;
  reader.at += length;
  if (!isFragment) addPorts(flow, reader, next);
}

function addIpv6(flow: Flow, reader: Reader): void {
  if (!reader.has(40)) return;
  flow.addresses.push(reader.bytes(8, 16), reader.bytes(24, 16));
  const label = ((reader.byte(1) & 0xf) << 16) | reader.short(2);
  let next = reader.byte(6);
  if (label !== 0) {
    flow.common.push(next, label);
    return;
  }
  reader.at += 40;
  while (EXTENSIONS.has(next) && reader.has(2)) {
    const length = 8 + 8 * reader.byte(1);
    next = reader.byte(0);
    reader.at += length;
  }
  if (next !== FRAGMENT) addPorts(flow, reader, next);
  else if (reader.has(8)) next = reader.byte(0);
  flow.common.push(next);
}

function addPorts(flow: Flow, reader: Reader, protocol: number): void {
  if (!WITH_PORTS.has(protocol) || !reader.has(4)) return;
  flow.ports.push(reader.short(0), reader.short(2));
}

function mix(hash: number, value: number): number {
  const a = Math.imul(hash ^ value, 0x9e3779b1);
  return Math.imul(a ^ (a >>> 15), 0x85ebca6b);
}

/** 32 bits, never 0. */
export function flowHash(socketBuffer: SocketBuffer, seed: number): number {
  const { common, addresses, ports } = flowOf(socketBuffer);
  const ends = addresses.map((address) => address.reduce(mix, seed | 0)).sort((a, b) => a - b);
  const values = [...common, ...ends, ports.length, ...ports.toSorted((a, b) => a - b)];
  const hash = values.reduce(mix, seed ^ 0x27d4eb2f);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}
