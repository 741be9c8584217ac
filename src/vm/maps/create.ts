/** Maps from their definitions. */
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { ArenaMap } from "./arena.ts";
import { ArrayMap } from "./array.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { CgroupStorage } from "./cgroup-storage.ts";
import { creationError } from "./creation.ts";
import { DeviceMap } from "./devices.ts";
import { HashMap } from "./hash.ts";
import { LocalStorage } from "./local-storage.ts";
import { LpmTrie } from "./lpm-trie.ts";
import { MapOfMaps, type MapStorage, ProgramArray } from "./map.ts";
import { QueueMap } from "./queue.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { CgroupArray, PerfEventArray } from "./slots.ts";
import { SocketMap } from "./sockets.ts";
import { StackTraces } from "./stack-traces.ts";
import { indexKey } from "./storage.ts";
import { UserRingBuffer } from "./user-ring-buffer.ts";

/**
 * BPF_MAP_CREATE: a new map with its initial contents, or the negative error number that Linux answers. Maps of maps and of programs are empty.
 *
 * @param cpus  how many processors the machine has: per-CPU maps hold that many values an element
 * @throws Unsupported  for a type of map that the machine does not have
 */
export function tryCreateMap(definition: MapDefinition, cpus: number): MapStorage | number {
  const { name, type } = definition;
  const wrong = creationError(definition);
  if (wrong === undefined) throw new Unsupported(`map ${name}: maps of type ${type}`);
  return wrong === 0 ? newMap(definition, cpus) : wrong;
}

/**
 * The same for a definition that ought to be right. A perf event array that leaves its size open has a place for each processor, as libbpf makes it.
 *
 * @throws InputError  for one that Linux refuses
 */
export function createMap(definition: MapDefinition, cpus: number): MapStorage {
  const { type, name, maxEntries } = definition;
  const open = type === "perf_event_array" && maxEntries === 0;
  const map = tryCreateMap(open ? { ...definition, maxEntries: cpus } : definition, cpus);
  if (typeof map === "number") {
    throw new InputError(`map ${name}: no map of type ${type} has these sizes and flags (error ${-map})`);
  }
  return map;
}

function newMap(definition: MapDefinition, cpus: number): MapStorage {
  const { name, type } = definition;
  switch (type) {
    case "array":
    case "percpu_array":
      return new ArrayMap(definition, cpus);
    case "hash":
    case "percpu_hash":
    case "lru_hash":
    case "lru_percpu_hash":
      return new HashMap(definition, cpus);
    case "lpm_trie":
      return new LpmTrie(definition);
    case "array_of_maps":
    case "hash_of_maps":
      return new MapOfMaps(definition);
    case "prog_array":
      return new ProgramArray(definition);
    case "perf_event_array":
      return new PerfEventArray(definition);
    case "cgroup_array":
      return new CgroupArray(definition);
    case "queue":
    case "stack":
      return new QueueMap(definition);
    case "bloom_filter":
      return new BloomFilter(definition);
    case "ringbuf":
      return new RingBuffer(definition);
    case "user_ringbuf":
      return new UserRingBuffer(definition);
    case "stack_trace":
      return new StackTraces(definition);
    case "devmap":
    case "devmap_hash":
    case "cpumap":
      return new DeviceMap(definition, cpus);
    case "xskmap":
    case "sockmap":
    case "sockhash":
    case "reuseport_sockarray":
      return new SocketMap(definition);
    case "task_storage":
    case "sk_storage":
    case "inode_storage":
    case "cgrp_storage":
      return new LocalStorage(definition);
    case "cgroup_storage":
    case "percpu_cgroup_storage":
      return new CgroupStorage(definition, cpus);
    case "arena":
      return new ArenaMap(definition);
    default:
      throw new Unsupported(`map ${name}: maps of type ${type}`);
  }
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
