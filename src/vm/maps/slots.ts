/** Arrays of things that are no values: a place is empty or holds a thing that user space put there by a descriptor and sees by its id. */
import { E2BIG, EBADF, EINVAL, ENOENT, ENOTSUPP } from "../errno.ts";
import { nextIndex } from "./array.ts";
import { indexKey, indexOf } from "./storage.ts";
import { type Referent, UserSide } from "./user-side.ts";

export abstract class SlotArray<T extends Referent> extends UserSide {
  readonly #slots = new Map<number, T>();

  reset(): void {
    const things = [...this.#slots.values()];
    this.#slots.clear();
    for (const thing of things) this.onHold(thing, false);
  }

  /** The thing at an index; nothing if the place is empty or there is none. */
  at(index: number): T | undefined {
    return this.#slots.get(index);
  }

  override get things(): Iterable<T> {
    return this.#slots.values();
  }

  /** Puts a thing, or empties the place for `undefined`. Returns 0 or a negative error number. */
  place(index: number, thing: T | undefined): number {
    if (index >= this.definition.maxEntries) return E2BIG;
    const before = this.#slots.get(index);
    if (thing === undefined) {
      if (!this.#slots.delete(index)) return ENOENT;
    } else {
      this.#slots.set(index, thing);
      this.onHold(thing, true);
    }
    if (before !== undefined) this.onHold(before, false);
    return 0;
  }

  /** What a descriptor stands for as a thing of this map, or a negative error number. */
  protected abstract accept(descriptor: number): T | number;

  /** Whether a look-up tells ids. */
  protected abstract readonly tellsIds: boolean;

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    if (!this.tellsIds) return ENOTSUPP;
    const thing = this.at(indexOf(key));
    return thing === undefined ? ENOENT : indexKey(thing.id);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return EINVAL;
    if (indexOf(key) >= this.definition.maxEntries) return E2BIG;
    const thing = this.accept(indexOf(value));
    return typeof thing === "number" ? thing : this.place(indexOf(key), thing);
  }

  protected override userDelete(key: Uint8Array): number {
    return this.place(indexOf(key), undefined);
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    return nextIndex(this.definition, key);
  }
}

/** Cgroups, by descriptors of their directories: what a program asks whether it is under. */
export class CgroupArray extends SlotArray<Referent> {
  readonly kind = "cgroups";
  protected readonly tellsIds = false;

  protected accept(descriptor: number): Referent | number {
    const held = this.held(descriptor);
    return typeof held === "number" || held.kind === "cgroup" ? held : EBADF;
  }
}

/** A record that a program gave to perf_event_output. */
export interface PerfRecord {
  readonly index: number;
  readonly data: Uint8Array;
}

/** A perf event array: records go to the indices that user space has attached, as events would be. */
export class PerfEventArray extends SlotArray<Referent> {
  readonly kind = "events";
  protected readonly tellsIds = false;
  /** What arrived, oldest first. */
  readonly records: PerfRecord[] = [];

  /** Opens the given index (a processor's number) for records. Returns 0 or a negative error number. */
  attach(index: number): number {
    return this.place(index, { kind: "perf_event", id: 0 });
  }

  /** A program's record. */
  output(index: number, data: Uint8Array): number {
    if (index >= this.definition.maxEntries) return E2BIG;
    if (this.at(index) === undefined) return ENOENT;
    this.records.push({ index, data });
    return 0;
  }

  override reset(): void {
    super.reset();
    this.records.length = 0;
  }

  protected accept(descriptor: number): Referent | number {
    const held = this.held(descriptor);
    return typeof held === "number" || held.kind === "perf_event" ? held : EBADF;
  }
}
