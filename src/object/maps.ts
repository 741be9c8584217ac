/**
 * The maps that an object defines: in the legacy `maps` section (an array of structures), in `.maps` (described by BTF), and one for
 * each section of global data. Source: libbpf's conventions, Documentation/bpf/libbpf/libbpf_overview.rst, and linux/bpf.h for the
 * numbers.
 */
import { InputError } from "../semantics/errors.ts";
import { MAP_FLAGS, type MapDefinition } from "../semantics/program/map-types.ts";
import type { Btf } from "./btf.ts";
import { type ElfFile, type ElfSection, type ElfSymbol, SHF } from "./elf.ts";
import { readBtfMaps } from "./maps-btf.ts";
import { mapType, type ObjectMap } from "./object-map.ts";
import { valueFields } from "./value-fields.ts";

/** The largest value of an array map that Linux allows is below 2 GiB; `.bss` may claim any size. */
const MOST_DATA = 0x7fffffff;

/** The object's maps; `btf` is settled (see `settleBtf`). */
export function readMaps(elf: ElfFile, btf: Btf | undefined): ObjectMap[] {
  return [
    ...elf.sections.filter(isLegacySection).flatMap((section) => readLegacyMaps(elf, section)),
    ...readBtfMaps(elf, btf),
    ...elf.sections.filter(isGlobalData).map((section) => globalDataMap(section, btf)),
  ];
}

function isLegacySection({ name, size }: ElfSection): boolean {
  return size > 0 && (name === "maps" || name.startsWith("maps/") || name.endsWith("/maps"));
}

function isGlobalData({ name, size, flags }: ElfSection): boolean {
  return (flags & SHF.alloc) !== 0 && size > 0 && /^\.(data|rodata|bss)(\.|$)/.test(name);
}

/** Bytes of the structure's oldest form: type, key size, value size, entries, flags. */
const LEGACY_SIZE = 20;
/** Bytes of the kernel samples' form, which goes on with the index of the inner map in the section and a memory node. */
const SAMPLES_SIZE = 28;
/** Bytes of iproute2's form, which goes on with id, pinning, id of the inner map, index in the outer map. */
const IPROUTE_SIZE = 36;
/** What the values of a map of maps are: descriptors or ids. */
const REFERENCE_SIZE = 4;

const isMapOfMaps = (type: MapDefinition["type"]): boolean =>
  type === "array_of_maps" || type === "hash_of_maps";

/** Which words behind the oldest form say something, in a structure of this size. */
function knownWords(size: number, type: MapDefinition["type"], flags: number): readonly number[] {
  if (size === IPROUTE_SIZE) return [5, 6, 7, 8];
  if (size !== SAMPLES_SIZE) return [];
  return [...(isMapOfMaps(type) ? [5] : []), ...((flags & MAP_FLAGS.numa_node) === 0 ? [] : [6])];
}

function readLegacyMaps(elf: ElfFile, section: ElfSection): ObjectMap[] {
  const { data } = section;
  const symbols = elf.symbols
    .filter((s) => s.section === section.index && (s.type === "object" || s.type === "none") && s.name !== "")
    .sort((a, b) => a.value - b.value);
  if (symbols.length === 0) data.fail(0, "no symbol names a map");
  const size = data.size / symbols.length;
  if (!Number.isInteger(size) || size < LEGACY_SIZE) {
    data.fail(0, `${data.size} bytes are no ${symbols.length} map definitions`);
  }
  const word = (map: number, index: number): number => data.u32(map + index * 4);
  const byId = size === IPROUTE_SIZE ? new Map(symbols.map((s) => [word(s.value, 5), s])) : undefined;
  /** The symbol of the map that says what an outer map holds. */
  const innerOf = (at: number): ElfSymbol | undefined => {
    if (size === IPROUTE_SIZE) return word(at, 7) === 0 ? undefined : byId?.get(word(at, 7));
    return size === SAMPLES_SIZE && isMapOfMaps(mapType(word(at, 0), data.place))
      ? symbols[word(at, 5)]
      : undefined;
  };
  const definition = (name: string, at: number, outer: boolean): MapDefinition => {
    data.check(at, size);
    const type = mapType(word(at, 0), `${data.place}, map ${name}`);
    const flags = word(at, 4);
    const known = new Set(knownWords(size, type, flags));
    for (let offset = LEGACY_SIZE; offset < size; offset++) {
      if (data.u8(at + offset) !== 0 && !known.has(offset >> 2)) {
        data.fail(at + offset, `map ${name} has an option that is not known`);
      }
    }
    const inner = outer ? innerOf(at) : undefined;
    return {
      name,
      type,
      keySize: word(at, 1),
      valueSize: size === SAMPLES_SIZE && inner !== undefined ? REFERENCE_SIZE : word(at, 2),
      maxEntries: word(at, 3),
      flags,
      ...(inner === undefined ? {} : { inner: definition(inner.name, inner.value, false) }),
      ...(size === IPROUTE_SIZE && word(at, 6) !== 0 ? { pinning: "by_name" } : {}),
    };
  };
  return symbols.map(({ name, value }) => ({
    definition: definition(name, value, true),
    section: section.index,
    offset: value,
    global: false,
  }));
}

function globalDataMap(section: ElfSection, btf: Btf | undefined): ObjectMap {
  const { name, size, data } = section;
  if (size > MOST_DATA) throw new InputError(`section ${name}: ${size} bytes of global data`);
  const readOnly = name.startsWith(".rodata");
  const id = btf?.findKind(name, "datasec");
  const fields = btf === undefined || id === undefined ? [] : valueFields(btf, id);
  const mmapable = btf !== undefined && id !== undefined && hasVisibleVariable(btf, id);
  return {
    definition: {
      name,
      type: "array",
      keySize: 4,
      valueSize: size,
      maxEntries: 1,
      flags: (readOnly ? MAP_FLAGS.rdonly_prog : 0) | (mmapable ? MAP_FLAGS.mmapable : 0),
      // A section without contents starts as zeros, as any map does.
      ...(data.size === 0 ? {} : { data: data.bytes.slice() }),
      ...(readOnly ? { frozen: true } : {}),
      ...(fields.length === 0 ? {} : { fields }),
      ...(id === undefined ? {} : { btfValue: id }),
    },
    section: section.index,
    offset: 0,
    global: true,
  };
}

/** libbpf lets user space map the data only if there is a variable for it to see. */
function hasVisibleVariable(btf: Btf, id: number): boolean {
  const datasec = btf.type(id);
  return (
    datasec.kind === "datasec" &&
    datasec.vars.some(({ type }) => {
      const variable = btf.type(type);
      return variable.kind === "var" && variable.linkage !== "static";
    })
  );
}
