/**
 * A packet in its buffer: metadata, data, and the free space around them into which XDP programs may grow it. All positions are
 * indices in the buffer. The region that programs see begins at the metadata, has its offset 0 at the data, and is replaced
 * whenever the packet may have moved, which makes the pointers to it stale.
 */
import type { AddressSpace } from "./address-space.ts";
import { ADDRESS_HIGH, memoryBytes, memoryWords, PACKET_AT } from "./memory.ts";
import type { Region } from "./region.ts";

export const ETHERNET_HEADER = 14;
const SKF_NET_OFF = -0x100000;
const SKF_LL_OFF = -0x200000;

interface PacketParts {
  readonly bytes: Uint8Array;
  /** Free bytes before and after. */
  readonly headroom: number;
  readonly tailroom: number;
  /** How many of the first bytes are metadata. */
  readonly metadata: number;
  /** Bytes at the front that exist but are not the program's to see (a link-layer header already taken off). */
  readonly hidden: number;
  /** Whether the program's type may write through packet pointers. */
  readonly writable: boolean;
  /** What follows in buffers of its own, which no pointer of a program leads to; a page each, but the last. */
  readonly rest?: Uint8Array | undefined;
}

/** A further buffer of a packet: a page, of which the first `length` bytes are the packet's. */
export interface Fragment {
  readonly page: Uint8Array;
  length: number;
}

export const PAGE = 4096;

function fragmentsOf(rest: Uint8Array): Fragment[] {
  if (rest.length === 0) return [];
  return Array.from({ length: Math.ceil(rest.length / PAGE) }, (_, i) => {
    const bytes = rest.subarray(i * PAGE, (i + 1) * PAGE);
    const page = new Uint8Array(PAGE);
    page.set(bytes);
    return { page, length: bytes.length };
  });
}

/** Where headers begin, as positions in the buffer. They stay where they are when the data begins elsewhere. */
export interface PacketHeaders {
  link: number;
  network: number;
  /** Nothing if it is not known. */
  transport: number | undefined;
}

const NONE = new Uint8Array(0);

/** Room in front is made in multiples of this (NET_SKB_PAD). */
const HEADROOM_UNIT = 64;

export class Packet {
  /** Made when somebody asks for it. */
  #buffer: Uint8Array | undefined;
  #size: number;
  #origin: number;
  readonly headers: PacketHeaders;
  readonly fragments: Fragment[];
  readonly #space: AddressSpace;
  readonly #writable: boolean;
  /** How far before the data helpers and legacy loads may reach. */
  readonly hidden: number;
  #meta: number;
  #data: number;
  #end: number;
  #region: Region;

  constructor(
    space: AddressSpace,
    { bytes, headroom, tailroom, metadata, hidden, writable, rest = NONE }: PacketParts,
  ) {
    const size = headroom + bytes.length + tailroom;
    this.#space = space;
    this.#size = size;
    this.#origin = space.take(size);
    memoryBytes.set(bytes, this.#origin + headroom);
    this.#writable = writable;
    this.fragments = fragmentsOf(rest);
    this.hidden = hidden;
    this.#meta = headroom + hidden;
    this.#data = this.#meta + metadata;
    this.#end = headroom + bytes.length;
    const link = this.#data - hidden;
    this.headers = { link, network: link + ETHERNET_HEADER, transport: undefined };
    this.#region = this.#newRegion();
  }

  #newRegion(): Region {
    const region = this.#space.regionWithin({
      place: { kind: "packet" },
      origin: this.#origin + this.#data,
      start: this.#meta - this.#data,
      end: this.#end - this.#data,
      writable: this.#writable,
    });
    memoryWords[PACKET_AT >> 2] = region.record;
    this.#place(1, this.#data);
    this.#place(2, this.#end);
    this.#place(3, this.#meta);
    return region;
  }

  #place(which: number, at: number): void {
    memoryWords[(PACKET_AT >> 2) + 2 * which] = this.#origin + at;
    memoryWords[(PACKET_AT >> 2) + 2 * which + 1] = ADDRESS_HIGH;
  }

  /** Valid until room is made in the packet (`reserve`), and while the run lasts. */
  get buffer(): Uint8Array {
    this.#buffer ??= memoryBytes.subarray(this.#origin, this.#origin + this.#size);
    return this.#buffer;
  }

  /** The index in the machine's memory of the buffer's first byte. */
  get origin(): number {
    return this.#origin;
  }

  get meta(): number {
    return this.#meta;
  }

  get data(): number {
    return this.#data;
  }

  get end(): number {
    return this.#end;
  }

  /** Bytes of data in all buffers. */
  get wholeLength(): number {
    return this.fragments.reduce((sum, { length }) => sum + length, this.length);
  }

  /** What lies in further buffers. */
  rest(): Uint8Array {
    if (this.fragments.length === 0) return NONE;
    return Uint8Array.from(this.fragments.flatMap(({ page, length }) => [...page.subarray(0, length)]));
  }

  /** Calls `part` for each run of bytes in one buffer that lies among `size` bytes at an offset of the data, which has them. */
  forParts(offset: number, size: number, part: (bytes: Uint8Array, at: number) => void): void {
    let start = 0;
    const linear = { page: this.buffer.subarray(this.#data, this.#end), length: this.length };
    for (const { page, length } of [linear, ...this.fragments]) {
      const from = Math.max(offset, start);
      const to = Math.min(offset + size, start + length);
      if (from < to) part(page.subarray(from - start, to - start), from - offset);
      start += length;
    }
  }

  /** Bytes of data in the first buffer, without metadata: those that pointers lead to. */
  get length(): number {
    return this.#end - this.#data;
  }

  get region(): Region {
    return this.#region;
  }

  /** Moves the boundaries; every pointer into the packet becomes stale, even if none moved. */
  resize(meta: number, data: number, end: number): void {
    this.#meta = meta;
    this.#data = data;
    this.#end = end;
    this.invalidate();
  }

  /**
   * Makes sure that at least so many bytes are free in front and behind. The packet may come to lie elsewhere, so its pointers become stale; positions in the
   * buffer are others afterwards, the headers' among them.
   */
  reserve(front: number, behind: number): void {
    if (this.#meta >= front && this.#size - this.#end >= behind) return;
    const used = this.buffer.subarray(0, this.#end);
    const before = Math.ceil(Math.max(front - this.#meta, 0) / HEADROOM_UNIT) * HEADROOM_UNIT;
    const size = before + used.length + 2 * behind;
    this.#size = size;
    this.#origin = this.#space.take(size);
    this.#buffer = undefined;
    memoryBytes.set(used, this.#origin + before);
    const { headers } = this;
    headers.link += before;
    headers.network += before;
    // Linux moves a position that stands for none as well, and then takes it for one.
    if (headers.transport !== undefined) headers.transport += before;
    else if (before > 0) headers.transport = before - 1;
    this.resize(this.#meta + before, this.#data + before, this.#end + before);
  }

  invalidate(): void {
    this.#region.live = false;
    this.#region = this.#newRegion();
  }

  /** `size` bytes at `offset` of the data, or `undefined` if it does not have them. */
  slice(offset: number, size: number): Uint8Array | undefined {
    if (offset < 0 || offset + size > this.length) return undefined;
    return this.buffer.subarray(this.#data + offset, this.#data + offset + size);
  }

  /**
   * The index in the buffer of `size` bytes that legacy packet access names, or `undefined` if the packet does not have them. Offsets count
   * from the data; far negative ones from the network and link-layer headers (SKF_NET_OFF, SKF_LL_OFF in linux/filter.h).
   */
  legacyIndex(offset: number, size: number): number | undefined {
    const { link, network } = this.headers;
    let at = this.#data + offset;
    if (offset < 0) {
      if (offset >= SKF_NET_OFF) at = network + (offset - SKF_NET_OFF);
      else if (offset >= SKF_LL_OFF) at = link + (offset - SKF_LL_OFF);
      else return undefined;
    }
    return at >= 0 && at + size <= this.#end ? at : undefined;
  }
}
