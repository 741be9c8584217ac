/**
 * A ring buffer: programs reserve records in it and give them back filled or discarded, user space reads them in the order in which they were
 * reserved. Positions only grow; their low bits are places in the data. Each record has a header of 8 bytes and begins at a multiple of 8.
 * Source: Documentation/bpf/ringbuf.rst and linux/bpf.h; what is not said there was tried.
 */
import { EAGAIN, EINVAL, ENOTSUPP } from "../errno.ts";
import type { MapValue } from "./storage.ts";
import { UserSide } from "./user-side.ts";

/** Flags of submit, discard and output (linux/bpf.h). */
const BPF_RB_NO_WAKEUP = 1n;
const BPF_RB_FORCE_WAKEUP = 2n;
/** What `query` is asked for. */
const QUERIES = ["available", "size", "consumer", "producer"] as const;

/** A record's header: its length with these two bits, then the page of the ring where it lies. */
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const HEADER = 8;
const PAGE = 4096;
/** Pages in front of the data: the kernel's own, and one for each position. */
const FIRST_PAGE = 3;
/** A longer record cannot have its length told beside the two bits. */
const MAX_RECORD = 0x3fff_ffff;

/** A record that has been reserved and is the program's until it is committed. Its bytes begin as what the ring held there. */
export interface RingRecord extends MapValue {
  readonly position: number;
  readonly size: number;
}

const placesOf = (size: number): number => Math.ceil((size + HEADER) / 8) * 8;

export class RingBuffer extends UserSide {
  readonly kind = "ring";
  /** Where user space has read to and programs have written to, in bytes since the ring was made. */
  consumer = 0;
  producer = 0;
  /** How often user space was woken, and how many records found no room. */
  wakeups = 0;
  lost = 0;
  #data = new Uint8Array(0);
  readonly #pending = new Set<RingRecord>();

  get #view(): DataView {
    return new DataView(this.data.buffer);
  }

  /** The ring's memory, as user space maps it once. */
  get data(): Uint8Array {
    if (this.#data.length === 0) this.#data = new Uint8Array(this.definition.maxEntries);
    return this.#data;
  }

  // --- A program's side

  /** Room for `size` bytes, or nothing if there is too little. */
  reserve(size: number): RingRecord | undefined {
    const capacity = this.definition.maxEntries;
    const places = placesOf(size);
    const oldest = Math.min(this.consumer, ...[...this.#pending].map(({ position }) => position));
    if (size > MAX_RECORD || places > capacity || this.producer + places - oldest > capacity - 1) {
      this.lost += 1;
      return undefined;
    }
    const position = this.producer;
    this.producer += places;
    this.#writeHeader(position, (size | BUSY) >>> 0);
    const bytes = Uint8Array.from(
      { length: size },
      (_, i) => this.data[(position + HEADER + i) % capacity] ?? 0,
    );
    const record = { position, size, bytes };
    this.#pending.add(record);
    return record;
  }

  #writeHeader(position: number, length: number): void {
    const at = position % this.definition.maxEntries;
    this.#view.setUint32(at, length, true);
    this.#view.setUint32(at + 4, FIRST_PAGE + Math.floor(at / PAGE), true);
  }

  /** Gives a record to user space, or takes it back so that user space passes it over. */
  commit(record: RingRecord, discard: boolean, flags: bigint): void {
    if (!this.#pending.delete(record)) throw new Error("the record has been committed already");
    const capacity = this.definition.maxEntries;
    for (const [i, byte] of record.bytes.entries()) {
      this.data[(record.position + HEADER + i) % capacity] = byte;
    }
    this.#writeHeader(record.position, discard ? (record.size | DISCARDED) >>> 0 : record.size);
    const waiting = record.position % capacity === this.consumer % capacity;
    if ((flags & BPF_RB_FORCE_WAKEUP) !== 0n || (waiting && (flags & BPF_RB_NO_WAKEUP) === 0n)) {
      this.wakeups += 1;
    }
  }

  /** A record at once. Returns 0, or a negative error number: -EAGAIN if there is no room. */
  output(data: Uint8Array, flags: bigint): number {
    if ((flags & ~(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)) !== 0n) return EINVAL;
    const record = this.reserve(data.length);
    if (record === undefined) return EAGAIN;
    record.bytes.set(data);
    this.commit(record, false, flags);
    return 0;
  }

  /** Bytes between the positions (0), the ring's size (1), the consumer's (2) or the producer's position (3); 0 for anything else. */
  query(what: bigint): bigint {
    switch (QUERIES[Number(what)]) {
      case "available":
        return BigInt(this.producer - this.consumer);
      case "size":
        return BigInt(this.definition.maxEntries);
      case "consumer":
        return BigInt(this.consumer);
      case "producer":
        return BigInt(this.producer);
      default:
        return 0n;
    }
  }

  // --- User space's side

  /** What has been submitted, oldest first, up to the first record that is still a program's, and where that is. */
  #submitted(): { readonly records: readonly Uint8Array[]; readonly end: number } {
    const capacity = this.definition.maxEntries;
    const records: Uint8Array[] = [];
    let end = this.consumer;
    while (end < this.producer) {
      const length = this.#view.getUint32(end % capacity, true);
      if ((length & BUSY) !== 0) break;
      const size = length & MAX_RECORD;
      const start = end + HEADER;
      if ((length & DISCARDED) === 0) {
        records.push(Uint8Array.from({ length: size }, (_, i) => this.data[(start + i) % capacity] ?? 0));
      }
      end += placesOf(size);
    }
    return { records, end };
  }

  /** What user space would read now. */
  get records(): readonly Uint8Array[] {
    return this.#submitted().records;
  }

  /** Reads it, which makes room. */
  consume(): readonly Uint8Array[] {
    const { records, end } = this.#submitted();
    this.consumer = end;
    return records;
  }

  protected override userUpdate(): number {
    return ENOTSUPP;
  }

  protected override userDelete(): number {
    return ENOTSUPP;
  }

  protected override userNext(): number {
    return ENOTSUPP;
  }

  reset(): void {
    this.consumer = 0;
    this.producer = 0;
    this.wakeups = 0;
    this.lost = 0;
    this.#pending.clear();
    this.#data.fill(0);
  }
}
