/**
 * Maps of values: what programs reach through helpers. Contents outlive a run: a run sees what earlier runs and user space left. A value that was
 * looked up stays valid until the run ends, as the kernel's read-copy-update keeps it, even if its element is deleted meanwhile.
 *
 * Operations return 0 or a negative error number, as Linux's do.
 */
import { MAP_FIELDS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { freeFields } from "../objects/field.ts";
import { UserSide } from "./user-side.ts";

/**
 * Where a value lies: the same object as long as the element lives. During a run the machine may put the bytes elsewhere, so whoever
 * touches them takes `bytes` at that moment and does not keep it.
 */
export interface MapValue {
  bytes: Uint8Array;
}

export type Entry = readonly [key: Uint8Array, value: MapValue];

export abstract class ValueMap extends UserSide {
  readonly kind = "values";

  // --- A program's side: `key` and `value` have the map's sizes, `cpu` is the processor whose value is meant

  /** The value itself, for a pointer to point to. */
  abstract find(key: Uint8Array, cpu: number): MapValue | undefined;
  abstract put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number;
  abstract remove(key: Uint8Array): number;
  /** The elements that a program goes through, in the kernel's order; what is deleted or put meanwhile shows where the kernel would meet it. */
  abstract elements(cpu: number): Iterable<Entry>;
}

interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** Where in a value the kernel keeps something of its own (a lock, a timer, a pointer). */
function extents({ fields = [] }: MapDefinition): readonly Extent[] {
  return fields.map(({ kind, offset }) => ({ offset, size: MAP_FIELDS.get(kind)?.size ?? 0 }));
}

/** As much of `source` as there is room for. */
const fitting = (source: Uint8Array, room: Uint8Array): Uint8Array =>
  source.length > room.length ? source.subarray(0, room.length) : source;

/** A new value: a copy of `source`, with nothing in what the kernel keeps; zeros without a source. */
export function newValue(definition: MapDefinition, source?: Uint8Array): MapValue {
  const bytes = new Uint8Array(definition.valueSize);
  if (source !== undefined) bytes.set(fitting(source, bytes));
  if (definition.fields !== undefined)
    for (const { offset, size } of extents(definition)) bytes.fill(0, offset, offset + size);
  return { bytes };
}

/** Overwrites a value with `source`, but for what the kernel keeps in it: that is freed. */
export function overwrite(definition: MapDefinition, value: MapValue, source: Uint8Array): void {
  const { bytes } = value;
  const { fields = [] } = definition;
  if (fields.length === 0) {
    bytes.set(fitting(source, bytes));
    return;
  }
  freeFields(value, fields);
  const kept = extents(definition).map(
    ({ offset, size }) => [offset, bytes.slice(offset, offset + size)] as const,
  );
  bytes.set(source.subarray(0, bytes.length));
  for (const [offset, own] of kept) bytes.set(own, offset);
}

/** A copy for user space, which does not see what the kernel keeps in it. */
export const copyOf = (definition: MapDefinition, { bytes }: MapValue): Uint8Array =>
  newValue(definition, bytes).bytes;

/** A value's place in a per-CPU buffer of user space: sizes are rounded up to 8 bytes. */
export function perCpuStride(definition: MapDefinition): number {
  return Math.ceil(definition.valueSize / 8) * 8;
}

/** The values of all processors as user space sees them. */
export function allCopies(definition: MapDefinition, values: readonly MapValue[]): Uint8Array {
  const stride = perCpuStride(definition);
  const all = new Uint8Array(stride * values.length);
  for (const [cpu, value] of values.entries()) all.set(copyOf(definition, value), cpu * stride);
  return all;
}

/** Writes what user space gives for all processors. */
export function overwriteAll(
  definition: MapDefinition,
  values: readonly MapValue[],
  given: Uint8Array,
): void {
  const stride = perCpuStride(definition);
  for (const [cpu, value] of values.entries()) {
    overwrite(definition, value, given.subarray(cpu * stride, cpu * stride + definition.valueSize));
  }
}

/** A key of 4 bytes as the index of an array. */
export function indexOf(key: Uint8Array): number {
  const low = (key[0] ?? 0) | ((key[1] ?? 0) << 8);
  return (low | ((key[2] ?? 0) << 16) | ((key[3] ?? 0) << 24)) >>> 0;
}

export function indexKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  for (let i = 0; i < 4; i += 1) key[i] = index >>> (8 * i);
  return key;
}
