/** fib_lookup: where a packet would be sent on to, from the environment's routes and neighbours. */
import { Unsupported } from "../../semantics/errors.ts";
import { deviceOf, type Network, type Route } from "../environment/network.ts";
import { EAFNOSUPPORT, EINVAL, ENODEV } from "../errno.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import { findNeighbour, findRoute4, findRoute6, hasTable } from "../routes.ts";
import type { SocketBuffer } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Offsets in `struct bpf_fib_lookup`, and its size. Some bytes mean one thing on the way in and another on the way out. */
const PARAMS = {
  family: 0,
  length: 6,
  ifindex: 8,
  metric: 12,
  source: 16,
  destination: 32,
  vlan: 48,
  table: 48,
  mark: 52,
  sourceLink: 52,
  destinationLink: 58,
  size: 64,
};

const FLAGS = { direct: 1, output: 2, skipNeighbour: 4, table: 8, source: 16, mark: 32 };
const ALL_FLAGS = 0x3f;

/** What is answered (BPF_FIB_LKUP_RET_*). */
const ANSWER = {
  success: 0,
  blackhole: 1,
  unreachable: 2,
  prohibit: 3,
  notForwarded: 4,
  forwardingDisabled: 5,
  noNeighbour: 7,
  fragmentationNeeded: 8,
};

const AF_INET = 2;
const AF_INET6 = 10;

/** Nothing is longer than what the length of an IPv4 packet can say. */
const MAX_MTU = 0xffff;

interface Lookup {
  readonly call: Call;
  readonly network: Network;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: number;
  /** Bytes of an address. */
  readonly size: 4 | 16;
  /** Whether the packet's length is compared with what the route allows. */
  readonly checksMtu: boolean;
}

function fibLookup(call: Call): number {
  call.context(1);
  const size = call.size(3, "plen");
  call.read(2, size, "params");
  const bytes = call.write(2, size, "params");
  const flags = call.u32(4, "flags");
  if (size < PARAMS.size || (flags & ~ALL_FLAGS) !== 0) return EINVAL;
  const view = new DataView(bytes.buffer, bytes.byteOffset, PARAMS.size);
  const family = view.getUint8(PARAMS.family);
  if (family !== AF_INET && family !== AF_INET6) return EAFNOSUPPORT;
  const { socketBuffer } = call.state.input;
  const checksMtu = socketBuffer === undefined || view.getUint16(PARAMS.length, true) !== 0;
  const network = call.state.environment.network ?? {};
  const lookup: Lookup = { call, network, bytes, view, flags, size: family === AF_INET ? 4 : 16, checksMtu };
  const answer = family === AF_INET ? forward(lookup) : forwardIpv6(lookup);
  if (answer !== ANSWER.success || checksMtu || socketBuffer === undefined) return answer;
  return fitsDevice(lookup, socketBuffer);
}

/** A socket buffer whose length was not given has to fit the device. */
function fitsDevice({ call, view }: Lookup, socketBuffer: SocketBuffer): number {
  const device = deviceOf(call.state.environment, view.getUint32(PARAMS.ifindex, true));
  const mtu = device?.mtu ?? 0;
  view.setUint16(PARAMS.length, mtu & 0xffff, true);
  const fits = socketBuffer.length <= mtu + ETHERNET_HEADER + VLAN_HEADER || socketBuffer.isSegmented;
  return fits && device?.up === true ? ANSWER.success : ANSWER.fragmentationNeeded;
}

const VLAN_HEADER = 4;

/** Addresses that only mean something on one link are never sent on. */
const isOfLink = (address: Uint8Array): boolean =>
  address[0] === 0xff || (address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80) || isLoopback(address);

const isLoopback = (address: Uint8Array): boolean => address.every((byte, i) => byte === (i === 15 ? 1 : 0));

const addressAt = ({ bytes, size }: Lookup, at: number): Uint8Array => bytes.slice(at, at + size);

function forwardIpv6(lookup: Lookup): number {
  if (isOfLink(addressAt(lookup, PARAMS.destination)) || isOfLink(addressAt(lookup, PARAMS.source)))
    return ANSWER.notForwarded;
  return forward(lookup);
}

function forward(lookup: Lookup): number {
  const { call, view, flags, size } = lookup;
  const device = deviceOf(call.state.environment, view.getUint32(PARAMS.ifindex, true));
  if (device === undefined) return ENODEV;
  const forwards = size === 4 ? device.forwards?.ipv4 : device.forwards?.ipv6;
  if (forwards !== true) return ANSWER.forwardingDisabled;
  const table = (flags & FLAGS.direct) === 0 ? undefined : tableOf(lookup);
  if (table !== undefined && !hasTable(lookup.network, table, size)) return ANSWER.notForwarded;
  const route = find(lookup, device.ifindex, table);
  const refusal = refusalOf(route);
  return route === undefined || refusal !== undefined
    ? (refusal ?? ANSWER.notForwarded)
    : follow(lookup, route);
}

const MAIN_TABLE = 254;

function tableOf({ flags, view }: Lookup): number {
  if ((flags & FLAGS.table) === 0) return MAIN_TABLE;
  const table = view.getUint32(PARAMS.table, true);
  view.setUint32(PARAMS.table, 0, true);
  return table;
}

function find(lookup: Lookup, ifindex: number, table: number | undefined): Route | undefined {
  const { network, flags, size } = lookup;
  const wanted = {
    destination: addressAt(lookup, PARAMS.destination),
    ...(table === undefined ? {} : { table }),
  };
  if (size === 16) return findRoute6(network, wanted);
  return findRoute4(network, (flags & FLAGS.output) === 0 ? wanted : { ...wanted, leavesBy: ifindex });
}

/** The answer for a route by which nothing is sent on. */
function refusalOf(route: Route | undefined): number | undefined {
  switch (route?.type ?? "unicast") {
    case "unicast":
      return undefined;
    case "blackhole":
      return ANSWER.blackhole;
    case "unreachable":
      return ANSWER.unreachable;
    case "prohibit":
      return ANSWER.prohibit;
    default:
      return ANSWER.notForwarded;
  }
}

function follow(lookup: Lookup, route: Route): number {
  const { call, view, bytes, flags, size, checksMtu } = lookup;
  const device = deviceOf(call.state.environment, route.ifindex);
  if (device === undefined)
    throw new Unsupported(`a route by the device ${route.ifindex}, which does not exist`);
  const mtu = route.mtu ?? Math.min(device.mtu, MAX_MTU);
  if (checksMtu && view.getUint16(PARAMS.length, true) > mtu) {
    view.setUint16(PARAMS.length, mtu, true);
    return ANSWER.fragmentationNeeded;
  }
  view.setUint32(PARAMS.metric, route.metric ?? 0, true);
  view.setUint32(PARAMS.ifindex, device.ifindex, true);
  if ((flags & FLAGS.source) !== 0) bytes.set(sourceOf(route), PARAMS.source);
  const { gateway = addressAt(lookup, PARAMS.destination) } = route;
  if (gateway.length !== size) view.setUint8(PARAMS.family, AF_INET6);
  bytes.set(gateway, PARAMS.destination);
  if ((flags & FLAGS.skipNeighbour) === 0) {
    const neighbour = findNeighbour(lookup.network, device.ifindex, gateway);
    if (neighbour === undefined) return ANSWER.noNeighbour;
    bytes.set(device.address, PARAMS.sourceLink);
    bytes.set(neighbour.linkAddress, PARAMS.destinationLink);
  }
  view.setUint32(PARAMS.vlan, 0, true);
  if (checksMtu) view.setUint16(PARAMS.length, mtu, true);
  return ANSWER.success;
}

function sourceOf({ source }: Route): Uint8Array {
  if (source === undefined) throw new Unsupported("the source address of a route that names none");
  return source;
}

export const ROUTE_HELPERS: HelperTable = { fib_lookup: fibLookup };
