/**
 * What the kernel keeps for a program on its stack: dynptrs, iterators, saved interrupt flags. The slots are marked with a region without bytes, as a pointer's slot is with
 * the pointer's, so that a store there ends it and a load finds that the bytes are not the program's.
 */
import { LateMap } from "../late-map.ts";
import type { Region } from "../region.ts";

const SLOT = 8;

/** What lies in slots: one object, changed in place. */
export interface InSlots {
  /** As a fault calls it: `a dynptr`, `an iterator of numbers`. */
  readonly what: string;
  /** Bytes. */
  readonly size: number;
  /** Of an iterator: how many elements it still gives. */
  readonly left?: number;
}

interface Kept {
  readonly thing: InSlots;
  /** The index in the machine's memory of the lowest slot; absent for what the kernel keeps elsewhere. */
  readonly at?: number;
}

export class Slots {
  readonly #kept = new LateMap<Region, Kept>();

  /** Puts `thing` at an offset of a stack, in slots that `mark` marks from then on. */
  put({ shadow, bytes, origin }: Region, offset: number, thing: InSlots, mark: Region): void {
    if (shadow === undefined) throw new Error(`${thing.what} lies on a stack`);
    const at = origin + offset;
    bytes.fill(0, at, at + thing.size);
    for (let i = 0; i < thing.size; i += SLOT) shadow.spill(at + i, mark);
    this.#kept.set(mark, { thing, at });
  }

  /** A pointer's region for something that lies with the kernel. */
  lend(region: Region, thing: InSlots): void {
    this.#kept.set(region, { thing });
  }

  /** What a region marks. */
  of(region: Region): InSlots | undefined {
    return this.#kept.get(region)?.thing;
  }

  /** What lies at an offset of a region, whole; nothing if there is none. */
  find(region: Region, offset: number): InSlots | undefined {
    const lent = this.#kept.get(region);
    if (lent !== undefined) return offset === 0 ? lent.thing : undefined;
    const { shadow } = region;
    if (shadow === undefined || !region.holds(offset, SLOT) || offset % SLOT !== 0) return undefined;
    const at = region.origin + offset;
    const mark = shadow.spilled(at);
    const kept = mark === undefined ? undefined : this.#kept.get(mark);
    if (kept === undefined || kept.at !== at) return undefined;
    for (let i = SLOT; i < kept.thing.size; i += SLOT) {
      if (!region.holds(offset + i, SLOT) || shadow.spilled(at + i) !== mark) return undefined;
    }
    return kept.thing;
  }
}
