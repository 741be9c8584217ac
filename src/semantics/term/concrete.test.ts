/** Worked examples, from the definitions of SMT-LIB's theory FixedSizeBitVectors and logic QF_BV. */
import { describe, expect, test } from "vitest";
import * as t from "./build.ts";
import { evaluate } from "./concrete.ts";
import type { Term } from "./node.ts";

const a = t.variable("a", 8);
const b = t.variable("b", 8);
const on = (term: Term, x: number, y = 0): number =>
  Number(
    evaluate(
      term,
      new Map([
        [a, BigInt(x)],
        [b, BigInt(y)],
      ]),
    ),
  );

describe("division", () => {
  test.each([
    // bvudiv, bvurem: all ones and the dividend where the divisor is 0.
    [t.udiv(a, b), 7, 2, 3],
    [t.udiv(a, b), 7, 0, 255],
    [t.udiv(a, b), 0, 0, 255],
    [t.urem(a, b), 7, 2, 1],
    [t.urem(a, b), 7, 0, 7],
    // bvsdiv is bvudiv of magnitudes with the sign put right: 7 / 0 = -1, -7 / 0 = -(7 udiv 0) = 1, -128 / -1 = 128 = -128.
    [t.sdiv(a, b), 0xf9, 2, 0xfd],
    [t.sdiv(a, b), 7, 0xfe, 0xfd],
    [t.sdiv(a, b), 7, 0, 255],
    [t.sdiv(a, b), 0xf9, 0, 1],
    [t.sdiv(a, b), 0x80, 0xff, 0x80],
    // bvsrem has the dividend's sign.
    [t.srem(a, b), 0xf9, 2, 0xff],
    [t.srem(a, b), 7, 0xfe, 1],
    [t.srem(a, b), 0xf9, 0, 0xf9],
    [t.srem(a, b), 0x80, 0xff, 0],
  ])("%#", (term, x, y, expected) => {
    expect(on(term, x, y)).toBe(expected);
  });
});

describe("shifts, widths, bytes, order", () => {
  test.each([
    [t.shl(a, b), 0x81, 1, 0x02],
    [t.shl(a, b), 0x81, 8, 0],
    [t.lshr(a, b), 0x81, 7, 1],
    [t.lshr(a, b), 0x81, 255, 0],
    [t.ashr(a, b), 0x81, 1, 0xc0],
    [t.ashr(a, b), 0x81, 200, 0xff],
    [t.ashr(a, b), 0x41, 200, 0],
    [t.neg(a), 0x80, 0, 0x80],
    [t.not(a), 0x0f, 0, 0xf0],
    [t.mul(a, b), 0x80, 3, 0x80],
    [t.sext(16, a), 0x80, 0, 0xff80],
    [t.zext(16, a), 0x80, 0, 0x0080],
    [t.concat(16, a, b), 0x12, 0x34, 0x1234],
    [t.bswap(t.concat(16, a, b)), 0x12, 0x34, 0x3412],
    [t.extract(4, a, 2), 0b101100, 0, 0b1011],
    [t.ult(a, b), 0x7f, 0x80, 1],
    [t.slt(a, b), 0x7f, 0x80, 0],
    [t.sle(a, b), 0x80, 0x80, 1],
    [t.ite(t.eq(a, b), a, t.constant(8, 9)), 1, 2, 9],
    [t.smin(a, b), 0x7f, 0x80, 0x80],
    [t.umax(a, b), 0x7f, 0x80, 0x80],
  ])("%#", (term, x, y, expected) => {
    expect(on(term, x, y)).toBe(expected);
  });
});

describe("folds", () => {
  const next = (n: Term<8>): Term<8> => t.add(n, t.constant(8, 1));

  test("the index counts the steps from 0", () => {
    const [sum] = t.fold({ widths: [8], count: 5, init: [a], step: ([s], i) => [t.add(s, i)] });
    expect(on(sum, 100)).toBe(110);
  });

  test("the condition is asked before each step", () => {
    const [n, steps] = t.fold({
      widths: [8, 8],
      count: 200,
      init: [a, t.constant(8, 0)],
      step: ([n, steps]) => [t.lshr(n, t.constant(8, 1)), next(steps)],
      condition: ([n]) => t.ne(n, t.constant(8, 0)),
    });
    expect([on(n, 0b1000), on(steps, 0b1000), on(steps, 0)]).toEqual([0, 4, 0]);
  });

  test("no steps leave the start", () => {
    expect(on(t.fold({ widths: [8], count: 0, init: [a], step: ([s]) => [next(s)] })[0], 3)).toBe(3);
  });

  test("a step may have a fold that uses the outer state and index", () => {
    // Sum of i * j for i, j < 4, an inner sum for each i: (0 + 1 + 2 + 3)² = 36.
    const [sum] = t.fold({
      widths: [8],
      count: 4,
      init: [a],
      step: ([sum], i) =>
        t.fold({ widths: [8], count: 4, init: [sum], step: ([s], j) => [t.add(s, t.mul(i, j))] }),
    });
    expect(on(sum, 0)).toBe(36);
  });
});

test("a variable without a value is named", () => {
  expect(() => evaluate(a, new Map())).toThrow(/no value for a \(8 bits\)/);
});
