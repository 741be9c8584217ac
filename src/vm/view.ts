/** A run as an observer sees it: registers, frames and stack, read on demand. It is valid only while the observer is being called. */

import { FRAME_POINTER } from "./memory.ts";
import type { Packet } from "./packet.ts";
import { type Region, SCALAR, UNINITIALISED } from "./region.ts";
import type { Frame, State } from "./state.ts";

/** A register or a spilled one: nothing yet, a number, or a pointer. Values are unsigned 64-bit. */
export type Content =
  | { readonly kind: "uninitialised" }
  | { readonly kind: "number"; readonly value: bigint }
  /** `offset` in bytes from the region's offset 0. */
  | { readonly kind: "pointer"; readonly value: bigint; readonly region: Region; readonly offset: number };

const NOTHING: Content = { kind: "uninitialised" };
const FIRST_SAVED = 6;
const WORD = 32n;

function content(tag: Region, low: number, high: number): Content {
  if (tag === UNINITIALISED) return NOTHING;
  const value = (BigInt(high >>> 0) << WORD) | BigInt(low >>> 0);
  if (tag === SCALAR) return { kind: "number", value };
  return { kind: "pointer", value, region: tag, offset: tag.offsetOf(low, high) };
}

/** What a stack byte is: never written, a byte of data, or a byte of a spilled pointer. */
export type StackByte = "uninitialised" | "data" | "pointer";

export class View {
  readonly #state: State;
  /** The halves of what was looked at last (`look`, `lookAtSlot`), as int32. */
  low = 0;
  high = 0;

  constructor(state: State) {
    this.#state = state;
  }

  /** The slot about to be executed. */
  get pc(): number {
    return this.#state.pc;
  }

  /** Instructions executed so far. */
  get steps(): number {
    return this.#state.steps;
  }

  /** The name of the program that runs: after a tail call another. */
  get program(): string {
    return this.#state.loaded.program.name;
  }

  /** The current frame's number; 0 in the main program. */
  get depth(): number {
    return this.#state.depth;
  }

  /** The packet, with its region: the region's `end` is the distance from the data to the packet's end, `start` that to its metadata. */
  get packet(): Packet | undefined {
    return this.#state.packet;
  }

  /** Where the current frame's caller continues. */
  returnsTo(frame = this.depth): number {
    return this.#frame(frame).returnTo;
  }

  #frame(frame: number): Frame {
    const found = this.#state.frames[frame];
    if (found === undefined) throw new Error(`there is no frame ${frame}`);
    return found;
  }

  /**
   * Register 0 … 10 as `frame` has it: for a caller's frame r6 … r9 as they will be restored, its r10, and r1 … r5 if a helper has called back. Gives the
   * provenance; the value is in `low` and `high`.
   */
  look(register: number, frame = this.depth): Region {
    const { words } = this.#state;
    if (frame === this.depth) {
      this.low = words[2 * register] ?? 0;
      this.high = words[2 * register + 1] ?? 0;
      return this.#state.tag(register);
    }
    if (register === FRAME_POINTER) {
      const { stack } = this.#frame(frame);
      this.low = stack.baseLow;
      this.high = stack.baseHigh;
      return stack;
    }
    if (register < FIRST_SAVED) return this.#heldByHelper(register, frame);
    const { saved, savedTags } = this.#frame(frame + 1);
    const at = register - FIRST_SAVED;
    this.low = saved[2 * at] ?? 0;
    this.high = saved[2 * at + 1] ?? 0;
    return savedTags[at] ?? UNINITIALISED;
  }

  /** What a helper that the frame has called keeps of its arguments. */
  #heldByHelper(register: number, frame: number): Region {
    const copy = this.#frame(frame).calling?.arguments[register - 1];
    if (copy === undefined) return UNINITIALISED;
    this.low = Number(BigInt.asIntN(32, copy.value));
    this.high = Number(BigInt.asIntN(32, copy.value >> WORD));
    return copy.tag;
  }

  /** As `look`, as an object. */
  register(register: number, frame = this.depth): Content {
    const tag = this.look(register, frame);
    return content(tag, this.low, this.high);
  }

  /** How often a helper that the frame has called still will call back at most; nothing if there is no such call. */
  runsLeft(frame = this.depth): number | undefined {
    return this.#frame(frame).calling?.left;
  }

  /** How many elements the iterator that begins in a stack slot still gives; nothing if none does. */
  elementsLeft(slot: number, frame = this.depth): number | undefined {
    const { shadow, origin } = this.#frame(frame).stack;
    const mark = shadow?.spilled(origin - 8 * (slot + 1));
    return mark === undefined ? undefined : this.#state.slots.of(mark)?.left;
  }

  /** How often may_goto may still fall through in a frame. */
  loopsLeft(frame = this.depth): number {
    return this.#frame(frame).loopsLeft;
  }

  /** Slot `slot` of a frame's stack, which is the 8 bytes from -8 * (slot + 1) on: a bit for each byte that has been written. */
  written(slot: number, frame = this.depth): number {
    const { shadow, origin } = this.#frame(frame).stack;
    return shadow?.writtenBytes(origin - 8 * (slot + 1)) ?? 0;
  }

  /**
   * The bytes of a slot as a register that they would be loaded into, whatever is written of them: the provenance, which is that of a number if a part is not
   * written; the value is in `low` and `high`.
   */
  lookAtSlot(slot: number, frame = this.depth): Region {
    const { shadow, view, origin } = this.#frame(frame).stack;
    const at = origin - 8 * (slot + 1);
    this.low = view.getInt32(at, true);
    this.high = view.getInt32(at + 4, true);
    const tag = shadow?.spilled(at) ?? SCALAR;
    return tag.place.kind === "kept" ? SCALAR : tag;
  }

  /** What the byte at `offset` (-512 … -1, from r10) of a frame's stack is. */
  stackByte(offset: number, frame = this.depth): StackByte {
    const { shadow, origin } = this.#frame(frame).stack;
    const at = origin + offset;
    if (shadow === undefined || shadow.firstUninitialised(at, 1) !== undefined) return "uninitialised";
    const tag = shadow.spilled(at);
    return tag === undefined || tag.place.kind === "kept" ? "data" : "pointer";
  }

  /** A slot as an object: uninitialised unless all its bytes are written. `offset` is from r10, a multiple of 8. */
  stackSlot(offset: number, frame = this.depth): Content {
    const slot = -offset / 8 - 1;
    if (this.written(slot, frame) !== 0xff) return NOTHING;
    const tag = this.lookAtSlot(slot, frame);
    return content(tag, this.low, this.high);
  }
}
