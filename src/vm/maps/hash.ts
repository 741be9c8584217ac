/**
 * Hash tables: elements exist once they are put. A deleted element's bytes stay as they are for whoever still points to them; an
 * element that is replaced or inserted again has bytes of its own (for per-CPU tables a replaced value keeps its place).
 *
 * Elements lie in buckets as in Linux when it is told to begin its hash function from 0 (BPF_F_ZERO_SEED). That decides the order of iteration and how batches are
 * cut. Without that flag a kernel's order is another each time.
 *
 * A table of type LRU makes room: here the least recently used element goes. Linux promises only that some element goes, perhaps more of them and before the table is full, but never the one that is put.
 */
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOSPC } from "../errno.ts";
import { freeFields } from "../objects/field.ts";
import { jenkins } from "./jenkins.ts";
import {
  allCopies,
  copyOf,
  type Entry,
  type MapValue,
  newValue,
  overwrite,
  overwriteAll,
  perCpuStride,
  ValueMap,
} from "./storage.ts";
import { chain, type Element, Table } from "./table.ts";
import { type Batch, BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, isUnknownUpdate } from "./user-side.ts";

interface Copies {
  /** One for each processor, or a single one. */
  readonly values: readonly MapValue[];
  /** The processor that put it. */
  readonly cpu: number;
}

export class HashMap extends ValueMap {
  readonly #copies: number;
  readonly #perCpu: boolean;
  readonly #evicts: boolean;
  /** How many elements one processor may have put, and how many there may be. */
  readonly #share: number;
  readonly #capacity: number;
  readonly #table: Table<Copies>;

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    super(definition);
    const { type, flags, maxEntries } = definition;
    this.#perCpu = type === "percpu_hash" || type === "lru_percpu_hash";
    this.#evicts = type === "lru_hash" || type === "lru_percpu_hash";
    this.#copies = this.#perCpu ? cpus : 1;
    const perProcessor = this.#evicts && (flags & MAP_FLAGS.no_common_lru) !== 0;
    this.#capacity = perProcessor ? Math.ceil(maxEntries / cpus) * cpus : maxEntries;
    this.#share = perProcessor ? this.#capacity / cpus : this.#capacity;
    this.#table = new Table(this.#capacity, (key) => jenkins(key, 0));
  }

  reset(): void {
    this.#table.clear();
  }

  find(key: Uint8Array, cpu: number): MapValue | undefined {
    if (this.#evicts) this.#table.touch(key);
    return this.#table.get(key)?.values[this.#perCpu ? cpu : 0];
  }

  // --- Changes

  /** Whether the flags are wrong for an element that exists or does not: an error number, or 0. */
  #checkUpdate(exists: boolean, flags: bigint): number {
    if (this.#perCpu || this.#evicts ? flags > BPF_EXIST : isUnknownUpdate(flags)) return EINVAL;
    if ((flags & BPF_F_LOCK) !== 0n && !this.hasLock) return EINVAL;
    const plain = flags & ~BPF_F_LOCK;
    if (exists) return plain === BPF_NOEXIST ? EEXIST : 0;
    if (plain === BPF_EXIST) return ENOENT;
    return !this.#evicts && this.#table.size >= this.#capacity ? E2BIG : 0;
  }

  put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    const existing = this.#table.get(key);
    const wrong = this.#checkUpdate(existing !== undefined, flags);
    if (wrong !== 0) return wrong;
    const own = existing?.values[this.#perCpu ? cpu : 0];
    if (own !== undefined && (this.#perCpu || (flags & BPF_F_LOCK) !== 0n)) {
      overwrite(this.definition, own, value);
      this.#table.touch(key);
      return 0;
    }
    const values = this.#perCpu
      ? Array.from({ length: this.#copies }, (_, at) =>
          newValue(this.definition, at === cpu ? value : undefined),
        )
      : [newValue(this.definition, value)];
    this.#insert(key, values, cpu);
    return 0;
  }

  #insert(key: Uint8Array, values: readonly MapValue[], cpu: number): void {
    const before = this.#table.get(key);
    if (this.#evicts && before === undefined) this.#makeRoom(cpu);
    this.#table.insert(key, { values, cpu });
    for (const value of before?.values ?? [])
      if (!values.includes(value)) freeFields(value, this.definition.fields);
  }

  /** Takes an element out. What the kernel keeps in its fields goes at once, whoever still has a pointer to its bytes. */
  #drop(key: Uint8Array): boolean {
    const held = this.#table.get(key);
    const was = this.#table.remove(key);
    for (const value of held?.values ?? []) freeFields(value, this.definition.fields);
    return was;
  }

  /** Evicts the least recently used of the elements that count, where the processor has put its share. */
  #makeRoom(cpu: number): void {
    const shared = this.#share === this.#capacity;
    const counted: Element<Copies>[] = [];
    for (const element of this.#table.byAge()) if (shared || element.held.cpu === cpu) counted.push(element);
    const [oldest] = counted;
    if (oldest !== undefined && counted.length >= this.#share) this.#drop(oldest.key);
  }

  remove(key: Uint8Array): number {
    return this.#drop(key) ? 0 : ENOENT;
  }

  *elements(cpu: number): Iterable<Entry> {
    for (const { key, held } of this.#table.elements()) {
      const value = held.values[this.#perCpu ? cpu : 0];
      if (value !== undefined) yield [key.slice(), value];
    }
  }

  // --- User space's side

  override get transferSize(): number {
    return this.#perCpu ? perCpuStride(this.definition) * this.#copies : this.definition.valueSize;
  }

  #userValue({ values }: Copies): Uint8Array {
    const [first] = values;
    return !this.#perCpu && first !== undefined
      ? copyOf(this.definition, first)
      : allCopies(this.definition, values);
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const held = this.#table.get(key);
    return held === undefined ? ENOENT : this.#userValue(held);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.#perCpu) return this.put(key, value, flags, 0);
    const existing = this.#table.get(key);
    const wrong = this.#checkUpdate(existing !== undefined, flags);
    if (wrong !== 0) return wrong;
    const values = existing?.values ?? Array.from({ length: this.#copies }, () => newValue(this.definition));
    overwriteAll(this.definition, values, value);
    if (existing === undefined) this.#insert(key, values, 0);
    else this.#table.touch(key);
    return 0;
  }

  protected override userDelete(key: Uint8Array): number {
    return this.remove(key);
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    return this.#table.keyAfter(key) ?? ENOENT;
  }

  protected override userTake(key: Uint8Array): Uint8Array | number {
    const value = this.userLookup(key);
    this.#drop(key);
    return value;
  }

  protected override get batches(): readonly ("lookup" | "take" | "update" | "delete")[] {
    return ["lookup", "take", "update", "delete"];
  }

  /** Whole buckets, as many as there is room for; where the next batch begins is the number of a bucket. */
  protected override userBatch(from: Uint8Array | undefined, count: number, take: boolean): Batch {
    const { bucketCount } = this.#table;
    let bucket = from === undefined ? 0 : new DataView(from.buffer, from.byteOffset).getUint32(0, true);
    if (bucket >= bucketCount) return { error: ENOENT, count: 0, keys: [], values: [] };
    const found: Element<Copies>[] = [];
    let error: number = ENOENT;
    for (;;) {
      const first = this.#table.firstFrom(bucket);
      bucket = first?.bucket ?? bucketCount;
      if (first === undefined) break;
      const here = chain(first);
      if (found.length + here.length > count) {
        error = found.length === 0 ? ENOSPC : 0;
        break;
      }
      found.push(...here);
      bucket += 1;
    }
    const keys = found.map(({ key }) => key.slice());
    const values = found.map(({ held }) => this.#userValue(held));
    if (take) for (const { key } of found) this.#drop(key);
    const next = new Uint8Array(4);
    new DataView(next.buffer).setUint32(0, bucket, true);
    return { error, count: found.length, keys, values, next };
  }
}
