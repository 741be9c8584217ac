/**
 * Packets from capture files and into them: classic pcap (draft-ietf-opsawg-pcap; both byte orders, microseconds or nanoseconds) and pcapng
 * (draft-ietf-opsawg-pcapng; sections of either byte order, interfaces with clocks of their own). Ethernet alone: what programs here run on begins
 * with an Ethernet header. Sizes that the file gives are checked against the file before they are used.
 */
import { InputError } from "../semantics/errors.ts";

export interface CapturedPacket {
  /** What was captured, from the Ethernet header on. A view into the file's bytes. */
  readonly bytes: Uint8Array;
  /** How long the packet was on the wire: more than was captured, if it was cut. */
  readonly length: number;
  /** When it was captured, in nanoseconds since 1970; `undefined` in pcapng's simple packets. */
  readonly timeNs: bigint | undefined;
}

const LINKTYPE_ETHERNET = 1;
const NS = 1_000_000_000n;

function wrong(offset: number, problem: string): never {
  throw new InputError(`offset 0x${offset.toString(16)}: ${problem}`);
}

/** Numbers of one byte order, at checked offsets. */
class Reader {
  readonly #view: DataView;
  readonly #little: boolean;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, little: boolean) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
  }

  /** Checks that `size` bytes of `what` are there. */
  need(offset: number, size: number, what: string): void {
    const left = this.bytes.length - offset;
    if (size > left) wrong(offset, `${what} of ${size} bytes, but the file has ${left} more`);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, this.#little);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, this.#little);
  }
}

function requireEthernet(link: number, offset: number): void {
  if (link !== LINKTYPE_ETHERNET)
    wrong(offset, `link type ${link}, but only Ethernet (${LINKTYPE_ETHERNET}) is read`);
}

// --- Classic pcap

/** Magic numbers as big-endian, with the byte order they stand for and nanoseconds in a unit of the fraction. */
const CLASSIC: ReadonlyMap<number, { readonly little: boolean; readonly unitNs: bigint }> = new Map([
  [0xa1b2c3d4, { little: false, unitNs: 1000n }],
  [0xd4c3b2a1, { little: true, unitNs: 1000n }],
  [0xa1b23c4d, { little: false, unitNs: 1n }],
  [0x4d3cb2a1, { little: true, unitNs: 1n }],
]);

const FILE_HEADER = 24;
const RECORD_HEADER = 16;

function readClassic(reader: Reader, unitNs: bigint): CapturedPacket[] {
  reader.need(0, FILE_HEADER, "a file header");
  const major = reader.u16(4);
  if (major !== 2) wrong(4, `version ${major}, but only 2 is known`);
  // The upper bits tell of a frame check sequence.
  requireEthernet(reader.u32(20) & 0xffff, 20);
  const packets: CapturedPacket[] = [];
  for (let at = FILE_HEADER; at < reader.bytes.length; ) {
    reader.need(at, RECORD_HEADER, "a packet's header");
    const captured = reader.u32(at + 8);
    const start = at + RECORD_HEADER;
    reader.need(start, captured, "a packet");
    packets.push({
      bytes: reader.bytes.subarray(start, start + captured),
      length: reader.u32(at + 12),
      timeNs: BigInt(reader.u32(at)) * NS + BigInt(reader.u32(at + 4)) * unitNs,
    });
    at = start + captured;
  }
  return packets;
}

// --- pcapng

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
/** Type and length before a block's body, and the length again behind it. */
const BLOCK_HEAD = 8;
const BLOCK_FRAME = 12;
/** The least body of each block that is read. */
const BODY: ReadonlyMap<number, number> = new Map([
  [SECTION, 16],
  [INTERFACE, 8],
  [SIMPLE_PACKET, 4],
  [ENHANCED_PACKET, 20],
]);

interface Interface {
  readonly link: number;
  readonly linkAt: number;
  /** Packets are cut to this; 0 for no limit. */
  readonly snapLength: number;
  /** Ticks of the clock in a second. */
  readonly perSecond: bigint;
}

const OPTION_END = 0;
const OPTION_RESOLUTION = 9;

/** The interface's clock: microseconds unless an option says otherwise (a power of 10, or of 2 if the top bit is set). */
function clockOf(reader: Reader, from: number, end: number): bigint {
  for (let at = from; at + 4 <= end; ) {
    const code = reader.u16(at);
    const size = reader.u16(at + 2);
    if (code === OPTION_END) break;
    if (at + 4 + size > end) wrong(at, `an option of ${size} bytes, past its block's end`);
    if (code === OPTION_RESOLUTION && size === 1) {
      const resolution = reader.bytes[at + 4] ?? 0;
      const exponent = BigInt(resolution & 0x7f);
      return (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
    }
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return 1_000_000n;
}

function readInterface(reader: Reader, body: number, end: number): Interface {
  return {
    link: reader.u16(body),
    linkAt: body,
    snapLength: reader.u32(body + 4),
    perSecond: clockOf(reader, body + 8, end),
  };
}

function interfaceAt(interfaces: readonly Interface[], index: number, offset: number): Interface {
  const found = interfaces[index];
  if (found === undefined) return wrong(offset, `interface ${index}, but ${interfaces.length} are described`);
  requireEthernet(found.link, found.linkAt);
  return found;
}

function readEnhanced(
  reader: Reader,
  body: number,
  end: number,
  interfaces: readonly Interface[],
): CapturedPacket {
  const { perSecond } = interfaceAt(interfaces, reader.u32(body), body);
  const ticks = (BigInt(reader.u32(body + 4)) << 32n) | BigInt(reader.u32(body + 8));
  const captured = reader.u32(body + 12);
  const start = body + 20;
  if (captured > end - start) wrong(body + 12, `a packet of ${captured} bytes, past its block's end`);
  return {
    bytes: reader.bytes.subarray(start, start + captured),
    length: reader.u32(body + 16),
    timeNs: (ticks * NS) / perSecond,
  };
}

function readSimple(
  reader: Reader,
  body: number,
  end: number,
  interfaces: readonly Interface[],
): CapturedPacket {
  const { snapLength } = interfaceAt(interfaces, 0, body);
  const length = reader.u32(body);
  const start = body + 4;
  const captured = snapLength === 0 ? length : Math.min(length, snapLength);
  if (captured > end - start) wrong(body, `a packet of ${captured} bytes, past its block's end`);
  return { bytes: reader.bytes.subarray(start, start + captured), length, timeNs: undefined };
}

/** The reader for the section that begins at `at`. */
function sectionReader(bytes: Uint8Array, at: number): Reader {
  const big = new Reader(bytes, false);
  big.need(at, BLOCK_FRAME, "a section header");
  const order = big.u32(at + BLOCK_HEAD);
  if (order === BYTE_ORDER) return big;
  const little = new Reader(bytes, true);
  if (little.u32(at + BLOCK_HEAD) === BYTE_ORDER) return little;
  return wrong(at + BLOCK_HEAD, `byte-order magic 0x${order.toString(16)} is none`);
}

function readNextGeneration(bytes: Uint8Array): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let reader = sectionReader(bytes, 0);
  let interfaces: Interface[] = [];
  for (let at = 0; at < bytes.length; ) {
    reader.need(at, BLOCK_FRAME, "a block");
    // A section's type reads the same in both byte orders.
    const type = reader.u32(at);
    if (type === SECTION) {
      reader = sectionReader(bytes, at);
      interfaces = [];
    }
    const size = reader.u32(at + 4);
    const body = at + BLOCK_HEAD;
    const end = at + size - 4;
    if (size % 4 !== 0 || end - body < (BODY.get(type) ?? 0)) wrong(at + 4, `a block of ${size} bytes`);
    reader.need(at, size, "a block");
    if (reader.u32(end) !== size)
      wrong(end, `a block's length again: ${reader.u32(end)}, but it began with ${size}`);
    if (type === INTERFACE) interfaces.push(readInterface(reader, body, end));
    else if (type === ENHANCED_PACKET) packets.push(readEnhanced(reader, body, end, interfaces));
    else if (type === SIMPLE_PACKET) packets.push(readSimple(reader, body, end, interfaces));
    at += size;
  }
  return packets;
}

/** Whether the bytes begin as a capture file does. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new Reader(bytes, false).u32(0);
  return magic === SECTION || CLASSIC.has(magic);
}

/**
 * The packets of a capture file, in its order.
 *
 * @throws InputError  that names the offset: for a file of another format, a link that is not Ethernet, or one that is cut short
 */
export function readCapture(bytes: Uint8Array): readonly CapturedPacket[] {
  if (!isCapture(bytes)) return wrong(0, "this is no capture file (neither pcap nor pcapng)");
  const magic = new Reader(bytes, false).u32(0);
  const classic = CLASSIC.get(magic);
  if (classic === undefined) return readNextGeneration(bytes);
  return readClassic(new Reader(bytes, classic.little), classic.unitNs);
}

// --- Writing

/** Longer than any packet. */
const SNAP_LENGTH = 0x4_0000;
const MAGIC_NS = 0xa1b23c4d;

/** The packets as a classic capture file, with nanoseconds; those without a time are at its beginning. */
export function writeCapture(packets: readonly CapturedPacket[]): Uint8Array {
  const size = packets.reduce((sum, { bytes }) => sum + RECORD_HEADER + bytes.length, FILE_HEADER);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC_NS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_LENGTH, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
  let at = FILE_HEADER;
  for (const { bytes, length, timeNs = 0n } of packets) {
    view.setUint32(at, Number(BigInt.asUintN(32, timeNs / NS)), true);
    view.setUint32(at + 4, Number(timeNs % NS), true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, length, true);
    file.set(bytes, at + RECORD_HEADER);
    at += RECORD_HEADER + bytes.length;
  }
  return file;
}
