/**
 * Map contents for runs. Keys of hash maps are pieces of the packet where it is long enough, since that is where programs take theirs from;
 * so look-ups find something now and then.
 */
import { MAP_FIELDS, type MapDefinition } from "../semantics/program/map-types.ts";
import { createMap } from "../vm/maps/create.ts";
import type { MapStorage } from "../vm/maps/map.ts";
import { indexKey, perCpuStride, type ValueMap } from "../vm/maps/storage.ts";
import { generator, type Random } from "./random.ts";

/** Entries written into one map at most. */
const MOST_ENTRIES = 6;

/** Puts arbitrary contents, decided by `seed`, into the maps that user space may write. Maps of programs stay as they are. */
export function fillMaps(maps: readonly MapStorage[], packet: Uint8Array, seed: number, cpus: number): void {
  const random = generator(seed);
  for (const map of maps) {
    if (map.kind === "values") fillValues(map, packet, random, cpus);
    else if (map.kind === "maps" && map.definition.inner !== undefined) {
      for (let i = 0; i < 2; i += 1) {
        const inner = createMap(map.definition.inner, cpus);
        if (inner.kind === "values") fillValues(inner, packet, random, cpus);
        map.set(keyFor(map.definition.type, map.definition.keySize, packet, random, 2), inner);
      }
    }
  }
}

function fillValues(map: ValueMap, packet: Uint8Array, random: Random, cpus: number): void {
  const { type, keySize, valueSize, maxEntries, data, frozen } = map.definition;
  // Global data starts as the program says.
  if (data !== undefined || frozen === true) return;
  const perCpu = type.startsWith("percpu_");
  const size = perCpu ? perCpuStride(map.definition) * cpus : valueSize;
  const count = random.below(MOST_ENTRIES + 1);
  for (let i = 0; i < count; i += 1) {
    const value = valueOf(size, random);
    clearFields(value, map.definition);
    map.update(keyFor(type, keySize, packet, random, maxEntries), value);
  }
}

/** What the kernel keeps in values for programs is not user space's to write: it begins as zeros. */
function clearFields(value: Uint8Array, definition: MapDefinition): void {
  const { type, fields = [] } = definition;
  const stride = type.startsWith("percpu_") ? perCpuStride(definition) : value.length;
  for (let start = 0; start < value.length; start += stride) {
    for (const { kind, offset } of fields) {
      const bytes = MAP_FIELDS.get(kind)?.size ?? 0;
      value.fill(0, start + offset, start + offset + bytes);
    }
  }
}

function keyFor(
  type: string,
  keySize: number,
  packet: Uint8Array,
  random: Random,
  entries: number,
): Uint8Array {
  if (type.includes("array")) return indexKey(random.below(Math.min(entries, 64)));
  if (packet.length >= keySize && random.below(4) > 0) {
    const at = random.below(packet.length - keySize + 1);
    return packet.slice(at, at + keySize);
  }
  return Uint8Array.from({ length: keySize }, (_, i) => (i === 0 ? random.below(8) : 0));
}

/** Mostly small numbers, little-endian words of 4 bytes; sometimes anything. */
function valueOf(size: number, random: Random): Uint8Array {
  const small = random.below(3) > 0;
  return Uint8Array.from({ length: size }, (_, i) => {
    if (!small) return random.below(256);
    return i % 4 === 0 ? random.below(random.below(2) === 0 ? 4 : 256) : 0;
  });
}
