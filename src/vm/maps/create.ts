/** Maps from their definitions. */

import { Unsupported } from "../../semantics/errors.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { ArrayMap } from "./array.ts";
import { HashMap } from "./hash.ts";
import { MapOfMaps, type MapStorage, PerfEventArray, ProgramArray } from "./map.ts";

/**
 * A new map with its initial contents.
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
      return new PerfEventArray(definition);
    default:
      throw new Unsupported(`map ${definition.name}: maps of type ${definition.type}`);
  }
}
