/**
 * Objects that pointers are held to: those of a program's own types, and the kernel's. Pointers to them may lie in map values and in other objects, so they may outlive
 * the run that made them.
 */
import type { MapField } from "../../semantics/program/map-types.ts";
import type { MapValue } from "../maps/storage.ts";
import { freeFields, type InField } from "./field.ts";

/** Pointers that nobody owns, as a kind of field. */
export const UNOWNED = "kptr";

export class Thing implements InField {
  /** The structure's name. */
  readonly struct: string;
  /** Its id in the program's BTF; absent for objects of the kernel's types. */
  readonly id: number | undefined;
  /** Of an object of the kernel's: the number that tells it from others of its type. */
  readonly key: bigint;
  /** What programs may read of it. */
  readonly cell: MapValue;
  readonly fields: readonly MapField[];
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
    this.struct = struct;
    this.cell = { bytes };
    this.id = own?.id;
    this.key = key;
    this.fields = own?.fields ?? [];
    this.counted = own === undefined || own.fields.some(({ kind }) => kind === "refcount");
  }

  /** One reference less; says whether it was the last, with which goes what lies in the object. */
  unreference(): boolean {
    this.references -= 1;
    if (this.references > 0) return false;
    freeFields(this.cell, this.fields);
    return true;
  }

  leave(kind: string): void {
    if (kind !== UNOWNED) this.unreference();
  }
}

/** A list or tree is gone, and its objects with it. */
export function leaveAll(things: Iterable<Thing>, link: number): void {
  for (const thing of things) {
    thing.owners.delete(link);
    thing.unreference();
  }
}
