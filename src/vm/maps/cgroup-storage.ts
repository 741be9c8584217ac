/**
 * The older storage of control groups, with one value or one for each processor: a value is there as long as a program that uses the map is attached to the group. A key is the group's id and the kind of
 * attachment, or the id alone.
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { EINVAL, ENOENT } from "../errno.ts";
import {
  allCopies,
  copyOf,
  type MapValue,
  newValue,
  overwrite,
  overwriteAll,
  perCpuStride,
} from "./storage.ts";
import { BPF_EXIST, BPF_F_LOCK, UserSide } from "./user-side.ts";

interface Attached {
  readonly key: Uint8Array;
  readonly values: readonly MapValue[];
}

export class CgroupStorage extends UserSide {
  readonly kind = "cgroup_storage";
  readonly #copies: number;
  readonly #perCpu: boolean;
  /** In the order of attachment. */
  readonly #attached = new Map<string, Attached>();

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    super(definition);
    this.#perCpu = definition.type === "percpu_cgroup_storage";
    this.#copies = this.#perCpu ? cpus : 1;
  }

  reset(): void {
    this.#attached.clear();
  }

  /** A program that uses the map is attached to the group: its value is there from now on, zeroed if it was not there before. */
  addGroup(key: Uint8Array): void {
    if (this.#attached.has(key.join())) return;
    const values = Array.from({ length: this.#copies }, () => newValue(this.definition));
    this.#attached.set(key.join(), { key: key.slice(), values });
  }

  /** What a program finds that runs for the group. */
  find(key: Uint8Array, cpu: number): MapValue | undefined {
    return this.#attached.get(key.join())?.values[this.#perCpu ? cpu : 0];
  }

  override get transferSize(): number {
    return this.#perCpu ? perCpuStride(this.definition) * this.#copies : this.definition.valueSize;
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const found = this.#attached.get(key.join());
    const [first] = found?.values ?? [];
    if (found === undefined || first === undefined) return ENOENT;
    return this.#perCpu ? allCopies(this.definition, found.values) : copyOf(this.definition, first);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#perCpu ? flags > BPF_EXIST || flags === 1n : (flags & ~(BPF_F_LOCK | BPF_EXIST)) !== 0n) {
      return EINVAL;
    }
    const found = this.#attached.get(key.join());
    const [first] = found?.values ?? [];
    if (found === undefined || first === undefined) return ENOENT;
    if (this.#perCpu) overwriteAll(this.definition, found.values, value);
    else overwrite(this.definition, first, value);
    return 0;
  }

  protected override userDelete(): number {
    return EINVAL;
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    const keys = [...this.#attached.values()].map((one) => one.key);
    const at = key === undefined ? -1 : keys.findIndex((one) => one.join() === key.join());
    if (key !== undefined && at === -1) return ENOENT;
    return keys[at + 1]?.slice() ?? ENOENT;
  }
}
