import { describe, expect, test } from "vitest";
import { and, constant, eq, FALSE, slt, ult, variable } from "../semantics/term/build.ts";
import { someValues } from "./possible.ts";
import { refutes } from "./prove.ts";
import { obligation, X, Y } from "./testing.ts";

describe("values found by trying", () => {
  const Z = variable("z", 64);
  const zero = constant(64, 0);

  test.each([
    ["no terms", []],
    ["all variables 0", [eq(X, Y), eq(Z, zero)]],
    ["all the same", [eq(X, constant(8, -1)), eq(X, Y)]],
    ["a mixture", [ult(X, Y), slt(Z, zero), eq(and(X, Y), constant(8, 0))]],
  ] as const)("%s", (_, terms) => {
    const values = someValues(terms);
    expect(values).toBeDefined();
    // They satisfy the terms: with these as premises they refute what is false.
    expect(refutes(obligation(FALSE, terms), values ?? new Map())).toBe(true);
  });

  test("none of what cannot be, nor of what needs a number of its own", () => {
    expect(someValues([ult(X, constant(8, 0))])).toBeUndefined();
    expect(someValues([eq(X, constant(8, 77))])).toBeUndefined();
  });
});
