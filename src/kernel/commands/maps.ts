/** BPF_MAP_CREATE, with the kernel's checks in the kernel's order. Which sizes and flags a type takes is said in `src/vm/maps/creation.ts`. */
import { Unsupported } from "../../semantics/errors.ts";
import { MAP_FLAGS, MAP_TYPES, type MapDefinition, type MapType } from "../../semantics/program/map-types.ts";
import { EBADF, EFAULT, EINVAL, ENOTSUPP } from "../../vm/errno.ts";
import { tryCreateMap } from "../../vm/maps/create.ts";
import { creationError } from "../../vm/maps/creation.ts";
import { BtfObject, isWord } from "../btf-object.ts";
import { OpenFile, READ, READ_WRITE, WRITE } from "../descriptors.ts";
import { MapObject } from "../objects.ts";
import { mapCreationAllowed, zeroSeedAllowed } from "../privileges.ts";
import type { Attribute } from "./attribute.ts";
import { type Call, mapByFd, tokenProblem } from "./call.ts";
import { objectName } from "./names.ts";

/** Types whose sizes and flags are looked at when the map is made, after its maker's privileges. */
const CHECKED_LATE: ReadonlySet<MapType> = new Set([
  "lpm_trie",
  "bloom_filter",
  "stack_trace",
  "ringbuf",
  "user_ringbuf",
  "cpumap",
  "xskmap",
  "sockmap",
  "sockhash",
  "cgroup_storage",
  "percpu_cgroup_storage",
  "arena",
]);

/** The last type that Linux 6.18 has. */
const LAST_TYPE = MAP_TYPES.indexOf("arena");

/** Types of which no map of maps can hold any. */
const NEVER_INNER: ReadonlySet<MapType> = new Set([
  "prog_array",
  "cgroup_storage",
  "percpu_cgroup_storage",
  "struct_ops",
]);

const ANY_NODE = 0xffff_ffff;
const HASH_SIZE = 32;
const ID_SIZE = 4;

const isMapOfMaps = (type: MapType): boolean => type === "array_of_maps" || type === "hash_of_maps";

/** What the open file of a map lets one do, by the map's flags or by those that a descriptor is asked for with. */
export function accessOf(flags: number): number {
  if ((flags & MAP_FLAGS.rdonly) !== 0) return READ;
  return (flags & MAP_FLAGS.wronly) !== 0 ? WRITE : READ_WRITE;
}

/** Whether the flags ask for a descriptor that can be neither read nor written. */
export const isContradiction = (flags: number): boolean =>
  (flags & MAP_FLAGS.rdonly) !== 0 && (flags & MAP_FLAGS.wronly) !== 0;

/** What is wrong before the type is looked at. */
function earlyProblem(attr: Attribute<"map_create">): boolean {
  const type = attr.u32("map_type");
  const [key, value, vmlinux] = [
    attr.u32("btf_key_type_id"),
    attr.u32("btf_value_type_id"),
    attr.u32("btf_vmlinux_value_type_id"),
  ];
  const isTyped = vmlinux !== 0;
  if (isTyped && (MAP_TYPES[type] !== "struct_ops" || key !== 0 || value !== 0)) return true;
  if (!isTyped && key !== 0 && value === 0) return true;
  const takesExtra = MAP_TYPES[type] === "bloom_filter" || MAP_TYPES[type] === "arena";
  if (attr.u64("map_extra") !== 0n && !takesExtra) return true;
  const flags = attr.u32("map_flags");
  if (isContradiction(flags)) return true;
  const node = attr.u32("numa_node");
  return (flags & MAP_FLAGS.numa_node) !== 0 && node !== ANY_NODE && node !== 0;
}

export function mapCreate({ kernel, process, attr }: Call<"map_create">): number {
  if (earlyProblem(attr)) return EINVAL;
  const number = attr.u32("map_type");
  const type = MAP_TYPES[number];
  if (type === undefined || number > LAST_TYPE || type === "unspec") return EINVAL;
  if (type === "struct_ops") throw new Unsupported("map_create: maps of type struct_ops");
  if (attr.u32("map_ifindex") !== 0) throw new Unsupported("map_create: maps of a device");
  const definition = definitionOf(attr, type);
  const isLate = CHECKED_LATE.has(type);
  const wrong = creationError(definition);
  if (wrong === undefined) throw new Unsupported(`map_create: maps of type ${type}`);
  if (type === "hash_of_maps" && definition.valueSize !== ID_SIZE) return EINVAL;
  const seeded = zeroSeedAllowed(process, type, definition.flags);
  if (seeded !== 0) return seeded;
  if (!isLate && wrong !== 0) return wrong;
  if ((attr.u32("map_flags") & MAP_FLAGS.token) !== 0) return tokenProblem(process, attr.s32("map_token_fd"));
  const refused = mapCreationAllowed(process, type, kernel.unprivilegedBpfDisabled);
  if (refused !== 0) return refused;
  if (wrong !== 0) return wrong;
  const inner = isMapOfMaps(type) ? innerMap(process, attr.s32("inner_map_fd")) : undefined;
  if (typeof inner === "number") return inner;
  const name = objectName(attr.name("map_name"));
  if (typeof name === "number") return name;
  const types = typesOf(process, attr, definition);
  if (typeof types === "number") return types;
  const bound = exclusiveProblem(attr);
  if (bound !== 0) return bound;
  const storage = tryCreateMap(
    { ...definition, name, ...(inner === undefined ? {} : { inner }) },
    kernel.cpus,
  );
  if (typeof storage === "number") return storage;
  const map = new MapObject(kernel.objects, storage, types);
  return process.descriptors.open(new OpenFile(map, accessOf(definition.flags)));
}

function definitionOf(attr: Attribute<"map_create">, type: MapType): MapDefinition {
  return {
    name: "",
    type,
    keySize: attr.u32("key_size"),
    valueSize: attr.u32("value_size"),
    maxEntries: attr.u32("max_entries"),
    flags: attr.u32("map_flags") & ~MAP_FLAGS.token,
    extra: Number(attr.u64("map_extra")),
    btfKey: attr.u32("btf_key_type_id"),
    btfValue: attr.u32("btf_value_type_id"),
  };
}

/** Types whose keys must be words, where key and value have types; of hash tables only the sizes are looked at. */
const WORD_KEYS: ReadonlySet<MapType> = new Set([
  "array",
  "percpu_array",
  "sk_storage",
  "task_storage",
  "inode_storage",
  "cgrp_storage",
]);
const HASHES: ReadonlySet<MapType> = new Set(["hash", "percpu_hash"]);

/** The BTF that has the types of keys and values, if they have any; or a negative error number. */
function typesOf(
  { descriptors }: Call<"map_create">["process"],
  attr: Attribute<"map_create">,
  { type, keySize, valueSize, maxEntries, btfKey = 0, btfValue = 0 }: MapDefinition,
): BtfObject | number | undefined {
  if (btfKey === 0 && btfValue === 0) return undefined;
  const target = descriptors.target(attr.s32("btf_fd"));
  if (target === undefined) return EBADF;
  if (!(target instanceof BtfObject)) return EINVAL;
  const [key, value] = [target.sized(btfKey), target.sized(btfValue)];
  if (btfKey !== 0 && key?.size !== keySize) return EINVAL;
  if (!WORD_KEYS.has(type) && !HASHES.has(type))
    throw new Unsupported(`map_create: map of type ${type} with BTF`);
  if (value?.size !== valueSize) return EINVAL;
  // Global data: an array of one section, without a type for its keys.
  if (btfKey === 0 && type === "array" && maxEntries === 1 && value.type.kind === "datasec") return target;
  if (key === undefined) return EINVAL;
  return WORD_KEYS.has(type) && !isWord(key.type) ? EINVAL : target;
}

/** The shape of the maps that a map of maps is to hold: that of an example. */
function innerMap(process: Call<"map_create">["process"], fd: number): MapDefinition | number {
  const open = mapByFd(process, fd);
  if (typeof open === "number") return open;
  const { definition } = open.storage;
  if (isMapOfMaps(definition.type)) return EINVAL;
  return NEVER_INNER.has(definition.type) ? ENOTSUPP : definition;
}

/** A map may be bound to programs of one hash. */
function exclusiveProblem(attr: Attribute<"map_create">): number {
  const size = attr.u32("excl_prog_hash_size");
  if (attr.u64("excl_prog_hash") === 0n) return size === 0 ? 0 : EINVAL;
  if (size !== HASH_SIZE) return EINVAL;
  if (attr.read("excl_prog_hash", size) === undefined) return EFAULT;
  throw new Unsupported("map_create: maps for programs of one hash");
}
