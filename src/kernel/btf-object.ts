/** Type information that a process has loaded. Maps that were made with it hold it. */
import { KernelObject, type Registry } from "./objects.ts";

/** The only kind of type that is modelled. */
export interface Integer {
  /** In bytes. */
  readonly size: number;
  /** Whether its bits are those of a word of 32 bits. */
  readonly isWord: boolean;
}

export class BtfObject extends KernelObject {
  readonly kind = "btf";
  readonly bytes: Uint8Array;
  readonly #types: readonly Integer[];

  /** @param types  by id from 1 on */
  constructor(registry: Registry, bytes: Uint8Array, types: readonly Integer[]) {
    super(registry, "btf");
    this.bytes = bytes;
    this.#types = types;
  }

  /** The type of an id; nothing if there is none. */
  type(id: number): Integer | undefined {
    return this.#types[id - 1];
  }

  protected freed(): void {}
}
