/**
 * Memory as the machine sees it: separate regions, and pointers that know which region they came from (provenance).
 *
 * Every register carries, beside its 64 bits, a `Region`. Two regions stand for no memory: `SCALAR` for a number, `UNINITIALISED` for
 * a register that has not been written. A pointer's offset is its value minus the region's base, as a 64-bit difference; arithmetic
 * moves the offset and keeps the region, so that a pointer can never wander from one region into another. A region that ends its
 * life (a packet that is resized, a frame that is left) is marked dead, and what replaces it is another object: a stale
 * pointer is one whose region is dead.
 *
 * Base addresses look like the kernel's, are a pure function of the order of allocation, and leave wide gaps.
 */
import type { MapStorage } from "./maps/map.ts";

/** Which memory a region is: stable within a run, and readable in a fault. */
export type Place =
  | { readonly kind: "none" }
  /** Frame 0 is the main program's. */
  | { readonly kind: "stack"; readonly frame: number }
  | { readonly kind: "packet" }
  | { readonly kind: "context"; readonly struct: string }
  /** A value of a map, by the map's name and the key in hex. */
  | { readonly kind: "map_value"; readonly map: string; readonly key: string }
  /** The map itself: what `ld_imm64` of a map gives, and what a look-up in a map of maps gives. */
  | { readonly kind: "map"; readonly map: string }
  /** A key of a map, as a function gets it that is called for each element. */
  | { readonly kind: "map_key"; readonly map: string }
  /** A function of the program, by its first slot. */
  | { readonly kind: "function"; readonly slot: number }
  /** What a program without a context is given (`raw.ts`). */
  | { readonly kind: "memory" };

export function placeName(place: Place): string {
  switch (place.kind) {
    case "none":
      return "no memory";
    case "stack":
      return `the stack of frame ${place.frame}`;
    case "packet":
      return "the packet";
    case "context":
      return `the context (${place.struct})`;
    case "memory":
      return "the memory";
    case "map_value":
      return `map ${place.map}'s value of key 0x${place.key}`;
    case "map_key":
      return `a key of map ${place.map}`;
    case "function":
      return `the function at slot ${place.slot}`;
    default:
      return `map ${place.map}`;
  }
}

const WORD = 2 ** 32;

/** The bits of `size` bytes from byte `at` on in their slot's mask, for bytes that lie in one slot. */
const bitsOf = (at: number, size: number): number => ((1 << size) - 1) << (at & 7);

/** What is known of each byte of a stack frame, and of each of its 8-byte slots. Indexed from the frame's lower end. */
export class StackShadow {
  /** For each slot a mask of its bytes: set for those that have been written. */
  readonly #written: Uint8Array;
  /** The region of a pointer that was stored whole into the slot; `undefined` for data. */
  readonly spilled: (Region | undefined)[];

  constructor(size: number) {
    this.#written = new Uint8Array(size / 8);
    this.spilled = Array.from({ length: size / 8 }, () => undefined);
  }

  clear(): void {
    this.#written.fill(0);
    this.spilled.fill(undefined);
  }

  /** Data is written to bytes `at` … `at + size - 1`. */
  write(at: number, size: number): void {
    for (let i = at; i < at + size; i += 1) this.writeInSlot(i, 1);
  }

  /** The same for bytes that lie in one slot. */
  writeInSlot(at: number, size: number): void {
    const slot = at >> 3;
    this.#written[slot] = (this.#written[slot] ?? 0) | bitsOf(at, size);
    this.spilled[slot] = undefined;
  }

  /** Whether all of the bytes, which lie in one slot, have been written and are no part of a pointer. */
  holdsData(at: number, size: number): boolean {
    const slot = at >> 3;
    const bits = bitsOf(at, size);
    return ((this.#written[slot] ?? 0) & bits) === bits && this.spilled[slot] === undefined;
  }

  /** The first of the bytes that has not been written, or `undefined`. */
  firstUninitialised(at: number, size: number): number | undefined {
    for (let i = at; i < at + size; i += 1) {
      if (((this.#written[i >> 3] ?? 0) & bitsOf(i, 1)) === 0) return i;
    }
    return undefined;
  }
}

interface RegionParts {
  readonly place: Place;
  /** The address of offset 0. */
  readonly base: Address;
  readonly bytes: Uint8Array;
  /** The index in `bytes` of offset 0. */
  readonly origin: number;
  /** The accessible offsets: `start` … `end - 1`. */
  readonly start: number;
  readonly end: number;
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly shadow?: StackShadow;
  /** The map that a `map` region stands for. */
  readonly map?: MapStorage;
}

export class Region {
  readonly place: Place;
  /** The halves of the base address, as int32. */
  readonly baseLow: number;
  readonly baseHigh: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly origin: number;
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly shadow: StackShadow | undefined;
  readonly map: MapStorage | undefined;
  /** Whether nothing but bounds decides about an access of a program's load. */
  readonly plain: boolean;
  live = true;

  constructor(parts: RegionParts) {
    const { place, base, bytes, origin, start, end, readable = true, writable = true, shadow, map } = parts;
    this.place = place;
    this.baseLow = base.low;
    this.baseHigh = base.high;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.origin = origin;
    this.start = start;
    this.end = end;
    this.readable = readable;
    this.writable = writable;
    this.shadow = shadow;
    this.map = map;
    this.plain = readable && shadow === undefined && place.kind !== "context";
  }

  /** The offset in this region of the address with the given halves (int32): exact where it is less than 2^53 away. */
  offsetOf(low: number, high: number): number {
    return ((high - this.baseHigh) | 0) * WORD + ((low >>> 0) - (this.baseLow >>> 0));
  }

  /** Whether the region has the bytes, and still exists. */
  holds(offset: number, size: number): boolean {
    return offset >= this.start && offset + size <= this.end && this.live;
  }
}

/** A 64-bit address in two halves, as int32. */
export interface Address {
  readonly low: number;
  readonly high: number;
}

/** The address `offset` bytes (an integer below 2^53 either way) from `base`. */
export function addressAt(base: Address, offset: number): Address {
  const low = (base.low >>> 0) + offset;
  return { low: low | 0, high: (base.high + Math.floor(low / WORD)) | 0 };
}

const NOWHERE: Address = { low: 0, high: 0 };
const NO_BYTES = new Uint8Array(0);

function memoryless(): Region {
  return new Region({
    place: { kind: "none" },
    base: NOWHERE,
    bytes: NO_BYTES,
    origin: 0,
    start: 0,
    end: -1,
  });
}

/** The region of a number. */
export const SCALAR: Region = memoryless();
/** The region of a register that has not been written. */
export const UNINITIALISED: Region = memoryless();

const BASE_HIGH = 0xffff8880;
const PAGE_BITS = 20;

/** Hands out base addresses: multiples of 1 MiB from 0xffff888000100000 on, with at least as much space free behind a region as it is long. */
export class AddressSpace {
  #next = 1;

  take(size: number): Address {
    const page = this.#next;
    this.#next += 1 + Math.ceil((2 * size) / 2 ** PAGE_BITS);
    return {
      low: (page << PAGE_BITS) | 0,
      high: (BASE_HIGH + Math.floor(page / 2 ** (32 - PAGE_BITS))) | 0,
    };
  }
}
