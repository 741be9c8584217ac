/**
 * A table of elements in buckets, the newest first in each: the order in which Linux goes through a hash table. Elements are found by their keys without regard to
 * buckets; an element that has been removed still tells what came after it.
 */

export interface Element<T> {
  readonly key: Uint8Array;
  readonly held: T;
  readonly bucket: number;
  /** The next one in its bucket. */
  next: Element<T> | undefined;
}

/** A key as something that a JavaScript map can compare. */
function textOf(key: Uint8Array): string {
  if (key.length !== 4) return String.fromCharCode(...key);
  // Most keys, and spreading takes several times as long.
  return String.fromCharCode(key[0] ?? 0, key[1] ?? 0, key[2] ?? 0, key[3] ?? 0);
}

/** The smallest power of two that is not less, and at least 1. */
export const powerAbove = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, count)));

export class Table<T> {
  readonly bucketCount: number;
  readonly #hash: (key: Uint8Array) => number;
  /** By key, in the order in which they were put or touched. */
  readonly #elements = new Map<string, Element<T>>();
  readonly #buckets = new Map<number, Element<T>>();

  /** @param hash  an unsigned number of 32 bits, whose low bits are the bucket */
  constructor(entries: number, hash: (key: Uint8Array) => number) {
    this.bucketCount = powerAbove(entries);
    this.#hash = hash;
  }

  get size(): number {
    return this.#elements.size;
  }

  clear(): void {
    this.#elements.clear();
    this.#buckets.clear();
  }

  get(key: Uint8Array): T | undefined {
    return this.#elements.get(textOf(key))?.held;
  }

  /** Makes it the last of `byAge`. */
  touch(key: Uint8Array): void {
    const text = textOf(key);
    const element = this.#elements.get(text);
    if (element === undefined) return;
    this.#elements.delete(text);
    this.#elements.set(text, element);
  }

  /** Elements in the order in which they were put or touched. */
  byAge(): Iterable<Element<T>> {
    return this.#elements.values();
  }

  /** A new element in front of its bucket, in place of one with the same key. */
  insert(key: Uint8Array, held: T): void {
    this.remove(key);
    const bucket = this.#hash(key) & (this.bucketCount - 1);
    const element = { key: key.slice(), held, bucket, next: this.#buckets.get(bucket) };
    this.#buckets.set(bucket, element);
    this.#elements.set(textOf(key), element);
  }

  /** Whether there was one. */
  remove(key: Uint8Array): boolean {
    const text = textOf(key);
    const element = this.#elements.get(text);
    if (element === undefined) return false;
    this.#elements.delete(text);
    let before = this.#buckets.get(element.bucket);
    if (before !== element) {
      while (before !== undefined && before.next !== element) before = before.next;
      if (before !== undefined) before.next = element.next;
    } else if (element.next === undefined) this.#buckets.delete(element.bucket);
    else this.#buckets.set(element.bucket, element.next);
    return true;
  }

  /** The first element of the first bucket from `bucket` on that has one. */
  firstFrom(bucket: number): Element<T> | undefined {
    if (this.#buckets.size === 0) return undefined;
    // Looks where there are fewer places to look.
    if (this.#buckets.size * 8 > this.bucketCount) {
      for (let at = bucket; at < this.bucketCount; at += 1) {
        const first = this.#buckets.get(at);
        if (first !== undefined) return first;
      }
      return undefined;
    }
    let lowest = Number.POSITIVE_INFINITY;
    for (const at of this.#buckets.keys()) if (at >= bucket && at < lowest) lowest = at;
    return this.#buckets.get(lowest);
  }

  /** The key after the given one; the first for none, or for one that is not there. */
  keyAfter(key: Uint8Array | undefined): Uint8Array | undefined {
    const element = key === undefined ? undefined : this.#elements.get(textOf(key));
    const next =
      element === undefined ? this.firstFrom(0) : (element.next ?? this.firstFrom(element.bucket + 1));
    return next?.key.slice();
  }

  /** All elements in order. The next one of a bucket is looked for before the caller does something with an element. */
  *elements(): Iterable<Element<T>> {
    let element = this.firstFrom(0);
    while (element !== undefined) {
      const { bucket } = element;
      while (element !== undefined) {
        const { next }: Element<T> = element;
        yield element;
        element = next;
      }
      element = this.firstFrom(bucket + 1);
    }
  }
}

/** The element and those behind it in its bucket. */
export function chain<T>(first: Element<T>): readonly Element<T>[] {
  const found: Element<T>[] = [];
  for (let one: Element<T> | undefined = first; one !== undefined; one = one.next) found.push(one);
  return found;
}
