/**
 * Claim: maps of every type that the machine has answer as the kernel's: their creation, the commands of bpf(2) and programs' helpers, in any order, error
 * numbers included, and hold the same in the end. `scripts/map-operations.ts` does the same at length. Skipped with the reason where bpf(2) cannot be used.
 */
import { fc, test } from "@fast-check/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { tryCreateMap } from "../../src/vm/maps/create.ts";
import { creation, kernelsAnswer } from "./map-creations.ts";
import { compare, sequence, TRIED } from "./map-operations.ts";
import { closeReferences, openReferences, type Reference } from "./map-references.ts";

const kernel = kernelAvailable();
// The references are made with numbers of x86's system calls.
const isHere = kernel.ok && process.arch === "x64";
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const SEQUENCES = 4;
const LENGTH = 25;

describe.skipIf(!isHere)("maps", () => {
  let references: readonly Reference[] = [];
  const tally = { compared: 0, succeeded: 0 };

  beforeAll(() => {
    references = openReferences();
  });
  afterAll(() => {
    closeReferences(references);
    console.log(`maps against the kernel: ${tally.compared} operations, ${tally.succeeded} without an error`);
  });

  it.each(TRIED)("of type %s answer the same", (type) => {
    const property = fc.property(sequence(type, LENGTH), ([definition, operations]) => {
      compare(definition, operations, references, tally);
    });
    fc.assert(property, { numRuns: SEQUENCES, seed: 6018 });
  });

  it("were asked enough", () => {
    expect(tally.compared).toBeGreaterThan(2000);
  });

  test.prop([creation], { numRuns: 2000, seed: 6018 })("are created and refused alike", (definition) => {
    const made = tryCreateMap(definition, 1);
    expect(typeof made === "number" ? made : 0).toBe(kernelsAnswer(definition));
  });
});
