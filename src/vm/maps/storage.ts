/**
 * What a map holds, and the operations that programs and user space perform on it. Contents outlive a run: a run sees what
 * earlier runs and user space left. A value that was looked up stays valid until the run ends, as the kernel's read-copy-update
 * keeps it, even if its element is deleted meanwhile.
 *
 * Operations return 0 or a negative error number, as Linux's do (kernel/bpf/arraymap.c and hashtab.c are the reference for which).
 */
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { EINVAL, EPERM } from "../errno.ts";

/** Flags of an update (linux/bpf.h). */
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
const BPF_F_LOCK = 4;

/**
 * Where a value lies: the same object as long as the element lives. During a run the machine may put the bytes elsewhere, so whoever
 * touches them takes `bytes` at that moment and does not keep it.
 */
export interface MapValue {
  bytes: Uint8Array;
}

/** A map of values: what programs reach through helpers, and what user space reaches through system calls. */
export interface ValueMap {
  readonly kind: "values";
  readonly definition: MapDefinition;

  // --- A program's side: `key` and `value` have the map's sizes, `cpu` is the processor that the program runs on

  /** The value itself, for a pointer to point to. */
  find(key: Uint8Array, cpu: number): MapValue | undefined;
  put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number;
  remove(key: Uint8Array): number;

  // --- User space's side

  /** A copy of the value; for a per-CPU map those of all processors in order, each padded to a multiple of 8 bytes. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  update(key: Uint8Array, value: Uint8Array, flags?: number): number;
  delete(key: Uint8Array): number;
  /** Copies of all keys and values, in an order that only the map's history decides. */
  entries(): readonly (readonly [Uint8Array, Uint8Array])[];
  /** Back to the state after creation. */
  reset(): void;
}

/** Whether an update's flags are none that Linux knows; whether the lock may be asked for is another question. */
export const isUnknownUpdate = (flags: bigint): boolean => (flags & ~BigInt(BPF_F_LOCK)) > BigInt(BPF_EXIST);

/** Whether the flags ask for the lock in the value, which no map here has. */
export const asksForLock = (flags: bigint): boolean => (flags & BigInt(BPF_F_LOCK)) !== 0n;

/** The error of a write by user space, or 0: frozen maps and those for reading alone refuse it. */
export function checkUserWrite(definition: MapDefinition, key: Uint8Array): number {
  if (definition.frozen === true || (definition.flags & MAP_FLAGS.rdonly) !== 0) return EPERM;
  return key.length === definition.keySize ? 0 : EINVAL;
}

/** A value's place in a per-CPU buffer of user space: sizes are rounded up to 8 bytes. */
export function perCpuStride(definition: MapDefinition): number {
  return Math.ceil(definition.valueSize / 8) * 8;
}

/** A key of 4 bytes as the index of an array. */
export function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);
}

export function indexKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
}

/** A key as something that a JavaScript map can compare. */
export function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
