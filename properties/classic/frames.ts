/**
 * Generated Ethernet frames, for captures: VLAN tags, MPLS, PPPoE, LLC, ARP, IPv4 with options and fragments, IPv6 with extension headers, TCP, UDP, ICMP, IGMP, SCTP,
 * Geneve, and frames that end too soon. Addresses, ports and fields are drawn from few values, so that expressions meet some of them.
 */
import { generator, type Random } from "../../src/campaign/random.ts";

export interface Captured {
  /** What was captured. */
  readonly bytes: Uint8Array;
  /** How long it was. */
  readonly length: number;
}

const u16 = (value: number): readonly number[] => [(value >> 8) & 255, value & 255];
const u32 = (value: number): readonly number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

const repeat = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

const MACS = [
  [2, 0, 0, 0, 0, 1],
  [2, 0, 0, 0, 0, 2],
  [0, 0, 0, 0, 0, 0],
  [255, 255, 255, 255, 255, 255],
  [1, 0, 0x5e, 0, 0, 5],
  [0x33, 0x33, 0, 0, 0, 1],
  [1, 0x80, 0xc2, 0, 0, 0],
] as const;
const V4 = [
  [10, 0, 0, 1],
  [10, 0, 0, 2],
  [10, 0, 0, 3],
  [10, 1, 2, 3],
  [192, 168, 1, 7],
  [172, 16, 3, 4],
  [224, 0, 0, 251],
  [255, 255, 255, 255],
] as const;
const V6 = [
  "20010db8000000000000000000000001",
  "20010db8000000000000000000000002",
  "20010db8000000010000000000000001",
  "fe800000000000000000000000000001",
  "ff020000000000000000000000000001",
].map((digits) => [...Buffer.from(digits, "hex")]);
const PORTS = [0, 22, 53, 79, 80, 443, 1024, 5060, 6081, 33_000, 65_535] as const;
const TTLS = [0, 1, 4, 63, 64, 255] as const;

class Frames {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  noise(most: number): readonly number[] {
    return Array.from({ length: this.below(most + 1) }, () => this.below(256));
  }

  payload(): readonly number[] {
    return this.chance(4) ? [...Buffer.from("GET / HTTP/1.1\r\n")] : this.noise(this.chance(8) ? 600 : 60);
  }

  // --- Transport

  tcp(): readonly number[] {
    const words = 5 + (this.chance(3) ? this.below(11) : 0);
    const flags = this.pick([2, 18, 16, 24, 1, 17, 4, 20, this.below(256)]);
    const options = Array.from({ length: 4 * (words - 5) }, () => this.below(256));
    return [
      ...u16(this.pick(PORTS)),
      ...u16(this.pick(PORTS)),
      ...u32(this.below(0x7fff_ffff)),
      ...u32(this.below(0x7fff_ffff)),
      words << 4,
      flags,
      ...u16(this.below(65_536)),
      ...u16(this.below(65_536)),
      0,
      0,
      ...options,
      ...this.payload(),
    ];
  }

  udp(): readonly number[] {
    const to = this.pick(PORTS);
    const inner = to === 6081 ? this.geneve() : this.payload();
    return [...u16(this.pick(PORTS)), ...u16(to), ...u16(8 + inner.length), ...u16(this.below(3)), ...inner];
  }

  geneve(): readonly number[] {
    const words = this.below(3);
    return [words, 0, 0x65, 0x58, 0, 0, this.pick([7, 10]), 0, ...repeat(4 * words, 9), ...this.ethernet(2)];
  }

  sctp(): readonly number[] {
    return [
      ...u16(this.pick(PORTS)),
      ...u16(this.pick(PORTS)),
      ...this.noise(8),
      this.below(3),
      ...this.noise(30),
    ];
  }

  /** A header and what follows, with its protocol's number. */
  transport(version: 4 | 6): readonly [protocol: number, bytes: readonly number[]] {
    const choices: readonly (() => readonly [number, readonly number[]])[] = [
      () => [6, this.tcp()],
      () => [6, this.tcp()],
      () => [17, this.udp()],
      () => [17, this.udp()],
      () => [version === 4 ? 1 : 58, [this.pick([0, 3, 8, 128, 135]), this.below(2), ...this.noise(40)]],
      () => [132, this.sctp()],
      () => [2, [this.pick([0x11, 0x16]), ...this.noise(8)]],
      () => [this.pick([47, 50, 51, 103, 112, 200]), this.noise(40)],
    ];
    return this.pick(choices)();
  }

  // --- Network

  ipv4(): readonly number[] {
    const words = 5 + (this.chance(4) ? this.below(11) : 0);
    const [protocol, inner] = this.transport(4);
    const fragment = this.chance(5) ? this.pick([0x2000, 0x2001, 0x0010, 0x4000]) : 0;
    const length = this.chance(20) ? this.below(65_536) : 4 * words + inner.length;
    return [
      (this.chance(30) ? this.below(256) : 0x40) | words,
      this.pick([0, 1, 3, 0xb8]),
      ...u16(length),
      ...u16(this.below(65_536)),
      ...u16(fragment),
      this.pick(TTLS),
      protocol,
      ...u16(this.below(65_536)),
      ...this.pick(V4),
      ...this.pick(V4),
      ...Array.from({ length: 4 * (words - 5) }, () => this.below(4)),
      ...inner,
    ];
  }

  /** Extension headers before the transport. */
  extended(depth: number): readonly [protocol: number, bytes: readonly number[]] {
    if (depth === 0 || !this.chance(3)) return this.transport(6);
    const [next, inner] = this.extended(depth - 1);
    const kind = this.pick([0, 43, 44, 60, 51]);
    if (kind === 44) {
      return [44, [next, 0, ...u16(this.pick([0, 1, 8, 0x100])), ...u32(this.below(99)), ...inner]];
    }
    const units = this.below(3);
    const size = kind === 51 ? 4 * (units + 2) : 8 * (units + 1);
    return [kind, [next, units, ...repeat(size - 2, 1), ...inner]];
  }

  ipv6(): readonly number[] {
    const [next, inner] = this.extended(3);
    const flow = this.chance(2) ? 0 : this.below(0x100000);
    return [
      ...u32(0x6000_0000 + flow),
      ...u16(inner.length),
      next,
      this.pick(TTLS),
      ...this.pick(V6),
      ...this.pick(V6),
      ...inner,
    ];
  }

  arp(): readonly number[] {
    const [sender, target] = [this.pick(MACS), this.pick(MACS)];
    return [
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      this.pick([1, 2, 3]),
      ...sender,
      ...this.pick(V4),
      ...target,
      ...this.pick(V4),
    ];
  }

  ip(): readonly [type: number, bytes: readonly number[]] {
    return this.chance(3) ? [0x86dd, this.ipv6()] : [0x0800, this.ipv4()];
  }

  mpls(): readonly number[] {
    const labels = 1 + this.below(3);
    const stack = Array.from({ length: labels }, (_, index) =>
      u32((this.pick([100, 200, 3]) << 12) | (index === labels - 1 ? 0x100 : 0) | 64),
    );
    return [...stack.flat(), ...this.ip()[1]];
  }

  pppoe(): readonly number[] {
    const [type, inner] = this.ip();
    const ppp = type === 0x0800 ? 0x0021 : 0x0057;
    return [0x11, 0, ...u16(this.pick([7, 8])), ...u16(inner.length + 2), ...u16(ppp), ...inner];
  }

  // --- Link

  /** What follows the addresses, from the type or length on. */
  typed(depth: number): readonly number[] {
    const network = (): readonly number[] => {
      const [type, inner] = this.ip();
      return [...u16(type), ...inner];
    };
    const tagged = (): readonly number[] => [
      ...u16(this.pick([0x8100, 0x8100, 0x88a8, 0x9100])),
      ...u16((this.below(8) << 13) | this.pick([0, 5, 100, 4095])),
      ...this.typed(depth - 1),
    ];
    const choices: readonly (() => readonly number[])[] = [
      ...repeat(8, network),
      () => [...u16(this.pick([0x0806, 0x8035])), ...this.arp()],
      () => [...u16(this.pick([0x8847, 0x8848])), ...this.mpls()],
      () => [...u16(this.pick([0x8863, 0x8864])), ...this.pppoe()],
      () => [...u16(this.pick([0x88b5, 0x809b, 0x80f3, 0x6003, 0x8137])), ...this.noise(60)],
      () => {
        const llc = [
          this.pick([0x42, 0xaa, 0xfe, 0xe0, 0xf0, 0xff]),
          this.pick([0x42, 0xaa, 0xfe, 0xff]),
          ...this.noise(50),
        ];
        return [...u16(llc.length), ...llc];
      },
      ...(depth === 0 ? [] : repeat(2, tagged)),
    ];
    return this.pick(choices)();
  }

  ethernet(depth: number): readonly number[] {
    return [...this.pick(MACS), ...this.pick(MACS), ...this.typed(depth)];
  }

  captured(): Captured {
    const whole = Uint8Array.from(this.chance(40) ? this.noise(20) : this.ethernet(2));
    const cut = this.chance(8) ? this.below(whole.length + 1) : whole.length;
    return { bytes: whole.slice(0, cut), length: whole.length };
  }
}

/** As many frames; equal seeds give equal ones. */
export function generateFrames(seed: number, count: number): readonly Captured[] {
  const frames = new Frames(generator(seed));
  return Array.from({ length: count }, () => frames.captured());
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const SNAP_LENGTH = 262_144;

/** A capture file (draft-ietf-opsawg-pcap) of Ethernet. The frame's number is its time in microseconds, which tells frames apart. */
export function captureFile(frames: readonly Captured[]): Uint8Array {
  const size = frames.reduce((sum, { bytes }) => sum + RECORD_HEADER + bytes.length, FILE_HEADER);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_LENGTH, true);
  view.setUint32(20, 1, true);
  let at = FILE_HEADER;
  for (const [index, { bytes, length }] of frames.entries()) {
    view.setUint32(at, Math.floor(index / 1_000_000), true);
    view.setUint32(at + 4, index % 1_000_000, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, length, true);
    file.set(bytes, at + RECORD_HEADER);
    at += RECORD_HEADER + bytes.length;
  }
  return file;
}
