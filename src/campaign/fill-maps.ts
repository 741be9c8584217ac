/**
 * Map contents for runs. Keys of hash maps are pieces of the packet where it is long enough, since that is where programs take theirs from;
 * so look-ups find something now and then.
 */

import type { Socket } from "../vm/environment/sockets.ts";
import { createMap } from "../vm/maps/create.ts";
import type { MapStorage } from "../vm/maps/map.ts";
import type { SocketMap } from "../vm/maps/sockets.ts";
import { indexKey, type ValueMap } from "../vm/maps/storage.ts";
import { generator, type Random } from "./random.ts";

/** Entries written into one map at most. */
const MOST_ENTRIES = 6;

/** Distance between the seeds of two maps: the golden ratio in 32 bits. */
const NEXT_MAP = 0x9e3779b9;

/**
 * Puts arbitrary contents, decided by `seed`, into the maps that user space may write. Maps of programs stay as they are. What one map gets does not depend on the others.
 *
 * @param wanted  the maps that are to be filled, by their places in the list: all by default
 */
export function fillMaps(
  maps: readonly MapStorage[],
  packet: Uint8Array,
  seed: number,
  cpus: number,
  wanted?: readonly number[],
): void {
  if (wanted === undefined) maps.forEach((map, index) => fillMap(map, index, packet, seed, cpus));
  else
    for (const index of wanted) {
      const map = maps[index];
      if (map !== undefined) fillMap(map, index, packet, seed, cpus);
    }
}

function fillMap(map: MapStorage, index: number, packet: Uint8Array, seed: number, cpus: number): void {
  const random = generator(seed + Math.imul(index, NEXT_MAP));
  if (map.kind === "values") fillValues(map, packet, random);
  else if (map.kind === "queue") {
    for (let i = random.below(MOST_ENTRIES); i > 0; i -= 1) map.push(valueOf(map.transferSize, random), 0n);
  } else if (map.kind === "sockets") fillSockets(map, packet, random);
  else if (map.kind === "maps" && map.definition.inner !== undefined) {
    for (let i = 0; i < 2; i += 1) {
      const inner = createMap(map.definition.inner, cpus);
      if (inner.kind === "values") fillValues(inner, packet, random);
      map.set(keyFor(map.definition.type, map.definition.keySize, packet, random, 2), inner);
    }
  }
}

const TCP: Socket = {
  protocol: "tcp",
  state: "listen",
  local: { address: Uint8Array.of(127, 0, 0, 1), port: 80 },
};

/** Sockets as programs may find them: of TCP, or for a map of AF_XDP sockets with a queue. */
function fillSockets(map: SocketMap, packet: Uint8Array, random: Random): void {
  const { type, keySize, maxEntries } = map.definition;
  const isXdp = type === "xskmap";
  for (let i = random.below(MOST_ENTRIES + 1); i > 0; i -= 1) {
    const key = keyFor(type === "sockhash" ? type : "array", keySize, packet, random, maxEntries);
    const socket = { kind: "socket", id: i, cookie: BigInt(i), open: true, reuseport: true } as const;
    const more = isXdp
      ? ({ family: "xdp", protocol: "other", queue: random.below(4) } as const)
      : ({ family: "inet", protocol: "tcp", seen: TCP } as const);
    map.put(key, { ...socket, ...more }, 0n);
  }
}

function fillValues(map: ValueMap, packet: Uint8Array, random: Random): void {
  const { type, keySize, maxEntries, data, frozen } = map.definition;
  // Global data starts as the program says.
  if (data !== undefined || frozen === true) return;
  const count = random.below(MOST_ENTRIES + 1);
  for (let i = 0; i < count; i += 1) {
    const value = valueOf(map.transferSize, random);
    map.update(keyFor(type, keySize, packet, random, maxEntries), value);
  }
}

function keyFor(
  type: string,
  keySize: number,
  packet: Uint8Array,
  random: Random,
  entries: number,
): Uint8Array {
  if (type === "lpm_trie") {
    const bits = indexKey(random.below(8 * (keySize - 4) + 1));
    const key = new Uint8Array(keySize);
    for (let i = 0; i < keySize; i += 1) key[i] = bits[i] ?? packet[i] ?? random.below(4);
    return key;
  }
  if (type.includes("array")) return indexKey(random.below(Math.min(entries, 64)));
  if (packet.length >= keySize && random.below(4) > 0) {
    const at = random.below(packet.length - keySize + 1);
    return packet.slice(at, at + keySize);
  }
  const key = new Uint8Array(keySize);
  if (keySize > 0) key[0] = random.below(8);
  return key;
}

/** Mostly small numbers, little-endian words of 4 bytes; sometimes anything. */
function valueOf(size: number, random: Random): Uint8Array {
  const small = random.below(3) > 0;
  const value = new Uint8Array(size);
  if (small) for (let i = 0; i < size; i += 4) value[i] = random.below(random.below(2) === 0 ? 4 : 256);
  else for (let i = 0; i < size; i += 1) value[i] = random.below(256);
  return value;
}
