/**
 * The memory of one run: it is taken piece by piece, in order, and given back whole. Equal runs so have equal addresses. A run within a run takes what lies behind; runs
 * end in the opposite order of their beginning.
 */
import { Unsupported } from "../semantics/errors.ts";
import type { MapStorage } from "./maps/map.ts";
import type { MapValue } from "./maps/storage.ts";
import { CODE_AT, FIXED_SIZE, memoryBytes, REGISTERS_AT, RUNS_AT } from "./memory.ts";
import { addRegion, dropRegions, type KeptBytes, type Place, type Region, regionCount } from "./region.ts";
import { RECORD_SIZE, STACK_SIZE, STACK_WITH_SHADOWS } from "./region-record.ts";
import { StackShadow } from "./stack-shadow.ts";

/** All pieces begin at multiples of this from where the run's memory begins, with at least as many bytes free behind them. */
const GAP = 64;

/** Where the memory begins that no run in progress has taken. */
let free = RUNS_AT;

interface NewRegion {
  readonly place: Place;
  /** What it holds at first; its length is the region's. */
  readonly bytes: Uint8Array;
  readonly readable?: boolean;
  readonly writable?: boolean;
  /** The map that a `map` region stands for. */
  readonly map?: MapStorage;
  readonly keeps?: KeptBytes;
}

/** A part of a piece that was taken before. */
interface PartialRegion {
  readonly place: Place;
  /** The index of offset 0, and the accessible offsets `start` … `end - 1`. */
  readonly origin: number;
  readonly start: number;
  readonly end: number;
  readonly writable: boolean;
}

/** A value that lies in the machine's memory while the run lasts, and where it was before. */
interface Borrowed {
  readonly cell: MapValue;
  readonly home: Uint8Array;
}

export class AddressSpace {
  readonly #start = free;
  readonly #regions = regionCount();
  readonly #borrowed: Borrowed[] = [];
  #end = free;

  /** Begins a run: what the fixed part of memory holds is kept for the run around it, if any, and cleared. */
  constructor() {
    const saved = this.take(FIXED_SIZE);
    if (!this.isOutermost) memoryBytes.copyWithin(saved, 0, FIXED_SIZE);
    memoryBytes.fill(0, REGISTERS_AT, FIXED_SIZE);
  }

  /** Whether no other run is in progress around this one. */
  get isOutermost(): boolean {
    return this.#start === RUNS_AT;
  }

  /**
   * The index of `size` free bytes, which are zeros.
   *
   * @throws Unsupported  if there are not that many
   */
  take(size: number): number {
    const at = free;
    const next = at + ((size + 2 * GAP - 1) & ~(GAP - 1));
    if (at + size > CODE_AT || next > CODE_AT)
      throw new Unsupported("a run that needs more than 1 GiB of memory");
    free = next;
    this.#end = next;
    return at;
  }

  /** Moves all that is taken from now on, runs within this one included, by so many bytes, a multiple of 8. */
  skip(bytes: number): void {
    if (free + bytes > CODE_AT) throw new Unsupported("a run that needs more than 1 GiB of memory");
    free += bytes;
    this.#end = free;
  }

  /** A region of its own, beginning at offset 0. */
  region({ place, bytes, readable, writable, map, keeps }: NewRegion): Region {
    const { length } = bytes;
    const origin = this.take(length);
    if (length > 0) memoryBytes.set(bytes, origin);
    const parts = { place, origin, start: 0, end: length, readable, writable, map, keeps };
    return addRegion(this.#record(), parts);
  }

  /** A region of bytes that were taken before. */
  regionWithin(parts: PartialRegion): Region {
    return addRegion(this.#record(), parts);
  }

  #record(): number {
    const at = free;
    if (at + RECORD_SIZE > CODE_AT) throw new Unsupported("a run that needs more than 1 GiB of memory");
    free = at + RECORD_SIZE;
    this.#end = free;
    return at;
  }

  /** Bytes for a frame's stack, zeros; `stackRegion` makes regions of them. */
  takeStack(): number {
    return this.take(STACK_WITH_SHADOWS);
  }

  /** A frame's stack, of which nothing is written, in bytes that `takeStack` gave. Its offset 0 is its upper end. */
  stackRegion(at: number, frame: number): Region {
    const shadow = new StackShadow(at);
    shadow.clear();
    const place = { kind: "stack", frame } as const;
    return addRegion(this.#record(), { place, origin: at + STACK_SIZE, start: -STACK_SIZE, end: 0, shadow });
  }

  /** Moves a map's value into a region until the run ends. */
  borrow(cell: MapValue, rest: Omit<NewRegion, "bytes">): Region {
    const home = cell.bytes;
    const region = this.region({ ...rest, bytes: home });
    this.#borrowed.push({ cell, home });
    cell.bytes = memoryBytes.subarray(region.origin, region.origin + home.length);
    return region;
  }

  /** Ends the run: values go home, and its memory is zeroed. Nothing may look at its regions any more. */
  release(): void {
    if (free !== this.#end) throw new Error("a run ends before one that began within it");
    for (const { cell, home } of this.#borrowed) {
      home.set(cell.bytes);
      cell.bytes = home;
    }
    this.#borrowed.length = 0;
    dropRegions(this.#regions);
    if (!this.isOutermost) memoryBytes.copyWithin(0, this.#start, this.#start + FIXED_SIZE);
    memoryBytes.fill(0, this.#start, this.#end);
    free = this.#start;
  }
}
