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
import type { Environment } from "../../src/vm/environment.ts";
import { type HelperCall, SOCKET_BUFFER_CALLS, XDP_CALLS } from "./helper-arguments.ts";
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

function programOf(type: ProgramType, calls: readonly HelperCall[], maps: readonly MapDefinition[]): Program {
  const body = calls.map(({ asm }, i) => `r1 = r6\n${asm}\n${recorded(type, i)}`).join("");
  const asm = `r6 = r1\nr9 = map_value[out]+0\n${STACK}${body}${RETURNS[type] ?? "r0 = 0"}\nexit`;
  const all = [OUT, ...maps];
  return {
    name: "calls",
    type,
    license: "GPL",
    flags: [],
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

const socketBufferEnvironment: fc.Arbitrary<Environment> = fc
  .record({
    packet,
    context: fc.constantFrom(undefined, undefined, skBuff({ 8: 7, 32: 9 }), skBuff({ 164: 3, 176: 500 })),
  })
  .map(({ packet, context }) => (context === undefined ? { packet } : { packet, context }));

const TYPES: readonly ProgramType[] = [
  "sched_cls",
  "sched_cls",
  "sched_cls",
  "sched_act",
  "lwt_xmit",
  "cgroup_skb",
  "xdp",
  "xdp",
];

/** Helpers by program type: a type's arbitraries are those that it may call. */
function callsOf(type: ProgramType): fc.Arbitrary<HelperCall> {
  const all = type === "xdp" ? XDP_CALLS : SOCKET_BUFFER_CALLS;
  const allowed = all.filter(({ types }) => types === undefined || types.includes(type));
  return fc.oneof(...allowed.map(({ call }) => call));
}

export const calls: fc.Arbitrary<Calls> = fc.constantFrom(...TYPES).chain((type) =>
  fc
    .record({
      list: fc.array(callsOf(type), { minLength: 1, maxLength: MAX_CALLS }),
      environments: fc.array(type === "xdp" ? xdpEnvironment : socketBufferEnvironment, {
        minLength: 2,
        maxLength: 3,
      }),
    })
    .map(({ list, environments }) => ({
      program: programOf(
        type,
        list,
        list
          .flatMap(({ maps = [] }) => maps)
          .filter((map, i, array) => array.findIndex(({ name }) => name === map.name) === i),
      ),
      helpers: list.map(({ helper }) => helper),
      asm: list.map(({ asm }) => asm.replaceAll("\n", "; ")).join("\n"),
      environments,
    })),
);
