/**
 * Arrays: every element exists from the start, zeroed, and none can be deleted. Per-CPU arrays have one value for each processor; a program
 * sees its own.
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { E2BIG, EEXIST, EINVAL } from "../errno.ts";
import {
  asksForLock,
  BPF_NOEXIST,
  checkUserWrite,
  indexKey,
  indexOf,
  isUnknownUpdate,
  type MapValue,
  perCpuStride,
  type ValueMap,
} from "./storage.ts";

export class ArrayMap implements ValueMap {
  readonly kind = "values";
  readonly definition: MapDefinition;
  readonly #copies: number;
  readonly #perCpu: boolean;
  /** Made when first used: one for each processor and element. */
  readonly #values = new Map<number, MapValue>();

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    this.definition = definition;
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
      value = { bytes: new Uint8Array(this.definition.valueSize) };
      this.#values.set(at, value);
    }
    return value;
  }

  find(key: Uint8Array, cpu: number): MapValue | undefined {
    const index = indexOf(key);
    return index < this.definition.maxEntries ? this.#value(index, cpu) : undefined;
  }

  #checkUpdate(key: Uint8Array, flags: bigint): number {
    if (isUnknownUpdate(flags)) return EINVAL;
    if (indexOf(key) >= this.definition.maxEntries) return E2BIG;
    if ((flags & BigInt(BPF_NOEXIST)) !== 0n) return EEXIST;
    return asksForLock(flags) ? EINVAL : 0;
  }

  put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    const wrong = this.#checkUpdate(key, flags);
    if (wrong === 0) this.#value(indexOf(key), cpu).bytes.set(value);
    return wrong;
  }

  remove(): number {
    return EINVAL;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const index = indexOf(key);
    if (index >= this.definition.maxEntries) return undefined;
    if (!this.#perCpu) return this.#value(index, 0).bytes.slice();
    const stride = perCpuStride(this.definition);
    const all = new Uint8Array(stride * this.#copies);
    for (let cpu = 0; cpu < this.#copies; cpu += 1) all.set(this.#value(index, cpu).bytes, cpu * stride);
    return all;
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): number {
    const wrong = checkUserWrite(this.definition, key) || this.#checkUpdate(key, BigInt(flags));
    if (wrong !== 0) return wrong;
    const stride = this.#perCpu ? perCpuStride(this.definition) : this.definition.valueSize;
    if (value.length !== stride * this.#copies) return EINVAL;
    for (let cpu = 0; cpu < this.#copies; cpu += 1) {
      const own = value.subarray(cpu * stride, cpu * stride + this.definition.valueSize);
      this.#value(indexOf(key), cpu).bytes.set(own);
    }
    return 0;
  }

  delete(key: Uint8Array): number {
    return checkUserWrite(this.definition, key) || EINVAL;
  }

  entries(): readonly (readonly [Uint8Array, Uint8Array])[] {
    return Array.from({ length: this.definition.maxEntries }, (_, index) => {
      const key = indexKey(index);
      return [key, this.lookup(key) ?? new Uint8Array(0)] as const;
    });
  }
}
