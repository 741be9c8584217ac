/**
 * A run's context: the bytes behind r1's region, read and written by field. Fields that are pointers are made when loaded and have no
 * bytes here.
 */

import type { Size } from "../semantics/isa/instruction.ts";
import { fieldAt } from "../semantics/profile/lookup.ts";
import type { ContextField, Context as ContextLayout } from "../semantics/profile/profile.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Region } from "./region.ts";

/** Fields that Linux keeps in 16 bits. */
const SHORT_FIELDS: ReadonlySet<string> = new Set(["queue_mapping", "tc_index", "tc_classid"]);
/** A queue from this number on is no queue: writing it changes nothing (NO_QUEUE_MAPPING in linux/skbuff.h). */
const NO_QUEUE = 0xffff;

export class Context {
  readonly layout: ContextLayout;
  readonly region: Region;

  /** @param bytes  of the layout's size; they are copied */
  constructor(space: AddressSpace, layout: ContextLayout, bytes: Uint8Array) {
    this.layout = layout;
    this.region = space.region({ place: { kind: "context", struct: layout.struct }, bytes });
  }

  /** Its bytes themselves. */
  get bytes(): Uint8Array {
    const { bytes, origin, end } = this.region;
    return bytes.subarray(origin, origin + end);
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
    const { view, origin } = this.region;
    const at = origin + offset;
    const written = immediate ? view.getInt32(at, true) : view.getUint32(at, true);
    const kept = name === "queue_mapping" && written >= NO_QUEUE ? before : written & 0xffff;
    view.setUint32(at, kept, true);
  }
}
