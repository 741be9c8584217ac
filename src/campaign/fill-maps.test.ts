import { expect, test } from "vitest";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import { createMap } from "../vm/maps/create.ts";
import { fillMaps } from "./fill-maps.ts";

const definition: MapDefinition = {
  name: "m",
  type: "array",
  keySize: 4,
  valueSize: 24,
  maxEntries: 8,
  flags: 0,
  fields: [{ kind: "kptr", offset: 8, type: "task_struct" }],
};

test("what the kernel keeps in values is zeros, the rest of some of them is not", () => {
  let written = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const map = createMap(definition, 1);
    if (map.kind !== "values") throw new Error("an array has values");
    fillMaps([map], new Uint8Array(0), seed, 1);
    for (let index = 0; index < definition.maxEntries; index += 1) {
      const value = map.lookup(Uint8Array.of(index, 0, 0, 0));
      if (typeof value === "number") throw new Error("an array has all its elements");
      expect(value.slice(8, 16)).toEqual(new Uint8Array(8));
      if (value.some((byte) => byte !== 0)) written += 1;
    }
  }
  expect(written).toBeGreaterThan(20);
});
