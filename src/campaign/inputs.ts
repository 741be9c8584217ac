/**
 * Inputs for runs: packets that look like what programs look for, contexts, and the seed of everything else. All drawn from a seed, so that a run can be repeated.
 *
 * Constants that the program compares with are put into the packets, and pieces of the packets into the maps as keys: otherwise hardly
 * any run would get past a program's first checks.
 */
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { SHOWS_BYTES } from "../vm/contexts/socket-hook.ts";
import { runnableContext } from "../vm/input.ts";
import { drawFrame } from "./frames.ts";
import { type KernelContext, kernelContext, withPointers } from "./kernel-world.ts";
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
const ETHERNET = 14;
const MOST_SEED = 0x7fffffff;
/** Which of the inputs that are drawn is nothing but an Ethernet header. */
const SHORTEST = 2;
const NOTHING = new Uint8Array(0);

type Pieces = readonly (readonly number[])[];

/** The constants that a program compares with, in both byte orders, as pieces to put into packets. */
function dictionaryOf({ insns }: Program): Pieces {
  const known = new Set<number>();
  const pieces: number[][] = [];
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "jump" || operation.operand !== "imm") continue;
    for (const value of [insn.imm, insn.imm + 1, insn.imm - 1]) {
      if (known.has(value >>> 0)) continue;
      known.add(value >>> 0);
      const size = value >>> 0 < 256 ? 1 : value >>> 0 < 65536 ? 2 : 4;
      const little: number[] = [];
      for (let i = 0; i < size; i += 1) little.push((value >>> (8 * i)) & 255);
      pieces.push(little);
      if (size > 1) pieces.push(little.toReversed());
    }
  }
  return pieces;
}

function patch(bytes: Uint8Array, at: number, piece: readonly number[] = []): void {
  for (let i = 0; i < piece.length && at + i < bytes.length; i += 1) bytes[at + i] = piece[i] ?? 0;
}

/**
 * Frames of 14 bytes and more: well-formed ones, cut ones, and ones with pieces of the dictionary in them. Programs below the link layer are run on what follows an Ethernet
 * header, but on a socket many see whole frames: half of theirs are frames inside of a frame.
 */
function drawPacket({ type }: Program, dictionary: Pieces, random: Random): Uint8Array {
  let bytes = drawFrame(random, type === "socket_filter" && random.below(2) === 0);
  if (random.below(6) === 0) bytes = bytes.slice(0, Math.max(ETHERNET, random.below(HEADERS + 1)));
  if (dictionary.length > 0 && random.below(4) === 0) {
    for (let i = random.below(3); i >= 0; i -= 1)
      patch(bytes, random.below(HEADERS + 1), dictionary[random.below(dictionary.length)]);
  }
  return bytes;
}

/** The upper half of the addresses that are drawn. */
const KERNEL_HIGH = 0xffff8880;

/** A tracing context: 64-bit words, small numbers and addresses among them. */
function drawContext(size: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(8 * Math.ceil(size / 8));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) {
    const choice = random.below(3);
    if (choice === 0) view.setUint32(at, random.below(65), true);
    else {
      view.setUint32(at, choice === 1 ? random.below(2 ** 32) : random.below(0x1000000), true);
      view.setUint32(at + 4, choice === 1 ? random.below(2 ** 32) : KERNEL_HIGH, true);
    }
  }
  return bytes.subarray(0, size);
}

/** Parts of a `struct bpf_sk_lookup`, in bytes: those that have to be zero, the family, and the upper half of a port. */
const SOCKET_LOOKUP = { zero: [0, 8], family: 8, portHigh: [62, 64], zeroEnd: [64, 72] } as const;
const AF_INET = 2;
const AF_INET6 = 10;

/** A context with what programs of the type can be given: no more bytes than it has, and of a look-up of sockets what a test run takes. */
function fitting(
  bytes: Uint8Array,
  { type }: Program,
  size: number,
  kernel: KernelContext | undefined,
): Uint8Array {
  if (kernel !== undefined) return withPointers(bytes, kernel);
  const fit = bytes.subarray(0, size);
  if (type !== "sk_lookup") return fit;
  const { zero, family, portHigh, zeroEnd } = SOCKET_LOOKUP;
  const whole = new Uint8Array(size);
  whole.set(fit);
  for (const [from, to] of [zero, portHigh, zeroEnd]) whole.fill(0, from, to);
  const isIpv6 = (whole[family] ?? 0) % 2 === 1 || whole[family] === AF_INET6;
  whole.fill(0, family, family + 4);
  whole[family] = isIpv6 ? AF_INET6 : AF_INET;
  return whole;
}

/** How much of a tracing context is made up; what a tracepoint's record holds beyond is zero. */
const MOST_CONTEXT = 256;

/** A copy with one change. */
function changed(bytes: Uint8Array, dictionary: Pieces, random: Random): Uint8Array {
  const at = random.below(Math.min(bytes.length, HEADERS));
  switch (random.below(5)) {
    case 0: {
      const result = bytes.slice();
      if (at < result.length) result[at] = random.below(256);
      return result;
    }
    case 1: {
      const result = bytes.slice();
      if (at < result.length) result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
      return result;
    }
    case 2: {
      const result = new Uint8Array(bytes.length + random.below(64));
      result.set(bytes);
      for (let i = bytes.length; i < result.length; i += 1) result[i] = random.below(4);
      return result;
    }
    case 3:
      return bytes.slice(0, Math.max(ETHERNET, bytes.length - random.below(bytes.length)));
    default: {
      const result = bytes.slice();
      patch(result, at, dictionary[random.below(dictionary.length)]);
      return result;
    }
  }
}

/** An endless supply of inputs for a program, from a seed. What leads somewhere new is to be told to `keep`: others are made from it. */
export interface InputSource {
  readonly next: () => RunInput;
  readonly keep: (input: RunInput) => void;
}

/** @param rules  whose types tell what a program that traces a function is given */
export function inputSource(
  program: Program,
  seed: number,
  samples: readonly Uint8Array[] = [],
  rules: Rules = DEFAULT_RULES,
): InputSource {
  const layout = runnableContext(program);
  const kernel = kernelContext(program, rules);
  const onPackets = layout !== undefined && (layout.struct === "xdp_md" || layout.struct === "__sk_buff");
  const hasBytes = onPackets || SHOWS_BYTES.has(program.type);
  const dictionary = dictionaryOf(program);
  const contextSize = onPackets ? 0 : Math.min(kernel?.size ?? layout?.size ?? 0, MOST_CONTEXT);
  const random = generator(seed);
  const kept: RunInput[] = [];
  let fresh = 0;
  const draw = (): RunInput => {
    const sample = samples[fresh];
    fresh += 1;
    if (sample !== undefined) return { packet: sample, context: NOTHING, seed };
    const packet = hasBytes ? drawPacket(program, dictionary, random) : NOTHING;
    return {
      // The shortest frame that there is comes early: whoever forgets to ask for the length forgets it for this one.
      packet: fresh === SHORTEST ? packet.subarray(0, ETHERNET) : packet,
      context: onPackets ? NOTHING : fitting(drawContext(contextSize, random), program, contextSize, kernel),
      seed: random.below(MOST_SEED),
    };
  };
  const vary = (from: RunInput): RunInput => {
    let bytes = onPackets ? from.packet : from.context;
    for (let i = random.below(3); i >= 0; i -= 1) bytes = changed(bytes, dictionary, random);
    const varied = random.below(2) === 0 ? from.seed : random.below(MOST_SEED);
    return onPackets
      ? { packet: bytes, context: NOTHING, seed: varied }
      : { packet: from.packet, context: fitting(bytes, program, contextSize, kernel), seed: varied };
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
