/** What a program at a hook is given of a packet, and what it leaves of it. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Effects } from "../effects.ts";
import type { SocketBufferState } from "../environment/socket-buffer.ts";
import type { Environment } from "../environment.ts";
import type { Fault } from "../fault.ts";
import type { Machine } from "../machine.ts";
import type { Device } from "./device.ts";
import type { Buffered, BufferState, Flight } from "./flight.ts";

/** How a program ended, and the packet as it left it. */
export type Passage<F extends Flight> =
  | {
      readonly outcome: "exit";
      /** The low 32 bits of r0. */
      readonly value: number;
      readonly flight: F;
      readonly effects: Effects;
      readonly printed: readonly string[];
    }
  | { readonly outcome: "fault"; readonly fault: Fault; readonly printed: readonly string[] };

const NO_BYTES = new Uint8Array(0);

const XDP_MD = { size: 24, data: 0, ingress_ifindex: 12 };

/** Runs an XDP program on a packet. */
export function passXdp<F extends Flight>(
  machine: Machine,
  flight: F,
  { ifindex }: Device,
  environment: Environment,
): Passage<F> {
  const { frame, metadata } = flight;
  const context = new Uint8Array(XDP_MD.size);
  new DataView(context.buffer).setUint32(XDP_MD.ingress_ifindex, ifindex, true);
  const result = machine.run({
    ...environment,
    packet: joined(metadata, frame),
    context,
    arrival: { from: "link", metadata: metadata.length },
  });
  if (result.outcome === "fault") return result;
  const { packet = NO_BYTES, context: after = NO_BYTES, effects, printed } = result;
  const start = new DataView(after.buffer, after.byteOffset).getUint32(XDP_MD.data, true);
  const changed = { ...flight, frame: packet.slice(start), metadata: packet.slice(0, start) };
  return { outcome: "exit", value: low(result.r0), flight: changed, effects, printed };
}

/** Where the program's data begins, and which device it is told. */
export interface BufferView {
  readonly from: "link" | "network";
  readonly ifindex: number;
}

/** Runs a program on a socket buffer. */
export function passBuffer(
  machine: Machine,
  flight: Buffered,
  { from, ifindex }: BufferView,
  environment: Environment,
): Passage<Buffered> {
  const { frame, metadata } = flight;
  const result = machine.run({
    ...environment,
    packet: joined(metadata, frame),
    context: contextOf(flight, ifindex, from === "link" ? frame.length : frame.length - 14),
    arrival: { from, metadata: metadata.length },
    socketBuffer: flight.buffer.known,
  });
  if (result.outcome === "fault") return result;
  const { packet = NO_BYTES, effects, printed } = result;
  const { socketBuffer, clones } = effects;
  // What becomes of metadata then is not the same for all ways to do either.
  if (metadata.length > 0 && (result.metadata !== metadata.length || clones.length > 0)) {
    throw new Unsupported(
      "metadata of a packet that a program of traffic control has moved or sent a copy of",
    );
  }
  const changed = {
    ...flight,
    frame: packet.slice(metadata.length),
    metadata: packet.slice(0, metadata.length),
    buffer: socketBuffer === undefined ? flight.buffer : stateOf(socketBuffer),
  };
  return { outcome: "exit", value: low(result.r0), flight: changed, effects, printed };
}

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));

function joined(metadata: Uint8Array, frame: Uint8Array): Uint8Array {
  if (metadata.length === 0) return frame;
  return new Uint8Array(Buffer.concat([metadata, frame]));
}

const CB_SIZE = 20;
const SK_BUFF = {
  size: 192,
  len: 0,
  pkt_type: 4,
  mark: 8,
  queue_mapping: 12,
  protocol: 16,
  vlan_present: 20,
  vlan_tci: 24,
  vlan_proto: 28,
  priority: 32,
  ingress_ifindex: 36,
  ifindex: 40,
  tc_index: 44,
  cb: 48,
  hash: 68,
  tc_classid: 72,
  tstamp: 152,
  wire_len: 160,
  gso_segs: 164,
  gso_size: 176,
} as const;

/** A socket buffer's state as `__sk_buff`. */
function contextOf({ buffer, ingressIfindex }: Buffered, ifindex: number, length: number): Uint8Array {
  const bytes = new Uint8Array(SK_BUFF.size);
  const view = new DataView(bytes.buffer);
  const put = (field: keyof typeof SK_BUFF, value: number): void =>
    view.setUint32(SK_BUFF[field], value, true);
  put("len", length);
  put("pkt_type", buffer.packetType);
  put("mark", buffer.mark);
  put("queue_mapping", buffer.queueMapping);
  // Protocols are in network order.
  view.setUint16(SK_BUFF.protocol, buffer.protocol);
  if (buffer.vlan !== undefined) {
    put("vlan_present", 1);
    put("vlan_tci", buffer.vlan.tci);
    view.setUint16(SK_BUFF.vlan_proto, buffer.vlan.protocol);
  }
  put("priority", buffer.priority);
  put("ingress_ifindex", ingressIfindex);
  put("ifindex", ifindex);
  put("tc_index", buffer.tcIndex);
  bytes.set(buffer.cb, SK_BUFF.cb);
  put("hash", buffer.hash);
  put("tc_classid", buffer.tcClassid);
  view.setBigUint64(SK_BUFF.tstamp, buffer.tstamp, true);
  put("wire_len", length);
  put("gso_segs", buffer.gsoSegments);
  put("gso_size", buffer.gsoSize);
  return bytes;
}

/** The state of a packet that a program has left. */
export function stateOf({ context, checksum, tunnel }: SocketBufferState): BufferState {
  const view = new DataView(context.buffer, context.byteOffset, context.length);
  const get = (field: keyof typeof SK_BUFF): number => view.getUint32(SK_BUFF[field], true);
  const tag = { protocol: view.getUint16(SK_BUFF.vlan_proto), tci: get("vlan_tci") };
  return {
    protocol: view.getUint16(SK_BUFF.protocol),
    packetType: get("pkt_type"),
    mark: get("mark"),
    priority: get("priority"),
    queueMapping: get("queue_mapping"),
    tcIndex: get("tc_index"),
    tcClassid: get("tc_classid"),
    cb: context.slice(SK_BUFF.cb, SK_BUFF.cb + CB_SIZE),
    hash: get("hash"),
    vlan: get("vlan_present") === 0 ? undefined : tag,
    tstamp: view.getBigUint64(SK_BUFF.tstamp, true),
    gsoSegments: get("gso_segs"),
    gsoSize: get("gso_size"),
    known: { checksum, tunnel },
  };
}
