import { expect, test } from "vitest";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import { asLoaded } from "./as-loaded.ts";

const map = (type: MapDefinition["type"], sizes: Partial<MapDefinition>): MapDefinition => ({
  name: "m",
  type,
  keySize: 4,
  valueSize: 8,
  maxEntries: 0,
  flags: 0,
  ...sizes,
});

function loaded(...maps: MapDefinition[]): readonly MapDefinition[] {
  const program: Program = {
    name: "p",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns: [],
    maps,
    lines: [],
    functions: [],
  };
  return asLoaded(program).maps;
}

test("sizes that are there stay", () => {
  const maps = [map("array", { maxEntries: 3 }), map("stack_trace", { maxEntries: 1, valueSize: 80 })];
  expect(loaded(...maps)).toEqual(maps);
});

test("entries that a loader fills in", () => {
  const [array, ring] = loaded(map("array", {}), map("ringbuf", { keySize: 0, valueSize: 0 }));
  expect(array?.maxEntries).toBeGreaterThan(0);
  // The kernel wants whole pages, as many as a power of two.
  const bytes = ring?.maxEntries ?? 0;
  expect([bytes % 65_536, Math.log2(bytes) % 1]).toEqual([0, 0]);
});

test("the depth of stacks, in addresses of 8 bytes", () => {
  const [stacks] = loaded(map("stack_trace", { maxEntries: 16, valueSize: 0 }));
  expect(stacks).toMatchObject({ maxEntries: 16, valueSize: 127 * 8 });
});

test("types that have no entries of their own", () => {
  const maps = [map("perf_event_array", { valueSize: 4 }), map("task_storage", {})];
  expect(loaded(...maps)).toEqual(maps);
});
