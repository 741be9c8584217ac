/**
 * Maps as programs refer to them. Here are those whose elements are programs and other maps. A loaded program refers to maps and a program array to loaded programs, so both
 * are named here.
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { MAP_FLAGS } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { E2BIG, EINVAL, ENOENT } from "../errno.ts";
import type { Op } from "../op.ts";
import type { ArenaMap } from "./arena.ts";
import { nextIndex } from "./array.ts";
import type { BloomFilter } from "./bloom-filter.ts";
import type { CgroupStorage } from "./cgroup-storage.ts";
import type { DeviceMap } from "./devices.ts";
import { HashMap } from "./hash.ts";
import type { LocalStorage } from "./local-storage.ts";
import { Owner } from "./owner.ts";
import type { QueueMap } from "./queue.ts";
import type { RingBuffer } from "./ring-buffer.ts";
import { type CgroupArray, type PerfEventArray, SlotArray } from "./slots.ts";
import type { SocketMap } from "./sockets.ts";
import type { StackTraces } from "./stack-traces.ts";
import { indexKey, indexOf, type ValueMap } from "./storage.ts";
import type { UserRingBuffer } from "./user-ring-buffer.ts";
import { type Batch, BPF_EXIST, type Referent, UserSide } from "./user-side.ts";

export type MapStorage =
  | ValueMap
  | MapOfMaps
  | ProgramArray
  | PerfEventArray
  | CgroupArray
  | QueueMap
  | BloomFilter
  | RingBuffer
  | UserRingBuffer
  | StackTraces
  | DeviceMap
  | SocketMap
  | LocalStorage
  | CgroupStorage
  | ArenaMap;

/** A program with its instructions prepared and its maps bound: what runs, and what a tail call jumps to. */
export interface LoadedProgram {
  readonly program: Program;
  /** By slot. */
  readonly ops: readonly Op[];
  /** By the indices that the program's map loads hold. */
  readonly maps: readonly MapStorage[];
}

/** A loaded program as a descriptor stands for it. */
export interface ReferredProgram extends Referent {
  readonly kind: "program";
  readonly program: Program;
  readonly loaded: LoadedProgram;
}

const isProgram = (held: Referent): held is ReferredProgram => held.kind === "program" && "loaded" in held;

/** Whether a descriptor stands for a map; all maps are what `MapStorage` lists. */
const isMap = (held: Referent): held is MapStorage => held instanceof UserSide;

/** An array or hash table of maps that are all like the definition's `inner`. */
export class MapOfMaps extends UserSide {
  readonly kind = "maps";
  /** The ids of the maps by key, for a hash table; for an array they are by index in `#maps` alone. */
  readonly #ids: HashMap | undefined;
  readonly #maps = new Map<string, MapStorage>();

  constructor(definition: MapDefinition) {
    super(definition);
    if (definition.type === "hash_of_maps") {
      const { name, keySize, maxEntries } = definition;
      this.#ids = new HashMap({ name, type: "hash", keySize, valueSize: 4, maxEntries, flags: 0 }, 1);
    }
  }

  reset(): void {
    const maps = [...this.#maps.values()];
    this.#ids?.reset();
    this.#maps.clear();
    for (const map of maps) this.onHold(map, false);
  }

  override get things(): Iterable<MapStorage> {
    return this.#maps.values();
  }

  find(key: Uint8Array): MapStorage | undefined {
    return this.#maps.get(key.join());
  }

  /** Puts a map, or deletes for `undefined`. Returns 0 or a negative error number. */
  set(key: Uint8Array, map: MapStorage | undefined): number {
    if (key.length !== this.definition.keySize) return EINVAL;
    if (map === undefined) return this.userDelete(key);
    return this.#fits(map) ? this.#put(key, map, 0n) : EINVAL;
  }

  #put(key: Uint8Array, map: MapStorage, flags: bigint): number {
    const wrong = this.#ids === undefined ? this.#checkIndex(key) : putId(this.#ids, key, map.id, flags);
    if (wrong !== 0) return wrong;
    const before = this.find(key);
    this.#maps.set(key.join(), map);
    this.onHold(map, true);
    if (before !== undefined) this.onHold(before, false);
    return 0;
  }

  #checkIndex(key: Uint8Array): number {
    return indexOf(key) >= this.definition.maxEntries ? E2BIG : 0;
  }

  /** Inner maps may differ in size alone, and arrays not even in that unless they say so. */
  #fits({ definition }: MapStorage): boolean {
    const { inner } = this.definition;
    if (inner === undefined) return true;
    return (
      definition.type === inner.type &&
      definition.keySize === inner.keySize &&
      definition.valueSize === inner.valueSize &&
      definition.flags === inner.flags &&
      (!inner.type.endsWith("array") ||
        definition.maxEntries === inner.maxEntries ||
        (inner.flags & MAP_FLAGS.inner_map) !== 0)
    );
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const map = this.find(key);
    return map === undefined ? ENOENT : indexKey(map.id);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#ids === undefined && flags !== 0n) return EINVAL;
    if (this.#ids === undefined && indexOf(key) >= this.definition.maxEntries) return E2BIG;
    const held = this.held(indexOf(value));
    if (typeof held === "number") return held;
    return isMap(held) && this.#fits(held) ? this.#put(key, held, flags) : EINVAL;
  }

  protected override userDelete(key: Uint8Array): number {
    if (this.#ids === undefined && indexOf(key) >= this.definition.maxEntries) return E2BIG;
    this.#ids?.remove(key);
    return this.#drop(key);
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    return this.#ids?.nextKey(key) ?? nextIndex(this.definition, key);
  }

  protected override get batches(): readonly ("lookup" | "take" | "update" | "delete")[] {
    return this.#ids === undefined ? ["lookup", "update"] : ["lookup", "take", "update", "delete"];
  }

  protected override userBatch(from: Uint8Array | undefined, count: number, take: boolean): Batch {
    if (this.#ids === undefined) return super.userBatch(from, count, take);
    const batch = take ? this.#ids.lookupAndDeleteBatch(from, count) : this.#ids.lookupBatch(from, count);
    if (take) for (const key of batch.keys) this.#drop(key);
    return batch;
  }

  #drop(key: Uint8Array): number {
    const map = this.find(key);
    if (map === undefined) return ENOENT;
    this.#maps.delete(key.join());
    this.onHold(map, false);
    return 0;
  }
}

/** A map that takes another's place in a hash table keeps that one's place in the order, unlike a value. */
function putId(ids: HashMap, key: Uint8Array, id: number, flags: bigint): number {
  const own = ids.find(key, 0);
  if (own === undefined || (flags !== 0n && flags !== BPF_EXIST)) return ids.put(key, indexKey(id), flags, 0);
  own.bytes.set(indexKey(id));
  return 0;
}

/** A program array: the targets of tail calls, all of one kind. */
export class ProgramArray extends SlotArray<ReferredProgram> {
  readonly kind = "programs";
  readonly owner = new Owner(true);
  protected readonly tellsIds = true;

  find(index: number): LoadedProgram | undefined {
    return this.at(index)?.loaded;
  }

  /** Puts a program, or empties the place for `undefined`. Returns 0 or a negative error number. */
  set(index: number, loaded: LoadedProgram | undefined): number {
    if (loaded === undefined) return this.place(index, undefined);
    return this.place(index, { kind: "program", id: 0, program: loaded.program, loaded });
  }

  override place(index: number, held: ReferredProgram | undefined): number {
    if (held === undefined || index >= this.definition.maxEntries) return super.place(index, held);
    return this.owner.accepts(held.program) ? super.place(index, held) : EINVAL;
  }

  protected accept(descriptor: number): ReferredProgram | number {
    const held = this.held(descriptor);
    if (typeof held === "number") return held;
    return isProgram(held) ? held : EINVAL;
  }
}
