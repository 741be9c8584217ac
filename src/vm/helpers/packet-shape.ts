/** Helpers that change where a socket buffer's headers and data begin and end: room for headers, another protocol, another length. */
import { Unsupported } from "../../semantics/errors.ts";
import { EALREADY, EFAULT, EINVAL, ENOMEM, ENOTSUPP } from "../errno.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import { ETH_P_IP, ETH_P_IPV6, MAX_LENGTH, type SocketBuffer } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** The length of the network header without options; `undefined` for other protocols. */
function networkLength(protocol: number): number | undefined {
  if (protocol === ETH_P_IP) return 20;
  return protocol === ETH_P_IPV6 ? 40 : undefined;
}

// --- Length and beginning

/** A packet keeps the headers that it is known to have. */
function leastLength({ headers, packet }: SocketBuffer): number {
  const network = headers.network - packet.data;
  const transport = headers.transport === undefined ? 0 : headers.transport - packet.data;
  return Math.max(transport > 0 ? transport : network, 0);
}

function changeTail(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const length = call.u32(2, "new_len");
  const flags = call.u64(3, "flags");
  socketBuffer.packet.invalidate();
  if (flags !== 0n || length > MAX_LENGTH || length < leastLength(socketBuffer)) return EINVAL;
  if (socketBuffer.encapsulated) return ENOTSUPP;
  socketBuffer.setLength(length);
  if (socketBuffer.isSegmented) {
    socketBuffer.set("gso_size", 0);
    socketBuffer.set("gso_segs", 0);
  }
  return 0;
}

/** The kernel keeps positions of headers in 16 bits, and does not see to it that they fit where a packet stands for several. */
const FARTHEST_HEADER = 0xf000;

function changeHead(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const room = call.i32(2, "head_room");
  const flags = call.u64(3, "flags");
  const { packet } = socketBuffer;
  packet.invalidate();
  const tooLong = !socketBuffer.isSegmented && packet.length + room > MAX_LENGTH;
  if (flags !== 0n || room < 0 || tooLong) return EINVAL;
  if (packet.length + room > FARTHEST_HEADER)
    throw new Unsupported(`packets whose headers are ${packet.length + room} bytes apart`);
  socketBuffer.dropMetadata();
  socketBuffer.push(room);
  packet.headers.link = packet.data;
  return 0;
}

// --- Type and protocol

const MAX_PACKET_TYPE = 3;

function changeType(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const type = call.u32(2, "type");
  if (type > MAX_PACKET_TYPE || socketBuffer.get("pkt_type") > MAX_PACKET_TYPE) return EINVAL;
  socketBuffer.set("pkt_type", type);
  return 0;
}

const IPV6_IS_LONGER = 20;

function translate(socketBuffer: SocketBuffer, to: number): number {
  const from = socketBuffer.protocol;
  const grows = from === ETH_P_IP && to === ETH_P_IPV6;
  const shrinks = from === ETH_P_IPV6 && to === ETH_P_IP;
  if (!grows && !shrinks) return ENOTSUPP;
  const offset = socketBuffer.linkLength;
  if (shrinks && offset + IPV6_IS_LONGER > socketBuffer.length) return ENOMEM;
  if (grows) growHeaders(socketBuffer, offset, IPV6_IS_LONGER);
  else shrinkHeaders(socketBuffer, offset, IPV6_IS_LONGER);
  if (socketBuffer.isSegmented) socketBuffer.segmentsHaveType = true;
  socketBuffer.protocol = to;
  socketBuffer.clearHash();
  return 0;
}

function changeProto(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const to = call.u16(2, "proto");
  const flags = call.u64(3, "flags");
  socketBuffer.packet.invalidate();
  if (flags !== 0n) return EINVAL;
  return translate(socketBuffer, ((to & 0xff) << 8) | (to >> 8));
}

function growHeaders(socketBuffer: SocketBuffer, offset: number, size: number): void {
  // Linux moves what happens to lie behind the packet into it.
  if (offset > socketBuffer.length)
    throw new Unsupported("room behind a network header that the packet does not have whole");
  socketBuffer.dropMetadata();
  socketBuffer.insert(offset, size);
  socketBuffer.moveHeaders(size);
}

function shrinkHeaders(socketBuffer: SocketBuffer, offset: number, size: number): void {
  socketBuffer.dropMetadata();
  socketBuffer.remove(offset, size);
  socketBuffer.moveHeaders(-size);
}

// --- Room for headers

const ROOM_NET = 0;
const ROOM_MAC = 1;

const ROOM = {
  fixedGso: 0x1n,
  encapIpv4: 0x2n,
  encapIpv6: 0x4n,
  encapGre: 0x8n,
  encapUdp: 0x10n,
  noChecksumReset: 0x20n,
  encapEthernet: 0x40n,
  decapIpv4: 0x80n,
  decapIpv6: 0x100n,
};
const ENCAP_L3 = ROOM.encapIpv4 | ROOM.encapIpv6;
const ENCAP_L4 = ROOM.encapGre | ROOM.encapUdp;
const DECAP_L3 = ROOM.decapIpv4 | ROOM.decapIpv6;
/** How long an inner link-layer header is said to be (BPF_ADJ_ROOM_ENCAP_L2). */
const INNER_LINK_SHIFT = 56n;
const INNER_LINK = 0xffn << INNER_LINK_SHIFT;
const ROOM_FLAGS =
  ROOM.fixedGso | ENCAP_L3 | ENCAP_L4 | ROOM.noChecksumReset | ROOM.encapEthernet | DECAP_L3 | INNER_LINK;
const SHRINK_FLAGS = ROOM.fixedGso | ROOM.noChecksumReset | DECAP_L3;

const MAX_ROOM = 0xfff;

function adjustRoom(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const difference = call.i32(2, "len_diff");
  const mode = call.u32(3, "mode");
  const flags = call.u64(4, "flags");
  socketBuffer.packet.invalidate();
  const offset = roomOffset(socketBuffer, Math.abs(difference), mode, flags);
  if (offset < 0) return offset;
  const wrong = checkRoom(socketBuffer, difference, flags);
  if (wrong !== 0) return wrong;
  const done =
    difference < 0
      ? shrink(socketBuffer, offset, -difference, flags)
      : grow(socketBuffer, offset, difference, flags);
  if (done === 0 && (flags & ROOM.noChecksumReset) === 0n) socketBuffer.resetChecksum();
  return done;
}

/** Where the room is made or taken, or an error number. */
function roomOffset(socketBuffer: SocketBuffer, size: number, mode: number, flags: bigint): number {
  if ((flags & ~ROOM_FLAGS) !== 0n) return EINVAL;
  if (size > MAX_ROOM) return EFAULT;
  const network = networkLength(socketBuffer.protocol);
  if (network === undefined) return ENOTSUPP;
  if (mode === ROOM_MAC) return socketBuffer.linkLength;
  return mode === ROOM_NET ? socketBuffer.linkLength + network : ENOTSUPP;
}

function checkRoom(socketBuffer: SocketBuffer, difference: number, flags: bigint): number {
  let least = networkLength(socketBuffer.protocol) ?? 0;
  if ((flags & DECAP_L3) !== 0n) {
    if (difference >= 0 || (flags & DECAP_L3) === DECAP_L3) return EINVAL;
    least = (flags & ROOM.decapIpv4) === 0n ? 40 : 20;
  }
  const left = socketBuffer.length - socketBuffer.networkOffset + difference;
  const tooShort = difference < 0 && (left <= 0 || left < least);
  const tooLong =
    difference >= 0 && socketBuffer.length + difference > MAX_LENGTH && !socketBuffer.isSegmented;
  return tooShort || tooLong ? ENOTSUPP : 0;
}

function grow(socketBuffer: SocketBuffer, offset: number, size: number, flags: bigint): number {
  // Packets that stand for several have no type here, which only TCP and UDP may have.
  if (socketBuffer.isSegmented) return ENOTSUPP;
  const encapsulates = (flags & ENCAP_L3) !== 0n;
  if (encapsulates) {
    const wrong = checkEncapsulation(socketBuffer, size, flags);
    if (wrong !== 0) return wrong;
  }
  const link = socketBuffer.linkLength;
  growHeaders(socketBuffer, offset, size);
  if (encapsulates) encapsulate(socketBuffer, link, flags);
  return 0;
}

function checkEncapsulation(socketBuffer: SocketBuffer, size: number, flags: bigint): number {
  const innerLink = Number(flags >> INNER_LINK_SHIFT);
  if ((flags & ENCAP_L3) === ENCAP_L3 || (flags & ENCAP_L4) === ENCAP_L4) return EINVAL;
  if ((flags & ROOM.encapEthernet) !== 0n && innerLink < ETHERNET_HEADER) return EINVAL;
  if (socketBuffer.encapsulated) return EALREADY;
  return innerLink > size ? EINVAL : 0;
}

/** The room becomes the outer network header. */
function encapsulate(socketBuffer: SocketBuffer, link: number, flags: bigint): void {
  const { headers, packet } = socketBuffer;
  const isIpv6 = (flags & ROOM.encapIpv6) !== 0n;
  socketBuffer.encapsulated = true;
  headers.network = packet.data + link;
  if ((flags & ENCAP_L4) !== 0n) headers.transport = headers.network + (isIpv6 ? 40 : 20);
  socketBuffer.protocol = isIpv6 ? ETH_P_IPV6 : ETH_P_IP;
}

function shrink(socketBuffer: SocketBuffer, offset: number, size: number, flags: bigint): number {
  if ((flags & ~SHRINK_FLAGS) !== 0n) return EINVAL;
  if (socketBuffer.isSegmented) return ENOTSUPP;
  if (offset + size > socketBuffer.length) return ENOMEM;
  shrinkHeaders(socketBuffer, offset, size);
  if ((flags & ROOM.decapIpv4) !== 0n) socketBuffer.protocol = ETH_P_IP;
  if ((flags & ROOM.decapIpv6) !== 0n) socketBuffer.protocol = ETH_P_IPV6;
  return 0;
}

export const PACKET_SHAPE_HELPERS: HelperTable = {
  skb_change_tail: changeTail,
  skb_change_head: changeHead,
  skb_change_type: changeType,
  skb_change_proto: changeProto,
  skb_adjust_room: adjustRoom,
};
