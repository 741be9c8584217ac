/** Look-ups of routes in the machine and in the running kernel, in a network of its own that both have. */
import { fc } from "@fast-check/vitest";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Device, Neighbour, Network, Route } from "../../src/vm/environment/network.ts";
import { Pair } from "./pair.ts";

const device = (ifindex: number, name: string, mtu: number, ipv4: boolean, ipv6: boolean): Device => ({
  ifindex,
  name,
  mtu,
  address: Uint8Array.of(2, 0, 0, 0, 0, ifindex),
  forwards: { ipv4, ipv6 },
});

const DEVICES: readonly Device[] = [
  { ifindex: 1, name: "lo", mtu: 65_536, address: new Uint8Array(6), forwards: { ipv4: false, ipv6: false } },
  device(10, "va", 1500, true, true),
  device(20, "vb", 1300, true, false),
  device(30, "vc", 1400, false, true),
];

/** Addresses that differ in few bits, so that prefixes of several lengths cover them. */
const address4 = fc
  .tuple(
    fc.constantFrom(10, 10, 11),
    fc.constantFrom(0, 1, 128),
    fc.constantFrom(0, 1),
    fc.constantFrom(1, 2, 130),
  )
  .map((bytes) => Uint8Array.from(bytes));
const address6 = fc
  .tuple(fc.constantFrom(0, 1, 0x80), fc.constantFrom(0, 1), fc.constantFrom(1, 2, 0x81))
  .map(([a, b, c]) => Uint8Array.of(0xfd, 0, a, 0, 0, 0, 0, b, 0, 0, 0, 0, 0, 0, 0, c));

/** Where nothing else leads to. */
const gateway4 = fc.constantFrom(1, 2).map((last) => Uint8Array.of(172, 16, 0, last));
const gateway6 = fc.constantFrom(1, 2).map((last) => Uint8Array.of(0xfc, 0x99, ...new Uint8Array(13), last));

function cut(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))));
}

const REFUSING = ["blackhole", "unreachable", "prohibit", "throw"] as const;
const TABLES = [254, 254, 254, 255, 77];

interface Family {
  readonly address: fc.Arbitrary<Uint8Array>;
  readonly gateway: fc.Arbitrary<Uint8Array>;
  readonly prefixes: readonly number[];
  readonly devices: readonly number[];
}

const IPV4: Family = {
  address: address4,
  gateway: fc.oneof(gateway4, gateway4, gateway6),
  prefixes: [0, 8, 16, 17, 24, 25, 32],
  devices: [10, 20, 30],
};
/** The device with the number 20 has none of it. */
const IPV6: Family = {
  address: address6,
  gateway: gateway6,
  prefixes: [8, 16, 17, 64, 65, 128],
  devices: [10, 30],
};

function route({ address, gateway, prefixes, devices }: Family): fc.Arbitrary<Route> {
  return fc
    .record({
      address,
      prefix: fc.constantFrom(...prefixes),
      table: fc.constantFrom(...TABLES),
      metric: fc.integer({ min: 1, max: 1000 }),
      type: fc.constantFrom<Route["type"]>("unicast", "unicast", "unicast", "unicast", ...REFUSING),
      ifindex: fc.constantFrom(...devices),
      gateway: fc.option(gateway, { nil: undefined }),
      mtu: fc.constantFrom(undefined, undefined, 1280, 1290),
    })
    .map(({ address, prefix: length, type = "unicast", ifindex, gateway, mtu, ...rest }) => {
      const isRefusing = type !== "unicast";
      // A gateway must not be one that is refused.
      const prefix = isRefusing ? Math.max(length, 8) : length;
      return {
        ...rest,
        destination: cut(address, prefix),
        prefix,
        type,
        ifindex: isRefusing ? 0 : ifindex,
        ...(isRefusing || gateway === undefined || (gateway.length === 16 && !IPV6.devices.includes(ifindex))
          ? {}
          : { gateway }),
        ...(isRefusing || mtu === undefined ? {} : { mtu }),
      };
    });
}

const neighbour: fc.Arbitrary<Neighbour> = fc
  .record({
    ifindex: fc.constantFrom(10, 20, 30),
    address: fc.oneof(address4, address6, gateway4, gateway6, gateway4, gateway6),
    last: fc.nat(255),
  })
  .map(({ ifindex, address, last }) => ({
    // Where there is no IPv6, there are no neighbours of it.
    ifindex: address.length === 16 && ifindex === 20 ? 10 : ifindex,
    address,
    linkAddress: Uint8Array.of(2, 9, 9, 9, 9, last),
  }));

const keyOf = ({ destination, prefix, table, metric }: Route): string =>
  [destination, prefix, table, metric].join();
const placeOf = ({ destination, prefix, table }: Route): string => [destination, prefix, table].join();

/** Networks with a few routes of each family; no two differ in the device alone, of which Linux would make one. */
export const networks: fc.Arbitrary<Network> = fc.record({
  devices: fc.constant(DEVICES),
  routes: fc
    .tuple(
      fc.uniqueArray(route(IPV4), { selector: keyOf, maxLength: 12 }),
      fc.uniqueArray(route(IPV6), { selector: placeOf, maxLength: 10 }),
    )
    .map((both) => both.flat()),
  neighbours: fc.uniqueArray(neighbour, {
    selector: ({ ifindex, address }) => [ifindex, address].join(),
    maxLength: 20,
  }),
});

/** The parameters of a look-up, and its flags behind them. */
const PARAMS_SIZE = 64;

export const lookups: fc.Arbitrary<Uint8Array> = fc
  .record({
    family: fc.constantFrom(2, 2, 10, 10, 2, 10, 3),
    source: address6,
    destination4: address4,
    destination6: fc.oneof(
      { arbitrary: address6, weight: 9 },
      {
        arbitrary: fc
          .constantFrom(0xff, 0xfe)
          .map((first) => Uint8Array.of(first, 0x80, ...new Uint8Array(13), 1)),
        weight: 1,
      },
    ),
    length: fc.constantFrom(0, 0, 100, 1280, 1281, 1290, 1291, 1300, 1301, 1500, 1501, 9000),
    ifindex: fc.constantFrom(10, 10, 10, 10, 20, 30, 1, 99),
    table: fc.constantFrom(254, 255, 77, 78),
    flags: fc.constantFrom(0, 0, 1, 2, 3, 4, 5, 6, 9, 9, 13, 8, 0x40, 0x20),
  })
  .map(({ family, source, destination4, destination6, length, ifindex, table, flags }) => {
    const bytes = new Uint8Array(PARAMS_SIZE + 16);
    const view = new DataView(bytes.buffer);
    bytes[0] = family;
    view.setUint16(6, length, true);
    view.setUint32(8, ifindex, true);
    bytes.set(family === 2 ? Uint8Array.of(10, 9, 9, 9) : source, 16);
    bytes.set(family === 2 ? destination4 : destination6, 32);
    if ((flags & 8) !== 0) view.setUint32(48, table, true);
    view.setUint32(PARAMS_SIZE, flags, true);
    return bytes;
  });

const PARAMS: MapDefinition = {
  name: "params",
  type: "array",
  keySize: 4,
  valueSize: PARAMS_SIZE + 16,
  maxEntries: 1,
  flags: 0,
};

const ASM = `r9 = map_value[params]+0
r2 = r9
r3 = ${PARAMS_SIZE}
r4 = *(u32 *)(r9 +${PARAMS_SIZE})
call bpf_fib_lookup
*(u64 *)(r9 +${PARAMS_SIZE + 8}) = r0
r0 = 0
exit`;

function program(type: ProgramType): Program {
  const maps = [PARAMS];
  return {
    name: "fib",
    type,
    license: "GPL",
    flags: [],
    insns: assemble(ASM, { maps }),
    maps,
    lines: [],
    functions: [],
  };
}

/** What the machine and the kernel disagree about; nothing if they agree. The thread has to be in a network namespace like the network (`own-network.ts`). */
export function compareLookups(network: Network, list: readonly Uint8Array[]): string | undefined {
  const pair = new Pair([program("xdp"), program("sched_cls")]);
  const packet = new Uint8Array(1340);
  try {
    for (const params of list) {
      for (const index of [0, 1]) {
        pair.update("params", new Uint8Array(4), params);
        const { machine, kernel } = pair.run(index, { packet, network });
        const contents = pair.contents();
        const own = JSON.stringify([machine.retval, contents.machine]);
        const expected = JSON.stringify([kernel.retval, contents.kernel]);
        if (own === expected) continue;
        return `${Buffer.from(params).toString("hex")} by program ${index}:\n${own}, the kernel\n${expected}`;
      }
    }
    return undefined;
  } finally {
    pair.close();
  }
}
