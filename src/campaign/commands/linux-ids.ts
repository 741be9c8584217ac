/** The ids of a kernel's objects, and those that a trace has for them: by kind, in the order in which the objects were made. */
import type { ObjectKind } from "../../kernel/system.ts";

/** An id that no object has. */
const NO_ID = 0x7fff_fffe;

export class LinuxIds {
  readonly #ids: Readonly<Record<ObjectKind, number[]>> = { map: [], program: [], link: [], btf: [] };

  /** Enters an object that was just made. */
  enter(kind: ObjectKind, id: number): void {
    if (!this.#ids[kind].includes(id)) this.#ids[kind].push(id);
  }

  /** The trace's id; 0 for an object that is none of the trace's. */
  ordinal(kind: ObjectKind, id: number): number {
    return this.#ids[kind].indexOf(id) + 1;
  }

  /** The kernel's id; for one that the trace does not have, one that nothing has. */
  real(kind: ObjectKind, ordinal: number): number {
    return this.#ids[kind][ordinal - 1] ?? (ordinal >= NO_ID || ordinal === 0 ? ordinal : NO_ID);
  }

  /** Where to begin to look for the trace's ids above one: behind what other objects have. */
  before(kind: ObjectKind, ordinal: number): number {
    if (ordinal >= NO_ID) return ordinal;
    const next = this.#ids[kind][ordinal];
    return next === undefined ? NO_ID : next - 1;
  }
}
