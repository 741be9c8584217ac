/** Helpers that put VLAN tags on packets and take them off. The outermost tag lies beside the packet (`SocketBuffer.vlan`), others in it. */
import { EINVAL, ENOMEM } from "../errno.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import { ETH_P_8021AD, ETH_P_8021Q, type SocketBuffer } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

const VLAN_HEADER = 4;
/** Both addresses of an Ethernet header. */
const ADDRESSES = 12;
const isVlan = (protocol: number): boolean => protocol === ETH_P_8021Q || protocol === ETH_P_8021AD;

function vlanPush(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const given = call.u16(2, "vlan_proto");
  const tci = call.u16(3, "vlan_tci");
  const { packet, vlan } = socketBuffer;
  packet.invalidate();
  const asked = ((given & 0xff) << 8) | (given >> 8);
  if (vlan !== undefined) {
    if (packet.data !== packet.headers.link) return EINVAL;
    writeTag(socketBuffer, vlan.protocol, vlan.tci);
    socketBuffer.protocol = vlan.protocol;
  }
  socketBuffer.vlan = { protocol: isVlan(asked) ? asked : ETH_P_8021Q, tci };
  return 0;
}

/** The tag that lay beside the packet goes into it. */
function writeTag(socketBuffer: SocketBuffer, protocol: number, tci: number): void {
  socketBuffer.dropMetadata();
  socketBuffer.insert(ADDRESSES, VLAN_HEADER);
  const { packet } = socketBuffer;
  const { headers, buffer, data } = packet;
  headers.link -= VLAN_HEADER;
  headers.network -= VLAN_HEADER;
  buffer.set([protocol >> 8, protocol & 0xff, tci >> 8, tci & 0xff], data + ADDRESSES);
}

function vlanPop(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  socketBuffer.packet.invalidate();
  if (socketBuffer.vlan !== undefined) socketBuffer.vlan = undefined;
  else {
    if (!isVlan(socketBuffer.protocol)) return 0;
    const tag = takeTag(socketBuffer);
    if (typeof tag === "number") return tag;
  }
  const { protocol } = socketBuffer;
  if (!isVlan(protocol)) return 0;
  const tag = takeTag(socketBuffer);
  if (typeof tag === "number") return tag;
  socketBuffer.vlan = { protocol, tci: tag.tci };
  return 0;
}

/** Takes the outermost tag out of the packet; an error number if there cannot be one. */
function takeTag(socketBuffer: SocketBuffer): { readonly tci: number } | number {
  const { packet } = socketBuffer;
  if (packet.data !== packet.headers.link) return EINVAL;
  if (packet.length < ETHERNET_HEADER + VLAN_HEADER) return ENOMEM;
  const { buffer, data } = packet;
  const view = new DataView(buffer.buffer, buffer.byteOffset + data, packet.length);
  const tci = view.getUint16(ETHERNET_HEADER);
  const protocol = innerProtocol(view);
  socketBuffer.dropMetadata();
  socketBuffer.remove(ADDRESSES, VLAN_HEADER);
  const { headers } = packet;
  headers.link += VLAN_HEADER;
  if (headers.network - packet.data < ETHERNET_HEADER) headers.network = packet.data + ETHERNET_HEADER;
  socketBuffer.protocol = protocol;
  return { tci };
}

const ETHERTYPE_MIN = 0x600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;

/** What the tag says is in it; a length stands for a frame without type. */
function innerProtocol(frame: DataView): number {
  const type = frame.getUint16(ETHERNET_HEADER + 2);
  if (type >= ETHERTYPE_MIN) return type;
  const at = ETHERNET_HEADER + VLAN_HEADER;
  const raw = frame.byteLength >= at + 2 && frame.getUint16(at) === 0xffff;
  return raw ? ETH_P_802_3 : ETH_P_802_2;
}

export const VLAN_HELPERS: HelperTable = {
  skb_vlan_push: vlanPush,
  skb_vlan_pop: vlanPop,
};
