/** The network around a packet, as far as programs can ask for it: devices, routes and neighbours. All addresses are bytes in network order. */
import type { Socket } from "./sockets.ts";

export interface Device {
  readonly ifindex: number;
  readonly name: string;
  /** Bytes that a packet may have without its link-layer header. */
  readonly mtu: number;
  /** 6 bytes. */
  readonly address: Uint8Array;
  /** Up by default. */
  readonly up?: boolean;
  /** Whether packets that come in may be sent on: by default not. */
  readonly forwards?: { readonly ipv4: boolean; readonly ipv6: boolean };
}

export type RouteType =
  | "unicast"
  | "local"
  | "broadcast"
  | "multicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw";

export interface Route {
  /** The table: main 254, local 255. Main by default. */
  readonly table?: number;
  /** 4 or 16 bytes, of which the first `prefix` bits count. */
  readonly destination: Uint8Array;
  readonly prefix: number;
  /** Unicast by default. */
  readonly type?: RouteType;
  /** The lowest of those of the same prefix is taken: 0 by default. */
  readonly metric?: number;
  /** Of the device that packets leave by; 0 for types that have none. */
  readonly ifindex: number;
  /** The next hop, of either family; the destination itself if there is none. */
  readonly gateway?: Uint8Array;
  /** The address that packets of one's own get as their source. */
  readonly source?: Uint8Array;
  /** Of the route, where it is not the device's. */
  readonly mtu?: number;
}

/** A neighbour whose link-layer address is known. */
export interface Neighbour {
  readonly ifindex: number;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** 6 bytes. */
  readonly linkAddress: Uint8Array;
}

export interface Network {
  /** The loopback device, with the number 1, is among them by default. */
  readonly devices?: readonly Device[];
  readonly routes?: readonly Route[];
  readonly neighbours?: readonly Neighbour[];
  readonly sockets?: readonly Socket[];
  /** Of get_netns_cookie; 1 by default, as in the first network namespace. */
  readonly cookie?: bigint;
  /** The class that the control group of the running task gives to packets (net_cls): 0 by default. */
  readonly classid?: number;
}

export const LOOPBACK: Device = { ifindex: 1, name: "lo", mtu: 65_536, address: new Uint8Array(6) };

/** The devices that there are. */
/** What of an environment is asked here. */
interface Connected {
  readonly network?: Network;
}

const devicesOf = ({ network }: Connected): readonly Device[] => network?.devices ?? [LOOPBACK];

/** The device of a number, with what it is by default. */
export function deviceOf(
  environment: Connected,
  ifindex: number,
): (Device & { readonly up: boolean }) | undefined {
  const device = devicesOf(environment).find((each) => each.ifindex === ifindex);
  return device === undefined ? undefined : { up: true, ...device };
}
