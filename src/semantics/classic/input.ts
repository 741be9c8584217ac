/** What a classic filter of packets is run on: the bytes, where its offset 0 and the headers are in them, and what Linux knows of the packet besides. */

/** What extensions ask for. Numbers are unsigned; those left out are 0. */
export interface PacketFacts {
  /** The EtherType, in host order (16 bits). */
  readonly protocol?: number;
  /** PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3, OUTGOING 4. */
  readonly pkttype?: number;
  /** The device; 0 if there is none, and then a filter that asks for it, or for its type, ends with what is in A. */
  readonly ifindex?: number;
  /** ARPHRD_* of the device. */
  readonly hatype?: number;
  readonly mark?: number;
  readonly queue?: number;
  readonly rxhash?: number;
  readonly cpu?: number;
  /** The VLAN tag that is kept beside the packet, if there is one: its control information and protocol (16 bits each). */
  readonly vlan?: { readonly tci: number; readonly tpid: number };
  /** Of the random numbers; an integer. */
  readonly seed?: number;
}

export interface PacketInput extends PacketFacts {
  /** All that can be loaded. */
  readonly bytes: Uint8Array;
  /** The index in `bytes` of offset 0: 0 by default. */
  readonly data?: number;
  /**
   * The indices of the link-layer (default 0, or there is none) and network headers (default 14), for loads at SKF_LL_OFF and SKF_NET_OFF.
   */
  readonly link?: number | "none";
  readonly network?: number;
  /** What a load of the length gives, if not as many bytes as there are from offset 0: captures may be cut. */
  readonly length?: number;
}

const ETHERNET_HEADER = 14;
const NET_OFF = -0x100000;
const LL_OFF = -0x200000;

/** The index of `size` bytes at a filter's offset (signed); `undefined` if the packet does not have them. */
export function packetIndex(input: PacketInput, offset: number, size: number): number | undefined {
  const at = indexOf(input, offset);
  return at !== undefined && at + size <= input.bytes.length ? at : undefined;
}

function indexOf(
  { data = 0, link = 0, network = ETHERNET_HEADER }: PacketInput,
  offset: number,
): number | undefined {
  if (offset >= 0) return data + offset;
  if (offset >= NET_OFF) return network + (offset - NET_OFF);
  return offset >= LL_OFF && link !== "none" ? link + (offset - LL_OFF) : undefined;
}

/** Bytes from offset 0 on, or what the input says instead. */
export const lengthOf = ({ bytes, data = 0, length }: PacketInput): number => length ?? bytes.length - data;

const ETHERTYPE_MIN = 0x600;
const ETH_P_802_3 = 1;
const ETH_P_802_2 = 4;

/** The protocol of an Ethernet frame as Linux has it for one that arrives: the EtherType, or a number of its own for frames that have a length instead. */
export function frameProtocol(frame: Uint8Array): number {
  const at = (index: number): number => frame[index] ?? 0;
  const type = at(12) * 256 + at(13);
  if (type >= ETHERTYPE_MIN) return type;
  const raw = frame.length >= ETHERNET_HEADER + 2 && at(14) === 0xff && at(15) === 0xff;
  return raw ? ETH_P_802_3 : ETH_P_802_2;
}
