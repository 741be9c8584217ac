import { describe, expect, expectTypeOf, test } from "vitest";
import {
  add,
  all,
  any,
  bswap,
  concat,
  constant,
  eq,
  extract,
  FALSE,
  fold,
  ite,
  sext,
  sub,
  TermError,
  TRUE,
  type Tuple,
  udiv,
  ult,
  variable,
  zext,
} from "./build.ts";
import type { Term } from "./node.ts";

const x = variable("x", 64);
const y = variable("y", 64);
const half = variable("half", 32);

describe("equal terms are one object", () => {
  test("whatever their shape", () => {
    expect(add(x, y)).toBe(add(variable("x", 64), y));
    expect(extract(8, x, 3)).toBe(extract(8, x, 3));
    expect(ite(eq(x, y), x, y)).toBe(ite(eq(x, y), x, y));
    expect(constant(8, -1)).toBe(constant(8, 255));
    expect(all()).toBe(TRUE);
    expect(any()).toBe(FALSE);
  });

  test("and different ones are not", () => {
    expect(add(x, y)).not.toBe(add(y, x));
    expect(sub(x, y)).not.toBe(add(x, y));
    expect(extract(8, x, 3)).not.toBe(extract(8, x, 4));
    expect(extract(8, x)).not.toBe(extract(9, x));
    expect(zext(64, half)).not.toBe(sext(64, half));
    expect(variable("x", 32)).not.toBe(x);
    expect(constant(8, 1)).not.toBe(constant(9, 1));
  });

  test("also folds, and what their steps share", () => {
    const sumOf = (by: Term<64>, count: number) =>
      fold({ widths: [64], count, init: [x], step: ([sum]) => [add(sum, by)] })[0];
    expect(sumOf(y, 3)).toBe(sumOf(y, 3));
    expect(sumOf(y, 3)).not.toBe(sumOf(y, 4));
    expect(sumOf(y, 3)).not.toBe(sumOf(x, 3));
  });
});

describe("a width that does not fit is an error at construction", () => {
  const narrow: Term = half;
  const wide: Term = x;
  test.each([
    ["operands", () => add(wide, narrow), /add: widths 64 and 32 differ/],
    ["comparison", () => ult(wide, narrow), /ult: widths 64 and 32 differ/],
    ["branches", () => ite(TRUE, wide, narrow), /ite: widths 64 and 32 differ/],
    ["no bits", () => constant(0, 1), /width 0/],
    ["too many bits", () => variable("v", 129), /width 129/],
    ["bits past the end", () => extract(32, half, 1), /extract: bits 1\.\.32 of 32/],
    ["an extension to fewer bits", () => zext(16, half), /zext: from 32 to 16/],
    ["parts that are not the whole", () => concat(64, half, extract(8, x)), /concat: 32 \+ 8 is not 64/],
    ["bytes that are none", () => bswap(extract(12, x)), /bswap: width 12/],
    ["a wide division", () => udiv(zext(65, x), zext(65, x)), /udiv: width 65/],
    ["too many steps", () => fold({ widths: [64], count: 256, init: [x], step: ([s]) => [s] }), /256 steps/],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(TermError);
    expect(make).toThrow(message);
  });

  test("a fold's step of another width", () => {
    const step = (_: Tuple<readonly number[]>): Term[] => [half];
    expect(() => fold({ widths: [64] as readonly number[], count: 2, init: [x], step })).toThrow(
      /component 0/,
    );
  });

  test("a fold's condition that looks at the index", () => {
    let index: Term = x;
    const stops = () =>
      fold({
        widths: [64],
        count: 2,
        init: [x],
        step: ([s], i) => {
          index = i;
          return [s];
        },
        condition: () => eq(index, constant(index.width, 0)),
      });
    expect(stops).toThrow(/condition uses the step's index/);
  });
});

test("widths are in the types", () => {
  expectTypeOf(add(x, y)).toEqualTypeOf<Term<64>>();
  expectTypeOf(ult(x, y)).toEqualTypeOf<Term<1>>();
  expectTypeOf(extract(8, x)).toEqualTypeOf<Term<8>>();
  expectTypeOf(half).not.toExtend<Term<64>>();
  expectTypeOf(add<64>)
    .parameter(1)
    .toEqualTypeOf<Term<64>>();
  expectTypeOf(ite<32>)
    .parameter(2)
    .not.toEqualTypeOf<Term<64>>();
});
