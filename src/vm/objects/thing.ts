/**
 * Objects that pointers are held to: those of a program's own types, and the kernel's. Pointers to them may lie in map values and in other objects, so they may outlive
 * the run that made them. What the kernel keeps in a map's value or in an object (pointers, lists, trees, timers) stands beside the bytes, by the cell of these and the
 * offset; the bytes themselves read as zeros.
 */
import type { MapField } from "../../semantics/program/map-types.ts";
import type { MapValue } from "../maps/storage.ts";

/** A place for what the kernel keeps, among the bytes of a map's value or of an object. */
export interface FieldPlace {
  readonly cell: MapValue;
  readonly field: MapField;
}

export class Thing {
  /** The structure's name. */
  readonly struct: string;
  /** Its id in the program's BTF; absent for objects of the kernel's types. */
  readonly id: number | undefined;
  /** What programs may read of it. */
  readonly cell: MapValue;
  readonly fields: readonly MapField[];
  /** Of an object of the kernel's: the number that tells it from others of its type. */
  readonly key: bigint;
  /** How many pointers own it: those of programs that run, and those that lie somewhere. */
  references = 1;
  /** Whether it counts: another reference may be taken. */
  readonly counted: boolean;
  /** Whether others than the program have had it: they may look at it as long as the run lasts. */
  shared = false;
  /** The list or tree that each of its links is in, by the link's offset. */
  readonly owners = new Map<number, object>();

  constructor(
    struct: string,
    bytes: Uint8Array,
    own?: { readonly id: number; readonly fields: readonly MapField[] },
    key = 0n,
  ) {
    this.key = key;
    this.struct = struct;
    this.cell = { bytes };
    this.id = own?.id;
    this.fields = own?.fields ?? [];
    this.counted = own === undefined || own.fields.some(({ kind }) => kind === "refcount");
  }
}

/** What lies in the fields, by cell and offset. */
const KEPT = new WeakMap<MapValue, Map<number, object>>();

/** What lies in a field; nothing if nothing was ever put there. */
export const keptIn = ({ cell, field }: FieldPlace): object | undefined => KEPT.get(cell)?.get(field.offset);

/** Puts something into a field, or takes it out. */
export function keep({ cell, field }: FieldPlace, thing: object | undefined): void {
  let fields = KEPT.get(cell);
  if (fields === undefined) {
    fields = new Map();
    KEPT.set(cell, fields);
  }
  if (thing === undefined) fields.delete(field.offset);
  else fields.set(field.offset, thing);
}
