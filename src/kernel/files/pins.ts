/** Names that keep objects. */
import { EEXIST, ENOENT } from "../../vm/errno.ts";
import type { KernelObject } from "../objects.ts";
import type { Pin } from "../system.ts";

export class PinTable {
  readonly #objects = new Map<string, KernelObject>();

  get(path: string): KernelObject | undefined {
    return this.#objects.get(path);
  }

  add(path: string, object: KernelObject): number {
    if (this.#objects.has(path)) return EEXIST;
    this.#objects.set(path, object);
    object.holdUser();
    return 0;
  }

  remove(path: string): number {
    const object = this.#objects.get(path);
    if (object === undefined) return ENOENT;
    this.#objects.delete(path);
    object.putUser();
    return 0;
  }

  list(): readonly Pin[] {
    return [...this.#objects]
      .map(([path, { kind, id }]) => ({ path, kind, id }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
