/**
 * A program's arena. A pointer into it is any number: an access takes its low 32 bits for the place, counted from where the arena begins for user space. Where no page is
 * a load gives 0 and a store is lost. Arithmetic on such pointers is of 32 bits, whatever the instruction says.
 */
import { mapsOfType } from "../semantics/program/maps-of-type.ts";
import { fault } from "./fault.ts";
import type { ArenaMap } from "./maps/arena.ts";
import type { MapStorage } from "./maps/map.ts";
import { LOADED_AT, memoryBytes, STORED_AT } from "./memory.ts";
import type { Op } from "./op.ts";
import { type Region, SCALAR, UNINITIALISED } from "./region.ts";
import type { State } from "./state.ts";

const PAGE = 4096;
const SPACE = 2 ** 32;
/** Where user space has an arena whose definition does not say. */
const USUAL_START = 1n << 32n;
/** `imm` of a cast: to a pointer into the arena, and to an address of user space. */
const TO_POINTER = 1;
const TO_USER = 1 << 16;

/** Whether a region is that of pointers into the arena. */
export const isArena = ({ place }: Region): boolean => place.kind === "arena";

/** The address at which user space has the arena. */
const startOf = ({ definition }: ArenaMap): bigint =>
  definition.extra === undefined ? USUAL_START : BigInt(definition.extra);

function arenaOf({ loaded }: State): ArenaMap {
  const [index] = mapsOfType(loaded.program, "arena");
  const map: MapStorage | undefined = index === undefined ? undefined : loaded.maps[index];
  return map?.kind === "arena" ? map : fault("invalid_instruction", "the program has no arena");
}

const upper = (address: bigint): bigint => address & ~0xffff_ffffn;

/** The address of a place in the arena as user space sees it, from its low 32 bits; null is null everywhere. */
const toUser = (map: ArenaMap, low: bigint): bigint => (low === 0n ? 0n : upper(startOf(map)) | low);

/** Executes an address space cast. */
export function castAddress(state: State, { dst, src, imm }: Op): void {
  const tag = state.tag(src);
  if (tag === UNINITIALISED) fault("uninitialised_register", `r${src} is not initialised`);
  const map = arenaOf(state);
  const low = BigInt.asUintN(32, state.value(src));
  if (imm === TO_USER) return state.setNumber(dst, toUser(map, low));
  if (imm !== TO_POINTER) fault("invalid_instruction", "a cast between spaces that there are not");
  state.setNumber(dst, low);
  state.setTag(dst, state.arenaRegion);
}

/** The address of a byte of the arena, as user space sees it. */
export function arenaAddress(state: State, map: ArenaMap, { dst, immHigh }: Op): void {
  state.setNumber(dst, startOf(map) + BigInt(immHigh));
}

/** Each byte of an access: the page's bytes and the index there; nothing if any of them has no page. */
function bytesAt(
  state: State,
  register: number,
  off: number,
  size: number,
): [Uint8Array, number][] | undefined {
  const map = arenaOf(state);
  const start = Number(BigInt.asUintN(32, startOf(map)));
  const first = Number(BigInt.asUintN(32, state.value(register))) + off;
  const found: [Uint8Array, number][] = [];
  for (let address = first; address < first + size; address += 1) {
    if (address < 0 || address >= SPACE) return undefined;
    const at = (address - start + SPACE) % SPACE;
    const page = map.page(Math.floor(at / PAGE));
    if (page === undefined) return undefined;
    found.push([page.bytes, at % PAGE]);
  }
  return found;
}

/** Loads into the scratch word. */
export function loadArena(state: State, register: number, off: number, size: number): Region {
  memoryBytes.fill(0, LOADED_AT, LOADED_AT + 8);
  for (const [i, [bytes, at]] of (bytesAt(state, register, off, size) ?? []).entries()) {
    memoryBytes[LOADED_AT + i] = bytes[at] ?? 0;
  }
  return SCALAR;
}

/** Stores the scratch word. */
export function storeArena(state: State, register: number, off: number, size: number): void {
  for (const [i, [bytes, at]] of (bytesAt(state, register, off, size) ?? []).entries()) {
    bytes[at] = memoryBytes[STORED_AT + i] ?? 0;
  }
}

/** Whether all bytes of an access are there. */
export const arenaHas = (state: State, register: number, off: number, size: number): boolean =>
  bytesAt(state, register, off, size) !== undefined;

/**
 * Executes an atomic operation on the arena: `effect` makes of the scratch word for what is there that for what shall be. Where an arena has no page nothing happens, to registers neither: what
 * the operation would fetch is not even cleared.
 */
export function atomicArena(
  state: State,
  register: number,
  off: number,
  size: number,
  effect: () => void,
): void {
  if (!arenaHas(state, register, off, size)) return;
  loadArena(state, register, off, size);
  effect();
  storeArena(state, register, off, size);
}

// --- Pages

/** The first page of a place in the arena; nothing for a place that is none. */
function pageOf(map: ArenaMap, address: bigint): number {
  return Number(BigInt.asUintN(32, BigInt.asUintN(32, address) - startOf(map))) / PAGE;
}

/** The first address of pages that are taken, as user space sees it; 0 if there is no room. */
export function allocatePages(map: ArenaMap, address: bigint, count: number): bigint {
  if (count === 0 || address % BigInt(PAGE) !== 0n) return 0n;
  const first = map.allocate(count, address === 0n ? undefined : pageOf(map, address));
  if (first === undefined) return 0n;
  const start = startOf(map);
  return upper(start) + BigInt.asUintN(32, start + BigInt(first * PAGE));
}

/** Gives pages back, up to the arena's end. */
export function freePages(map: ArenaMap, address: bigint, count: number): void {
  if (address === 0n || count === 0) return;
  const first = Math.floor(pageOf(map, address));
  map.free(first, Math.min(count, map.definition.maxEntries - first));
}
