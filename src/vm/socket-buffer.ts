/**
 * A socket buffer: a packet, its context (`__sk_buff`, in whose bytes the fields lie that programs see), and what the kernel keeps beside. Headers are
 * positions in the packet's buffer (`Packet.headers`), so that they stay where they are when the data begins elsewhere.
 *
 * What moves which header, and when a hash or a checksum's state is dropped, is the kernel's behaviour, which `properties/machine` compares.
 */
import type { Context } from "./context.ts";
import type {
  ChecksumState,
  PacketSocket,
  SocketBufferGiven,
  SocketBufferState,
  TunnelInfo,
} from "./environment/socket-buffer.ts";
import type { Packet, PacketHeaders } from "./packet.ts";

/** Offsets in `__sk_buff` (linux/bpf.h). */
export const SK_BUFF = {
  len: 0,
  pkt_type: 4,
  mark: 8,
  protocol: 16,
  vlan_present: 20,
  vlan_tci: 24,
  vlan_proto: 28,
  priority: 32,
  ingress_ifindex: 36,
  ifindex: 40,
  cb: 48,
  hash: 68,
  family: 88,
  remote_ip4: 92,
  local_ip4: 96,
  remote_ip6: 100,
  local_ip6: 116,
  tstamp: 152,
  wire_len: 160,
  gso_segs: 164,
  gso_size: 176,
  tstamp_type: 180,
  hwtstamp: 184,
} as const;

type Field = keyof typeof SK_BUFF;

export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_8021AD = 0x88a8;

/** No more than this can be in a packet (BPF_SKB_MAX_LEN: four pages without what the kernel keeps behind the data). */
export const MAX_LENGTH = 4 * 4096 - 320;

/** BPF_PROG_TEST_RUN gives packets a socket of root's. */
const TEST_SOCKET: PacketSocket = { cookie: 1n, uid: 0 };

export class SocketBuffer {
  readonly packet: Packet;
  readonly #context: Context;
  checksum: ChecksumState;
  tunnel: TunnelInfo | undefined;
  readonly socket: PacketSocket | undefined;
  /** BPF_PROG_TEST_RUN has made the packet. */
  readonly isTest: boolean;
  /** Whether the hash need not be computed: it may be 0. */
  #hashIsKnown: boolean;
  /** A header was put around the packet. */
  encapsulated = false;
  /** It is said how the packets that this one stands for are made of it: a test run does not say. */
  segmentsHaveType = false;

  constructor(packet: Packet, context: Context, isTest: boolean, given: SocketBufferGiven = {}) {
    this.packet = packet;
    this.#context = context;
    this.checksum = given.checksum ?? { kind: "none" };
    this.tunnel = given.tunnel;
    this.isTest = isTest;
    this.socket = given.socket === "none" ? undefined : (given.socket ?? (isTest ? TEST_SOCKET : undefined));
    this.#hashIsKnown = this.get("hash") !== 0;
  }

  get headers(): PacketHeaders {
    return this.packet.headers;
  }

  // --- Fields

  /** A field of 32 bits. */
  get(field: Field): number {
    const { view, origin } = this.#context.region;
    return view.getUint32(origin + SK_BUFF[field], true);
  }

  /** A copy of a field's first bytes. */
  bytes(field: Field, size: number): Uint8Array {
    const at = SK_BUFF[field];
    return this.#context.bytes.slice(at, at + size);
  }

  set(field: Field, value: number): void {
    const { view, origin } = this.#context.region;
    view.setUint32(origin + SK_BUFF[field], value, true);
  }

  /** The protocol of what follows the link-layer header, in host order. */
  get protocol(): number {
    const { view, origin } = this.#context.region;
    return view.getUint16(origin + SK_BUFF.protocol);
  }

  set protocol(value: number) {
    const { view, origin } = this.#context.region;
    view.setUint16(origin + SK_BUFF.protocol, value);
  }

  setTime(time: bigint, clock: number): void {
    const { view, origin } = this.#context.region;
    view.setBigUint64(origin + SK_BUFF.tstamp, time, true);
    view.setUint8(origin + SK_BUFF.tstamp_type, clock);
  }

  /** The tag that lies beside the packet. */
  get vlan(): { readonly protocol: number; readonly tci: number } | undefined {
    if (this.get("vlan_present") === 0) return undefined;
    const { view, origin } = this.#context.region;
    return { protocol: view.getUint16(origin + SK_BUFF.vlan_proto), tci: this.get("vlan_tci") };
  }

  set vlan(tag: { readonly protocol: number; readonly tci: number } | undefined) {
    const { view, origin } = this.#context.region;
    this.set("vlan_present", tag === undefined ? 0 : 1);
    this.set("vlan_tci", tag?.tci ?? 0);
    view.setUint16(origin + SK_BUFF.vlan_proto, tag?.protocol ?? 0);
  }

  get hashIsKnown(): boolean {
    return this.#hashIsKnown;
  }

  setHash(hash: number): void {
    this.set("hash", hash);
    this.#hashIsKnown = true;
  }

  clearHash(): void {
    this.set("hash", 0);
    this.#hashIsKnown = false;
  }

  /** Whether the packet stands for several, which were made of one by segmentation. */
  get isSegmented(): boolean {
    return this.get("gso_size") !== 0;
  }

  /** That checksums are known to be right is forgotten. */
  resetChecksum(): void {
    this.checksum = { kind: "none" };
  }

  state(): SocketBufferState {
    const { checksum, tunnel } = this;
    return { context: this.#context.bytes.slice(), checksum, tunnel };
  }

  // --- Bytes

  /** Bytes of data. */
  get length(): number {
    return this.packet.length;
  }

  /** The network header's distance from the data. */
  get networkOffset(): number {
    return this.headers.network - this.packet.data;
  }

  get linkLength(): number {
    return this.headers.network - this.headers.link;
  }

  /** Metadata in front of the data does not move with it. */
  dropMetadata(): void {
    const { packet } = this;
    packet.resize(packet.data, packet.data, packet.end);
  }

  /** The data begins `size` bytes further in front, or for a negative size further behind. What is new is zeros. */
  push(size: number): void {
    const { packet } = this;
    packet.reserve(Math.max(size, 0), 0);
    const data = packet.data - size;
    if (size > 0) packet.buffer.fill(0, data, packet.data);
    packet.resize(data, data, packet.end);
    this.#settleLength();
  }

  /** The data ends after `length` bytes; what is new is zeros. */
  setLength(length: number): void {
    const { packet } = this;
    packet.reserve(0, Math.max(length - packet.length, 0));
    const end = packet.data + length;
    if (end > packet.end) packet.buffer.fill(0, packet.end, end);
    packet.resize(packet.meta, packet.data, end);
    this.#settleLength();
  }

  #settleLength(): void {
    this.set("len", this.packet.length);
  }

  /** Makes room for `size` zeros at an offset of the data, by moving what lies in front of it. */
  insert(offset: number, size: number): void {
    this.push(size);
    const { buffer, data } = this.packet;
    buffer.copyWithin(data, data + size, data + size + offset);
    buffer.fill(0, data + offset, data + offset + size);
  }

  /** Takes `size` bytes away at an offset of the data, by moving what lies in front of them. */
  remove(offset: number, size: number): void {
    const { buffer, data } = this.packet;
    buffer.copyWithin(data + size, data, data + offset);
    this.push(-size);
  }

  /** The headers move together with what is in front of the place where `size` bytes were put in (or for a negative size, taken away). */
  moveHeaders(size: number): void {
    const { headers } = this;
    const together = headers.transport === headers.network;
    headers.link -= size;
    headers.network -= size;
    if (together) headers.transport = headers.network;
  }
}
