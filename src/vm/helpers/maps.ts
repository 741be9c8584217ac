/** Helpers on maps. */

import { MAP_FLAGS } from "../../semantics/program/map-types.ts";
import { fault } from "../fault.ts";
import type { MapStorage } from "../maps/map.ts";
import type { ValueMap } from "../maps/storage.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

function valueMap(call: Call, map: MapStorage): ValueMap {
  if (map.kind === "values") return map;
  return call.refuse(1, "map", `a map of type ${map.definition.type} has no values that a program may use`);
}

function writableMap(call: Call): ValueMap {
  const map = valueMap(call, call.map(1));
  if ((map.definition.flags & MAP_FLAGS.rdonly_prog) !== 0) {
    fault("read_only", `call ${call.helper}: map ${map.definition.name} is read-only for programs`);
  }
  return map;
}

function lookup(call: Call): number | undefined {
  const map = call.map(1);
  const key = call.read(2, map.definition.keySize, "key");
  if (map.kind === "maps") {
    const inner = map.find(key);
    if (inner === undefined) return 0;
    call.state.setPointer(0, call.state.mapRegion(inner), 0);
    return undefined;
  }
  const value = valueMap(call, map).find(key, call.cpu);
  if (value === undefined) return 0;
  call.state.setPointer(0, call.state.valueRegion(map, key, value), 0);
  return undefined;
}

function update(call: Call): number {
  const map = writableMap(call);
  const { keySize, valueSize } = map.definition;
  const key = call.read(2, keySize, "key");
  const value = call.read(3, valueSize, "value");
  return map.put(key, value, call.u64(4, "flags"), call.cpu);
}

function remove(call: Call): number {
  const map = writableMap(call);
  return map.remove(call.read(2, map.definition.keySize, "key"));
}

export const MAP_HELPERS: HelperTable = {
  map_lookup_elem: lookup,
  map_update_elem: update,
  map_delete_elem: remove,
};
