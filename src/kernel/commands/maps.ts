/** Commands on maps. What the maps answer is the machine's (`src/vm/maps`). */
import { Unsupported } from "../../semantics/errors.ts";
import { MAP_TYPES } from "../../semantics/program/map-types.ts";
import { EBADF, EFAULT, EINVAL } from "../../vm/errno.ts";
import { tryCreateMap } from "../../vm/maps/create.ts";
import type { Referent } from "../../vm/maps/user-side.ts";
import type { DescriptorTable } from "../descriptors.ts";
import type { Kernel, Process } from "../kernel.ts";
import { MapObject, ProgramObject } from "../objects.ts";
import type { Answer } from "../system.ts";
import type { Attributes } from "./attributes.ts";

/** Processors that per-CPU maps have values for. */
const CPUS = 1;

export function mapCreate(kernel: Kernel, { descriptors }: Process, attr: Attributes): number {
  const type = MAP_TYPES[attr.u32("map_type")];
  if (type === undefined) return EINVAL;
  if (attr.u32("btf_fd") !== 0 || attr.u32("inner_map_fd") !== 0)
    throw new Unsupported(`map_create: map of type ${type} with BTF or an inner map`);
  const storage = tryCreateMap(
    {
      name: attr.text("map_name") ?? "",
      type,
      keySize: attr.u32("key_size"),
      valueSize: attr.u32("value_size"),
      maxEntries: attr.u32("max_entries"),
      flags: attr.u32("map_flags"),
      extra: Number(attr.u64("map_extra")),
    },
    CPUS,
  );
  return typeof storage === "number" ? storage : descriptors.open(new MapObject(kernel.objects, storage));
}

/** The map that a descriptor stands for, or a negative error number. Descriptors in its values are those of the process until the next command. */
export function mapOf(descriptors: DescriptorTable, fd: number): MapObject | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  if (!(target instanceof MapObject)) return EINVAL;
  target.storage.descriptors = (value) => referentOf(descriptors, value);
  return target;
}

/** What a descriptor in a map's value stands for; what maps do not hold is a thing without an id. */
function referentOf(descriptors: DescriptorTable, fd: number): Referent | undefined {
  const target = descriptors.target(fd);
  if (target instanceof MapObject) return target.storage;
  if (target instanceof ProgramObject) return target.referent;
  return target;
}

/** The map and the key of a command. */
function element({ descriptors }: Process, attr: Attributes): { map: MapObject; key: Uint8Array } | number {
  const map = mapOf(descriptors, attr.s32("map_fd"));
  if (typeof map === "number") return map;
  const key = attr.bytes("key");
  return key === undefined ? EFAULT : { map, key };
}

export function mapLookup(process: Process, attr: Attributes): Answer | number {
  const found = element(process, attr);
  if (typeof found === "number") return found;
  const value = found.map.storage.lookup(found.key, attr.u64("flags"));
  return typeof value === "number"
    ? value
    : { result: 0, out: { value: Buffer.from(value).toString("hex") } };
}

export function mapUpdate(process: Process, attr: Attributes): number {
  const found = element(process, attr);
  if (typeof found === "number") return found;
  const value = attr.bytes("value");
  return value === undefined ? EFAULT : found.map.storage.update(found.key, value, attr.u64("flags"));
}

export function mapDelete(process: Process, attr: Attributes): number {
  const found = element(process, attr);
  return typeof found === "number" ? found : found.map.storage.delete(found.key);
}
