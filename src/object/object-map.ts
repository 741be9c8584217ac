/** A map of an object, whichever way it was described. */
import { Unsupported } from "../semantics/errors.ts";
import { MAP_TYPES, type MapDefinition, type MapType } from "../semantics/program/map-types.ts";

/** A map and where relocations find it. */
export interface ObjectMap {
  readonly definition: MapDefinition;
  /** Index of the ELF section. */
  readonly section: number;
  /** Byte offset there: the map's own, or 0 for global data, whose map covers the whole section. */
  readonly offset: number;
  readonly global: boolean;
}

/** The map type with a number; `Unsupported`, naming `where`, for one that is newer than our list. */
export function mapType(number: number, where: string): MapType {
  const type = MAP_TYPES[number];
  if (type === undefined) throw new Unsupported(`${where}: map type ${number}`);
  return type;
}
