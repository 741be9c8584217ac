/**
 * Inputs for runs: packets that look like what programs look for, contexts, and map contents. All by fast-check from a seed, so that
 * a run can be repeated.
 *
 * Constants that the program compares with are put into the packets, and pieces of the packets into the maps as keys: otherwise hardly
 * any run would get past a program's first checks.
 */
import fc from "fast-check";
import { contextOf } from "../semantics/program/contexts.ts";
import type { Program } from "../semantics/program/program.ts";

/** What one run is given. */
export interface RunInput {
  readonly packet: Uint8Array;
  readonly context: Uint8Array;
  /** For the map contents, the clock and the machine's own random numbers. */
  readonly seed: number;
}

const byte = fc.integer({ min: 0, max: 255 });
/** Few different addresses and ports, so that packets meet each other in maps. */
const address4 = fc.tuple(
  fc.constantFrom(10, 192, 127, 224),
  fc.constant(0),
  fc.constant(0),
  fc.integer({ min: 0, max: 3 }),
);
const port = fc.oneof(fc.constantFrom(22, 53, 80, 443, 8080), fc.integer({ min: 0, max: 65535 }));
const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];

const udp = fc
  .tuple(port, port, fc.array(byte, { maxLength: 40 }))
  .map(([from, to, data]) => [...u16(from), ...u16(to), ...u16(data.length + 8), 0, 0, ...data]);

const tcp = fc
  .tuple(port, port, fc.integer({ min: 5, max: 15 }), byte, fc.array(byte, { maxLength: 60 }))
  .map(([from, to, words, flags, data]) => [
    ...[...u16(from), ...u16(to), 0, 0, 0, 1, 0, 0, 0, 2],
    ...[words << 4, flags, 255, 255, 0, 0, 0, 0, 2, 4, 5, 180],
    ...data,
  ]);

const icmp = fc
  .tuple(fc.constantFrom(0, 3, 8, 11), byte, fc.array(byte, { maxLength: 32 }))
  .map(([type, code, data]) => [type, code, 0, 0, ...data]);

const transport = fc.oneof(
  udp.map((data) => ({ protocol: 17, data })),
  tcp.map((data) => ({ protocol: 6, data })),
  icmp.map((data) => ({ protocol: 1, data })),
  fc.tuple(byte, fc.array(byte, { maxLength: 20 })).map(([protocol, data]) => ({ protocol, data })),
);

const ipv4 = fc
  .tuple(
    transport,
    address4,
    address4,
    fc.constantFrom(5, 5, 5, 6, 15, 4),
    fc.constantFrom(0, 0, 0x2000, 0x4000, 1),
    byte,
  )
  .map(([{ protocol, data }, from, to, words, fragment, ttl]) => [
    ...[0x40 | words, 0, ...u16(words * 4 + data.length), 0, 7, ...u16(fragment)],
    ...[ttl, protocol, 0, 0, ...from, ...to, ...Array.from({ length: Math.max(0, words - 5) * 4 }, () => 1)],
    ...data,
  ]);

const ipv6 = fc
  .tuple(transport, fc.array(fc.constantFrom(0, 43, 44, 60), { maxLength: 3 }), byte)
  .map(([{ protocol, data }, extensions, hops]) => {
    const next = [...extensions, protocol];
    const headers = extensions.flatMap((_, i) => [next[i + 1] ?? protocol, 0, 0, 0, 0, 0, 0, 0]);
    const addresses = [
      0xfe,
      0x80,
      ...Array.from({ length: 13 }, () => 0),
      1,
      0xfe,
      0x80,
      ...Array.from({ length: 13 }, () => 0),
      2,
    ];
    return [
      0x60,
      0,
      0,
      0,
      ...u16(headers.length + data.length),
      next[0] ?? protocol,
      hops,
      ...addresses,
      ...headers,
      ...data,
    ];
  });

const macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const network = fc.oneof(
  { weight: 4, arbitrary: ipv4.map((data) => [0x08, 0x00, ...data]) },
  { weight: 2, arbitrary: ipv6.map((data) => [0x86, 0xdd, ...data]) },
  { weight: 1, arbitrary: fc.array(byte, { maxLength: 30 }).map((data) => [0x08, 0x06, ...data]) },
  { weight: 1, arbitrary: fc.array(byte, { minLength: 2, maxLength: 60 }) },
);
const frame = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(0x8100, 0x88a8), fc.integer({ min: 0, max: 4095 })), { maxLength: 2 }),
    network,
  )
  .map(([tags, data]) => [...macs, ...tags.flatMap(([type, tag]) => [...u16(type), ...u16(tag)]), ...data]);

/** The constants that a program compares with, in both byte orders, as pieces to put into packets. */
export function dictionaryOf({ insns }: Program): readonly (readonly number[])[] {
  const pieces = new Map<string, number[]>();
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "jump" || operation.operand !== "imm") continue;
    for (const value of [insn.imm, insn.imm + 1, insn.imm - 1]) {
      const size = value >>> 0 < 256 ? 1 : value >>> 0 < 65536 ? 2 : 4;
      const little = Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 255);
      for (const piece of [little, little.toReversed()]) pieces.set(piece.join(), piece);
    }
  }
  return [...pieces.values()];
}

/** Arbitrary frames of 14 bytes and more: well-formed ones, cut ones, and ones with pieces of the dictionary in them. */
export function packets(dictionary: readonly (readonly number[])[]): fc.Arbitrary<Uint8Array> {
  const piece =
    dictionary.length === 0 ? fc.constant<readonly number[]>([0]) : fc.constantFrom(...dictionary);
  const patches = fc.array(fc.tuple(fc.nat(80), piece), { maxLength: 3 });
  return fc
    .tuple(frame, fc.option(fc.nat(80), { freq: 4 }), fc.oneof(fc.constant([]), patches))
    .map(([data, cut, patch]) => {
      const bytes = cut === null ? [...data] : data.slice(0, Math.max(14, cut));
      while (bytes.length < 14) bytes.push(0);
      for (const [at, values] of patch) {
        values.forEach((value, i) => {
          if (at + i < bytes.length) bytes[at + i] = value;
        });
      }
      return Uint8Array.from(bytes);
    });
}

/** Tracing contexts: 64-bit words, small numbers and addresses among them. */
function contexts(size: number): fc.Arbitrary<Uint8Array> {
  const word = fc.oneof(
    fc.nat(64).map(BigInt),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.nat(0xffffff).map((x) => 0xffff888000000000n + BigInt(x)),
  );
  const count = Math.ceil(size / 8);
  return fc
    .array(word, { minLength: count, maxLength: count })
    .map((words) => new Uint8Array(BigUint64Array.from(words).buffer, 0, size));
}

/** How much of a tracing context is made up; what a tracepoint's record holds beyond is zero. */
const MOST_CONTEXT = 256;

/** `count` inputs for a program, from a seed. */
export function inputsFor(program: Program, seed: number, count: number): readonly RunInput[] {
  const layout = contextOf(program.type, program.attach);
  const onPackets = layout !== undefined && (layout.struct === "xdp_md" || layout.struct === "__sk_buff");
  const packet = onPackets ? packets(dictionaryOf(program)) : fc.constant(new Uint8Array(0));
  const context = onPackets
    ? fc.constant(new Uint8Array(0))
    : contexts(Math.min(layout?.size ?? 0, MOST_CONTEXT));
  const input = fc.record({ packet, context, seed: fc.nat(0x7fffffff) });
  return fc.sample(input, { seed, numRuns: count });
}
