/**
 * A network namespace of one's own with the devices, routes and neighbours of an environment, so that the running kernel and the machine look up in the same
 * tables. It is this thread's namespace until it is left, and gone then.
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { call } from "../../src/oracle/linux/calls.ts";
import { errnoName } from "../../src/oracle/linux/errno.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Device, Network, Route } from "../../src/vm/environment/network.ts";

/** unshare and setns by Node's name of the architecture (asm/unistd.h). */
const NUMBERS: Readonly<Record<string, { readonly unshare: number; readonly setns: number }>> = {
  x64: { unshare: 272, setns: 308 },
  arm64: { unshare: 97, setns: 268 },
};
const CLONE_NEWNET = 0x4000_0000;

/** Does something in a new network namespace. @throws if this process may not have one, or there is no `ip` */
export function within<T>(network: Network, work: () => T): T {
  const numbers = NUMBERS[process.arch];
  if (numbers === undefined) throw new Error(`network namespaces on ${process.arch}`);
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    system("a network namespace of one's own", numbers.unshare, CLONE_NEWNET);
    try {
      setUp(network);
      return work();
    } finally {
      system("the way back from a network namespace", numbers.setns, home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
  }
}

function system(what: string, number: number, ...values: readonly number[]): void {
  const { errno } = call(THIS_MACHINE, number, values);
  if (errno !== 0) throw new Error(`${what}: ${errnoName(errno)}`);
}

function setUp(network: Network): void {
  // Devices bring no addresses and routes of their own.
  set([["net.ipv6.conf.default.addr_gen_mode", 1]]);
  ip(linkCommands(network));
  set(forwarding(network));
  ip(tableCommands(network));
}

function ip(commands: readonly string[]): void {
  execFileSync("ip", ["-batch", "-"], { input: commands.join("\n"), stdio: "pipe" });
}

function set(settings: readonly Setting[]): void {
  if (settings.length > 0)
    execFileSync("sysctl", ["-qw", ...settings.map(([name, value]) => `${name}=${value}`)], {
      stdio: "pipe",
    });
}

/** Why there cannot be a namespace with devices, in one line; nothing if there can be. */
export function ownNetworkProblem(): string | undefined {
  try {
    within({ devices: [TRIED] }, () => undefined);
    return undefined;
  } catch (error) {
    return `no network namespace: ${(error instanceof Error ? error.message : String(error)).split("\n")[0] ?? ""}`;
  }
}

const TRIED: Device = {
  ifindex: 10,
  name: "tried",
  mtu: 1500,
  address: Uint8Array.of(2, 0, 0, 0, 0, 1),
  forwards: { ipv4: true, ipv6: true },
};

type Setting = readonly [name: string, value: number];

function forwarding({ devices = [] }: Network): readonly Setting[] {
  return [
    ["net.ipv4.ip_forward", 1],
    ...devices.flatMap(({ name, forwards }): Setting[] => [
      [`net.ipv4.conf.${name}.forwarding`, forwards?.ipv4 === true ? 1 : 0],
      [`net.ipv6.conf.${name}.forwarding`, forwards?.ipv6 === true ? 1 : 0],
    ]),
  ];
}

const macText = (address: Uint8Array): string =>
  [...address].map((byte) => byte.toString(16).padStart(2, "0")).join(":");

function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const hex = Buffer.from(address).toString("hex");
  return (hex.match(/..../g) ?? []).join(":");
}

/** Pairs of devices: each but the loopback device has a peer, which is up as well, so that the link is. */
function linkCommands({ devices = [] }: Network): readonly string[] {
  const link = ({ name, ifindex, mtu, address, up = true }: Device): string[] => [
    `link add name ${name} index ${ifindex} type veth peer name ${name}peer`,
    `link set dev ${name} address ${macText(address)} mtu ${mtu}`,
    `link set dev ${name}peer mtu ${mtu} up`,
    ...(up ? [`link set dev ${name} up`] : []),
  ];
  return ["link set lo up", ...devices.filter(({ ifindex }) => ifindex !== 1).flatMap(link)];
}

function tableCommands({ devices = [], routes = [], neighbours = [] }: Network): readonly string[] {
  const nameOf = (ifindex: number): string => devices.find((each) => each.ifindex === ifindex)?.name ?? "lo";
  const route = (each: Route): string => {
    const { table = 254, destination, prefix, type = "unicast", metric = 0, ifindex, gateway, mtu } = each;
    const family = gateway?.length === 16 && destination.length === 4 ? "inet6 " : "";
    const via = gateway === undefined ? "" : ` via ${family}${addressText(gateway)}`;
    const device =
      ifindex === 0 ? "" : `${via} dev ${nameOf(ifindex)}${gateway === undefined ? "" : " onlink"}`;
    const limit = mtu === undefined ? "" : ` mtu lock ${mtu}`;
    const where = `${addressText(destination)}/${prefix}${device} table ${table} metric ${metric}${limit}`;
    return `route add ${type} ${where}`;
  };
  return [
    ...routes.map(route),
    ...neighbours.map(
      ({ ifindex, address, linkAddress }) =>
        `neigh add ${addressText(address)} lladdr ${macText(linkAddress)} dev ${nameOf(ifindex)} nud permanent`,
    ),
  ];
}
