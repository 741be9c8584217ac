/**
 * Requests to the kernel's networking by netlink (linux/netlink.h, rtnetlink.h, if_link.h, pkt_sched.h, pkt_cls.h): devices, XDP programs on them, the
 * clsact queueing discipline and its filters. Written as bytes here; `namespace.ts` sends them.
 */

/** A message's type and what follows its header. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

const CREATE = 0x600;

/** Little-endian words of 4 bytes; negative numbers as the same 32 bits. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setUint32(4 * at, value >>> 0, true);
  return bytes;
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);

/** One attribute: its length and type, its bytes, and padding to 4 bytes. */
export function attribute(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = joined(...parts);
  const bytes = new Uint8Array(Math.ceil((4 + payload.length) / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + payload.length, true);
  view.setUint16(2, type, true);
  bytes.set(payload, 4);
  return bytes;
}

// --- Devices

const RTM_NEWLINK = 16;
const IFLA = { address: 1, ifname: 3, mtu: 4, linkinfo: 18, xdp: 43 } as const;
const INFO = { kind: 1, data: 2 } as const;
const VETH_PEER = 1;
const IFF_UP = 1;
const IFF_NOARP = 0x80;
const XDP = { fd: 1, flags: 3 } as const;

/** `struct ifinfomsg`. */
const linkHeader = (index: number, flags = 0, change = 0): Uint8Array => words(0, index, flags, change);

/** A device of a pair as it is to be made. */
export interface NewDevice {
  readonly name: string;
  /** 6 bytes. */
  readonly address: Uint8Array;
  readonly mtu: number;
}

const deviceAttributes = ({ name, address, mtu }: NewDevice): Uint8Array =>
  joined(
    attribute(IFLA.ifname, text(name)),
    attribute(IFLA.address, address),
    attribute(IFLA.mtu, words(mtu)),
  );

/** Two devices of which each receives what the other sends. */
export function newVethPair(first: NewDevice, second: NewDevice): Request {
  const peer = attribute(VETH_PEER, linkHeader(0), deviceAttributes(second));
  const info = attribute(IFLA.linkinfo, attribute(INFO.kind, text("veth")), attribute(INFO.data, peer));
  return { type: RTM_NEWLINK, flags: CREATE, body: joined(linkHeader(0), deviceAttributes(first), info) };
}

export function setUp(ifindex: number): Request {
  const flags = IFF_UP | IFF_NOARP;
  return { type: RTM_NEWLINK, flags: 0, body: linkHeader(ifindex, flags, flags) };
}

/** How an XDP program is attached: in the driver, or on socket buffers. */
export type XdpMode = "native" | "generic";
const XDP_FLAGS: Readonly<Record<XdpMode, number>> = { generic: 2, native: 4 };

/** @param fd  a program's descriptor; -1 takes the program away */
export function setXdp(ifindex: number, fd: number, mode: XdpMode): Request {
  const xdp = attribute(IFLA.xdp, attribute(XDP.fd, words(fd)), attribute(XDP.flags, words(XDP_FLAGS[mode])));
  return { type: RTM_NEWLINK, flags: 0, body: joined(linkHeader(ifindex), xdp) };
}

// --- Traffic control

const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const TCA = { kind: 1, options: 2 } as const;
const CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
const PARENTS = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
const ETH_P_ALL_BIG_ENDIAN = 0x0300;
const BPF = { action: 1, classid: 3, fd: 6, name: 7, flags: 8 } as const;
const BPF_DIRECT_ACTION = 1;
const ACTION = { kind: 1, options: 2 } as const;
const GACT_PARAMETERS = 2;

/** `struct tcmsg`. */
const trafficHeader = (ifindex: number, handle: number, parent: number, info: number): Uint8Array =>
  words(0, ifindex, handle, parent, info);

/** The queueing discipline whose only use is that filters hang on it, on both ways. */
export function newClsact(ifindex: number): Request {
  const body = joined(trafficHeader(ifindex, CLSACT_HANDLE, CLSACT, 0), attribute(TCA.kind, text("clsact")));
  return { type: RTM_NEWQDISC, flags: CREATE, body };
}

/** A program as a filter of clsact. */
export interface NewFilter {
  readonly fd: number;
  readonly direction: "ingress" | "egress";
  /** Filters are asked in the order of their priorities, from 1. */
  readonly priority: number;
  /** What the program returns is the action. */
  readonly direct: boolean;
  /** The class of what the filter matches. */
  readonly classid?: number;
  /** Actions of the kind gact, by what each returns. */
  readonly actions?: readonly number[];
}

export function newFilter(ifindex: number, filter: NewFilter): Request {
  const { fd, direction, priority, direct, classid, actions = [] } = filter;
  const gact = (verdict: number): Uint8Array =>
    joined(
      attribute(ACTION.kind, text("gact")),
      attribute(ACTION.options, attribute(GACT_PARAMETERS, words(0, 0, verdict, 0, 0))),
    );
  const options = attribute(
    TCA.options,
    ...(actions.length === 0
      ? []
      : [attribute(BPF.action, ...actions.map((verdict, at) => attribute(at + 1, gact(verdict))))]),
    ...(classid === undefined ? [] : [attribute(BPF.classid, words(classid))]),
    attribute(BPF.fd, words(fd)),
    attribute(BPF.name, text("soundcheck")),
    attribute(BPF.flags, words(direct ? BPF_DIRECT_ACTION : 0)),
  );
  const info = priority * 0x10000 + ETH_P_ALL_BIG_ENDIAN;
  const body = joined(
    trafficHeader(ifindex, 0, PARENTS[direction], info),
    attribute(TCA.kind, text("bpf")),
    options,
  );
  return { type: RTM_NEWTFILTER, flags: CREATE, body };
}

// --- Messages

const HEADER = 16;
const REQUEST = 1;
const ACKNOWLEDGE = 4;
const NLMSG_ERROR = 2;

/** The message that is sent; the kernel acknowledges it. */
export function message({ type, flags, body }: Request): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, REQUEST | ACKNOWLEDGE | flags, true);
  view.setUint32(8, 1, true);
  bytes.set(body, HEADER);
  return bytes;
}

/** The error number in an acknowledgement, 0 for none; `undefined` for what is no acknowledgement. */
export function acknowledged(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint16(4, true) === NLMSG_ERROR ? -view.getInt32(HEADER, true) : undefined;
}
