/**
 * What generated code knows of a region: a record of 64 bytes in the machine's memory, whose index is the region's name there (the registers' tags are such indices).
 *
 * An access of `size` bytes at an address is *plain*, and needs no other check, if `address - first`, as an unsigned number of 64 bits, is less than the limit for
 * that size. Whatever else may decide (the region is dead, may not be read or written, is a stack or a context) makes the limits 0, and the access is left to
 * `access.ts`.
 *
 * A stack's bytes are followed by two shadows of the same length, so that both are found by adding a constant to the index of the data: for each byte a mark, and for
 * each slot of 8 bytes the record of the region of a pointer that was stored whole there (u32 at the slot's first byte, valid only while the marks say so).
 */
import { ADDRESS_HIGH, memoryWords } from "./memory.ts";

export const RECORD_SIZE = 64;

/** Offsets in a record. */
export const RECORD = {
  /** i64: the address of the first accessible byte. */
  first: 0,
  /** u32 for each of the sizes 1, 2, 4 and 8: at how many places plain loads of that size may begin. */
  reads: 8,
  /** The same for stores. */
  writes: 24,
  /** u32: one of `RECORD_KIND`. */
  kind: 40,
  /** u32: the position in the list of regions, see `regionOf`. */
  position: 44,
  /**
   * u32: of a live stack its length in bytes, else 0. An aligned access whose address is less than this behind `first` is within the stack.
   */
  stack: 48,
  /** u32: of a stack, not 0 once a pointer to it lies in another stack. */
  escaped: 52,
} as const;

export const RECORD_KIND = { none: 0, stack: 1, context: 2, other: 3 } as const;

/** Bytes of a frame's stack. */
export const STACK_SIZE = 512;
/** What is added to the index of a byte of a stack for its mark, and to that of a slot's first byte for its tag. */
export const MARKS = 512;
export const TAGS = 1024;
/** Bytes that a stack takes with its shadows. */
export const STACK_WITH_SHADOWS = TAGS + STACK_SIZE;
/**
 * What a byte of a stack is: not written, part of a pointer, part of what the kernel keeps for the program (which generated code leaves alone), or data. Pointers and what is
 * kept have whole slots.
 */
export const MARK = { unwritten: 0x00, pointer: 0x01, kept: 0x02, data: 0xff } as const;

/** How many sizes of accesses there are: powers of 2. */
const SIZES = 4;

export interface RecordAccess {
  /** How many accessible bytes there are. */
  readonly length: number;
  readonly kind: number;
  /** Whether nothing but bounds decides about loads, and about stores. */
  readonly plainReads: boolean;
  readonly plainWrites: boolean;
}

/** Writes the record of a region; `first` is the index of its first accessible byte. */
export function writeRecord(record: number, first: number, position: number, access: RecordAccess): void {
  memoryWords[(record + RECORD.first) >> 2] = first;
  memoryWords[(record + RECORD.first + 4) >> 2] = ADDRESS_HIGH;
  memoryWords[(record + RECORD.kind) >> 2] = access.kind;
  memoryWords[(record + RECORD.position) >> 2] = position;
  memoryWords[(record + RECORD.escaped) >> 2] = 0;
  openRecord(record, access);
}

/** Sets what may be accessed. */
export function openRecord(record: number, { length, kind, plainReads, plainWrites }: RecordAccess): void {
  for (let exponent = 0; exponent < SIZES; exponent += 1) {
    const places = Math.max(0, length - (1 << exponent) + 1);
    memoryWords[((record + RECORD.reads) >> 2) + exponent] = plainReads ? places : 0;
    memoryWords[((record + RECORD.writes) >> 2) + exponent] = plainWrites ? places : 0;
  }
  memoryWords[(record + RECORD.stack) >> 2] = kind === RECORD_KIND.stack ? length : 0;
}

/** The region is dead: no access is plain any more. */
export function closeRecord(record: number): void {
  memoryWords.fill(0, (record + RECORD.reads) >> 2, (record + RECORD.writes + 16) >> 2);
  memoryWords[(record + RECORD.stack) >> 2] = 0;
}
