/**
 * What a program of each type is given, from an environment: as BPF_PROG_TEST_RUN prepares it on Linux 6.18, on the loopback device.
 * Learnt by experiment; `properties/machine` compares.
 */
import { InputError, Unsupported } from "../semantics/errors.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { contextFor, programFacts } from "../semantics/profile/lookup.ts";
import type { Context as ContextLayout } from "../semantics/profile/profile.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import type { AddressSpace } from "./address-space.ts";
import { Context } from "./context.ts";
import { bytesInput, contextBytes, GIVEN_WHOLE, REMOTE_CONTROL } from "./contexts/bytes.ts";
import { flowDissectorInput } from "./contexts/flow-dissector.ts";
import type { Made } from "./contexts/made.ts";
import { SHOWS_BYTES, socketHookInput } from "./contexts/socket-hook.ts";
import { socketLookupInput } from "./contexts/socket-lookup.ts";
import { TRACES_FUNCTION, tracedFunctionInput } from "./contexts/traced-function.ts";
import type { Environment } from "./environment.ts";
import { ETHERNET_HEADER, PAGE, Packet } from "./packet.ts";
import { ETH_P_IP, ETH_P_IPV6, SK_BUFF, SocketBuffer } from "./socket-buffer.ts";

/** The buffer of an XDP frame: a page, with room in front and for the kernel's own structures behind. */
const XDP_HEADROOM = 256;
const XDP_TAILROOM = 320;
const XDP_MAX = PAGE - XDP_HEADROOM - XDP_TAILROOM;

const LOOPBACK_IFINDEX = 1;

export interface Input extends Made {
  /** Programs on packets: the context as the program found it. */
  readonly given?: Uint8Array;
  /** Those on socket buffers, this too. */
  readonly socketBuffer?: SocketBuffer;
  /** All of the context is given back, not only what BPF_PROG_TEST_RUN would give. */
  readonly whole?: boolean;
}

function requirePacket({ packet }: Environment, type: ProgramType): Uint8Array {
  if (packet === undefined) throw new InputError(`packet: a ${type} program needs one`);
  if (packet.length < ETHERNET_HEADER) {
    throw new InputError(`packet: ${packet.length} bytes, but an Ethernet header has ${ETHERNET_HEADER}`);
  }
  return packet;
}

// --- XDP

export const XDP_MD = {
  data: 0,
  data_end: 4,
  data_meta: 8,
  ingress_ifindex: 12,
  rx_queue_index: 16,
  egress_ifindex: 20,
};

/** How many bytes, metadata among them, lie in the first buffer: those up to the end that a context says. */
function linearLength(end: number, length: number, metadata: number, inPieces: boolean): number {
  const most = XDP_MAX + metadata;
  if (!inPieces && length > most)
    throw new Unsupported(`XDP packets over ${most} bytes for a program without xdp_has_frags`);
  if (length > most + XDP_FRAGMENTS * PAGE)
    throw new InputError(`packet: ${length} bytes do not fit ${XDP_FRAGMENTS} pages`);
  return Math.min(most, end);
}

/** So many buffers may follow the first (MAX_SKB_FRAGS). */
const XDP_FRAGMENTS = 17;

function xdpInput(
  space: AddressSpace,
  layout: ContextLayout,
  environment: Environment,
  inPieces: boolean,
): Input {
  const bytes = requirePacket(environment, "xdp");
  const given = contextBytes(layout, environment.context);
  const { metadata, end } = xdpPositions(environment, given, bytes.length);
  const linear = linearLength(end, bytes.length, metadata, inPieces);
  const packet = new Packet(space, {
    bytes: linear === bytes.length ? bytes : bytes.subarray(0, linear),
    rest: linear === bytes.length ? undefined : bytes.subarray(linear),
    headroom: XDP_HEADROOM - metadata,
    tailroom: XDP_MAX + metadata - linear,
    metadata,
    hidden: 0,
    writable: true,
  });
  const context = new Context(space, layout, given);
  const { view, origin } = context.region;
  if (view.getUint32(origin + XDP_MD.ingress_ifindex, true) === 0)
    view.setUint32(origin + XDP_MD.ingress_ifindex, LOOPBACK_IFINDEX, true);
  return { context, packet, given };
}

/** How many bytes are metadata, and where the first buffer's end is: as a given context says, or as the frame arrived. */
function xdpPositions(
  { context, arrival }: Environment,
  given: Uint8Array,
  length: number,
): { readonly metadata: number; readonly end: number } {
  if (arrival !== undefined) return { metadata: arrival.metadata, end: length };
  if (context === undefined) return { metadata: 0, end: length };
  const view = new DataView(given.buffer);
  const metadata = view.getUint32(XDP_MD.data, true);
  checkXdpPositions(view, length, metadata);
  requireZero(view, "egress_ifindex");
  return { metadata, end: view.getUint32(XDP_MD.data_end, true) };
}

/**
 * The positions in an `xdp_md`, which Linux looks at before the packet.
 *
 * @throws InputError  for those that BPF_PROG_TEST_RUN would refuse
 */
export function checkXdpPositions(view: DataView, length: number, metadata: number): void {
  const end = view.getUint32(XDP_MD.data_end, true);
  // What lies behind the end is in other buffers, whether the program says that it knows of them or not.
  if (end > length) throw new InputError(`context: data_end is ${end}, but the packet has ${length} bytes`);
  const room = XDP_HEADROOM - XDP_FRAME;
  if (metadata > room || metadata % 4 !== 0 || metadata > end) {
    throw new InputError(
      `context: data is ${metadata}, but metadata has a multiple of 4 and at most ${room} bytes`,
    );
  }
  requireZero(view, "data_meta");
}

function requireZero(view: DataView, name: "data_meta" | "egress_ifindex"): void {
  if (view.getUint32(XDP_MD[name], true) !== 0) throw new InputError(`context: ${name} is not 0`);
}

/** The first bytes of the headroom belong to the kernel's `struct xdp_frame`. */
export const XDP_FRAME = 40;

/** `xdp_md` as BPF_PROG_TEST_RUN returns it: positions count from the metadata. */
export function xdpContextOut({ context, given, packet }: Input): Uint8Array {
  const out = (given ?? context.bytes).slice();
  if (packet !== undefined) {
    setPosition(out, XDP_MD.data, packet.data - packet.meta);
    setPosition(out, XDP_MD.data_end, packet.end - packet.meta);
  }
  return out;
}

/** A position as 32 bits, without the view that would take longer to make. */
function setPosition(bytes: Uint8Array, at: number, position: number): void {
  for (let i = 0; i < 4; i += 1) bytes[at + i] = position >>> (8 * i);
}

// --- Socket buffers

/** Free bytes in front of a socket buffer's data (NET_SKB_PAD). More are made where they are needed. */
const SK_BUFF_HEADROOM = 64;

/** Program types on socket buffers, and whether they see the Ethernet header. */
const SEES_ETHERNET: { readonly [T in ProgramType]?: boolean } = {
  socket_filter: false,
  sched_cls: true,
  sched_act: true,
  cgroup_skb: false,
  sk_skb: false,
  lwt_in: false,
  lwt_out: false,
  lwt_xmit: false,
};

/** What `ctx_in` may set, by offset and size; the rest must be 0. */
const SETTABLE: readonly (readonly [offset: number, size: number])[] = [
  [SK_BUFF.mark, 4],
  [SK_BUFF.priority, 4],
  [SK_BUFF.ingress_ifindex, 4],
  [SK_BUFF.ifindex, 4],
  [SK_BUFF.cb, 20],
  [SK_BUFF.tstamp, 8],
  [SK_BUFF.wire_len, 4],
  [SK_BUFF.gso_segs, 4],
  [SK_BUFF.gso_size, 4],
  [SK_BUFF.hwtstamp, 8],
];

const SETTABLE_BYTES: readonly number[] = SETTABLE.flatMap(([offset, size]) =>
  Array.from({ length: size }, (_, i) => offset + i),
);

function isSettable(at: number): boolean {
  return SETTABLE_BYTES.includes(at);
}

const PACKET_HOST = 0;
const PACKET_MULTICAST = 2;
const PACKET_OTHERHOST = 3;

/** Who the frame is for, seen from the loopback device, whose address is all zeros. */
function packetType(frame: Uint8Array): number {
  let any = 0;
  for (let i = 0; i < 6; i += 1) any |= frame[i] ?? 0;
  if (any === 0) return PACKET_HOST;
  return ((frame[0] ?? 0) & 1) === 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

const ETHERTYPE_MIN = 0x600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;

/** The protocol as Linux's eth_type_trans finds it, in host order. */
function protocolOf(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const type = view.getUint16(12);
  if (type >= ETHERTYPE_MIN) return type;
  const raw = frame.length >= ETHERNET_HEADER + 2 && view.getUint16(ETHERNET_HEADER) === 0xffff;
  return raw ? ETH_P_802_3 : ETH_P_802_2;
}

const AF_INET = 2;
const AF_INET6 = 10;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

function fillSkBuff(view: DataView, frame: Uint8Array, length: number, hasContext: boolean): void {
  const missing = missingHeader(frame);
  if (missing !== undefined) throw new InputError(missing);
  const protocol = protocolOf(frame);
  view.setUint32(SK_BUFF.len, length, true);
  view.setUint32(SK_BUFF.pkt_type, packetType(frame), true);
  // In network order, as a 16-bit number.
  view.setUint16(SK_BUFF.protocol, protocol);
  if (view.getUint32(SK_BUFF.ifindex, true) === 0) view.setUint32(SK_BUFF.ifindex, LOOPBACK_IFINDEX, true);
  if (hasContext && view.getUint32(SK_BUFF.wire_len, true) === 0) {
    view.setUint32(SK_BUFF.wire_len, length, true);
  }
  fillSocket(view, protocol, frame.subarray(ETHERNET_HEADER));
}

/** The test run's socket takes its addresses from the packet's. */
function fillSocket(view: DataView, protocol: number, network: Uint8Array): void {
  const bytes = new Uint8Array(view.buffer);
  if (protocol === ETH_P_IP) {
    view.setUint32(SK_BUFF.family, AF_INET, true);
    bytes.set(network.subarray(12, 16), SK_BUFF.local_ip4);
    bytes.set(network.subarray(16, 20), SK_BUFF.remote_ip4);
  } else if (protocol === ETH_P_IPV6) {
    view.setUint32(SK_BUFF.family, AF_INET6, true);
    bytes.set(network.subarray(8, 24), SK_BUFF.local_ip6);
    bytes.set(network.subarray(24, 40), SK_BUFF.remote_ip6);
  }
}

/** What a frame's type of protocol asks for that is not there. */
function missingHeader(frame: Uint8Array): string | undefined {
  const [after, protocol] = [frame.length - ETHERNET_HEADER, protocolOf(frame)];
  const needs = (name: string, size: number): string | undefined =>
    after < size ? `packet: ${after} bytes after the Ethernet header, but ${name} needs ${size}` : undefined;
  if (protocol === ETH_P_IP) return needs("IPv4", IPV4_HEADER);
  return protocol === ETH_P_IPV6 ? needs("IPv6", IPV6_HEADER) : undefined;
}

/** Whether a test run of the program refuses the packet for lacking a header: so that who draws packets need not catch what is thrown. */
export function lacksHeader({ type }: Program, packet: Uint8Array): boolean {
  return (
    SEES_ETHERNET[type] !== undefined &&
    packet.length >= ETHERNET_HEADER &&
    missingHeader(packet) !== undefined
  );
}

/** The most that a packet of several segments has: bytes (GSO_LEGACY_MAX_SIZE) and segments (GSO_MAX_SEGS). */
const [GSO_SIZE_MAX, GSO_SEGMENTS_MAX] = [65_536, 65_535];

function checkSkBuff(bytes: Uint8Array, view: DataView, length: number): void {
  const wrong = bytes.findIndex((byte, at) => byte !== 0 && !isSettable(at));
  if (wrong !== -1) throw new InputError(`context: byte ${wrong} of __sk_buff may not be set`);
  const wireLength = view.getUint32(SK_BUFF.wire_len, true);
  if (wireLength !== 0 && wireLength < length) {
    throw new InputError(`context: wire_len is ${wireLength}, but the packet has ${length} bytes`);
  }
  if (wireLength > GSO_SIZE_MAX) throw new InputError(`context: wire_len is at most ${GSO_SIZE_MAX}`);
  if (view.getUint32(SK_BUFF.gso_segs, true) > GSO_SEGMENTS_MAX)
    throw new InputError(`context: gso_segs is at most ${GSO_SEGMENTS_MAX}`);
}

function skBuffInput(
  space: AddressSpace,
  layout: ContextLayout,
  { type, writable }: { readonly type: ProgramType; readonly writable: boolean },
  environment: Environment,
): Input {
  const frame = requirePacket(environment, type);
  const { arrival } = environment;
  const seesEthernet = arrival === undefined ? SEES_ETHERNET[type] === true : arrival.from === "link";
  const hidden = seesEthernet ? 0 : ETHERNET_HEADER;
  const bytes = contextBytes(layout, environment.context);
  if (arrival === undefined) {
    const view = new DataView(bytes.buffer);
    if (environment.context !== undefined) checkSkBuff(bytes, view, frame.length - hidden);
    fillSkBuff(view, frame, frame.length - hidden, environment.context !== undefined);
  }
  const packet = new Packet(space, {
    bytes: frame,
    headroom: SK_BUFF_HEADROOM,
    tailroom: 0,
    metadata: arrival?.metadata ?? 0,
    hidden,
    writable,
  });
  const context = new Context(space, layout, bytes);
  const socketBuffer = new SocketBuffer(packet, context, arrival === undefined, environment.socketBuffer);
  return { context, packet, given: bytes, socketBuffer, whole: arrival !== undefined };
}

/** `__sk_buff` as BPF_PROG_TEST_RUN returns it: the settable fields, of which the size of segments is the one that was given. At a hook it is all of it. */
export function skBuffContextOut({ context, given, whole }: Input): Uint8Array {
  if (whole === true) return context.bytes.slice();
  const { bytes } = context;
  const out = new Uint8Array(bytes.length);
  for (const at of SETTABLE_BYTES) out[at] = bytes[at] ?? 0;
  if (given !== undefined) out.set(given.subarray(SK_BUFF.gso_size, SK_BUFF.gso_size + 4), SK_BUFF.gso_size);
  return out;
}

// --- All types

/** The context of programs that the machine can run; `undefined` for programs of other types, and for those that trace a function, whose context depends on that. */
export function runnableContext(program: Program): ContextLayout | undefined {
  const { type } = program;
  const own = type === "xdp" || type === "sk_lookup" || type === "flow_dissector";
  const runnable = own || SEES_ETHERNET[type] !== undefined || GIVEN_WHOLE.has(type) || SHOWS_BYTES.has(type);
  return runnable ? contextFor(defaultProfile(), program) : undefined;
}

/** Whether the program may write into its packet. */
export function mayWritePacket(program: Program): boolean {
  return programFacts(defaultProfile(), program)?.packet === "write";
}

/**
 * The packet and context for a run.
 *
 * @throws InputError  for an environment that BPF_PROG_TEST_RUN would refuse
 * @throws Unsupported  for a program type whose context is not modelled
 */
export function inputFor(space: AddressSpace, program: Program, environment: Environment): Input {
  const { type } = program;
  if (TRACES_FUNCTION.has(type)) return tracedFunctionInput(space, environment);
  if (type === "lirc_mode2") return bytesInput(space, REMOTE_CONTROL, environment);
  const layout = runnableContext(program);
  if (layout === undefined) throw new Unsupported(`running ${type} programs`);
  if (type === "xdp") return xdpInput(space, layout, environment, program.flags.includes("xdp_has_frags"));
  if (SEES_ETHERNET[type] !== undefined) {
    return skBuffInput(space, layout, { type, writable: mayWritePacket(program) }, environment);
  }
  if (SHOWS_BYTES.has(type))
    return socketHookInput(space, layout, program, environment, mayWritePacket(program));
  if (type === "sk_lookup") return socketLookupInput(space, layout, environment);
  if (type === "flow_dissector") return flowDissectorInput(space, layout, environment);
  return bytesInput(space, layout, environment);
}
