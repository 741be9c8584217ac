/**
 * Tries of prefixes: a look-up finds the longest prefix of what it is given. A key is a length in bits (4 bytes, little-endian) and the bits, most significant first.
 */
import { EEXIST, EINVAL, ENOENT, ENOSPC } from "../errno.ts";
import { copyOf, type Entry, type MapValue, newValue, ValueMap } from "./storage.ts";
import { BPF_EXIST, BPF_NOEXIST } from "./user-side.ts";

interface Prefix {
  /** As it was put: bits behind the prefix included. */
  readonly key: Uint8Array;
  readonly value: MapValue;
}

const LENGTH = 4;

const lengthOf = (key: Uint8Array): number =>
  new DataView(key.buffer, key.byteOffset, LENGTH).getUint32(0, true);

const bitOf = (key: Uint8Array, at: number): number => ((key[LENGTH + (at >> 3)] ?? 0) >> (7 - (at & 7))) & 1;

/** The bits that a prefix of that length has in common with any other key. */
function textOf(key: Uint8Array, length: number): string {
  let text = "";
  for (let at = 0; at < length; at += 1) text += bitOf(key, at);
  return text;
}

export class LpmTrie extends ValueMap {
  /** By their bits. */
  readonly #prefixes = new Map<string, Prefix>();

  reset(): void {
    this.#prefixes.clear();
  }

  get #longest(): number {
    return 8 * (this.definition.keySize - LENGTH);
  }

  find(key: Uint8Array): MapValue | undefined {
    if (lengthOf(key) > this.#longest) return undefined;
    for (let length = lengthOf(key); length >= 0; length -= 1) {
      const found = this.#prefixes.get(textOf(key, length));
      if (found !== undefined) return found.value;
    }
    return undefined;
  }

  put(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > BPF_EXIST || lengthOf(key) > this.#longest) return EINVAL;
    const text = textOf(key, lengthOf(key));
    const exists = this.#prefixes.has(text);
    if (exists && flags === BPF_NOEXIST) return EEXIST;
    if (!exists && flags === BPF_EXIST) return ENOENT;
    if (!exists && this.#prefixes.size >= this.definition.maxEntries) return ENOSPC;
    this.#prefixes.set(text, { key: key.slice(), value: newValue(this.definition, value) });
    return 0;
  }

  remove(key: Uint8Array): number {
    if (lengthOf(key) > this.#longest) return EINVAL;
    return this.#prefixes.delete(textOf(key, lengthOf(key))) ? 0 : ENOENT;
  }

  /** Longer prefixes before those that they extend, otherwise by bits. */
  #inOrder(): readonly (readonly [string, Prefix])[] {
    return [...this.#prefixes].sort(([a], [b]) => {
      if (a.startsWith(b)) return -1;
      if (b.startsWith(a)) return 1;
      return a < b ? -1 : 1;
    });
  }

  *elements(): Iterable<Entry> {
    for (const [, { key, value }] of this.#inOrder()) yield [key.slice(), value];
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const value = this.find(key);
    return value === undefined ? ENOENT : copyOf(this.definition, value);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.put(key, value, flags);
  }

  protected override userDelete(key: Uint8Array): number {
    return this.remove(key);
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    const order = this.#inOrder();
    const valid = key !== undefined && lengthOf(key) <= this.#longest;
    const at = valid ? order.findIndex(([text]) => text === textOf(key, lengthOf(key))) : -1;
    return order[at + 1]?.[1].key.slice() ?? ENOENT;
  }

  protected override get batches(): readonly ("lookup" | "update" | "delete")[] {
    return ["lookup", "update", "delete"];
  }
}
