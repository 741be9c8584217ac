/**
 * What the kernel keeps for a program on its stack: dynptrs, iterators, saved interrupt flags. The slots are marked with a region without bytes, as a pointer's slot is with
 * the pointer's, so that a store there ends it and a load finds that the bytes are not the program's.
 */
import { checkBytes, pointer } from "../access.ts";
import { fault, memoryFault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { Region } from "../region.ts";

const SLOT = 8;

/** What lies in slots: one object, changed in place. */
export interface InSlots {
  /** As a fault calls it: `dynptr`, `iterator of numbers`. */
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
  readonly #kept = new Map<Region, Kept>();

  /** Puts `thing` where an argument points to on the stack. */
  put(call: Call, register: number, name: string, thing: InSlots): void {
    const [region, offset] = placeOf(call, register, name, thing);
    const { shadow } = region;
    if (shadow === undefined) return call.refuse(register, name, "is not on the stack");
    const at = region.origin + offset;
    const mark = call.state.opaqueRegion({ kind: "kept", what: thing.what });
    region.bytes.fill(0, at, at + thing.size);
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

  /** What lies where an argument points to, whole; nothing if there is none. */
  find(call: Call, register: number, name: string): InSlots | undefined {
    const region = pointer(call.state, register, call.what(register, name));
    const lent = this.#kept.get(region);
    const offset = call.state.offset(register, region);
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

  /** The slots where an argument points to hold bytes again. */
  remove(call: Call, register: number, name: string, thing: InSlots): void {
    const [region, offset] = placeOf(call, register, name, thing);
    region.shadow?.write(region.origin + offset, thing.size);
  }
}

function placeOf(
  call: Call,
  register: number,
  name: string,
  { what, size }: InSlots,
): readonly [Region, number] {
  const said = call.what(register, name);
  const region = pointer(call.state, register, said);
  const offset = call.state.offset(register, region);
  if (region.place.kind !== "stack") fault("helper_argument", `${said}: ${what} is to lie on the stack`);
  checkBytes(region, offset, size, "write", said);
  if (offset % SLOT !== 0) memoryFault("misaligned", region, offset, size, said);
  return [region, offset];
}
