/**
 * Maps described by BTF. The variables of `.maps` are structures whose members are attributes: a number is the length of an array that the
 * member points to, a type is what the member points to, and `values` is an array of what the map holds at start, in a map of maps or of
 * programs. Source: Documentation/bpf/libbpf/libbpf_overview.rst and the macros of libbpf's bpf_helpers.h (`__uint`, `__type`, `__array`).
 */
import { InputError } from "../semantics/errors.ts";
import { MAP_TYPES, type MapDefinition } from "../semantics/program/map-types.ts";
import type { Btf } from "./btf.ts";
import type { BtfMember, BtfOf } from "./btf-types.ts";
import type { ElfFile, ElfRelocation, ElfSection } from "./elf.ts";
import { firstAt } from "./functions.ts";
import { mapType, type ObjectMap } from "./object-map.ts";
import { valueFields } from "./value-fields.ts";

/** What has been read of a definition. */
interface Attributes {
  numbers: Map<string, number>;
  types: Map<string, number>;
  inner: MapDefinition | undefined;
  holdsPrograms: boolean;
  /** Where the structure's `values` begin, in bytes. */
  valuesAt: number | undefined;
}

/** Numbers that may be given, by name. */
const NUMBERS = new Set([
  "type",
  "max_entries",
  "map_flags",
  "numa_node",
  "key_size",
  "value_size",
  "map_extra",
  "pinning",
]);

export function readBtfMaps(elf: ElfFile, btf: Btf | undefined): ObjectMap[] {
  const section = elf.section(".maps");
  if (section === undefined || section.size === 0) return [];
  const id = btf?.findKind(".maps", "datasec");
  const datasec = id === undefined ? undefined : btf?.type(id);
  if (btf === undefined || datasec?.kind !== "datasec") {
    throw new InputError("section .maps, offset 0x0: there is no BTF that describes it");
  }
  const relocations = elf.relocations(section).toSorted((a, b) => a.offset - b.offset);
  return datasec.vars.map(({ type, offset, size }) => {
    const variable = btf.type(type);
    if (variable.kind !== "var") throw new InputError(`section .BTF: ${variable.kind} ${type} in .maps`);
    const place = `section .maps, map ${variable.name}`;
    if (offset + size > section.size) throw new InputError(`${place}: lies outside the section`);
    return {
      definition: readMap(elf, section, relocations, btf, variable.name, variable.type, offset, place),
      section: section.index,
      offset,
      global: false,
    };
  });
}

function readMap(
  elf: ElfFile,
  section: ElfSection,
  relocations: readonly ElfRelocation[],
  btf: Btf,
  name: string,
  type: number,
  offset: number,
  place: string,
): MapDefinition {
  const struct = btf.resolve(type).type;
  if (struct.kind !== "struct") throw new InputError(`${place}: is a ${struct.kind}, not a structure`);
  const attributes = readAttributes(btf, struct, place, true);
  const definition = defineMap(btf, name, attributes, place);
  if (attributes.valuesAt === undefined) return definition;
  const start = offset + attributes.valuesAt;
  const end = offset + Math.max(struct.size, btf.size(type), sizeOfVariable(elf, section, name));
  const holds = relocations
    .slice(firstAt(relocations, start), firstAt(relocations, end))
    .map((relocation) => {
      const index = (relocation.offset - start) / 8;
      if (!Number.isInteger(index))
        throw new InputError(`${place}, attribute values: no pointer begins there`);
      return { index, name: relocation.symbol.name };
    });
  return holds.length === 0 ? definition : { ...definition, holds };
}

/** A flexible array makes the variable longer than its type. */
function sizeOfVariable(elf: ElfFile, section: ElfSection, name: string): number {
  const symbol = elf.globals.get(name);
  return symbol?.section === section.index ? symbol.size : 0;
}

function readAttributes(
  btf: Btf,
  struct: BtfOf<"struct" | "union">,
  place: string,
  mayHold: boolean,
): Attributes {
  const attributes: Attributes = {
    numbers: new Map(),
    types: new Map(),
    inner: undefined,
    holdsPrograms: false,
    valuesAt: undefined,
  };
  for (const member of struct.members) {
    const where = `${place}, attribute ${member.name}`;
    if (NUMBERS.has(member.name)) attributes.numbers.set(member.name, readNumber(btf, member, where));
    else if (member.name === "key" || member.name === "value") {
      attributes.types.set(member.name, pointedTo(btf, member.type, where));
    } else if (member.name === "values" && mayHold) {
      attributes.valuesAt = member.bitOffset / 8;
      readValues(btf, member, attributes, where);
    } else throw new InputError(`${where}: not known`);
  }
  return attributes;
}

/** `__uint` is a pointer to an array of that length; `__ulong` an enumeration with that value alone, or a pointer to one. */
function readNumber(btf: Btf, member: BtfMember, where: string): number {
  const own = btf.resolve(member.type).type;
  const type = own.kind === "ptr" ? btf.resolve(own.type).type : own;
  if (type.kind === "array" && own.kind === "ptr") return type.length;
  if (type.kind === "enum" || type.kind === "enum64") {
    const only = type.values.length === 1 ? type.values[0] : undefined;
    if (only !== undefined && BigInt(Number(only.value)) === only.value) return Number(only.value);
  }
  throw new InputError(`${where}: a ${type.kind} gives no number`);
}

function pointedTo(btf: Btf, id: number, where: string): number {
  const { type } = btf.resolve(id);
  if (type.kind !== "ptr") throw new InputError(`${where}: is a ${type.kind}, not a pointer`);
  return type.type;
}

/** `values` is an array of pointers to the definition of an inner map, or to functions. */
function readValues(btf: Btf, member: BtfMember, attributes: Attributes, where: string): void {
  const array = btf.resolve(member.type).type;
  if (array.kind !== "array") throw new InputError(`${where}: is a ${array.kind}, not an array`);
  const element = btf.resolve(pointedTo(btf, array.type, where)).type;
  if (element.kind === "func_proto") {
    attributes.holdsPrograms = true;
    return;
  }
  if (element.kind !== "struct") throw new InputError(`${where}: holds neither maps nor programs`);
  attributes.inner = defineMap(btf, "inner", readAttributes(btf, element, where, false), where);
}

function defineMap(btf: Btf, name: string, attributes: Attributes, place: string): MapDefinition {
  const { numbers, types, inner, holdsPrograms } = attributes;
  const number = numbers.get("type");
  if (number === undefined) throw new InputError(`${place}: has no type`);
  const key = types.get("key");
  const value = types.get("value");
  // Maps of maps and of programs hold 4-byte descriptors.
  const valueDefault = inner !== undefined || holdsPrograms ? 4 : 0;
  const pinning = numbers.get("pinning") ?? 0;
  if (pinning > 1) throw new InputError(`${place}, attribute pinning: ${pinning} is not known`);
  const fields = value === undefined ? [] : valueFields(btf, value);
  const extra = numbers.get("map_extra");
  return {
    name,
    type: mapType(number, place),
    keySize:
      sizeAttribute(btf, numbers.get("key_size"), key, `${place}, key`) ?? (inner || holdsPrograms ? 4 : 0),
    valueSize: sizeAttribute(btf, numbers.get("value_size"), value, `${place}, value`) ?? valueDefault,
    maxEntries: numbers.get("max_entries") ?? 0,
    flags: numbers.get("map_flags") ?? 0,
    ...(inner === undefined ? {} : { inner }),
    ...(fields.length === 0 ? {} : { fields }),
    ...(key === undefined || !typed(number) ? {} : { btfKey: key }),
    ...(value === undefined || !typed(number) ? {} : { btfValue: value }),
    ...(extra === undefined ? {} : { extra }),
    ...(pinning === 1 ? { pinning: "by_name" } : {}),
  };
}

/** Map types that the kernel creates only without BTF of key and value; libbpf leaves it out for them. */
const UNTYPED = new Set<string>([
  "perf_event_array",
  "cgroup_array",
  "stack_trace",
  "array_of_maps",
  "hash_of_maps",
  "devmap",
  "devmap_hash",
  "cpumap",
  "xskmap",
  "sockmap",
  "sockhash",
  "queue",
  "stack",
  "ringbuf",
]);

function typed(type: number): boolean {
  return !UNTYPED.has(MAP_TYPES[type] ?? "");
}

function sizeAttribute(
  btf: Btf,
  given: number | undefined,
  type: number | undefined,
  where: string,
): number | undefined {
  const size = type === undefined ? undefined : btf.size(type);
  if (given !== undefined && size !== undefined && given !== size) {
    throw new InputError(`${where}: its size is given as ${given}, but its type has ${size} bytes`);
  }
  return given ?? size;
}
