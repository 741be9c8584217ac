/** Programs that share their maps, as those of one object do: one of them is started, others are reached by tail calls. */
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { createMaps } from "./maps/create.ts";
import type { MapStorage } from "./maps/map.ts";

/**
 * A machine for each program, in order. Maps of the same name are one map, and program arrays hold the programs that their definitions
 * name.
 *
 * @param shared  maps that are there already, by name
 * @throws Unsupported  for a type of map that the machine does not have
 */
export function loadTogether(
  programs: readonly Program[],
  options: Omit<MachineOptions, "maps"> = {},
  shared: ReadonlyMap<string, MapStorage> = new Map(),
): readonly Machine[] {
  const definitions = new Map<string, MapDefinition>();
  for (const { maps } of programs) {
    for (const map of maps) if (!shared.has(map.name)) definitions.set(map.name, map);
  }
  const created = createMaps([...definitions.values()], options.cpus ?? 1);
  const named = new Map([...shared, ...created.map((map) => [map.definition.name, map] as const)]);
  const machines = programs.map((program) => {
    const maps = program.maps.flatMap(({ name }) => named.get(name) ?? []);
    return new Machine(program, { ...options, maps });
  });
  for (const map of created) {
    if (map.kind !== "programs") continue;
    for (const { index, name } of map.definition.holds ?? []) {
      const held = machines.find(({ loaded }) => loaded.program.name === name);
      if (held !== undefined) map.set(index, held.loaded);
    }
  }
  return machines;
}
