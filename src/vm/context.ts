/**
 * A run's context: the bytes behind r1's region, read and written by field. Fields that are pointers are made when loaded and have no
 * bytes here.
 */

import type { Size } from "../semantics/isa/instruction.ts";
import { fieldAt } from "../semantics/profile/lookup.ts";
import type { ContextField, Context as ContextLayout } from "../semantics/profile/profile.ts";
import { type AddressSpace, Region } from "./region.ts";

/** Fields that Linux keeps in 16 bits. */
const SHORT_FIELDS: ReadonlySet<string> = new Set(["queue_mapping", "tc_index", "tc_classid"]);
/** A queue from this number on is no queue: writing it changes nothing (NO_QUEUE_MAPPING in linux/skbuff.h). */
const NO_QUEUE = 0xffff;

export class Context {
  readonly layout: ContextLayout;
  readonly view: DataView;
  readonly region: Region;

  /** @param bytes  of the layout's size */
  constructor(space: AddressSpace, layout: ContextLayout, bytes: Uint8Array) {
    this.layout = layout;
    this.region = new Region({
      place: { kind: "context", struct: layout.struct },
      base: space.take(layout.size),
      bytes,
      origin: 0,
      start: 0,
      end: layout.size,
    });
    this.view = this.region.view;
  }

  /** The field that an access touches, or `undefined` if it may not. */
  field(access: "read" | "write", offset: number, size: Size): ContextField | undefined {
    return fieldAt(this.layout, access, offset, size);
  }

  /**
   * A program has written to the field: what Linux does not keep is dropped. `before` is the field's old value. Linux compares a queue
   * that is given as an immediate as a signed number, and one in a register as an unsigned one.
   */
  settle({ name, offset }: ContextField, before: number, immediate: boolean): void {
    if (!SHORT_FIELDS.has(name)) return;
    const written = immediate ? this.view.getInt32(offset, true) : this.view.getUint32(offset, true);
    const kept = name === "queue_mapping" && written >= NO_QUEUE ? before : written & 0xffff;
    this.view.setUint32(offset, kept, true);
  }
}
