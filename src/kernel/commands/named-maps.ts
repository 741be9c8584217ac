/** The maps of a program that is loaded: by descriptors in its instructions, or in the array of descriptors that comes with it, where there may be BTF as well. */
import { MAP_FLAGS, type MapDefinition, type MapType } from "../../semantics/program/map-types.ts";
import { E2BIG, EBUSY, EFAULT, EINVAL, EPERM, EPROTO } from "../../vm/errno.ts";
import { BtfObject } from "../btf-object.ts";
import type { Process } from "../kernel.ts";
import type { MapObject } from "../objects.ts";
import { may } from "../privileges.ts";
import type { Attribute } from "./attribute.ts";
import { mapByFd } from "./call.ts";

const SLOT = 8;
/** First byte of a 16-byte load, and what its second byte's upper half says of it. */
const LD_IMM64 = 0x18;
const SOURCES: ReadonlyMap<number, { readonly plain: number; readonly isIndex: boolean }> = new Map([
  [1, { plain: 1, isIndex: false }],
  [2, { plain: 2, isIndex: false }],
  [5, { plain: 1, isIndex: true }],
  [6, { plain: 2, isIndex: true }],
]);
const DESCRIPTOR = 4;
/** How many maps a program has at most, and how many BTF objects in its array. */
const MOST_OF_A_PROGRAM = 64;
/** More than this many descriptors are no array. */
const MOST = Math.floor(0xffff_ffff / DESCRIPTOR);

/** What the array of descriptors has, each once. */
export interface Further {
  readonly maps: readonly MapObject[];
  readonly types: readonly BtfObject[];
}

export interface NamedMaps {
  /** The maps that instructions name, each once. */
  readonly maps: readonly MapObject[];
  readonly definitions: readonly MapDefinition[];
  /** What the program holds without naming it. */
  readonly further: Further;
  /** The instructions, with indices into `maps` in place of descriptors. */
  readonly insns: Uint8Array;
}

/** A load of a map that there is not. */
interface NoMap {
  readonly error: number;
  readonly insn: number;
}

type LoadAttribute = Attribute<"prog_load">;

/** The descriptor at a place of the array of descriptors. */
function descriptorAt(attr: LoadAttribute, index: number): number | undefined {
  const bytes = attr.memory.read(attr.u64("fd_array") + BigInt(index * DESCRIPTOR), DESCRIPTOR);
  return bytes === undefined ? undefined : new DataView(bytes.buffer).getInt32(0, true);
}

/** What is wrong with the array of descriptors, and what the log says of it. */
interface NoMaps {
  readonly error: number;
  readonly message: string;
}

const SLEEPABLE_MAPS = "Sleepable programs can only use array, hash, ringbuf and local storage maps";

/**
 * What is in an array of descriptors whose length is given: the program holds all of it.
 *
 * @param forbidden  types of maps that the program may not use, since it may sleep
 */
export function arrayOf(
  process: Process,
  attr: LoadAttribute,
  forbidden: readonly MapType[],
): Further | NoMaps {
  const count = attr.u32("fd_array_cnt");
  if (count >= MOST) return { error: EINVAL, message: "" };
  const maps: MapObject[] = [];
  const types: BtfObject[] = [];
  for (let index = 0; index < count; index += 1) {
    const fd = descriptorAt(attr, index);
    if (fd === undefined) return { error: EFAULT, message: "" };
    const open = mapByFd(process, fd);
    if (typeof open === "number") {
      const target = process.descriptors.target(fd);
      if (!(target instanceof BtfObject)) return { error: open, message: "" };
      if (types.includes(target)) continue;
      if (types.length >= MOST_OF_A_PROGRAM) return { error: E2BIG, message: "" };
      types.push(target);
      continue;
    }
    if (forbidden.includes(open.storage.definition.type)) return { error: EINVAL, message: SLEEPABLE_MAPS };
    const problem = useProblem(process, open.map, maps);
    if (problem !== 0) return { error: problem, message: "" };
    if (!maps.includes(open.map)) maps.push(open.map);
  }
  return { maps, types };
}

/**
 * The maps that the instructions name, or the first load that names none.
 *
 * @param further  maps that the program holds before
 */
export function namedMaps(
  process: Process,
  attr: LoadAttribute,
  bytes: Uint8Array,
  further: readonly MapObject[],
): Omit<NamedMaps, "further"> | NoMap {
  const insns = bytes.slice();
  const view = new DataView(insns.buffer);
  const maps: MapObject[] = [];
  for (let at = 0; at + 2 * SLOT <= insns.length; at += SLOT) {
    if (view.getUint8(at) !== LD_IMM64) continue;
    const registers = view.getUint8(at + 1);
    const source = SOURCES.get(registers >> 4);
    if (source !== undefined) {
      const fd = mapFd(attr, view.getInt32(at + 4, true), source.isIndex);
      if (typeof fd !== "number") return { error: fd.error, insn: at / SLOT };
      const open = mapByFd(process, fd);
      if (typeof open === "number") return { error: open, insn: at / SLOT };
      const problem = useProblem(process, open.map, [...further, ...maps]);
      if (problem !== 0) return { error: problem, insn: at / SLOT };
      if (!maps.includes(open.map)) maps.push(open.map);
      view.setUint8(at + 1, (registers & 15) | (source.plain << 4));
      view.setInt32(at + 4, maps.indexOf(open.map), true);
    }
    at += SLOT;
  }
  return { insns, maps, definitions: maps.map(asSeen) };
}

/** What is wrong with one more map beside those that the program has. */
function useProblem(process: Process, map: MapObject, held: readonly MapObject[]): number {
  if (held.includes(map)) return 0;
  const { type } = map.storage.definition;
  if (ONCE.has(type) && held.some(({ storage }) => storage.definition.type === type)) return EBUSY;
  const problem = arenaProblem(process, map, held);
  if (problem !== 0) return problem;
  return new Set(held).size >= MOST_OF_A_PROGRAM ? E2BIG : 0;
}

/** Types of maps of which a program has one. */
const ONCE: ReadonlySet<MapType> = new Set(["cgroup_storage", "percpu_cgroup_storage"]);

/** Arenas are for programs that may see addresses, one for each, and have to be somewhere in user space. */
function arenaProblem(process: Process, map: MapObject, held: readonly MapObject[]): number {
  const { kind, definition } = map.storage;
  if (kind !== "arena") return 0;
  if (held.some(({ storage }) => storage.kind === "arena")) return EBUSY;
  if (!may(process, "cap_bpf") || !may(process, "cap_perfmon")) return EPERM;
  return (definition.extra ?? 0) === 0 ? EINVAL : 0;
}

function mapFd(attr: LoadAttribute, value: number, isIndex: boolean): number | { readonly error: number } {
  if (!isIndex) return value;
  if (attr.u64("fd_array") === 0n) return { error: EPROTO };
  return descriptorAt(attr, value) ?? { error: EFAULT };
}

/** A map as the verifier sees it: what a frozen array of constants holds is known. */
function asSeen({ storage }: MapObject): MapDefinition {
  const { definition } = storage;
  if (!storage.frozen || (definition.flags & MAP_FLAGS.rdonly_prog) === 0 || storage.kind !== "values")
    return definition;
  const [first] = storage.entries();
  return first === undefined || definition.type !== "array"
    ? definition
    : { ...definition, data: first[1], frozen: true };
}
