/**
 * A ring buffer in the other direction: user space writes samples, programs read them. User space writes headers and the producer's position itself, so whatever
 * it writes may be there.
 */
import { E2BIG, EAGAIN, EINVAL, ENODATA, ENOTSUPP } from "../errno.ts";
import { UserSide } from "./user-side.ts";

const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const HEADER = 8;

/** A sample that a program reads: a copy, since it may not write it. */
export interface Sample {
  readonly bytes: Uint8Array;
  /** What to give `release` when it has been read. */
  readonly places: number;
}

export class UserRingBuffer extends UserSide {
  readonly kind = "user_ring";
  /** Bytes since the ring was made. User space moves the producer's position, programs the consumer's. */
  consumer = 0n;
  producer = 0n;
  #data = new Uint8Array(0);

  /** The ring's memory, as user space maps it once. */
  get data(): Uint8Array {
    if (this.#data.length === 0) this.#data = new Uint8Array(this.definition.maxEntries);
    return this.#data;
  }

  reset(): void {
    this.consumer = 0n;
    this.producer = 0n;
    this.#data.fill(0);
  }

  #at(position: bigint, offset: number): number {
    return Number((position + BigInt(offset)) % BigInt(this.definition.maxEntries));
  }

  /** User space's usual way: a sample and its header, and the position moved. Whether there was room. */
  submit(sample: Uint8Array): boolean {
    const places = Math.ceil((sample.length + HEADER) / 8) * 8;
    if (this.producer + BigInt(places) - this.consumer > BigInt(this.definition.maxEntries)) return false;
    const header = new DataView(this.data.buffer);
    header.setUint32(this.#at(this.producer, 0), sample.length, true);
    header.setUint32(this.#at(this.producer, 4), 0, true);
    for (const [i, byte] of sample.entries()) this.data[this.#at(this.producer, HEADER + i)] = byte;
    this.producer += BigInt(places);
    return true;
  }

  /**
   * The next sample, or a negative error number: -ENODATA if there is none, -EAGAIN for one that user space has withdrawn and that is passed over now, others for a ring that user space
   * has written nonsense to.
   */
  peek(): Sample | number {
    if (this.producer % 8n !== 0n) return EINVAL;
    if (this.consumer >= this.producer) return ENODATA;
    const length = new DataView(this.data.buffer).getUint32(this.#at(this.consumer, 0), true);
    const size = (length & ~(BUSY | DISCARDED)) >>> 0;
    const places = Math.ceil((size + HEADER) / 8) * 8;
    if (BigInt(places) > this.producer - this.consumer) return EINVAL;
    if (places > this.definition.maxEntries) return E2BIG;
    if ((length & BUSY) !== 0) return ENODATA;
    if ((length & DISCARDED) !== 0) {
      this.consumer += BigInt(places);
      return EAGAIN;
    }
    const bytes = Uint8Array.from(
      { length: size },
      (_, i) => this.data[this.#at(this.consumer, HEADER + i)] ?? 0,
    );
    return { bytes, places };
  }

  /** The sample has been read. */
  release({ places }: Sample): void {
    this.consumer += BigInt(places);
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
}
