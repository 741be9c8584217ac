/** A map of every type that the kernel has, to try helpers and program types on. */
import type { MapFacts } from "../../../semantics/profile/profile.ts";
import {
  MAP_FLAGS,
  MAP_TYPES,
  type MapDefinition,
  type MapType,
} from "../../../semantics/program/map-types.ts";
import { loadBtf } from "../btf-records.ts";
import type { Kernel } from "../calls.ts";
import { KernelError } from "../errno.ts";
import { createMap, type KernelMap } from "../maps.ts";
import type { Ask } from "./ask.ts";
import { insn, type Kind, load, loadMap } from "./program.ts";
import { KEY_TYPE, TYPES, VALUE_TYPE } from "./types.ts";

type Shape = Pick<MapDefinition, "keySize" | "valueSize" | "maxEntries" | "flags">;

const shape = (keySize: number, valueSize: number, maxEntries: number, flags = 0): Shape => ({
  keySize,
  valueSize,
  maxEntries,
  flags,
});

const PAGE = 4096;

/** Shapes that map types take, tried in this order: what suits most comes first. */
const SHAPES: readonly Shape[] = [
  shape(4, 8, 1),
  shape(4, 4, 1),
  shape(8, 8, 1, MAP_FLAGS.no_prealloc),
  shape(0, 8, 1),
  shape(0, 0, PAGE),
  shape(8, 8, 0),
  shape(16, 8, 0),
  shape(4, 8, 0, MAP_FLAGS.no_prealloc),
  shape(0, 0, 1, MAP_FLAGS.mmapable),
  shape(4, 16, 1),
];

/** Types in whose values the kernel wants types of BTF. */
const TYPED: ReadonlySet<MapType> = new Set(["sk_storage", "inode_storage", "task_storage", "cgrp_storage"]);
const OF_MAPS: ReadonlySet<MapType> = new Set(["array_of_maps", "hash_of_maps"]);

const INNER: MapDefinition = { name: "inner", type: "array", ...shape(4, 8, 1) };

/** What programs are tried with, in one kernel. */
export interface Materials {
  readonly maps: ReadonlyMap<MapType, KernelMap>;
  /** A map whose value is text that nobody may change. */
  readonly text: KernelMap;
  readonly close: () => void;
}

/** Maps of the types that can be created. */
export function createMaterials(kernel: Kernel): Materials {
  const maps = new Map<MapType, KernelMap>();
  const btf = loadBtf(kernel, TYPES);
  try {
    for (const type of MAP_TYPES.slice(1)) {
      const map = createAny(kernel, type, btf);
      if (map !== undefined) maps.set(type, map);
    }
  } finally {
    kernel.close(btf);
  }
  const text = createText(kernel);
  return {
    maps,
    text,
    close: () => {
      for (const map of [...maps.values(), text]) map.close();
    },
  };
}

/** Maps that may hold programs: the first program that refers to one decides of which type its programs are. */
const OWNED: ReadonlySet<MapType> = new Set(["prog_array", "devmap", "cpumap"]);

/** Does something with a map of the type: with one that no program has referred to, where that matters. */
export function* withMap<T>(
  { maps }: Materials,
  type: MapType | undefined,
  use: (map: KernelMap | undefined) => Ask<T>,
): Ask<T> {
  const map = type === undefined ? undefined : maps.get(type);
  if (map === undefined || !OWNED.has(map.definition.type)) return yield* use(map);
  const fresh = createMap(map.definition, undefined, map.kernel);
  try {
    return yield* use(fresh);
  } finally {
    fresh.close();
  }
}

function createAny(kernel: Kernel, type: MapType, btf: number): KernelMap | undefined {
  for (const tried of SHAPES) {
    const definition: MapDefinition = {
      name: "probe",
      type,
      ...tried,
      ...(TYPED.has(type) ? { btfKey: KEY_TYPE, btfValue: VALUE_TYPE } : {}),
      ...(OF_MAPS.has(type) ? { inner: INNER } : {}),
    };
    try {
      return createMap(definition, btf, kernel);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }
  return undefined;
}

/** A map whose only value is an empty string that nobody may change. */
function createText(kernel: Kernel): KernelMap {
  return createMap(
    {
      name: "text",
      type: "array",
      ...shape(4, 8, 1, MAP_FLAGS.rdonly_prog),
      data: new Uint8Array(8),
      frozen: true,
    },
    undefined,
    kernel,
  );
}

/** The kernel's complaint of a store through a pointer to a map, with the structure that it points to. */
const STRUCT = /only read from (\w+) is supported/;

/** The structures that pointers to maps point to, by map type. */
export function* probeMapStructs(
  kernel: Kernel,
  kind: Kind,
  materials: Materials,
): Ask<Map<MapType, string>> {
  const structs = new Map<MapType, string>();
  for (const type of materials.maps.keys()) {
    const said = yield* withMap(materials, type, function* (map) {
      const maps = map === undefined ? [] : [map];
      return yield* load(kernel, kind, [...loadMap(1, 0), insn(0x62, 1, 0, 0, 0)], { maps });
    });
    const struct = STRUCT.exec(said.log)?.[1];
    if (struct !== undefined) structs.set(type, struct);
  }
  return structs;
}

export function mapFacts(
  maps: ReadonlyMap<MapType, KernelMap>,
  structs: ReadonlyMap<MapType, string>,
): MapFacts[] {
  return [...maps].map(([type, { definition }]) => ({
    type,
    key: definition.keySize,
    value: definition.valueSize,
    entries: definition.maxEntries,
    flags: definition.flags,
    ...structFact(structs.get(type)),
  }));
}

const structFact = (struct: string | undefined): Pick<MapFacts, "struct"> =>
  struct === undefined ? {} : { struct };
