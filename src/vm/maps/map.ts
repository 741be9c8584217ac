/**
 * Maps as programs refer to them. Here are those whose elements are not values: other maps, programs, and places where events go; programs
 * only read them, user space fills them. A loaded program refers to maps and a program array to loaded programs, so both are named here.
 */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { E2BIG, EINVAL, ENOENT } from "../errno.ts";
import type { Op } from "../op.ts";
import type { RingBuffer } from "./ring-buffer.ts";
import { indexOf, keyText, type ValueMap } from "./storage.ts";

export type MapStorage = ValueMap | MapOfMaps | ProgramArray | PerfEventArray | RingBuffer;

/** A program with its instructions prepared and its maps bound: what runs, and what a tail call jumps to. */
export interface LoadedProgram {
  readonly program: Program;
  /** By slot. */
  readonly ops: readonly Op[];
  /** By the indices that the program's map loads hold. */
  readonly maps: readonly MapStorage[];
}

/** An array or hash table of maps that are all like the definition's `inner`. */
export class MapOfMaps {
  readonly kind = "maps";
  readonly definition: MapDefinition;
  readonly #maps = new Map<string, MapStorage>();

  constructor(definition: MapDefinition) {
    this.definition = definition;
  }

  find(key: Uint8Array): MapStorage | undefined {
    return this.#maps.get(keyText(key));
  }

  /** User space's update, or delete for `undefined`. Returns 0 or a negative error number. */
  set(key: Uint8Array, map: MapStorage | undefined): number {
    const { type, keySize, maxEntries } = this.definition;
    const text = keyText(key);
    if (key.length !== keySize) return EINVAL;
    if (type === "array_of_maps" && indexOf(key) >= maxEntries) return map === undefined ? ENOENT : E2BIG;
    if (map === undefined) return this.#maps.delete(text) ? 0 : ENOENT;
    if (!this.#fits(map)) return EINVAL;
    if (!this.#maps.has(text) && this.#maps.size >= maxEntries) return E2BIG;
    this.#maps.set(text, map);
    return 0;
  }

  /** Inner maps may differ in size alone, and arrays not even in that. */
  #fits({ definition }: MapStorage): boolean {
    const { inner } = this.definition;
    if (inner === undefined) return true;
    return (
      definition.type === inner.type &&
      definition.keySize === inner.keySize &&
      definition.valueSize === inner.valueSize &&
      definition.flags === inner.flags &&
      (inner.type !== "array" || definition.maxEntries === inner.maxEntries)
    );
  }
}

/** A program array: the targets of tail calls, all of one program type. */
export class ProgramArray {
  readonly kind = "programs";
  readonly definition: MapDefinition;
  readonly #programs = new Map<number, LoadedProgram>();

  constructor(definition: MapDefinition) {
    this.definition = definition;
  }

  find(index: number): LoadedProgram | undefined {
    return this.#programs.get(index);
  }

  /** User space's update, or delete for `undefined`. Returns 0 or a negative error number. */
  set(index: number, loaded: LoadedProgram | undefined): number {
    if (index >= this.definition.maxEntries) return E2BIG;
    if (loaded === undefined) return this.#programs.delete(index) ? 0 : ENOENT;
    const other = this.#programs.values().next().value;
    if (other !== undefined && other.program.type !== loaded.program.type) return EINVAL;
    this.#programs.set(index, loaded);
    return 0;
  }
}

/** A record that a program gave to perf_event_output. */
export interface PerfRecord {
  readonly index: number;
  readonly data: Uint8Array;
}

/** A perf event array: records go to the indices that user space has attached, as events would be. */
export class PerfEventArray {
  readonly kind = "events";
  readonly definition: MapDefinition;
  /** What arrived, oldest first. */
  readonly records: PerfRecord[] = [];
  readonly #attached = new Set<number>();

  constructor(definition: MapDefinition) {
    this.definition = definition;
  }

  /** Opens the given index (a processor's number) for records. Returns 0 or a negative error number. */
  attach(index: number): number {
    if (index >= this.definition.maxEntries) return E2BIG;
    this.#attached.add(index);
    return 0;
  }

  /** A program's record. */
  output(index: number, data: Uint8Array): number {
    if (index >= this.definition.maxEntries) return E2BIG;
    if (!this.#attached.has(index)) return ENOENT;
    this.records.push({ index, data });
    return 0;
  }
}
