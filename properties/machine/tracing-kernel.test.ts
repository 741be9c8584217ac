/**
 * Claim: helpers for tracing, text, time and memory leave in the machine what they leave in the running kernel, on calls drawn by chance. Skipped with the reason where
 * bpf(2) cannot be used. `scripts/tracing-calls.ts` makes more of them.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { tallyCalls } from "./tracing-tally.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const FIRST = 1;
const COUNT = 300;

// Addresses, and the system calls that put memory there, are those of x86-64.
describe.skipIf(!kernel.ok || process.arch !== "x64")("helpers of tracing", () => {
  it("leave what they leave in the kernel", () => {
    const { tallies, differences } = tallyCalls(FIRST, COUNT);
    expect(differences).toEqual([]);
    const compared = [...tallies.values()].reduce((sum, tally) => sum + tally.compared, 0);
    console.log(`helpers of tracing against the kernel: ${compared} calls`);
    expect(compared).toBeGreaterThan(COUNT / 2);
  });
});
