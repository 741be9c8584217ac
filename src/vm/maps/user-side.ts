/**
 * User space's side of a map: what the commands of bpf(2) do, with the kernel's checks in the kernel's order. Results are bytes, or 0, or a
 * negative error number. Keys and values have the sizes that the kernel would read and write (`keySize`, `transferSize`); other lengths are -EINVAL. A map without
 * keys is given an empty one.
 *
 * Which checks a command makes before it asks the map is the same for all maps, and is here. What a type of map answers is in its own file; what
 * a type does not say is what Linux answers for operations that a type does not have. Source: Documentation/bpf/maps.rst, man bpf(2), and the running kernel, which
 * `properties/machine` compares with.
 */
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { EBADF, EBUSY, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EPERM } from "../errno.ts";

/** Flags of look-ups and updates (linux/bpf.h). */
export const BPF_NOEXIST = 1n;
export const BPF_EXIST = 2n;
export const BPF_F_LOCK = 4n;

/** Whether an update's flags are none that Linux knows; whether the lock may be asked for is another question. */
export const isUnknownUpdate = (flags: bigint): boolean => (flags & ~BPF_F_LOCK) > BPF_EXIST;

/** A thing that a map refers to and that user space names by a descriptor, as a socket or a map; `id` is what a look-up tells of it. */
export interface Referent {
  readonly kind: string;
  readonly id: number;
  /** The inode of the file that it is, if that is not what `id` says. */
  readonly inode?: bigint;
  /** The program that it is. */
  readonly program?: Program;
}

/** What user space's descriptors stand for; nothing by default. */
export type Descriptors = (descriptor: number) => Referent | undefined;

/** What came of a batch: `error` is 0 or negative, `count` how many elements were done, `next` where the following batch begins. */
export interface Batch {
  readonly error: number;
  readonly count: number;
  readonly keys: readonly Uint8Array[];
  readonly values: readonly Uint8Array[];
  readonly next?: Uint8Array;
}

/** The batch commands that a type has. */
type BatchCommand = "lookup" | "take" | "update" | "delete";

const isError = (result: Uint8Array | number): result is number => typeof result === "number";

const batchOf = (error: number, count = 0): Batch => ({ error, count, keys: [], values: [] });

export abstract class UserSide implements Referent {
  abstract readonly kind: string;
  /** What user space sees of it where another map holds it. */
  id = 0;
  readonly definition: MapDefinition;
  /** What the file descriptors in values stand for. */
  descriptors: Descriptors = () => undefined;
  /** What the descriptor that user space has lets it do; by default what the map's flags say. */
  access: { readonly mayRead: boolean; readonly mayWrite: boolean } | undefined;
  /** Told of each thing that the map comes to hold (a program, another map …), and of each that it no longer does. */
  onHold: (thing: Referent, held: boolean) => void = () => undefined;
  /** How many writable mappings user space has of it. */
  writableMappings = 0;
  #frozen: boolean;

  constructor(definition: MapDefinition) {
    this.definition = definition;
    this.#frozen = definition.frozen === true;
  }

  /** The things that it holds. */
  get things(): Iterable<Referent> {
    return [];
  }

  // --- What types of maps answer

  protected userLookup(_key: Uint8Array): Uint8Array | number {
    return ENOTSUPP;
  }

  protected userUpdate(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return EOPNOTSUPP;
  }

  protected userDelete(_key: Uint8Array): number {
    return EOPNOTSUPP;
  }

  /** The key after the given one, or the first. */
  protected userNext(_key: Uint8Array | undefined): Uint8Array | number {
    return EOPNOTSUPP;
  }

  /** Looks up and deletes. */
  protected userTake(_key: Uint8Array): Uint8Array | number {
    return ENOTSUPP;
  }

  protected get batches(): readonly BatchCommand[] {
    return [];
  }

  /** What lies in its values besides bytes keeps a map from being frozen. */
  get #hasFields(): boolean {
    return (this.definition.fields ?? []).length > 0;
  }

  protected get hasLock(): boolean {
    return (this.definition.fields ?? []).some(
      ({ kind }) => kind === "spin_lock" || kind === "res_spin_lock",
    );
  }

  /** Whether the type has a batch command. */
  hasBatch(command: BatchCommand): boolean {
    return this.batches.includes(command);
  }

  // --- The commands

  /** Bytes of a value as user space reads and writes it. */
  get transferSize(): number {
    return this.definition.valueSize;
  }

  /** Whether user space may no longer write. */
  get frozen(): boolean {
    return this.#frozen;
  }

  get #mayRead(): boolean {
    return this.access?.mayRead ?? (this.definition.flags & MAP_FLAGS.wronly) === 0;
  }

  get #mayWrite(): boolean {
    return !this.#frozen && (this.access?.mayWrite ?? (this.definition.flags & MAP_FLAGS.rdonly) === 0);
  }

  #isKey(key: Uint8Array): boolean {
    return key.length === this.definition.keySize;
  }

  #refusesLock(flags: bigint): boolean {
    return (flags & BPF_F_LOCK) !== 0n && !this.hasLock;
  }

  /** BPF_MAP_LOOKUP_ELEM. `value` is what user space's buffer holds before, which a bloom filter looks for. */
  lookup(key: Uint8Array, flags = 0n, value?: Uint8Array): Uint8Array | number {
    if ((flags & ~BPF_F_LOCK) !== 0n) return EINVAL;
    if (!this.#mayRead) return EPERM;
    if (this.#refusesLock(flags) || !this.#isKey(key)) return EINVAL;
    return this.userLookup(value ?? key);
  }

  /** BPF_MAP_UPDATE_ELEM. */
  update(key: Uint8Array, value: Uint8Array, flags = 0n): number {
    if (!this.#mayWrite) return EPERM;
    if (this.#refusesLock(flags) || !this.#isKey(key) || value.length !== this.transferSize) return EINVAL;
    return this.userUpdate(key, value, flags);
  }

  /** BPF_MAP_DELETE_ELEM. */
  delete(key: Uint8Array): number {
    if (!this.#mayWrite) return EPERM;
    return this.#isKey(key) ? this.userDelete(key) : EINVAL;
  }

  /** BPF_MAP_GET_NEXT_KEY: the first key for none. */
  nextKey(key: Uint8Array | undefined): Uint8Array | number {
    if (!this.#mayRead) return EPERM;
    if (key === undefined || key.length === 0) return this.userNext(undefined);
    return this.#isKey(key) ? this.userNext(key) : EINVAL;
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM. */
  lookupAndDelete(key: Uint8Array, flags = 0n): Uint8Array | number {
    if ((flags & ~BPF_F_LOCK) !== 0n) return EINVAL;
    if (!this.#mayRead || !this.#mayWrite) return EPERM;
    const { type } = this.definition;
    if (flags !== 0n && (type === "queue" || type === "stack")) return EINVAL;
    return this.#refusesLock(flags) || !this.#isKey(key) ? EINVAL : this.userTake(key);
  }

  /** BPF_MAP_FREEZE: user space may no longer write. */
  freeze(): number {
    if (this.#hasFields) return ENOTSUPP;
    if (!this.#mayWrite) return EPERM;
    if (this.writableMappings > 0) return EBUSY;
    this.#frozen = true;
    return 0;
  }

  // --- Batches

  #batchProblem(command: BatchCommand, flags: bigint): number {
    if (command !== "update" && command !== "delete" && !this.#mayRead) return EPERM;
    if (command !== "lookup" && !this.#mayWrite) return EPERM;
    if (!this.hasBatch(command)) return ENOTSUPP;
    return (flags & ~BPF_F_LOCK) !== 0n || this.#refusesLock(flags) ? EINVAL : 0;
  }

  /** BPF_MAP_LOOKUP_BATCH: up to `count` elements after `from`, which is the `next` of the batch before. */
  lookupBatch(from: Uint8Array | undefined, count: number, flags = 0n): Batch {
    const problem = this.#batchProblem("lookup", flags);
    if (problem !== 0 || count === 0) return batchOf(problem, problem === 0 ? 0 : count);
    return this.userBatch(from, count, false);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_BATCH. */
  lookupAndDeleteBatch(from: Uint8Array | undefined, count: number, flags = 0n): Batch {
    const problem = this.#batchProblem("take", flags);
    if (problem !== 0 || count === 0) return batchOf(problem, problem === 0 ? 0 : count);
    return this.userBatch(from, count, true);
  }

  /** What most types do for a batch of look-ups: one key after the other. */
  protected userBatch(from: Uint8Array | undefined, count: number, _take: boolean): Batch {
    const keys: Uint8Array[] = [];
    const values: Uint8Array[] = [];
    let last = from;
    let error = 0;
    while (keys.length < count) {
      const key = this.userNext(last);
      if (isError(key)) {
        error = key;
        break;
      }
      const value = this.userLookup(key);
      last = key;
      if (isError(value)) {
        if (value === ENOENT) continue;
        return { error: value, count: 0, keys, values };
      }
      keys.push(key);
      values.push(value);
    }
    const next = keys.length > 0 && last !== undefined ? { next: last } : {};
    return { error, count: keys.length, keys, values, ...next };
  }

  /** BPF_MAP_UPDATE_BATCH; ends at the first element that fails. */
  updateBatch(elements: readonly (readonly [Uint8Array, Uint8Array])[], flags = 0n): Batch {
    const problem = this.#batchProblem("update", flags);
    if (problem !== 0) return batchOf(problem, elements.length);
    for (const [done, [key, value]] of elements.entries()) {
      const error = this.userUpdate(key, value, flags);
      if (error !== 0) return batchOf(error, done);
    }
    return batchOf(0, elements.length);
  }

  /** BPF_MAP_DELETE_BATCH; ends at the first element that fails. */
  deleteBatch(keys: readonly Uint8Array[], flags = 0n): Batch {
    const problem = this.#batchProblem("delete", flags);
    if (problem !== 0) return batchOf(problem, keys.length);
    for (const [done, key] of keys.entries()) {
      const error = this.userDelete(key);
      if (error !== 0) return batchOf(error, done);
    }
    return batchOf(0, keys.length);
  }

  // --- For those who hold the map

  /** What a descriptor in a value stands for. */
  protected held(descriptor: number): Referent | number {
    return this.descriptors(descriptor) ?? EBADF;
  }

  /** All keys with what a look-up of them gives, in the kernel's order of iteration. */
  entries(): readonly (readonly [Uint8Array, Uint8Array])[] {
    const found: (readonly [Uint8Array, Uint8Array])[] = [];
    let key = this.userNext(undefined);
    while (!isError(key)) {
      const value = this.userLookup(key);
      if (!isError(value)) found.push([key, value]);
      key = this.userNext(key);
    }
    return found;
  }

  /** Back to the state after creation. */
  abstract reset(): void;
}
