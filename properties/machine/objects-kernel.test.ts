/**
 * Claim: programs that hold objects (records of ring buffers, dynptrs, objects of their own types in lists, trees and map values, iterators, timers) get from the machine what they
 * get from the running kernel: results, maps, records, packets. `scripts/object-calls.ts` draws more of them. Skipped with the reason where bpf(2) cannot be used.
 */
import { fc, test } from "@fast-check/vitest";
import { afterAll, describe, expect } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { compareObjects, ObjectTally } from "./object-pair.ts";
import { FAMILIES, objectProgram } from "./object-programs.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const tally = new ObjectTally();
const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });

describe.skipIf(!kernel.ok)("programs that hold objects, drawn by chance", () => {
  for (const family of FAMILIES) {
    test.prop([seeds], { numRuns: 25 })(`${family}: the same on both`, (seed) => {
      const drawn = objectProgram(family, seed);
      expect({ asm: drawn.asm, problem: compareObjects(drawn, tally) }).toEqual({
        asm: drawn.asm,
        problem: undefined,
      });
    });
  }

  afterAll(() => {
    console.log(`calls on objects against the kernel: ${tally.compared} in ${tally.programs} programs`);
  });
});
