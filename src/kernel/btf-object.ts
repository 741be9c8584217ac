/** Type information that a process has loaded. Maps that were made with it hold it. */
import { bitsOf, type Resolved, type Sized, type Type } from "./btf/types.ts";
import { KernelObject, type Registry } from "./objects.ts";

export class BtfObject extends KernelObject {
  readonly kind = "btf";
  readonly bytes: Uint8Array;
  readonly #types: Resolved;

  constructor(registry: Registry, bytes: Uint8Array, types: Resolved) {
    super(registry, "btf");
    this.bytes = bytes;
    this.#types = types;
  }

  /** The type of an id; nothing if there is none. */
  type(id: number): Type | undefined {
    return this.#types.type(id);
  }

  /** Whether there is a string, or an end of one, at such a place. */
  hasName(at: number): boolean {
    return this.#types.hasName(at);
  }

  /** The type of an id with its size, behind names and qualifiers; nothing if it has none. */
  sized(id: number): Sized | undefined {
    return this.#types.sized(id);
  }

  protected freed(): void {}
}

/** Whether a type is an integer that has the bits of a word of 32 bits. */
export function isWord(type: Type): boolean {
  if (type.kind !== "int") return false;
  const { bits, offset } = bitsOf(type);
  return type.size === 4 && bits === 32 && offset === 0;
}
