/** Look-ups of sockets in the machine and in the running kernel, where the same sockets are open. */
import { fc } from "@fast-check/vitest";
import { call } from "../../src/oracle/linux/calls.ts";
import { errnoName } from "../../src/oracle/linux/errno.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Socket, SocketAddress } from "../../src/vm/environment/sockets.ts";
import { Pair } from "./pair.ts";

/** System calls by Node's name of the architecture (asm/unistd.h). */
const NUMBERS: Readonly<
  Record<string, { socket: number; bind: number; listen: number; connect: number; setsockopt: number }>
> = {
  x64: { socket: 41, bind: 49, listen: 50, connect: 42, setsockopt: 54 },
  arm64: { socket: 198, bind: 200, listen: 201, connect: 203, setsockopt: 208 },
};

const ip4 = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);
const ip6 = (last: number): Uint8Array => Uint8Array.of(...new Uint8Array(15), last);
const ANY4 = ip4(0, 0, 0, 0);
const HOME4 = ip4(127, 0, 0, 1);

/** What is open on the loopback device; the connected TCP sockets are the two ends of one connection. */
const SOCKETS: readonly Socket[] = [
  { protocol: "tcp", state: "listen", local: { address: HOME4, port: 8000 } },
  { protocol: "tcp", state: "listen", local: { address: ANY4, port: 8001 } },
  { protocol: "tcp", state: "listen", local: { address: ip6(1), port: 8000 } },
  { protocol: "tcp", state: "listen", local: { address: ip6(0), port: 8002 } },
  { protocol: "tcp", state: "listen", local: { address: ip6(0), port: 8003 }, ipv6Only: true },
  { protocol: "udp", state: "close", local: { address: HOME4, port: 9000 } },
  { protocol: "udp", state: "close", local: { address: ANY4, port: 9001 } },
  { protocol: "udp", state: "close", local: { address: ip4(127, 0, 0, 2), port: 9001 } },
  { protocol: "udp", state: "close", local: { address: ip6(1), port: 9000 } },
  { protocol: "udp", state: "close", local: { address: ip6(0), port: 9002 } },
  {
    protocol: "udp",
    state: "established",
    local: { address: HOME4, port: 9003 },
    remote: { address: HOME4, port: 9000 },
  },
  {
    protocol: "tcp",
    state: "established",
    local: { address: HOME4, port: 7000 },
    remote: { address: HOME4, port: 8000 },
  },
  // The end that the listening socket has made.
  {
    protocol: "tcp",
    state: "established",
    local: { address: HOME4, port: 8000 },
    remote: { address: HOME4, port: 7000 },
  },
];

const AF = { 4: 2, 16: 10 } as const;
const TYPE = { tcp: 1, udp: 2, other: 3 } as const;

function sockaddr({ address, port }: SocketAddress): Uint8Array {
  const bytes = new Uint8Array(address.length === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, address.length === 4 ? AF[4] : AF[16], true);
  view.setUint16(2, port);
  bytes.set(address, address.length === 4 ? 4 : 8);
  return bytes;
}

/** Opens the sockets in this thread's network namespace, does something, and closes them. */
export function withSockets<T>(work: () => T): T {
  const numbers = NUMBERS[process.arch];
  if (numbers === undefined) throw new Error(`sockets on ${process.arch}`);
  const open: number[] = [];
  const make = (name: keyof typeof numbers, ...values: readonly (number | Uint8Array)[]): number => {
    const given = values.map((value) =>
      typeof value === "number" ? value : ({ bytes: value, back: "nothing" } as const),
    );
    const { result, errno } = call(THIS_MACHINE, numbers[name], given);
    if (errno !== 0) throw new Error(`${name}: ${errnoName(errno)}`);
    return result;
  };
  const on = new Uint8Array(Uint32Array.of(1).buffer);
  try {
    for (const { protocol, state, local, remote, ipv6Only } of SOCKETS) {
      if (state === "established" && local.port === 8000) continue;
      const fd = make("socket", local.address.length === 4 ? AF[4] : AF[16], TYPE[protocol], 0);
      open.push(fd);
      make("setsockopt", fd, 1, 2, on, 4);
      if (ipv6Only === true) make("setsockopt", fd, 41, 26, on, 4);
      const address = sockaddr(local);
      make("bind", fd, address, address.length);
      if (state === "listen") make("listen", fd, 8);
      if (remote === undefined) continue;
      const other = sockaddr(remote);
      make("connect", fd, other, other.length);
    }
    return work();
  } finally {
    for (const fd of open) THIS_MACHINE.close(fd);
  }
}

/** A look-up: protocol, the tuple, the namespace and flags. */
export interface SocketLookup {
  readonly helper: "sk_lookup_tcp" | "sk_lookup_udp" | "skc_lookup_tcp";
  readonly tuple: Uint8Array;
  readonly namespace: bigint;
  readonly flags: number;
}

const address4 = fc.constantFrom(HOME4, HOME4, ip4(127, 0, 0, 2), ip4(10, 0, 0, 1));
const address6 = fc.constantFrom(ip6(1), ip6(1), ip6(2));
const port = fc.constantFrom(7000, 8000, 8001, 8002, 8003, 9000, 9001, 9002, 9003, 1);

const tupleOf = (address: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(address, address, port, port)
    .map(([from, to, source, target]) =>
      Uint8Array.of(...from, ...to, source >> 8, source & 0xff, target >> 8, target & 0xff),
    );

export const socketLookups: fc.Arbitrary<SocketLookup> = fc.record({
  helper: fc.constantFrom<SocketLookup["helper"]>("sk_lookup_tcp", "sk_lookup_udp", "skc_lookup_tcp"),
  tuple: fc.oneof(
    tupleOf(address4),
    tupleOf(address6),
    fc.constantFrom(new Uint8Array(8), new Uint8Array(13)),
  ),
  namespace: fc.constantFrom(-1n, -1n, -1n, -1n, 0xffffffffn, 0n, 5n, 1n << 32n),
  flags: fc.constantFrom(0, 0, 0, 0, 0, 1),
});

const OUT: MapDefinition = {
  name: "out",
  type: "array",
  keySize: 4,
  valueSize: 256,
  maxEntries: 1,
  flags: 0,
};

/** Fields that all sockets have, and those of full ones, which are copied to `out`. */
const COMMON = [0, 4, 24, 44, 48, 52, 72];
/** Of IPv6: Linux does not clear the memory of its IPv4 sockets, so there these are what an earlier one left. */
const IPV6 = [28, 32, 36, 40, 56, 60, 64, 68];
const FULL = [8, 12, 16, 20];

const copies = (register: string, offsets: readonly number[], at: number): string =>
  offsets.map((o) => `r2 = *(u32 *)(${register} +${o})\n*(u32 *)(r9 +${at + o}) = r2\n`).join("");

/** What the socket in r7 is; XDP programs may not ask. */
const QUESTIONS = `r1 = r7
call bpf_sk_fullsock
if r0 == 0 goto release
*(u64 *)(r9 +240) = 1
${copies("r0", FULL, 0)}r1 = r7
call bpf_tcp_sock
if r0 == 0 goto listener
*(u64 *)(r9 +232) = 1
listener:
r1 = r7
call bpf_get_listener_sock
if r0 == 0 goto release
*(u64 *)(r9 +224) = 1
release:
`;

function programOf(type: ProgramType, { helper, tuple, namespace, flags }: SocketLookup): Program {
  const bytes = new Uint8Array(40);
  bytes.set(tuple);
  const view = new DataView(bytes.buffer);
  const stores = [0, 8, 16, 24, 32].map(
    (at) => `r2 = 0x${view.getBigUint64(at, true).toString(16)} ll\n*(u64 *)(r10 ${at - 40}) = r2\n`,
  );
  const asm = `r6 = r1
r9 = map_value[out]+0
${stores.join("")}r1 = r6
r2 = r10
r2 += -40
r3 = ${tuple.length}
r4 = ${namespace} ll
r5 = ${flags}
call bpf_${helper}
if r0 == 0 goto none
r7 = r0
*(u64 *)(r9 +248) = 1
${copies("r7", tuple.length === 36 ? [...COMMON, ...IPV6] : COMMON, 0)}${type === "xdp" ? "" : QUESTIONS}r1 = r7
call bpf_sk_release
none:
r0 = 0
exit`;
  const maps = [OUT];
  const insns = assemble(asm, { maps });
  return { name: "sockets", type, license: "GPL", flags: [], insns, maps, lines: [], functions: [] };
}

/** What the machine and the kernel disagree about; nothing if they agree. The sockets have to be open. */
export function compareSocketLookup(lookup: SocketLookup): string | undefined {
  const packet = new Uint8Array(64);
  for (const type of ["sched_cls", "xdp"] as const) {
    const pair = new Pair([programOf(type, lookup)], { uninitialisedStack: "fault" });
    try {
      const { machine, kernel } = pair.run(0, { packet, network: { sockets: SOCKETS } });
      const contents = pair.contents();
      const own = JSON.stringify([machine.retval, contents.machine]);
      const expected = JSON.stringify([kernel.retval, contents.kernel]);
      if (own !== expected) return `${type}: ${own}, the kernel\n${expected}`;
    } finally {
      pair.close();
    }
  }
  return undefined;
}
