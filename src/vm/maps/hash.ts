/**
 * Hash tables: elements exist once they are put. A deleted element's bytes stay as they are for whoever still points to them; an
 * element that is replaced or inserted again has bytes of its own (for per-CPU tables a replaced value keeps its place).
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { E2BIG, EEXIST, EINVAL, ENOENT } from "../errno.ts";
import {
  asksForLock,
  BPF_EXIST,
  BPF_NOEXIST,
  checkUserWrite,
  isUnknownUpdate,
  keyText,
  type MapValue,
  perCpuStride,
  type ValueMap,
} from "./storage.ts";

interface Element {
  readonly key: Uint8Array;
  /** One for each processor, or a single one. */
  readonly values: readonly MapValue[];
}

export class HashMap implements ValueMap {
  readonly kind = "values";
  readonly definition: MapDefinition;
  readonly #copies: number;
  readonly #perCpu: boolean;
  readonly #elements = new Map<string, Element>();

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    this.definition = definition;
    this.#perCpu = definition.type === "percpu_hash";
    this.#copies = this.#perCpu ? cpus : 1;
  }

  reset(): void {
    this.#elements.clear();
  }

  find(key: Uint8Array, cpu: number): MapValue | undefined {
    return this.#elements.get(keyText(key))?.values[this.#perCpu ? cpu : 0];
  }

  /** Room for a new value: the error of the flags, or of there being no room, or 0. */
  #checkUpdate(existing: Element | undefined, flags: bigint): number {
    if (isUnknownUpdate(flags) || asksForLock(flags)) return EINVAL;
    if (existing !== undefined) return flags === BigInt(BPF_NOEXIST) ? EEXIST : 0;
    if (flags === BigInt(BPF_EXIST)) return ENOENT;
    return this.#elements.size >= this.definition.maxEntries ? E2BIG : 0;
  }

  put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number {
    const existing = this.#elements.get(keyText(key));
    const wrong = this.#checkUpdate(existing, flags);
    if (wrong !== 0) return wrong;
    if (this.#perCpu && existing !== undefined) {
      existing.values[cpu]?.bytes.set(value);
      return 0;
    }
    const values = this.#newValues();
    values[this.#perCpu ? cpu : 0]?.bytes.set(value);
    this.#insert(key, values);
    return 0;
  }

  #newValues(): readonly MapValue[] {
    return Array.from({ length: this.#copies }, () => ({
      bytes: new Uint8Array(this.definition.valueSize),
    }));
  }

  #insert(key: Uint8Array, values: readonly MapValue[]): void {
    this.#elements.set(keyText(key), { key: key.slice(), values });
  }

  remove(key: Uint8Array): number {
    return this.#elements.delete(keyText(key)) ? 0 : ENOENT;
  }

  #userValue({ values }: Element): Uint8Array {
    const [first] = values;
    if (!this.#perCpu && first !== undefined) return first.bytes.slice();
    const stride = perCpuStride(this.definition);
    const all = new Uint8Array(stride * this.#copies);
    for (const [cpu, { bytes }] of values.entries()) all.set(bytes, cpu * stride);
    return all;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const element = this.#elements.get(keyText(key));
    return element === undefined ? undefined : this.#userValue(element);
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): number {
    const existing = this.#elements.get(keyText(key));
    const wrong = checkUserWrite(this.definition, key) || this.#checkUpdate(existing, BigInt(flags));
    if (wrong !== 0) return wrong;
    const stride = this.#perCpu ? perCpuStride(this.definition) : this.definition.valueSize;
    if (value.length !== stride * this.#copies) return EINVAL;
    const values = this.#perCpu && existing !== undefined ? existing.values : this.#newValues();
    for (const [cpu, { bytes }] of values.entries()) {
      bytes.set(value.subarray(cpu * stride, cpu * stride + bytes.length));
    }
    this.#insert(key, values);
    return 0;
  }

  delete(key: Uint8Array): number {
    return checkUserWrite(this.definition, key) || this.remove(key);
  }

  entries(): readonly (readonly [Uint8Array, Uint8Array])[] {
    return [...this.#elements.values()].map((element) => [element.key.slice(), this.#userValue(element)]);
  }
}
