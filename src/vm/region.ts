/**
 * Memory as the machine sees it: separate regions, and pointers that know which region they came from (provenance).
 *
 * Every register carries, beside its 64 bits, a `Region`. Two regions stand for no memory: `SCALAR` for a number, `UNINITIALISED` for
 * a register that has not been written. A pointer's offset is its value minus the region's base, as a 64-bit difference; arithmetic
 * moves the offset and keeps the region, so that a pointer can never wander from one region into another. A region that ends its
 * life (a packet that is resized, a frame that is left) is marked dead, and what replaces it is another object: a stale
 * pointer is one whose region is dead.
 *
 * Addresses look like the kernel's and are a pure function of the order of allocation (`address-space.ts`, where regions are made). All bytes lie in
 * one memory (`memory.ts`), where generated code finds a record of each region (`region-record.ts`).
 */
import type { MapField } from "../semantics/program/map-types.ts";
import type { MapStorage } from "./maps/map.ts";
import {
  ADDRESS_HIGH,
  memoryBytes,
  memoryView,
  memoryWords,
  SCALAR_RECORD,
  UNINITIALISED_RECORD,
} from "./memory.ts";
import {
  closeRecord,
  openRecord,
  RECORD,
  RECORD_KIND,
  type RecordAccess,
  writeRecord,
} from "./region-record.ts";

/** What of a socket a pointer shows. */
export type SocketStruct = "bpf_sock_common" | "bpf_sock" | "bpf_tcp_sock";

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
  | { readonly kind: "memory" }
  /** A record of a ring buffer, as long as the program has it. */
  | { readonly kind: "record"; readonly map: string }
  /** An object of the program's own types; of the structure with an id in its BTF. */
  | { readonly kind: "object"; readonly struct: string; readonly id: number }
  /** An object of the kernel's types: an address, and no bytes here. */
  | { readonly kind: "kernel_object"; readonly struct: string }
  /** What an iterator gave last. */
  | { readonly kind: "element"; readonly of: string }
  /** A socket, by the structure whose fields a pointer shows. */
  | { readonly kind: "socket"; readonly struct: SocketStruct }
  /** What a flow dissector fills (`struct bpf_flow_keys`). */
  | { readonly kind: "flow_keys" }
  /** What a writable tracepoint lets its programs change. */
  | { readonly kind: "tracepoint_record" }
  /** The kernel's memory as an environment gives it (`image.ts`): any address, and no bytes here. */
  | { readonly kind: "kernel_memory" }
  /** The program's arena: a pointer's value is a number as it is. */
  | { readonly kind: "arena" }
  /** What the kernel keeps for the program; in slots of the stack this is what marks them. */
  | { readonly kind: "kept"; readonly what: string };

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
    case "record":
      return `a record of map ${place.map}`;
    case "object":
      return `an object (${place.struct})`;
    case "socket":
      return `a socket (${place.struct})`;
    case "kernel_object":
      return `an object of the kernel (${place.struct})`;
    case "element":
      return `an element of ${place.of}`;
    case "flow_keys":
      return "the flow keys";
    case "tracepoint_record":
      return "the tracepoint's record";
    case "kernel_memory":
      return "the kernel's memory";
    case "arena":
      return "the arena";
    case "kept":
      return place.what;
    default:
      return `map ${place.map}`;
  }
}

/** Bytes among a region's that are the kernel's: locks, timers, pointers to objects (`objects/things.ts`). */
export interface KeptBytes {
  /** The field of which some of the bytes are. */
  readonly at: (offset: number, size: number) => MapField | undefined;
  /** The region of the pointer in a field, or that of a number if it is null; nothing for what programs may not load. */
  readonly load: (field: MapField) => Region | undefined;
  /** Stores a pointer into a field, null for that of a number; says no for what programs may not store. */
  readonly store: (field: MapField, pointer: Region) => boolean;
}

/** What is known of a stack's bytes (`stack-shadow.ts`). Places are indices in the machine's memory. */
export interface Shadow {
  readonly clear: () => void;
  readonly write: (at: number, size: number) => void;
  readonly spill: (at: number, region: Region) => void;
  readonly spilled: (at: number) => Region | undefined;
  readonly writtenBytes: (at: number) => number;
  readonly firstUninitialised: (at: number, size: number) => number | undefined;
}

const WORD = 2 ** 32;

interface RegionParts {
  readonly place: Place;
  /** The index in the machine's memory of offset 0. */
  readonly origin: number;
  /** The accessible offsets: `start` … `end - 1`. */
  readonly start: number;
  readonly end: number;
  readonly readable?: boolean | undefined;
  readonly writable?: boolean | undefined;
  readonly shadow?: Shadow;
  /** The map that a `map` region stands for. */
  readonly map?: MapStorage | undefined;
  readonly keeps?: KeptBytes | undefined;
}

export class Region {
  readonly place: Place;
  /** The halves of the address of offset 0, as int32. */
  readonly baseLow: number;
  readonly baseHigh = ADDRESS_HIGH;
  /** The machine's whole memory: the byte at an offset is at `origin + offset`. */
  readonly bytes = memoryBytes;
  readonly view = memoryView;
  readonly origin: number;
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly shadow: Shadow | undefined;
  readonly map: MapStorage | undefined;
  readonly keeps: KeptBytes | undefined;
  /** Whether nothing but bounds decides about an access of a program's load. */
  readonly plain: boolean;
  /** The index of its record. */
  readonly record: number;
  #live = true;

  constructor(record: number, position: number, parts: RegionParts) {
    const { place, origin, start, end, readable = true, writable = true, shadow, map, keeps } = parts;
    this.place = place;
    this.baseLow = origin;
    this.origin = origin;
    this.start = start;
    this.end = end;
    this.readable = readable;
    this.writable = writable;
    this.shadow = shadow;
    this.map = map;
    this.keeps = keeps;
    const hasFields = place.kind === "context" || place.kind === "socket";
    this.plain = readable && shadow === undefined && keeps === undefined && !hasFields;
    this.record = record;
    if (end >= start) writeRecord(record, origin + start, position, this.#access());
  }

  #access(): RecordAccess {
    const { start, end, place, plain, writable } = this;
    return {
      length: end - start,
      kind: recordKind(place),
      plainReads: plain,
      plainWrites: plain && writable,
    };
  }

  /** Whether it still exists. Of a stack its record says so: compiled code enters and leaves frames by that alone. */
  get live(): boolean {
    if (this.shadow !== undefined) return memoryWords[(this.record + RECORD.stack) >> 2] !== 0;
    return this.#live;
  }

  set live(live: boolean) {
    this.#live = live;
    if (live) openRecord(this.record, this.#access());
    else closeRecord(this.record);
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

function recordKind({ kind }: Place): number {
  if (kind === "stack") return RECORD_KIND.stack;
  return kind === "context" ? RECORD_KIND.context : RECORD_KIND.other;
}

/** A 64-bit address in two halves, as int32. */
export interface Address {
  readonly low: number;
  readonly high: number;
}

/** The address `offset` bytes (an integer below 2^53 either way) from offset 0 of a region. */
export function addressIn({ baseLow, baseHigh }: Region, offset: number): Address {
  const low = (baseLow >>> 0) + offset;
  return { low: low | 0, high: (baseHigh + Math.floor(low / WORD)) | 0 };
}

/** It has no bytes, not even an empty range of them, and its record stays all zeros. */
function memoryless(record: number): Region {
  return new Region(record, 0, { place: { kind: "none" }, origin: 0, start: 0, end: -1 });
}

/** The region of a number. */
export const SCALAR: Region = memoryless(SCALAR_RECORD);
/** The region of a register that has not been written. */
export const UNINITIALISED: Region = memoryless(UNINITIALISED_RECORD);

/** The regions of the runs in progress, by their records' positions; behind them what is free. The first stands for every record that never was one. */
const REGIONS: (Region | undefined)[] = [UNINITIALISED];
let used = 1;

/** Makes a region whose record is at an index, 64 zeroed bytes. Only an address space does: it takes the region away again. */
export function addRegion(record: number, parts: RegionParts): Region {
  const region = new Region(record, used, parts);
  REGIONS[used] = region;
  used += 1;
  return region;
}

/** How many regions there are, and the way back to fewer. */
export const regionCount = (): number => used;
export function dropRegions(count: number): void {
  while (used > count) {
    used -= 1;
    REGIONS[used] = undefined;
  }
}

/** The region that exists and has the byte at an index of the machine's memory. */
export function liveRegionAt(index: number): Region | undefined {
  return REGIONS.findLast((region) => region?.holds(index - region.origin, 1) === true);
}

/** The region that a record is of. */
export function regionOf(record: number): Region {
  if (record === SCALAR_RECORD) return SCALAR;
  if (record === UNINITIALISED_RECORD) return UNINITIALISED;
  const region = REGIONS[memoryWords[(record + RECORD.position) >> 2] ?? 0];
  if (region === undefined) throw new Error(`no region has the record ${record}`);
  return region;
}
