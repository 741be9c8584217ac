/**
 * What is known of each byte of a stack frame, and of each of its 8-byte slots: the marks and tags behind the stack's bytes (`region-record.ts`). Places are indices in
 * the machine's memory.
 */
import { memoryBytes, memoryWords } from "./memory.ts";
import { type Region, regionOf, type Shadow } from "./region.ts";
import { MARK, MARKS, RECORD, STACK_SIZE, TAGS } from "./region-record.ts";

const SLOT = 8;

/** The first byte of the slot that a byte is in: stacks begin at multiples of 8. */
const slotOf = (at: number): number => at & ~(SLOT - 1);

/** Whether the slot of a byte holds a pointer, or what the kernel keeps. */
function hasTag(at: number): boolean {
  const mark = memoryBytes[slotOf(at) + MARKS];
  return mark === MARK.pointer || mark === MARK.kept;
}

export class StackShadow implements Shadow {
  readonly #first: number;

  /** @param first  the index of the frame's lower end */
  constructor(first: number) {
    this.#first = first;
  }

  clear(): void {
    memoryBytes.fill(MARK.unwritten, this.#first + MARKS, this.#first + MARKS + STACK_SIZE);
  }

  /** Data is written to bytes `at` … `at + size - 1`. What is left of a pointer there is data too. */
  write(at: number, size: number): void {
    if (size === 0) return;
    this.#forgetPointer(at);
    this.#forgetPointer(at + size - 1);
    memoryBytes.fill(MARK.data, at + MARKS, at + MARKS + size);
  }

  #forgetPointer(at: number): void {
    if (!hasTag(at)) return;
    const slot = slotOf(at);
    memoryBytes.fill(MARK.data, slot + MARKS, slot + MARKS + SLOT);
  }

  /** A pointer into `region`, or a register that was never written, is stored whole into the slot at `at`. */
  spill(at: number, { place, record, origin, shadow }: Region): void {
    if (shadow !== undefined && origin - STACK_SIZE !== this.#first)
      memoryWords[(record + RECORD.escaped) >> 2] = 1;
    const mark = place.kind === "kept" ? MARK.kept : MARK.pointer;
    memoryBytes.fill(mark, at + MARKS, at + MARKS + SLOT);
    memoryWords[(at + TAGS) >> 2] = record;
  }

  /** The region of the pointer that lies in the slot of a byte; nothing if that is data. */
  spilled(at: number): Region | undefined {
    return hasTag(at) ? regionOf(memoryWords[(slotOf(at) + TAGS) >> 2] ?? 0) : undefined;
  }

  /** A bit for each of the eight bytes from `at` on that has been written. */
  writtenBytes(at: number): number {
    let written = 0;
    for (let i = 0; i < SLOT; i += 1) if (memoryBytes[at + i + MARKS] !== MARK.unwritten) written |= 1 << i;
    return written;
  }

  /** The first of the bytes that has not been written, or `undefined`. */
  firstUninitialised(at: number, size: number): number | undefined {
    for (let i = at; i < at + size; i += 1) if (memoryBytes[i + MARKS] === MARK.unwritten) return i;
    return undefined;
  }
}
