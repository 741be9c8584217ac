/**
 * Arrays: every element exists from the start, zeroed, and none can be deleted. Per-CPU arrays have one value for each processor; a program
 * sees its own.
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { E2BIG, EEXIST, EINVAL, ENOENT } from "../errno.ts";
import {
  allCopies,
  copyOf,
  type Entry,
  indexKey,
  indexOf,
  type MapValue,
  newValue,
  overwrite,
  overwriteAll,
  perCpuStride,
  ValueMap,
} from "./storage.ts";
import { BPF_F_LOCK, BPF_NOEXIST, isUnknownUpdate } from "./user-side.ts";

/** The index after `key`, for arrays of whatever: the first after none, or after what is no index. */
export function nextIndex({ maxEntries }: MapDefinition, key: Uint8Array | undefined): Uint8Array | number {
  const index = key === undefined ? maxEntries : indexOf(key);
  if (index >= maxEntries) return indexKey(0);
  return index === maxEntries - 1 ? ENOENT : indexKey(index + 1);
}

export class ArrayMap extends ValueMap {
  readonly #copies: number;
  readonly #perCpu: boolean;
  /** Made when first used: one for each processor and element. */
  readonly #values = new Map<number, MapValue>();

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    super(definition);
    this.#perCpu = definition.type === "percpu_array";
    this.#copies = this.#perCpu ? cpus : 1;
    this.reset();
  }

  reset(): void {
    this.#values.clear();
    const { data } = this.definition;
    if (data !== undefined) this.#value(0, 0).bytes.set(data.subarray(0, this.definition.valueSize));
  }

  #value(index: number, cpu: number): MapValue {
    const at = index * this.#copies + (this.#perCpu ? cpu : 0);
    let value = this.#values.get(at);
    if (value === undefined) {
      value = newValue(this.definition);
      this.#values.set(at, value);
    }
    return value;
  }

  #allValues(index: number): readonly MapValue[] {
    return Array.from({ length: this.#copies }, (_, cpu) => this.#value(index, cpu));
  }

  find(key: Uint8Array, cpu: number): MapValue | undefined {
    const index = indexOf(key);
    const isThere = index < this.definition.maxEntries && (!this.#perCpu || cpu < this.#copies);
    return isThere ? this.#value(index, cpu) : undefined;
  }

  #checkUpdate(key: Uint8Array, flags: bigint): number {
    if (isUnknownUpdate(flags)) return EINVAL;
    if (indexOf(key) >= this.definition.maxEntries) return E2BIG;
    if ((flags & BPF_NOEXIST) !== 0n) return EEXIST;
    return (flags & BPF_F_LOCK) !== 0n && !this.hasLock ? EINVAL : 0;
  }

  put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    const wrong = this.#checkUpdate(key, flags);
    if (wrong === 0) overwrite(this.definition, this.#value(indexOf(key), cpu), value);
    return wrong;
  }

  remove(): number {
    return EINVAL;
  }

  *elements(cpu: number): Iterable<Entry> {
    for (let index = 0; index < this.definition.maxEntries; index += 1) {
      yield [indexKey(index), this.#value(index, cpu)];
    }
  }

  // --- User space's side

  override get transferSize(): number {
    return this.#perCpu ? perCpuStride(this.definition) * this.#copies : this.definition.valueSize;
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const index = indexOf(key);
    if (index >= this.definition.maxEntries) return ENOENT;
    if (!this.#perCpu) return copyOf(this.definition, this.#value(index, 0));
    return allCopies(this.definition, this.#allValues(index));
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (!this.#perCpu) return this.put(key, value, flags, 0);
    const wrong = this.#checkUpdate(key, flags);
    if (wrong === 0) overwriteAll(this.definition, this.#allValues(indexOf(key)), value);
    return wrong;
  }

  protected override userDelete(): number {
    return EINVAL;
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    return nextIndex(this.definition, key);
  }

  protected override get batches(): readonly ("lookup" | "update")[] {
    return ["lookup", "update"];
  }
}
