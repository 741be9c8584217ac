/**
 * Programs that call helpers on packets one after the other, drawn by chance: arguments near the borders of what is allowed, packets of several
 * protocols. After each call a program writes down the result and the context's fields. So equal maps, packets and contexts mean that the machine's
 * helper did what the kernel's does.
 */
import { fc } from "@fast-check/vitest";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Device, Network } from "../../src/vm/environment/network.ts";
import type { Environment } from "../../src/vm/environment.ts";
import {
  type CallKind,
  CLONE_CALLS,
  type HelperCall,
  SOCKET_BUFFER_CALLS,
  XDP_CALLS,
} from "./helper-arguments.ts";
import { PACKETS } from "./packets.ts";

/** A program with the calls that it makes, and what it is run on. */
export interface Calls {
  readonly program: Program;
  /** Names of helpers, in order. */
  readonly helpers: readonly string[];
  /** The calls as assembly. */
  readonly asm: string;
  readonly environments: readonly Environment[];
}

/** Bytes of `out` that each call writes; the second half of the map is for what helpers write. */
export const RECORD = 64;
const MAX_CALLS = 4;
const OUTPUTS = RECORD * MAX_CALLS;

const OUT: MapDefinition = {
  name: "out",
  type: "array",
  keySize: 4,
  valueSize: OUTPUTS + 256,
  maxEntries: 1,
  flags: 0,
};

/** What a socket buffer's context says after a call: length, type, protocol, VLAN tag, hash, segments. */
const SOCKET_BUFFER_FIELDS = [0, 4, 16, 20, 24, 28, 68, 164];
/** Those that classifiers alone may read. */
const CLASSIFIER_FIELDS = [176];

function recorded(type: ProgramType, index: number): string {
  const at = index * RECORD;
  const result = `*(u64 *)(r9 +${at}) = r0\n`;
  if (type === "xdp") return `${result}${xdpBounds(at + 8)}`;
  const fields = [...SOCKET_BUFFER_FIELDS, ...(type.startsWith("sched") ? CLASSIFIER_FIELDS : [])];
  return (
    result +
    fields.map((field, i) => `r2 = *(u32 *)(r6 +${field})\n*(u32 *)(r9 +${at + 8 + 4 * i}) = r2\n`).join("")
  );
}

/** How many bytes the packet and its metadata have. */
const xdpBounds = (at: number): string =>
  `r2 = *(u32 *)(r6 +0)\nr3 = *(u32 *)(r6 +4)\nr4 = *(u32 *)(r6 +8)\nr3 -= r2\n*(u64 *)(r9 +${at}) = r3\nr2 -= r4\n*(u64 *)(r9 +${at + 8}) = r2\n`;

/** Bytes on the stack for helpers to read: r10-64 and on. */
const STACK = Array.from(
  { length: 8 },
  (_, i) =>
    `r2 = 0x${(0x0102030405060708n * BigInt(i + 1)).toString(16)} ll\n*(u64 *)(r10 ${-64 + 8 * i}) = r2\n`,
).join("");

const RETURNS: Readonly<Partial<Record<ProgramType, string>>> = { xdp: "r0 = 2", cgroup_skb: "r0 = 1" };

function programOf(
  type: ProgramType,
  flags: Program["flags"],
  calls: readonly HelperCall[],
  maps: readonly MapDefinition[],
): Program {
  const body = calls.map(({ asm }, i) => `r1 = r6\n${asm}\n${recorded(type, i)}`).join("");
  const asm = `r6 = r1\nr9 = map_value[out]+0\n${STACK}${body}${RETURNS[type] ?? "r0 = 0"}\nexit`;
  const all = [OUT, ...maps];
  return {
    name: "calls",
    type,
    license: "GPL",
    flags,
    insns: assemble(asm, { maps: all }),
    maps: all,
    lines: [],
    functions: [],
  };
}

/** Packets that a test run takes: those with a network header have all of it. */
const packet = fc
  .constantFrom(...PACKETS.filter(({ bytes }) => bytes.length <= 200))
  .map(({ bytes }) => bytes);

const xdpContext = (metadata: number, length: number): Uint8Array =>
  new Uint8Array(Uint32Array.of(metadata, length, 0, 0, 0, 0).buffer);

function skBuff(fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(192);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(fields)) view.setUint32(Number(offset), value, true);
  return bytes;
}

const xdpEnvironment: fc.Arbitrary<Environment> = fc
  .record({ packet, metadata: fc.constantFrom(0, 0, 4, 8, 32) })
  .map(({ packet, metadata }) =>
    metadata === 0 || metadata > packet.length - 14
      ? { packet }
      : { packet, context: xdpContext(metadata, packet.length) },
  );

/** Packets whose end lies in further buffers, of which the context may say where they begin. */
const piecesEnvironment: fc.Arbitrary<Environment> = fc
  .record({
    length: fc.constantFrom(100, 500, 3521, 4000, 7616, 7617, 9000),
    first: fc.constantFrom(undefined, undefined, 14, 40, 90, 1000),
    metadata: fc.constantFrom(0, 0, 8),
  })
  .map(({ length, first, metadata }) => {
    const packet = Uint8Array.from({ length }, (_, i) => (7 * i + (i >> 8)) & 0xff);
    if (first === undefined || first > length) return { packet };
    return { packet, context: xdpContext(metadata, first) };
  });

const socketBufferEnvironment: fc.Arbitrary<Environment> = fc
  .record({
    packet,
    context: fc.constantFrom(undefined, undefined, skBuff({ 8: 7, 32: 9 }), skBuff({ 164: 3, 176: 500 })),
  })
  .map(({ packet, context }) => (context === undefined ? { packet } : { packet, context }));

/** A kind of program, with what it runs on. */
interface Kind {
  readonly type: ProgramType;
  readonly flags: Program["flags"];
  readonly environment: fc.Arbitrary<Environment>;
}

const onSocketBuffers = (type: ProgramType): Kind => ({
  type,
  flags: [],
  environment: socketBufferEnvironment,
});

const KINDS: readonly Kind[] = [
  onSocketBuffers("sched_cls"),
  onSocketBuffers("sched_cls"),
  onSocketBuffers("sched_cls"),
  onSocketBuffers("sched_act"),
  onSocketBuffers("lwt_xmit"),
  onSocketBuffers("cgroup_skb"),
  { type: "xdp", flags: [], environment: xdpEnvironment },
  { type: "xdp", flags: ["xdp_has_frags"], environment: piecesEnvironment },
];

/** Helpers by program type: a type's arbitraries are those that it may call. */
function callsOf(type: ProgramType, all: readonly CallKind[]): fc.Arbitrary<HelperCall> {
  const allowed = all.filter(({ types }) => types === undefined || types.includes(type));
  return fc.oneof(...allowed.map(({ call }) => call));
}

function callsOfKind({ type, flags, environment }: Kind, kinds: readonly CallKind[]): fc.Arbitrary<Calls> {
  return fc
    .record({
      list: fc.array(callsOf(type, kinds), { minLength: 1, maxLength: MAX_CALLS }),
      environments: fc.array(environment, { minLength: 2, maxLength: 3 }),
    })
    .map(({ list, environments }) => ({
      program: programOf(type, flags, list, mapsOf(list)),
      helpers: list.map(({ helper }) => helper),
      asm: list.map(({ asm }) => asm.replaceAll("\n", "; ")).join("\n"),
      environments,
    }));
}

export const calls: fc.Arbitrary<Calls> = fc
  .constantFrom(...KINDS)
  .chain((kind) => callsOfKind(kind, kind.type === "xdp" ? XDP_CALLS : SOCKET_BUFFER_CALLS));

const device = (ifindex: number, name: string, up: boolean): Device => ({
  ifindex,
  name,
  mtu: 1500,
  address: Uint8Array.of(2, 0, 0, 0, 0, ifindex),
  forwards: { ipv4: false, ipv6: false },
  up,
});

/** What clones are sent into, which the kernel really does: so both have it, and nobody else. */
export const NETWORK: Network = {
  devices: [
    { ...device(1, "lo", true), mtu: 65_536, address: new Uint8Array(6) },
    device(10, "va", true),
    device(40, "vd", false),
  ],
};

/** Programs that send clones of their packets, in `NETWORK`. */
export const cloning: fc.Arbitrary<Calls> = fc
  .constantFrom(onSocketBuffers("sched_cls"), onSocketBuffers("lwt_xmit"))
  .map((kind) => ({ ...kind, environment: kind.environment.map((rest) => ({ ...rest, network: NETWORK })) }))
  .chain((kind) => callsOfKind(kind, CLONE_CALLS));

/** Each map once. */
function mapsOf(list: readonly HelperCall[]): readonly MapDefinition[] {
  return [...new Map(list.flatMap(({ maps = [] }) => maps).map((map) => [map.name, map])).values()];
}
