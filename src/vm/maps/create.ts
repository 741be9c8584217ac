/** Maps from their definitions. */
import { Unsupported } from "../../semantics/errors.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { ArrayMap } from "./array.ts";
import { HashMap } from "./hash.ts";
import { MapOfMaps, type MapStorage, PerfEventArray, ProgramArray } from "./map.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { indexKey } from "./storage.ts";

/**
 * A new map with its initial contents; maps of maps and of programs are empty.
 *
 * @param cpus  how many processors the machine has: per-CPU maps hold that many values an element
 * @throws Unsupported  for a type of map that the machine does not have
 */
export function createMap(definition: MapDefinition, cpus: number): MapStorage {
  switch (definition.type) {
    case "array":
    case "percpu_array":
      return new ArrayMap(definition, cpus);
    case "hash":
    case "percpu_hash":
      return new HashMap(definition, cpus);
    case "array_of_maps":
    case "hash_of_maps":
      return new MapOfMaps(definition);
    case "prog_array":
      return new ProgramArray(definition);
    case "perf_event_array":
      return new PerfEventArray(eventPlaces(definition, cpus));
    case "ringbuf":
      return new RingBuffer(definition);
    default:
      throw new Unsupported(`map ${definition.name}: maps of type ${definition.type}`);
  }
}

/** A perf event array that leaves its size open has a place for each processor, as libbpf makes it. */
function eventPlaces(definition: MapDefinition, cpus: number): MapDefinition {
  return definition.maxEntries === 0 ? { ...definition, maxEntries: cpus } : definition;
}

/**
 * New maps for all definitions, where maps of maps hold the others that their definitions name. What program arrays hold is left to
 * who has the programs.
 */
export function createMaps(definitions: readonly MapDefinition[], cpus: number): readonly MapStorage[] {
  const maps = definitions.map((definition) => createMap(definition, cpus));
  for (const map of maps) {
    if (map.kind !== "maps") continue;
    for (const { index, name } of map.definition.holds ?? []) {
      const held = maps.find(({ definition }) => definition.name === name);
      if (held !== undefined) map.set(indexKey(index), held);
    }
  }
  return maps;
}
