/**
 * A prepared instruction as generated code reads it: 16 bytes in the machine's memory, one record a slot.
 */

export const OP_SIZE = 16;

/** Offsets in a record. */
export const OP = {
  /** u16: the position of its handler (`handlers.ts`); 0 for what generated code leaves to others. */
  code: 0,
  /** u8: how far `dst` is behind r0 in the register file, and `src`. */
  dst: 2,
  src: 3,
  /** i32: bytes from the register's address to the memory accessed, or from this record to that of a jump's target. */
  displacement: 4,
  /** i64: the immediate. */
  immediate: 8,
} as const;
