/**
 * Looking up where a packet of some addresses goes, among the routes of an environment. Linux keeps the tables `local` and `main` of IPv4 as one, so the longest prefix
 * of both counts; those of IPv6 are asked one after the other. There are no rules beside these.
 */
import type { Neighbour, Network, Route } from "./environment/network.ts";

const LOCAL = 255;
const MAIN = 254;

export interface Wanted {
  readonly destination: Uint8Array;
  /** A single table; those that are asked without rules by default. */
  readonly table?: number;
  /** The device that the packet is to leave by; any by default. Of IPv6 it decides nothing. */
  readonly leavesBy?: number;
}

/** Whether the first `prefix` bits of two addresses are equal. */
function covers({ destination, prefix }: Route, address: Uint8Array): boolean {
  if (destination.length !== address.length) return false;
  for (let bit = 0; bit < prefix; bit += 8) {
    const mask = prefix - bit >= 8 ? 0xff : 0xff00 >> (prefix - bit);
    if ((((destination[bit >> 3] ?? 0) ^ (address[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

const tableOf = ({ table = MAIN }: Route): number => table;

/** The best of the routes first: the longest prefix, of these the local table's, of these the lowest metric. */
function better(a: Route, b: Route): number {
  if (a.prefix !== b.prefix) return b.prefix - a.prefix;
  return tableOf(b) - tableOf(a) || (a.metric ?? 0) - (b.metric ?? 0);
}

const hasDevice = ({ type = "unicast" }: Route): boolean =>
  ["unicast", "local", "broadcast", "multicast"].includes(type);

/** The route in the given tables. */
function bestOf(routes: readonly Route[], tables: readonly number[], wanted: Wanted): Route | undefined {
  const { destination, leavesBy } = wanted;
  return routes
    .filter((route) => tables.includes(tableOf(route)) && covers(route, destination))
    .filter((route) => leavesBy === undefined || !hasDevice(route) || route.ifindex === leavesBy)
    .sort(better)[0];
}

/** The tables that are one when a table of IPv4 is asked. */
const withTwin = (table: number): readonly number[] =>
  table === LOCAL || table === MAIN ? [LOCAL, MAIN] : [table];

export function findRoute4({ routes = [] }: Network, wanted: Wanted): Route | undefined {
  return bestOf(routes, withTwin(wanted.table ?? MAIN), wanted);
}

export function findRoute6({ routes = [] }: Network, wanted: Wanted): Route | undefined {
  const tables = wanted.table === undefined ? [LOCAL, MAIN] : [wanted.table];
  for (const table of tables) {
    const found = bestOf(routes, [table], wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a table exists: the first ones always do, others when they have routes. */
export const hasTable = ({ routes = [] }: Network, table: number, length: number): boolean =>
  table === LOCAL ||
  table === MAIN ||
  routes.some((route) => tableOf(route) === table && route.destination.length === length);

export function findNeighbour(network: Network, ifindex: number, address: Uint8Array): Neighbour | undefined {
  const isIt = (each: Neighbour): boolean =>
    each.ifindex === ifindex &&
    each.address.length === address.length &&
    each.address.every((byte, i) => byte === address[i]);
  return network.neighbours?.find(isIt);
}
