/**
 * Frames that look like what programs look for: Ethernet with VLAN tags, IPv4 and IPv6 with options and extension headers, UDP, TCP and ICMP, and what is none of these. Drawn
 * step by step from a source of random numbers, since campaigns need eight for each program.
 */
import type { Random } from "./random.ts";

/** Longer than any frame that is drawn. */
const ROOM = 512;

/** Bytes that are being written, in network order. */
class Bytes {
  readonly #bytes = new Uint8Array(ROOM);
  length = 0;

  put(value: number): void {
    this.#bytes[this.length] = value;
    this.length += 1;
  }

  put16(value: number): void {
    this.put((value >> 8) & 0xff);
    this.put(value & 0xff);
  }

  zeros(count: number): void {
    this.#bytes.fill(0, this.length, this.length + count);
    this.length += count;
  }

  /** Puts a length where room was left for one. */
  set16(at: number, value: number): void {
    this.#bytes[at] = (value >> 8) & 0xff;
    this.#bytes[at + 1] = value & 0xff;
  }

  taken(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

const out = new Bytes();

/** One of the items. */
const oneOf = (items: readonly number[], random: Random): number => items[random.below(items.length)] ?? 0;

const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** Any byte, often an edge. */
const anyByte = (random: Random): number =>
  random.below(4) === 0 ? oneOf(EDGES, random) : random.below(256);

function someBytes(least: number, most: number, random: Random): void {
  for (let i = least + random.below(most - least + 1); i > 0; i -= 1) out.put(anyByte(random));
}

const PORTS = [22, 53, 80, 443, 8080];
const port = (random: Random): number =>
  random.below(2) === 0 ? oneOf(PORTS, random) : random.below(0x10000);

const [UDP, TCP, ICMP] = [17, 6, 1];
const TCP_WINDOW = 0xffff;
const SYNCHRONISED = [0, 0, 0, 1, 0, 0, 0, 2];
const MAXIMUM_SEGMENT = [2, 4, 5, 180];

function transport(protocol: number, random: Random): void {
  if (protocol === UDP) udp(random);
  else if (protocol === TCP) tcp(random);
  else if (protocol === ICMP) {
    out.put(oneOf([0, 3, 8, 11], random));
    out.put(anyByte(random));
    out.put16(0);
    someBytes(0, 32, random);
  } else someBytes(0, 20, random);
}

function udp(random: Random): void {
  out.put16(port(random));
  out.put16(port(random));
  const length = out.length;
  out.zeros(4);
  someBytes(0, 40, random);
  out.set16(length, out.length - length + 4);
}

function tcp(random: Random): void {
  out.put16(port(random));
  out.put16(port(random));
  for (const byte of SYNCHRONISED) out.put(byte);
  out.put((5 + random.below(11)) << 4);
  out.put(anyByte(random));
  out.put16(TCP_WINDOW);
  // Checksum and urgent pointer, and an option.
  out.zeros(4);
  for (const byte of MAXIMUM_SEGMENT) out.put(byte);
  someBytes(0, 60, random);
}

const protocolOf = (random: Random): number => {
  const choice = random.below(4);
  return [UDP, TCP, ICMP][choice] ?? random.below(256);
};

/** Few different addresses, so that packets meet each other in maps. */
function address4(random: Random): void {
  out.put(oneOf([10, 192, 127, 224], random));
  out.put16(0);
  out.put(random.below(4));
}

const HEADER_WORDS = [5, 5, 5, 6, 15, 4];
const FRAGMENTS = [0, 0, 0x2000, 0x4000, 1];

function ipv4(random: Random): void {
  const start = out.length;
  const words = oneOf(HEADER_WORDS, random);
  const protocol = protocolOf(random);
  out.put(0x40 | words);
  out.put(0);
  out.put16(0);
  out.put16(7);
  out.put16(oneOf(FRAGMENTS, random));
  out.put(anyByte(random));
  out.put(protocol);
  out.put16(0);
  address4(random);
  address4(random);
  for (let i = 4 * (words - 5); i > 0; i -= 1) out.put(1);
  const data = out.length;
  transport(protocol, random);
  out.set16(start + 2, 4 * words + out.length - data);
}

const EXTENSIONS = [0, 43, 44, 60];

function ipv6(random: Random): void {
  const protocol = protocolOf(random);
  const extensions = Array.from({ length: random.below(4) }, () => oneOf(EXTENSIONS, random));
  out.put16(0x6000);
  out.put16(0);
  const length = out.length;
  out.put16(0);
  out.put(extensions[0] ?? protocol);
  out.put(anyByte(random));
  for (const last of [1, 2]) {
    out.put16(0xfe80);
    out.zeros(13);
    out.put(last);
  }
  const payload = out.length;
  for (let i = 0; i < extensions.length; i += 1) {
    out.put(extensions[i + 1] ?? protocol);
    out.zeros(7);
  }
  transport(protocol, random);
  out.set16(length, out.length - payload);
}

const ADDRESSES = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const TAG_TYPES = [0x8100, 0x88a8];

/** Most frames carry no VLAN tag. */
function tags(random: Random): void {
  if (random.below(7) < 6) return;
  for (let i = 1 + random.below(3); i > 0; i -= 1) {
    out.put16(oneOf(TAG_TYPES, random));
    out.put16(random.below(4096));
  }
}

function network(random: Random): void {
  const choice = random.below(8);
  if (choice < 4) {
    out.put16(0x0800);
    ipv4(random);
  } else if (choice < 6) {
    out.put16(0x86dd);
    ipv6(random);
  } else if (choice < 7) {
    out.put16(0x0806);
    someBytes(0, 30, random);
  } else someBytes(2, 60, random);
}

/** IEEE 802: an experimental type. */
const EXPERIMENTAL = 0x88b5;

/**
 * A frame of 14 bytes or more.
 *
 * @param wrapped  a frame inside of a frame of an experimental type
 */
export function drawFrame(random: Random, wrapped: boolean): Uint8Array {
  out.length = 0;
  if (wrapped) {
    for (const byte of ADDRESSES) out.put(byte);
    out.put16(EXPERIMENTAL);
  }
  for (const byte of ADDRESSES) out.put(byte);
  tags(random);
  network(random);
  return out.taken();
}
