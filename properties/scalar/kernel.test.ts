/**
 * Claim: on every instruction that computes or compares, from the same knowledge of the operands, ours knows no less of the result than the
 * kernel does; and every number that a run meets is inside the bounds of both.
 *
 * Programs come from a seed. What the kernel knows stands in its log; the truth is what the machine does, and the kernel's own runs end alike.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { measure, nothingMeasured } from "./kernel-measure.ts";
import { boundsPrograms, TESTED_ROWS } from "./kernel-programs.ts";
import { findingsText, lossesText, pathLossesText, summary } from "./kernel-report.ts";
import { EFFORT, SEED } from "./settings.ts";

const PROGRAMS = 2000 * EFFORT;

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/scalar/kernel skipped: ${kernel.reason}`);

describe.skipIf(!kernel.ok)(`bounds beside the kernel's${because}`, () => {
  const measured = nothingMeasured();

  beforeAll(() => {
    for (const bounds of fc.sample(boundsPrograms(), { numRuns: PROGRAMS, seed: SEED }))
      measure(measured, bounds);
    console.log(summary(measured));
  });

  test("every instruction is reached, most of them often", () => {
    expect(measured.reached).toBeGreaterThan(0.95 * PROGRAMS);
    expect([...measured.rows.keys()].sort()).toEqual(TESTED_ROWS.map(({ name }) => name).sort());
  });

  test("no result is less precise", () => {
    expect(lossesText(measured)).toBe("");
  });

  test("along whole programs nothing is less precise", () => {
    expect(pathLossesText(measured)).toBe("");
  });

  test("every number is inside the kernel's bounds and ours, and runs end as the kernel's do", () => {
    expect(measured.compared).toBeGreaterThan(10 * PROGRAMS);
    expect(findingsText(measured)).toBe("");
  });

  test("ours accepts every program", () => {
    expect(measured.refused.map(({ verdict }) => verdict)).toEqual([]);
  });
});
