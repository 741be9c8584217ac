/**
 * What a loader sets before it loads: some sizes of maps are known only on the machine (the number of processors, the depth of stacks), and
 * objects leave them 0 for the program that loads them to fill in. Nothing that a verifier checks depends on what is chosen here, as long as it is
 * the same for all that are compared.
 */
import type { MapDefinition, MapType } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";

const ENTRIES = 1024;
/** A power of two and a multiple of every page size. */
const RING_BYTES = 1 << 18;
/** Addresses in a stack, by the default of the sysctl kernel.perf_event_max_stack. */
const STACK_DEPTH = 127;

/** Types whose entries nobody gives: a perf event array gets one for each processor, and storage has none. */
const SIZED_OTHERWISE: ReadonlySet<MapType> = new Set([
  "perf_event_array",
  "cgroup_storage",
  "percpu_cgroup_storage",
  "sk_storage",
  "inode_storage",
  "task_storage",
  "cgrp_storage",
]);

/** The program with sizes where its maps have none. */
export function asLoaded(program: Program): Program {
  const maps = program.maps.map(sized);
  return maps.every((map, index) => map === program.maps[index]) ? program : { ...program, maps };
}

function sized(map: MapDefinition): MapDefinition {
  if (SIZED_OTHERWISE.has(map.type)) return map;
  const stacks = map.type === "stack_trace" && map.valueSize === 0;
  if (map.maxEntries !== 0 && !stacks) return map;
  const ring = map.type === "ringbuf" || map.type === "user_ringbuf";
  return {
    ...map,
    maxEntries: map.maxEntries === 0 ? (ring ? RING_BYTES : ENTRIES) : map.maxEntries,
    ...(stacks ? { valueSize: STACK_DEPTH * 8 } : {}),
  };
}
