/** An arena: pages that programs and user space share and that programs take and give back. A definition's `maxEntries` counts pages. */
import { EINVAL, EOPNOTSUPP } from "../errno.ts";
import type { MapValue } from "./storage.ts";
import { UserSide } from "./user-side.ts";

const PAGE = 4096;

export class ArenaMap extends UserSide {
  readonly kind = "arena";
  readonly #pages = new Map<number, MapValue>();

  reset(): void {
    this.#pages.clear();
  }

  /** A page's bytes; nothing where none was taken. */
  page(index: number): MapValue | undefined {
    return this.#pages.get(index);
  }

  /** Takes `count` pages in a row, zeroed, from page `at` on or from the first place that has room; gives the first one's index, or nothing. */
  allocate(count: number, at?: number): number | undefined {
    const first = at ?? this.#room(count);
    if (first === undefined || count === 0 || !this.#isFree(first, count)) return undefined;
    for (let index = first; index < first + count; index += 1) {
      this.#pages.set(index, { bytes: new Uint8Array(PAGE) });
    }
    return first;
  }

  #isFree(first: number, count: number): boolean {
    if (first < 0 || first + count > this.definition.maxEntries) return false;
    for (let index = first; index < first + count; index += 1) if (this.#pages.has(index)) return false;
    return true;
  }

  #room(count: number): number | undefined {
    for (let first = 0; first + count <= this.definition.maxEntries; first += 1) {
      if (this.#isFree(first, count)) return first;
    }
    return undefined;
  }

  /** Gives pages back, whether or not they were taken. */
  free(first: number, count: number): void {
    for (let index = first; index < first + count; index += 1) this.#pages.delete(index);
  }

  protected override userLookup(): number {
    return EINVAL;
  }

  protected override userUpdate(): number {
    return EOPNOTSUPP;
  }

  protected override userDelete(): number {
    return EOPNOTSUPP;
  }

  protected override userNext(): number {
    return EOPNOTSUPP;
  }
}
