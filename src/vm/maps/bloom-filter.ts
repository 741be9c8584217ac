/**
 * A bloom filter: values that were put are found, others mostly not. Which others are found is as in Linux when it begins its hash function from 0
 * (BPF_F_ZERO_SEED).
 */
import { EINVAL, ENOENT, EOPNOTSUPP } from "../errno.ts";
import { jenkins } from "./jenkins.ts";
import { UserSide } from "./user-side.ts";

/** How often a value is hashed if the definition does not say. */
const HASHES = 5;
const FEWEST_BITS = 64;
const MOST_BITS = 2 ** 31;

export class BloomFilter extends UserSide {
  readonly kind = "bloom";
  /** The bits that are set. */
  readonly #bits = new Set<number>();

  reset(): void {
    this.#bits.clear();
  }

  get #hashes(): number {
    return this.definition.extra === undefined || this.definition.extra === 0
      ? HASHES
      : this.definition.extra;
  }

  /** About entries × hashes / ln 2, where ln 2 is taken as 5/7, rounded up to a power of two. */
  get #mask(): number {
    const wanted = Math.floor((this.definition.maxEntries * this.#hashes) / 5) * 7;
    if (wanted > MOST_BITS) return 0xffff_ffff;
    return 2 ** Math.ceil(Math.log2(Math.max(wanted, FEWEST_BITS))) - 1;
  }

  #placesOf(value: Uint8Array): readonly number[] {
    const mask = this.#mask;
    return Array.from({ length: this.#hashes }, (_, i) => (jenkins(value, i) & mask) >>> 0);
  }

  push(value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return EINVAL;
    for (const bit of this.#placesOf(value)) this.#bits.add(bit);
    return 0;
  }

  /** 0 if the value may have been put, -ENOENT if it has not. */
  peek(value: Uint8Array): number {
    return this.#placesOf(value).every((bit) => this.#bits.has(bit)) ? 0 : ENOENT;
  }

  protected override userLookup(value: Uint8Array): Uint8Array | number {
    const missing = this.peek(value);
    return missing === 0 ? value : missing;
  }

  protected override userUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.push(value, flags);
  }

  protected override userDelete(): number {
    return EOPNOTSUPP;
  }

  protected override userNext(): number {
    return EOPNOTSUPP;
  }
}
