/**
 * Claim: helpers that are called one after the other on packets do in the machine what they do in the running kernel, for arguments near the borders of what
 * is allowed. `scripts/helper-calls.ts` draws more of them. Skipped with the reason where bpf(2) cannot be used.
 */
import { test } from "@fast-check/vitest";
import { afterAll, describe, expect } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { calls } from "./helper-calls.ts";
import { compareCalls, Tally } from "./helper-tally.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const tally = new Tally();

describe.skipIf(!kernel.ok)("calls of helpers, drawn by chance", () => {
  test.prop([calls], { numRuns: 150 })("the same on both", (drawn) => {
    expect(compareCalls(drawn, tally)).toBeUndefined();
  });

  afterAll(() => {
    console.log(`calls of helpers against the kernel: ${tally.compared}`);
  });
});
