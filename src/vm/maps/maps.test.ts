/** Worked examples; that maps answer as the kernel's do is a claim of properties/machine. */
import { describe, expect, it } from "vitest";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { ArrayMap } from "./array.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { HashMap } from "./hash.ts";
import { jenkins } from "./jenkins.ts";
import { LpmTrie } from "./lpm-trie.ts";
import { QueueMap } from "./queue.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { indexKey } from "./storage.ts";

const shape = (
  type: MapDefinition["type"],
  [keySize, valueSize, maxEntries]: readonly [number, number, number],
  rest: Partial<MapDefinition> = {},
): MapDefinition => ({ name: "m", type, keySize, valueSize, maxEntries, flags: 0, ...rest });

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

describe("the hash function", () => {
  // The examples that its author published with it.
  it.each([
    ["", 0, 0xdeadbeef],
    ["", 0xdeadbeef, 0xbd5b7dde],
    ["Four score and seven years ago", 0, 0x17770551],
    ["Four score and seven years ago", 1, 0xcd628161],
  ])("of '%s' from %i", (text, seed, hash) => {
    expect(jenkins(new TextEncoder().encode(text), seed)).toBe(hash);
  });
});

describe("maps", () => {
  it("of type LRU make room by evicting what was used least recently", () => {
    const map = new HashMap(shape("lru_hash", [4, 1, 2]), 1);
    map.put(indexKey(1), bytes(1), 0n, 0);
    map.put(indexKey(2), bytes(2), 0n, 0);
    map.find(indexKey(1), 0);
    map.put(indexKey(3), bytes(3), 0n, 0);
    const left = map.entries().map(([, value]) => value[0]);
    expect(new Set(left)).toEqual(new Set([1, 3]));
  });

  it("of prefixes find the longest one", () => {
    const trie = new LpmTrie(shape("lpm_trie", [8, 1, 4], { flags: 1 }));
    trie.put(bytes(8, 0, 0, 0, 10, 0, 0, 0), bytes(8), 0n);
    trie.put(bytes(16, 0, 0, 0, 10, 1, 0, 0), bytes(16), 0n);
    const found = (...address: readonly number[]): number | undefined =>
      trie.find(bytes(32, 0, 0, 0, ...address))?.bytes[0];
    expect([found(10, 1, 2, 3), found(10, 2, 2, 3), found(11, 1, 2, 3)]).toEqual([16, 8, undefined]);
  });

  it("without keys give the oldest or the newest value, and let it go for another if they shall", () => {
    const queue = new QueueMap(shape("queue", [0, 1, 2]));
    const stack = new QueueMap(shape("stack", [0, 1, 2]));
    for (const map of [queue, stack]) {
      expect([1, 2, 3].map((value) => map.push(bytes(value), 0n))).toEqual([0, 0, -7]);
      expect(map.push(bytes(4), 2n)).toBe(0);
    }
    expect([queue.pop(), queue.pop(), queue.pop()]).toEqual([bytes(2), bytes(4), -2]);
    expect([stack.pop(), stack.pop(), stack.pop()]).toEqual([bytes(4), bytes(2), -2]);
  });

  it("of type bloom filter miss nothing that was put", () => {
    const filter = new BloomFilter(shape("bloom_filter", [0, 4, 100]));
    for (let i = 0; i < 100; i += 1) filter.push(indexKey(3 * i), 0n);
    let found = 0;
    for (let i = 0; i < 300; i += 1) if (filter.peek(indexKey(i)) === 0) found += 1;
    for (let i = 0; i < 100; i += 1) expect(filter.peek(indexKey(3 * i))).toBe(0);
    expect(found).toBeLessThan(150);
  });

  it("keep user space from what lies in values for the kernel", () => {
    const fields = [{ kind: "spin_lock", offset: 4 }];
    const map = new ArrayMap(shape("array", [4, 8, 1], { fields }), 1);
    const lock = map.find(indexKey(0), 0);
    lock?.bytes.fill(7);
    expect(map.lookup(indexKey(0))).toEqual(bytes(7, 7, 7, 7, 0, 0, 0, 0));
    expect(map.update(indexKey(0), bytes(1, 2, 3, 4, 5, 6, 7, 8), 4n)).toBe(0);
    expect(lock?.bytes).toEqual(bytes(1, 2, 3, 4, 7, 7, 7, 7));
    expect(map.freeze()).toBe(-524);
  });
});

describe("a ring buffer", () => {
  const ring = (): RingBuffer => new RingBuffer(shape("ringbuf", [0, 0, 4096]));

  it("gives records in the order of their reservation, without those that were discarded", () => {
    const map = ring();
    const [a, b, c] = [map.reserve(1), map.reserve(9), map.reserve(2)];
    if (a === undefined || b === undefined || c === undefined) throw new Error("there is room for three");
    c.bytes.fill(3);
    map.commit(c, false, 0n);
    expect(map.consume()).toEqual([]);
    a.bytes.fill(1);
    map.commit(a, false, 0n);
    map.commit(b, true, 0n);
    expect(map.consume()).toEqual([bytes(1), bytes(3, 3)]);
    expect([map.query(0n), map.query(1n), map.query(2n), map.query(9n)]).toEqual([0n, 4096n, 56n, 0n]);
  });

  it("wakes user space when it waits, or when it is told to or not to", () => {
    const map = ring();
    const wakes = (flags: bigint): number => {
      const before = map.wakeups;
      map.output(bytes(1), flags);
      return map.wakeups - before;
    };
    expect([wakes(1n), wakes(0n), wakes(2n)]).toEqual([0, 0, 1]);
    map.consume();
    expect(wakes(0n)).toBe(1);
  });

  it("says that it is full, and counts what is lost", () => {
    const map = ring();
    expect(map.output(new Uint8Array(4000), 0n)).toBe(0);
    expect(map.output(new Uint8Array(200), 0n)).toBe(-11);
    expect(map.lost).toBe(1);
  });
});
