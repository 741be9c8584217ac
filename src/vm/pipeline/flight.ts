/**
 * A packet on its way: its bytes, what XDP programs have put in front of them, and what the kernel keeps beside them.
 */
import type { SocketBufferGiven } from "../environment/socket-buffer.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import type { Device } from "./device.ts";

/** A VLAN tag that lies beside the frame. */
export interface VlanTag {
  /** 0x8100 or 0x88a8. */
  readonly protocol: number;
  /** 16 bits: priority, drop eligible, identifier. */
  readonly tci: number;
}

/** What the kernel keeps of a packet beside its bytes. */
export interface BufferState {
  /** What the Ethernet header says that follows it, in host order. */
  readonly protocol: number;
  /** PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3. */
  readonly packetType: number;
  readonly mark: number;
  readonly priority: number;
  readonly queueMapping: number;
  readonly tcIndex: number;
  /** The class that a classifier has found; 0 for none. */
  readonly tcClassid: number;
  /** 20 bytes, which are the programs' own at one hook, and the kernel's between hooks: programs begin with zeros. */
  readonly cb: Uint8Array;
  readonly hash: number;
  readonly vlan: VlanTag | undefined;
  /** Nanoseconds; 0 for none. */
  readonly tstamp: bigint;
  readonly gsoSegments: number;
  readonly gsoSize: number;
  /** Checksums and tunnel. */
  readonly known: SocketBufferGiven;
}

export interface Flight {
  /** From the Ethernet header on. */
  readonly frame: Uint8Array;
  readonly metadata: Uint8Array;
  /** Nothing while the frame is in a driver and no socket buffer has been allocated for it. */
  readonly buffer: BufferState | undefined;
  /** The device that it was last received on; 0 for one that was made here. */
  readonly ingressIfindex: number;
  /** A program of traffic control has sent it from a device: XDP on socket buffers leaves it alone from then on. */
  readonly redirected: boolean;
  /** How deep it is in devices that redirect to each other's sending side. */
  readonly depth: number;
}

/** A packet before its first hook. */
export function begin(frame: Uint8Array): Flight {
  return { frame, metadata: NOTHING, buffer: undefined, ingressIfindex: 0, redirected: false, depth: 0 };
}

const NOTHING = new Uint8Array(0);
const CB_SIZE = 20;

const PACKET = { host: 0, broadcast: 1, multicast: 2, otherhost: 3 } as const;
const ETHERTYPE_MIN = 0x600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;
const VLAN_PROTOCOLS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
const VLAN_HEADER = 4;
const ADDRESSES = 12;

function word(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}

/** The protocol that the Ethernet header names, in host order. */
function protocolOf(frame: Uint8Array): number {
  const type = word(frame, ADDRESSES);
  if (type >= ETHERTYPE_MIN) return type;
  const raw = frame.length >= ETHERNET_HEADER + 2 && word(frame, ETHERNET_HEADER) === 0xffff;
  return raw ? ETH_P_802_3 : ETH_P_802_2;
}

/** Whom the frame is for, as a device of the address sees it. */
function packetType(frame: Uint8Array, address: Uint8Array): number {
  const to = frame.subarray(0, address.length);
  if (to.every((byte) => byte === 0xff)) return PACKET.broadcast;
  if (((to[0] ?? 0) & 1) === 1) return PACKET.multicast;
  return Buffer.compare(to, address) === 0 ? PACKET.host : PACKET.otherhost;
}

/** The state of a socket buffer that has just been allocated. */
function fresh(protocol: number): BufferState {
  return {
    protocol,
    packetType: PACKET.host,
    mark: 0,
    priority: 0,
    queueMapping: 0,
    tcIndex: 0,
    tcClassid: 0,
    cb: new Uint8Array(CB_SIZE),
    hash: 0,
    vlan: undefined,
    tstamp: 0n,
    gsoSegments: 0,
    gsoSize: 0,
    known: {},
  };
}

/** A flight whose socket buffer is there. */
export interface Buffered extends Flight {
  readonly buffer: BufferState;
}

/** The packet as a device's driver gives it to the network stack: protocol and packet type are found anew. */
export function received(flight: Flight, { address }: Device): Buffered {
  const { frame, buffer } = flight;
  return {
    ...flight,
    buffer: {
      ...(buffer ?? fresh(0)),
      protocol: protocolOf(frame),
      packetType: packetType(frame, address),
      cb: new Uint8Array(CB_SIZE),
    },
  };
}

/**
 * The packet after XDP on its socket buffer. Its type and protocol are found anew if the protocol is another, or it has come to be, or is no longer, for the device or for many: from broadcast to
 * multicast nothing changes.
 */
export function rewritten(before: Buffered, after: Buffered, device: Device): Buffered {
  const traits = ({ frame }: Buffered): readonly (number | boolean)[] => [
    word(frame, ADDRESSES),
    packetType(frame, device.address) === PACKET.host,
    (frame[0] ?? 0) & 1,
  ];
  const old = traits(before);
  return traits(after).every((trait, at) => trait === old[at]) ? after : received(after, device);
}

/** The packet as this machine's network stack sends it; the protocol is what stands in the header, even if that is a length. */
export function made(flight: Flight): Buffered {
  return { ...flight, buffer: flight.buffer ?? fresh(word(flight.frame, ADDRESSES)) };
}

/** What is left of a packet's state when it goes from one device to its peer, or is given back to be received. */
export function forwarded(flight: Buffered): Buffered {
  return { ...flight, depth: 0, buffer: { ...flight.buffer, priority: 0 } };
}

/** Takes a VLAN tag in the frame out of it and puts it beside, as the network stack does on receiving. */
export function untagged(flight: Buffered): Buffered {
  const { frame, buffer } = flight;
  if (!VLAN_PROTOCOLS.has(buffer.protocol) || buffer.vlan !== undefined) return flight;
  if (frame.length < ETHERNET_HEADER + VLAN_HEADER) return flight;
  const vlan = { protocol: buffer.protocol, tci: word(frame, ETHERNET_HEADER) };
  const inner = new Uint8Array(frame.length - VLAN_HEADER);
  inner.set(frame.subarray(0, ADDRESSES));
  inner.set(frame.subarray(ADDRESSES + VLAN_HEADER), ADDRESSES);
  return { ...flight, frame: inner, buffer: { ...buffer, vlan, protocol: protocolOf(inner) } };
}

const VLAN_ID = 0xfff;

/** The packet as the network stack takes it where no device is there for its VLAN: without the tag, and for somebody else unless the tag names no VLAN. */
export function ofNoVlan(flight: Buffered): Buffered {
  const { buffer } = flight;
  if (buffer.vlan === undefined) return flight;
  const clear = { ...flight, buffer: { ...buffer, vlan: undefined } };
  if ((buffer.vlan.tci & VLAN_ID) !== 0) {
    return { ...clear, buffer: { ...clear.buffer, packetType: PACKET.otherhost } };
  }
  return VLAN_PROTOCOLS.has(buffer.protocol) ? ofNoVlan(untagged(clear)) : clear;
}

/** The packet with a tag that lies beside it put into the frame. */
export function tagged(flight: Flight): Flight {
  const { frame, buffer } = flight;
  if (buffer?.vlan === undefined) return flight;
  return { ...flight, frame: onWire(frame, buffer.vlan), buffer: { ...buffer, vlan: undefined } };
}

/** The frame with a tag that lies beside it put in, as it is on a wire. */
export function onWire(frame: Uint8Array, vlan: VlanTag | undefined): Uint8Array {
  if (vlan === undefined) return frame;
  const whole = new Uint8Array(frame.length + VLAN_HEADER);
  whole.set(frame.subarray(0, ADDRESSES));
  const view = new DataView(whole.buffer);
  view.setUint16(ADDRESSES, vlan.protocol);
  view.setUint16(ADDRESSES + 2, vlan.tci);
  whole.set(frame.subarray(ADDRESSES), ADDRESSES + VLAN_HEADER);
  return whole;
}
