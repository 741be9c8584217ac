/** Objects and what lies in fields, as one run sees them: a region for each object that a pointer of the run leads to. */
import type { MapField } from "../../semantics/program/map-types.ts";
import { MAP_FIELDS } from "../../semantics/program/map-types.ts";
import { OBJECT_FIELDS } from "../../semantics/program/own-types.ts";
import type { AddressSpace } from "../address-space.ts";
import { LateMap } from "../late-map.ts";
import type { MapValue } from "../maps/storage.ts";
import { type KeptBytes, type Region, SCALAR } from "../region.ts";
import { type FieldPlace, keep, keptIn } from "./field.ts";
import { Thing, UNOWNED } from "./thing.ts";

const NO_BYTES = new Uint8Array(0);

/** Fields that are pointers. */
const POINTERS: ReadonlySet<string> = new Set(["kptr", "kptr_ref", "kptr_percpu"]);

/** Bytes of a field; of kinds that nobody knows, those of a pointer. */
const sizeOf = ({ kind }: MapField): number => (MAP_FIELDS.get(kind) ?? OBJECT_FIELDS.get(kind))?.size ?? 8;

export class Things {
  readonly #space: AddressSpace;
  readonly #regions = new LateMap<Thing, Region>();
  readonly #things = new LateMap<Region, Thing>();
  readonly #kernels = new LateMap<string, Thing>();
  readonly #cells = new LateMap<Region, { readonly cell: MapValue; readonly fields: readonly MapField[] }>();

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  /** Where the object lies in this run. */
  regionOf(thing: Thing): Region {
    let region = this.#regions.get(thing);
    if (region === undefined) {
      region = this.#newRegion(thing);
      this.#regions.set(thing, region);
      this.#things.set(region, thing);
    }
    return region;
  }

  #newRegion({ struct, id, cell, fields }: Thing): Region {
    if (id === undefined)
      return this.#space.region({ place: { kind: "kernel_object", struct }, bytes: cell.bytes });
    const place = { kind: "object", struct, id } as const;
    if (fields.length === 0) return this.#space.borrow(cell, { place });
    const region = this.#space.borrow(cell, { place, keeps: this.#keptBytes(cell, fields) });
    this.#cells.set(region, { cell, fields });
    return region;
  }

  /** The kernel's object of a structure that goes by a number: the same one throughout a run. */
  kernelObject(struct: string, name: bigint): Thing {
    const key = `${struct} ${name}`;
    let thing = this.#kernels.get(key);
    if (thing === undefined) {
      thing = new Thing(struct, NO_BYTES, undefined, name);
      this.#kernels.set(key, thing);
    }
    return thing;
  }

  /** The object that a region is of. */
  thingOf(region: Region): Thing | undefined {
    return this.#things.get(region);
  }

  /** A map's value with fields, whose region `make` makes. */
  valueRegion(cell: MapValue, fields: readonly MapField[], make: (keeps: KeptBytes) => Region): Region {
    const region = make(this.#keptBytes(cell, fields));
    this.#cells.set(region, { cell, fields });
    return region;
  }

  #keptBytes(cell: MapValue, fields: readonly MapField[]): KeptBytes {
    return {
      at: (offset, size) =>
        fields.find((field) => field.offset < offset + size && offset < field.offset + sizeOf(field)),
      load: (field) => {
        if (!POINTERS.has(field.kind)) return undefined;
        const kept = keptIn({ cell, field });
        return kept instanceof Thing ? this.regionOf(kept) : SCALAR;
      },
      store: (field, pointer) => {
        if (field.kind !== UNOWNED) return false;
        keep({ cell, field }, this.thingOf(pointer));
        return true;
      },
    };
  }

  /** The field of a kind at a place of a region. */
  fieldAt(region: Region, offset: number, kinds: readonly string[]): FieldPlace | undefined {
    const found = this.#cells.get(region);
    const field = found?.fields.find((each) => each.offset === offset && kinds.includes(each.kind));
    return found === undefined || field === undefined ? undefined : { cell: found.cell, field };
  }
}
