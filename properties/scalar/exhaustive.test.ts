/**
 * Every abstract operator is sound on all parts of 1 to 4 bits, on all numbers in them. Of those that look at nearly all of both operands
 * it is a sample at 3 and 4 bits; halves.test.ts goes through all that differ.
 */
import { describe, expect, test } from "vitest";
import type { Condition } from "../../src/absint/scalar/branch.ts";
import { includes, intersect, join } from "../../src/absint/scalar/part.ts";
import { decisionHolds, inclusionHolds, operatorHolds, refinementHolds, resultHolds } from "./exhaust.ts";
import { BY_HALVES } from "./halves.ts";
import { CONDITIONS, OPERATORS } from "./operators.ts";

/**
 * Each end of their intervals depends on all eight of the operands' ends, and of bitwise ones on the bits: from this width on it is a sample of parts.
 * precision.test.ts goes through all pairs of the tightest parts at 4 bits.
 */
const SAMPLED_FROM: ReadonlyMap<string, number> = new Map([
  ["add", 4],
  ["sub", 4],
  ["and", 3],
  ["or", 3],
  ["xor", 3],
]);

describe.each(OPERATORS)("$name", ({ name, abstract, concrete, widths }) => {
  test.each(widths)("at %i bits", (width) => {
    const { cases, sampled } = operatorHolds(name, abstract, concrete, width);
    expect(cases).toBeGreaterThan(0);
    const mayBeSampled = width >= (BY_HALVES.has(name) ? 3 : (SAMPLED_FROM.get(name) ?? Infinity));
    if (!mayBeSampled) expect(sampled).toEqual([]);
  });
  // What is relevant is read off the terms; here nobody relies on that.
  test.each(widths.filter((width) => width <= 2))("at %i bits, all fields varied", (width) => {
    expect(operatorHolds(name, abstract, concrete, width, "all").sampled).toEqual([]);
  });
});

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are conditions by the table's type
const conditions = Object.entries(CONDITIONS) as [Condition, (typeof CONDITIONS)[Condition]][];

describe.each(conditions)("%s", (condition, truth) => {
  test.each([1, 2, 3, 4])("at %i bits", (width) => {
    expect(decisionHolds(condition, truth, width).sampled).toEqual([]);
    expect(refinementHolds(condition, truth, width).sampled).toEqual([]);
  });
});

describe("the lattice of parts", () => {
  test.each([1, 2, 3, 4])("at %i bits", (width) => {
    expect(resultHolds("join", join, (a, b) => a | b, width).sampled).toEqual([]);
    expect(resultHolds("intersect", intersect, (a, b) => a & b, width).sampled).toEqual([]);
    const { sampled } = inclusionHolds("includes", includes, width);
    if (width <= 2) expect(sampled).toEqual([]);
  });
  test("inclusion of the wrong way round is refuted", () => {
    expect(() => inclusionHolds("includes", (outer, inner) => includes(inner, outer), 2)).toThrow("lacks");
  });
});
