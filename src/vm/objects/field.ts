/**
 * What the kernel keeps in a map's value or in an object for programs (pointers, lists, trees, timers, locks): it stands beside the bytes, by the cell of these and the offset; the
 * bytes themselves read as zeros. It outlives a run, and goes with the cell.
 */
import type { MapField } from "../../semantics/program/map-types.ts";

/** The bytes of a map's value or of an object, wherever they lie at the moment (`MapValue`). */
interface Cell {
  bytes: Uint8Array;
}

/** A place for what the kernel keeps. */
export interface FieldPlace {
  readonly cell: Cell;
  readonly field: MapField;
}

/** What may lie in a field. */
export interface InField {
  /** The value or object around it is overwritten or gone. `kind` is the field's. */
  leave: (kind: string) => void;
}

const KEPT = new WeakMap<Cell, Map<number, InField>>();

/** What lies in a field; nothing if nothing was ever put there. */
export const keptIn = ({ cell, field }: FieldPlace): InField | undefined => KEPT.get(cell)?.get(field.offset);

/** Puts something into a field, or takes it out. */
export function keep({ cell, field }: FieldPlace, thing: InField | undefined): void {
  let fields = KEPT.get(cell);
  if (fields === undefined) {
    fields = new Map();
    KEPT.set(cell, fields);
  }
  if (thing === undefined) fields.delete(field.offset);
  else fields.set(field.offset, thing);
}

/** Frees what lies in the fields of a value or an object. */
export function freeFields(cell: Cell, fields: readonly MapField[] = []): void {
  for (const field of fields) {
    const kept = keptIn({ cell, field });
    if (kept === undefined) continue;
    keep({ cell, field }, undefined);
    kept.leave(field.kind);
  }
}
