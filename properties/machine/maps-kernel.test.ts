/**
 * Claim: user space finds in the machine's maps what it finds in the kernel's after the same updates, deletions and look-ups, error numbers
 * included. Skipped with the reason where bpf(2) cannot be used.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { KernelError } from "../../src/oracle/linux/errno.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import {
  createMap as createKernelMap,
  type KernelMap,
  possibleCpus,
  word,
} from "../../src/oracle/linux/maps.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { createMap } from "../../src/vm/maps/create.ts";
import type { ValueMap } from "../../src/vm/maps/storage.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

/** asm-generic/errno-base.h. */
const NUMBERS: Readonly<Record<string, number>> = {
  EPERM: -1,
  ENOENT: -2,
  E2BIG: -7,
  EEXIST: -17,
  EINVAL: -22,
};

const TYPES = ["array", "hash", "percpu_array", "percpu_hash"] as const;
const VALUE_SIZE = 12;

const operation = fc.record({
  what: fc.constantFrom("update", "delete", "lookup"),
  key: fc.integer({ min: 0, max: 4 }),
  seed: fc.integer({ min: 0, max: 255 }),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 8),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** Bytes for one or several values; what pads them to a multiple of 8 stays 0, since it is not anybody's to rely on. */
function valueOf(seed: number, size: number): Uint8Array {
  const isPadding = (i: number): boolean => i % 16 >= VALUE_SIZE;
  return Uint8Array.from({ length: size }, (_, i) => (isPadding(i) ? 0 : (seed + i) & 0xff));
}

function errorOf(act: () => number): number {
  try {
    return act();
  } catch (error) {
    if (error instanceof KernelError) return NUMBERS[error.errno] ?? Number.NaN;
    throw error;
  }
}

function onKernel(map: KernelMap, { what, key, seed, flags }: Operation): number | string {
  if (what === "lookup") return hex(map.lookup(word(key)));
  return errorOf(() => {
    if (what === "delete") return map.delete(word(key)) ? 0 : -2;
    map.update(word(key), valueOf(seed, map.transferSize), flags);
    return 0;
  });
}

function onMachine(map: ValueMap, size: number, { what, key, seed, flags }: Operation): number | string {
  if (what === "lookup") {
    const value = map.lookup(word(key));
    return hex(typeof value === "number" ? undefined : value);
  }
  return what === "delete"
    ? map.delete(word(key))
    : map.update(word(key), valueOf(seed, size), BigInt(flags));
}

const sorted = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): readonly string[] =>
  entries.map(([key, value]) => `${hex(key)}: ${hex(value)}`).sort();

describe.skipIf(!kernel.ok)("maps from user space", () => {
  test.prop([fc.constantFrom(...TYPES), fc.array(operation, { maxLength: 30 })], {
    numRuns: 500,
    seed: 6018,
  })("hold the same", (type, operations) => {
    const definition: MapDefinition = {
      name: "m",
      type,
      keySize: 4,
      valueSize: VALUE_SIZE,
      maxEntries: 3,
      flags: 0,
    };
    const theirs = createKernelMap(definition);
    try {
      const ours = createMap(definition, possibleCpus());
      if (ours.kind !== "values") throw new Error(`a map of type ${type} has values`);
      for (const one of operations) {
        expect({ ...one, gives: onMachine(ours, theirs.transferSize, one) }).toEqual({
          ...one,
          gives: onKernel(theirs, one),
        });
      }
      // What pads a per-CPU value is not anybody's to rely on.
      if (!type.startsWith("percpu")) expect(sorted(ours.entries())).toEqual(sorted(theirs.entries()));
    } finally {
      theirs.close();
    }
  });
});
