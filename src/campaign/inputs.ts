/**
 * Inputs for runs: packets that look like what programs look for, contexts, and map contents. All by fast-check from a seed, so that
 * a run can be repeated.
 *
 * Constants that the program compares with are put into the packets, and pieces of the packets into the maps as keys: otherwise hardly
 * any run would get past a program's first checks.
 */
import fc from "fast-check";
import type { Program } from "../semantics/program/program.ts";
import { runnableContext } from "../vm/input.ts";
import { generator, type Random } from "./random.ts";

/** What one run is given. */
export interface RunInput {
  readonly packet: Uint8Array;
  readonly context: Uint8Array;
  /** For the map contents, the clock and the machine's own random numbers. */
  readonly seed: number;
}

/** Where the bytes that programs look at are. */
const HEADERS = 80;

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
    ...u16(from),
    ...u16(to),
    // Sequence and acknowledgement number, window, checksum, urgent pointer; then a maximum segment size.
    ...[0, 0, 0, 1, 0, 0, 0, 2].concat(words << 4, flags, 255, 255, 0, 0, 0, 0, 2, 4, 5, 180),
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
    0x40 | words,
    0,
    ...u16(words * 4 + data.length),
    0,
    7,
    ...u16(fragment),
    ttl,
    protocol,
    0,
    0,
    ...from,
    ...to,
    ...Array.from({ length: Math.max(0, words - 5) * 4 }, () => 1),
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
/** Most frames carry no VLAN tag. */
const tags = fc.oneof(
  { weight: 6, arbitrary: fc.constant<[number, number][]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.constantFrom(0x8100, 0x88a8), fc.nat(4095)), {
      minLength: 1,
      maxLength: 3,
    }),
  },
);
const frame = fc
  .tuple(tags, network)
  .map(([list, data]) => [...macs, ...list.flatMap(([type, tag]) => [...u16(type), ...u16(tag)]), ...data]);

/** The constants that a program compares with, in both byte orders, as pieces to put into packets. */
function dictionaryOf({ insns }: Program): readonly (readonly number[])[] {
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
function packets(dictionary: readonly (readonly number[])[]): fc.Arbitrary<Uint8Array> {
  const piece =
    dictionary.length === 0 ? fc.constant<readonly number[]>([0]) : fc.constantFrom(...dictionary);
  const patches = fc.oneof(
    { weight: 3, arbitrary: fc.constant<[number, readonly number[]][]>([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(HEADERS), piece), { minLength: 1, maxLength: 3 }) },
  );
  const cut = fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.nat(HEADERS) },
  );
  return fc.tuple(frame, cut, patches).map(([data, cut, patch]) => {
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

/**
 * Programs below the link layer are run on what follows an Ethernet header, but on a socket many see whole frames: half of theirs are
 * frames inside a frame of an experimental type (IEEE 802: 0x88b5).
 */
function wrapped(frames: fc.Arbitrary<Uint8Array>, { type }: Program): fc.Arbitrary<Uint8Array> {
  if (type !== "socket_filter") return frames;
  const outer = [...macs, 0x88, 0xb5];
  return fc
    .tuple(frames, fc.boolean())
    .map(([bytes, inside]) => (inside ? Uint8Array.from([...outer, ...bytes]) : bytes));
}

/** How much of a tracing context is made up; what a tracepoint's record holds beyond is zero. */
const MOST_CONTEXT = 256;

function changed(bytes: Uint8Array, dictionary: readonly (readonly number[])[], random: Random): Uint8Array {
  const result = [...bytes];
  const at = random.below(Math.min(result.length, HEADERS));
  switch (random.below(5)) {
    case 0:
      result[at] = random.below(256);
      break;
    case 1:
      result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
      break;
    case 2:
      result.push(...Array.from({ length: random.below(64) }, () => random.below(4)));
      break;
    case 3:
      result.length = Math.max(ETHERNET, result.length - random.below(result.length));
      break;
    default:
      dictionary[random.below(dictionary.length)]?.forEach((value, i) => {
        if (at + i < result.length) result[at + i] = value;
      });
  }
  return Uint8Array.from(result);
}

const ETHERNET = 14;

/** An endless supply of inputs for a program, from a seed. What leads somewhere new is to be told to `keep`: others are made from it. */
export interface InputSource {
  readonly next: () => RunInput;
  readonly keep: (input: RunInput) => void;
}

/** Fresh inputs are drawn in lots: the first is small, since many programs are run a few times only. */
const FIRST_LOT = 8;
const LOT = 64;

export function inputSource(
  program: Program,
  seed: number,
  samples: readonly Uint8Array[] = [],
): InputSource {
  const layout = runnableContext(program);
  const onPackets = layout !== undefined && (layout.struct === "xdp_md" || layout.struct === "__sk_buff");
  const dictionary = dictionaryOf(program);
  const packet = onPackets ? wrapped(packets(dictionary), program) : fc.constant(new Uint8Array(0));
  const context = onPackets
    ? fc.constant(new Uint8Array(0))
    : contexts(Math.min(layout?.size ?? 0, MOST_CONTEXT));
  const input = fc.record({ packet, context, seed: fc.nat(0x7fffffff) });
  const random = generator(seed);
  const kept: RunInput[] = [];
  let fresh: RunInput[] = samples.map((bytes) => ({ packet: bytes, context: new Uint8Array(0), seed }));
  let lots = 0;
  const draw = (): RunInput => {
    if (fresh.length === 0) {
      fresh = fc.sample(input, { seed: seed + lots, numRuns: lots === 0 ? FIRST_LOT : LOT }).toReversed();
      lots += 1;
    }
    const drawn = fresh.pop();
    if (drawn === undefined) throw new Error("fast-check gave no sample");
    return drawn;
  };
  const vary = (from: RunInput): RunInput => {
    let bytes = onPackets ? from.packet : from.context;
    for (let i = random.below(3); i >= 0; i -= 1) bytes = changed(bytes, dictionary, random);
    const varied = random.below(2) === 0 ? from.seed : random.below(0x7fffffff);
    return onPackets ? { ...from, packet: bytes, seed: varied } : { ...from, context: bytes, seed: varied };
  };
  return {
    next() {
      const from = random.below(5) < 3 ? kept[random.below(kept.length)] : undefined;
      return from === undefined ? draw() : vary(from);
    },
    keep(found) {
      kept.push(found);
    },
  };
}
