/** Helpers on maps. */

import { MAP_FLAGS } from "../../semantics/program/map-types.ts";
import { fault } from "../fault.ts";
import type { MapStorage } from "../maps/map.ts";
import type { ValueMap } from "../maps/storage.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { lookUpSocket, putSocket, removeSocket } from "./socket-maps.ts";

function valueMap(call: Call, map: MapStorage): ValueMap {
  if (map.kind === "values") return map;
  const { type } = map.definition;
  return call.refuse(1, "map", `a map of type ${type} has no values that a program may use`);
}

function checkWritable({ helper }: Call, { definition }: MapStorage): void {
  if ((definition.flags & MAP_FLAGS.rdonly_prog) !== 0) {
    fault("read_only", `call ${helper}: map ${definition.name} is read-only for programs`);
  }
}

function checkReadable({ helper }: Call, { definition }: MapStorage): void {
  if ((definition.flags & MAP_FLAGS.wronly_prog) !== 0) {
    fault("write_only", `call ${helper}: map ${definition.name} is write-only for programs`);
  }
}

function writableMap(call: Call): ValueMap {
  const map = valueMap(call, call.map(1));
  checkWritable(call, map);
  return map;
}

/** A pointer to the value in r0, or null. */
function lookupOn(call: Call, map: ValueMap, key: Uint8Array, cpu: number): number | undefined {
  const value = map.find(key, cpu);
  if (value === undefined) return 0;
  call.state.setPointer(0, call.state.valueRegion(map, key, value), 0);
  return undefined;
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
  if (map.kind === "devices" && map.definition.type !== "cpumap") {
    const target = map.find(key);
    if (target === undefined) return 0;
    call.state.setPointer(0, call.state.valueRegion(map, key, target), 0);
    return undefined;
  }
  if (map.kind === "sockets") return lookUpSocket(call, map);
  return lookupOn(call, valueMap(call, map), key, call.cpu);
}

function lookupPerCpu(call: Call): number | undefined {
  const map = valueMap(call, call.map(1));
  const key = call.read(2, map.definition.keySize, "key");
  const cpu = call.u32(3, "cpu");
  if (!map.definition.type.includes("percpu")) {
    return call.refuse(1, "map", `a map of type ${map.definition.type} has one value for all processors`);
  }
  return lookupOn(call, map, key, cpu);
}

function update(call: Call): number {
  const given = call.map(1);
  if (given.kind === "sockets") return putSocket(call, given);
  const map = writableMap(call);
  const { keySize, valueSize } = map.definition;
  const key = call.read(2, keySize, "key");
  const value = call.read(3, valueSize, "value");
  return map.put(key, value, call.u64(4, "flags"), call.cpu);
}

function remove(call: Call): number {
  const given = call.map(1);
  if (given.kind === "sockets") return removeSocket(call, given);
  const map = writableMap(call);
  return map.remove(call.read(2, map.definition.keySize, "key"));
}

function push(call: Call): number {
  const map = call.map(1);
  if (map.kind !== "queue" && map.kind !== "bloom") {
    return call.refuse(1, "map", `a map of type ${map.definition.type} takes no values without keys`);
  }
  checkWritable(call, map);
  return map.push(call.read(2, map.definition.valueSize, "value"), call.u64(3, "flags"));
}

function peek(call: Call): number {
  const map = call.map(1);
  if (map.kind === "bloom") {
    checkReadable(call, map);
    return map.peek(call.read(2, map.definition.valueSize, "value"));
  }
  return take(call, "peek");
}

/** The next value of a queue or stack goes where the program says; zeros, if there is none. */
function take(call: Call, how: "peek" | "pop"): number {
  const map = call.map(1);
  if (map.kind !== "queue") {
    return call.refuse(1, "map", `a map of type ${map.definition.type} has no next value`);
  }
  if (how === "pop") checkWritable(call, map);
  const value = how === "peek" ? map.peek() : map.pop();
  const target = call.write(2, map.definition.valueSize, "value");
  if (typeof value !== "number") target.set(value);
  else target.fill(0);
  return typeof value === "number" ? value : 0;
}

export const MAP_HELPERS: HelperTable = {
  map_lookup_elem: lookup,
  map_lookup_percpu_elem: lookupPerCpu,
  map_update_elem: update,
  map_delete_elem: remove,
  map_push_elem: push,
  map_pop_elem: (call) => take(call, "pop"),
  map_peek_elem: peek,
};
