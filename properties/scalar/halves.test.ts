/**
 * Operators that depend on their operands' halves alone: on every pair of sets of numbers at 2 to 4 bits; with it, that they do, and
 * that halves are the tightest there are, which makes them the same for all parts with the same numbers.
 */
import { describe, expect, test } from "vitest";
import { products } from "../../src/absint/scalar/multiply.ts";
import { between, halves } from "../../src/absint/scalar/piece.ts";
import { manyRemainders } from "../../src/absint/scalar/remainder.ts";
import { manySignedRemainders } from "../../src/absint/scalar/signed-division.ts";
import type { Abstract } from "./exhaust.ts";
import { BY_HALVES, besidesHalves, halvesAreTightest, holdsForAllSets } from "./halves.ts";
import { OPERATORS } from "./operators.ts";

test.each([1, 2, 3, 4])("halves are the tightest pieces, at %i bits", (width) => {
  expect(halvesAreTightest(halves, width)).toBeGreaterThan(0);
});

test("halves that leave out the intervals are not the tightest", () => {
  const loose: typeof halves = (p) => {
    const [clear, set] = halves(p);
    return [{ ...clear, ...between(clear.bits, clear.bits.value, p.umax), some: clear.some }, set];
  };
  expect(() => halvesAreTightest(loose, 3)).toThrow("half 0");
});

/** What operators say of many numbers: here of few as well, whose pairs they go through otherwise. */
const OF_MANY: Readonly<Record<string, Abstract>> = {
  mul: products,
  mod: manyRemainders,
  smod: manySignedRemainders,
};
const ofMany = OPERATORS.flatMap((operator) => {
  const abstract = OF_MANY[operator.name];
  return abstract === undefined ? [] : [{ ...operator, name: `${operator.name} of many`, abstract }];
});

describe.each([...OPERATORS.filter(({ name }) => BY_HALVES.has(name)), ...ofMany])(
  "$name",
  ({ abstract, concrete, widths }) => {
    test.each(widths)("depends on halves alone, at %i bits", (width) => {
      expect(besidesHalves(abstract, width)).toEqual([]);
    });
    test.each(widths)("holds every result, at %i bits", (width) => {
      expect(holdsForAllSets(abstract, concrete, width)).toBeGreaterThan(0);
    });
  },
);
