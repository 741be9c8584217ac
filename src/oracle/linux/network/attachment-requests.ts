/**
 * Requests to the kernel's networking by netlink as traces of operations make them (linux/rtnetlink.h, if_link.h, pkt_sched.h, pkt_cls.h): devices by numbers of one's choice, XDP programs with
 * all flags, disciplines and filters that are made, replaced and deleted; and what the kernel answers when it is asked what there is.
 */
import { attribute, joined, type Request, text, words } from "./netlink.ts";

const RTM = {
  newlink: 16,
  dellink: 17,
  getlink: 18,
  newqdisc: 36,
  delqdisc: 37,
  newtfilter: 44,
  deltfilter: 45,
  gettfilter: 46,
} as const;
const NLM_F = { create: 0x400, exclusive: 0x200, dump: 0x300 } as const;

/** How a request creates: only what is not there, only what is, or either. */
export type Manner = "exclusive" | "change" | "create";
const FLAGS: Readonly<Record<Manner, number>> = {
  exclusive: NLM_F.create | NLM_F.exclusive,
  change: 0,
  create: NLM_F.create,
};

// --- Devices

const IFLA = { ifname: 3, linkinfo: 18, net_ns_fd: 28, xdp: 43 } as const;
const INFO = { kind: 1, data: 2 } as const;
const VETH_PEER = 1;
const XDP = {
  fd: 1,
  attached: 2,
  flags: 3,
  expected_fd: 8,
  prog_id: 4,
  drv_prog_id: 5,
  skb_prog_id: 6,
} as const;

/** `struct ifinfomsg`. */
const linkHeader = (index: number): Uint8Array => words(0, index, 0, 0);

interface NumberedDevice {
  readonly name: string;
  readonly index: number;
}

/** Two devices of which each receives what the other one sends. */
export function newPair(first: NumberedDevice, second: NumberedDevice): Request {
  const peer = attribute(VETH_PEER, linkHeader(second.index), attribute(IFLA.ifname, text(second.name)));
  const info = attribute(IFLA.linkinfo, attribute(INFO.kind, text("veth")), attribute(INFO.data, peer));
  const body = joined(linkHeader(first.index), attribute(IFLA.ifname, text(first.name)), info);
  return { type: RTM.newlink, flags: FLAGS.exclusive, body };
}

export const deleteDevice = (index: number): Request => ({
  type: RTM.dellink,
  flags: 0,
  body: linkHeader(index),
});

/** @param fd  a network namespace's descriptor */
export const moveDevice = (index: number, fd: number): Request => ({
  type: RTM.newlink,
  flags: 0,
  body: joined(linkHeader(index), attribute(IFLA.net_ns_fd, words(fd))),
});

/** @param fd  -1 takes the program away */
export function changeXdp(index: number, fd: number, flags: number, expectedFd: number | undefined): Request {
  const expected = expectedFd === undefined ? [] : [attribute(XDP.expected_fd, words(expectedFd))];
  const xdp = attribute(
    IFLA.xdp,
    attribute(XDP.fd, words(fd)),
    attribute(XDP.flags, words(flags)),
    ...expected,
  );
  return { type: RTM.newlink, flags: 0, body: joined(linkHeader(index), xdp) };
}

export const askDevice = (index: number): Request => ({
  type: RTM.getlink,
  flags: 0,
  body: linkHeader(index),
});

/** Ids of a device's XDP programs, 0 for none, in the answer to `askDevice`. */
export function xdpIds(answer: Uint8Array): { readonly native: number; readonly generic: number } {
  const [message] = messages(answer);
  const xdp = message === undefined ? undefined : find(message.body.subarray(16), IFLA.xdp);
  const id = (type: number): number => numberIn(xdp === undefined ? undefined : find(xdp, type));
  return { native: id(XDP.drv_prog_id), generic: id(XDP.skb_prog_id) };
}

// --- Traffic control

const TCA = { kind: 1, options: 2 } as const;
const DISCIPLINES = {
  clsact: { parent: 0xffff_fff1, handle: 0xffff_0000 },
  ingress: { parent: 0xffff_fff1, handle: 0xffff_0000 },
} as const;
type Discipline = keyof typeof DISCIPLINES;
const PARENTS = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
export type Direction = keyof typeof PARENTS;
const ETH_P_ALL_BIG_ENDIAN = 0x0300;
const BPF = { class: 3, fd: 6, name: 7, flags: 8, id: 11 } as const;
const BPF_DIRECT_ACTION = 1;

/** `struct tcmsg`. */
const trafficHeader = (index: number, handle: number, parent: number, info: number): Uint8Array =>
  words(0, index, handle, parent, info);

const disciplineBody = (index: number, discipline: Discipline): Uint8Array => {
  const { parent, handle } = DISCIPLINES[discipline];
  return joined(trafficHeader(index, handle, parent, 0), attribute(TCA.kind, text(discipline)));
};

export const newDiscipline = (index: number, discipline: Discipline, manner: Manner): Request => ({
  type: RTM.newqdisc,
  flags: FLAGS[manner],
  body: disciplineBody(index, discipline),
});

export const deleteDiscipline = (index: number, discipline: Discipline): Request => ({
  type: RTM.delqdisc,
  flags: 0,
  body: disciplineBody(index, discipline),
});

/** Which filter of a device. */
export interface FilterPlace {
  readonly index: number;
  readonly direction: Direction;
  /** 0 has the kernel choose. */
  readonly priority: number;
  readonly handle: number;
}

function filterHeader({ index, direction, priority, handle }: FilterPlace, protocol: number): Uint8Array {
  return trafficHeader(index, handle, PARENTS[direction], priority * 0x1_0000 + protocol);
}

/** A filter of the kind bpf. @param className  of what it matches; without it the filter is one of direct action */
export function putFilter(place: FilterPlace, fd: number, manner: Manner, className?: number): Request {
  const options = attribute(
    TCA.options,
    attribute(BPF.fd, words(fd)),
    attribute(BPF.name, text("soundcheck")),
    className === undefined
      ? attribute(BPF.flags, words(BPF_DIRECT_ACTION))
      : attribute(BPF.class, words(className)),
  );
  const body = joined(filterHeader(place, ETH_P_ALL_BIG_ENDIAN), attribute(TCA.kind, text("bpf")), options);
  return { type: RTM.newtfilter, flags: FLAGS[manner], body };
}

/** @remarks  without a priority all filters of the direction are deleted, and nothing else may be said of them */
export function deleteFilter(place: FilterPlace): Request {
  const all = place.priority === 0;
  const header = filterHeader(place, all ? 0 : ETH_P_ALL_BIG_ENDIAN);
  const body = all ? header : joined(header, attribute(TCA.kind, text("bpf")));
  return { type: RTM.deltfilter, flags: 0, body };
}

export const askFilters = (index: number, direction: Direction): Request => ({
  type: RTM.gettfilter,
  flags: NLM_F.dump,
  body: trafficHeader(index, 0, PARENTS[direction], 0),
});

export interface ListedFilter {
  readonly priority: number;
  readonly handle: number;
  /** The program's id. */
  readonly program: number;
}

/** The filters in the answer to `askFilters`, in order. */
export function listedFilters(answer: Uint8Array): readonly ListedFilter[] {
  return messages(answer).flatMap(({ type, body }) => {
    if (type !== RTM.newtfilter) return [];
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const options = find(body.subarray(20), TCA.options);
    const id = numberIn(options === undefined ? undefined : find(options, BPF.id));
    // A priority by itself is listed too.
    if (options === undefined) return [];
    return [{ priority: view.getUint32(16, true) >>> 16, handle: view.getUint32(8, true), program: id }];
  });
}

// --- Answers

const HEADER = 16;

function messages(bytes: Uint8Array): readonly { readonly type: number; readonly body: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) break;
    found.push({ type: view.getUint16(at + 4, true), body: bytes.subarray(at + HEADER, at + length) });
    at += Math.ceil(length / 4) * 4;
  }
  return found;
}

/** The content of an attribute. */
function find(bytes: Uint8Array, type: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) return undefined;
    if ((view.getUint16(at + 2, true) & 0x3fff) === type) return bytes.subarray(at + 4, at + length);
    at += Math.ceil(length / 4) * 4;
  }
  return undefined;
}

const numberIn = (bytes: Uint8Array | undefined): number =>
  bytes === undefined || bytes.length < 4
    ? 0
    : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
