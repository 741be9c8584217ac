/** What programs are loaded with in the running kernel: maps of their own, which do not pile up, and maps that the kernel does not make. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelAvailable } from "../../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { Asking } from "./ask.ts";

const MAP: MapDefinition = { name: "m", type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };
const withMaps = (...maps: readonly MapDefinition[]): Program => ({
  name: "maps",
  type: "socket_filter",
  license: "GPL",
  flags: [],
  insns: assemble(["r1 = map[0]", "r0 = 0", "exit"], { maps: [{ name: "m" }] }),
  maps,
  lines: [],
  functions: [],
});
const open = (): number => readdirSync("/proc/self/fd").length;

test.skipIf(!kernelAvailable().ok)("maps of programs that were asked about are closed in time", () => {
  const asking = new Asking(THIS_MACHINE);
  const before = open();
  let most = 0;
  for (let round = 0; round < 60; round += 1) {
    const programs = [withMaps(MAP, { ...MAP }, { ...MAP }), withMaps({ ...MAP })];
    const asked = asking.load(programs);
    expect(asked.map(({ verdict }) => verdict)).toEqual(["accept", "accept"]);
    asking.close(asked.flatMap((each) => (each.verdict === "accept" ? [each.fd] : [])));
    most = Math.max(most, open() - before);
  }
  // 240 maps were made.
  expect(most).toBeLessThan(150);
  asking.end();
  expect(open()).toBe(before);
});

test.skipIf(!kernelAvailable().ok)("a map that the kernel does not make withholds its program alone", () => {
  const asking = new Asking(THIS_MACHINE);
  const [bad, good] = asking.load([withMaps({ ...MAP, keySize: 3 }), withMaps(MAP)]);
  expect(bad).toEqual({ verdict: "withheld", reason: expect.stringContaining("map m: creation") });
  expect(good?.verdict).toBe("accept");
  if (good?.verdict === "accept") asking.close([good.fd]);
  asking.end();
});
