/**
 * Tristate numbers, worked by hand from the definition γ(value, mask) = { x : x & ~mask = value }: the set of results is written out
 * beside each example. What the CGO 2022 paper proves of the operators (addition, subtraction and the bitwise ones give the
 * best tnum there is) is seen here on all of 4 bits.
 */
import { describe, expect, test } from "vitest";
import { constant, extract, shl, variable } from "../../semantics/term/build.ts";
import { evaluate, evaluator } from "../../semantics/term/concrete.ts";
import type { Term } from "../../semantics/term/node.ts";
import * as tnum from "./tnum.ts";
import { multiply } from "./tnum-multiply.ts";

type AnyTnum = tnum.Tnum<number>;

/** A tnum as the paper writes it, x for an unknown bit. */
function bits(text: string): AnyTnum {
  const number = (one: string): Term =>
    constant(text.length, BigInt(`0b${text.replace(/./g, (bit) => (bit === one ? "1" : "0"))}`));
  return { value: number("1"), mask: number("x") };
}

function text({ value, mask }: AnyTnum): string {
  const [v, m] = [evaluate(value, new Map()), evaluate(mask, new Map())];
  if ((v & m) !== 0n) throw new Error("value and mask overlap");
  return Array.from({ length: value.width }, (_, i) => {
    const at = BigInt(value.width - 1 - i);
    return (m >> at) & 1n ? "x" : String((v >> at) & 1n);
  }).join("");
}

describe("by hand", () => {
  test.each([
    // {8, 10} + {9, 11} = {17, 19, 21}
    ["010x0", "010x1", "10xx1"],
    // {0, 1} + 1 = {1, 2}: a carry that may be
    ["00x", "001", "0xx"],
    // {6, 7} + {2, 3} = {8, 9, 10}: a carry that surely is
    ["011x", "001x", "10xx"],
  ])("%s + %s", (a, b, sum) => expect(text(tnum.add(bits(a), bits(b)))).toBe(sum));

  test.each([
    // {8, 10} - {1, 3} = {5, 7, 9}
    ["10x0", "00x1", "xxx1"],
    // 4 - {0, 1} = {3, 4}
    ["100", "00x", "xxx"],
    // {6, 7} - {0, 2, 4, 6} = {0, …, 7}: a borrow never reaches the top bit
    ["011x", "0xx0", "0xxx"],
    ["1x", "10", "0x"],
  ])("%s - %s", (a, b, difference) => expect(text(tnum.sub(bits(a), bits(b)))).toBe(difference));

  test.each([
    // {1, 5} * {2, 6} = {2, 6, 10, 30}
    ["00x01", "00x10", "xxx10"],
    // {2, 3, 6, 7} * 2 = {4, 6, 12, 14}
    ["0x1x", "0010", "x1x0"],
    ["xxxx", "0000", "0000"],
    // {0 … 15} * 4 = {0, 4, 8, 12} modulo 16
    ["xxxx", "0100", "xx00"],
  ])("%s * %s", (a, b, product) => expect(text(multiply(bits(a), bits(b)))).toBe(product));

  test("bit by bit: 0 and anything is 0, 1 or anything is 1, an unknown bit flips to an unknown one", () => {
    const [a, b] = [bits("10x0"), bits("1x1x")];
    expect(text(tnum.and(a, b))).toBe("10x0");
    expect(text(tnum.or(a, b))).toBe("1x1x");
    expect(text(tnum.xor(a, b))).toBe("0xxx");
  });

  test.each([
    // 0101, 0110, 0111
    [5, 7, "01xx"],
    [8, 8, "1000"],
    [7, 8, "xxxx"],
    [12, 13, "110x"],
    [0, 15, "xxxx"],
  ])("the range %i to %i", (min, max, best) => {
    expect(text(tnum.fromRange<number>(constant(4, min), constant(4, max)))).toBe(best);
  });

  test("bounds", () => {
    expect(text(tnum.intersect(bits("1x0x"), bits("x10x")))).toBe("110x");
    expect(text(tnum.join(bits("100"), bits("110")))).toBe("1x0");
    expect(text(tnum.join(bits("10x"), bits("0x1")))).toBe("xxx");
    const conflict = (a: string, b: string): bigint => evaluate(tnum.conflict(bits(a), bits(b)), new Map());
    expect(conflict("1xx", "0xx")).toBe(1n);
    expect(conflict("x1", "1x")).toBe(0n);
  });

  test("other widths", () => {
    expect(text(tnum.zeroExtend<number>(4, bits("x1")))).toBe("00x1");
    expect(text(tnum.signExtend<number>(4, bits("x1")))).toBe("xxx1");
    expect(text(tnum.signExtend<number>(4, bits("1x")))).toBe("111x");
    expect(text(tnum.truncate<number>(2, bits("01x0")))).toBe("x0");
    expect(text(tnum.mapBits(bits("01x1"), (x) => shl(x, constant(4, 1))))).toBe("1x10");
    expect(text(tnum.exactly<number>(constant(4, 5)))).toBe("0101");
    expect(text(tnum.unknown<number>(3))).toBe("xxx");
  });
});

describe("on all of 4 bits", () => {
  const WIDTH = 4;
  const SIZE = 1 << WIDTH;
  const numbers = Array.from({ length: SIZE }, (_, x) => x);
  const all = numbers.flatMap((value) =>
    numbers.filter((mask) => (value & mask) === 0).map((mask) => ({ value, mask })),
  );
  type Small = (typeof all)[number];
  const held = ({ value, mask }: Small): number[] => numbers.filter((x) => (x & ~mask) === value);

  /** The tightest tnum around some numbers: their common bits. */
  function best(set: readonly number[]): Small {
    const mask = set.reduce((varying, x) => varying | (x ^ (set[0] ?? 0)), 0);
    return { value: (set[0] ?? 0) & ~mask & (SIZE - 1), mask };
  }

  const variables = ["a", "b"].map((name) => variable(name, 2 * WIDTH));
  const [a = bits(""), b = bits("")] = variables.map(
    (v): AnyTnum => ({ value: extract(WIDTH, v), mask: extract(WIDTH, v, WIDTH) }),
  );

  function calculate(result: AnyTnum, x: Small, y: Small): Small {
    const packed = ({ value, mask }: Small): bigint => BigInt(value | (mask << WIDTH));
    const value = evaluator(new Map(variables.map((v, i) => [v, packed(i === 0 ? x : y)])));
    return { value: Number(value(result.value)), mask: Number(value(result.mask)) };
  }

  test.each([
    ["addition", tnum.add(a, b), (x: number, y: number) => x + y],
    ["subtraction", tnum.sub(a, b), (x: number, y: number) => x - y],
    ["and", tnum.and(a, b), (x: number, y: number) => x & y],
    ["or", tnum.or(a, b), (x: number, y: number) => x | y],
    ["xor", tnum.xor(a, b), (x: number, y: number) => x ^ y],
  ])("%s is the best", (_, result, concrete) => {
    for (const x of all) {
      for (const y of all) {
        const set = held(x).flatMap((p) => held(y).map((q) => concrete(p, q) & (SIZE - 1)));
        const [found, wanted] = [calculate(result, x, y), best(set)];
        if (found.value !== wanted.value || found.mask !== wanted.mask)
          expect({ x, y, found }).toEqual({ x, y, found: wanted });
      }
    }
  });

  test("join is the best, intersection is exact, conflict is emptiness", () => {
    const [join, meet] = [tnum.join(a, b), tnum.intersect(a, b)];
    const empty: AnyTnum = { value: tnum.conflict(a, b), mask: a.mask };
    for (const x of all) {
      for (const y of all) {
        expect(calculate(join, x, y)).toEqual(best([...held(x), ...held(y)]));
        const both = held(x).filter((p) => held(y).includes(p));
        expect(calculate(empty, x, y).value).toBe(both.length === 0 ? 1 : 0);
        if (both.length > 0) expect(held(calculate(meet, x, y))).toEqual(both);
      }
    }
  });

  test("the tnum of a range is the best", () => {
    const range = tnum.fromRange(a.value, a.mask);
    for (const min of numbers) {
      for (const max of numbers.slice(min)) {
        const pair = { value: min, mask: max };
        expect(calculate(range, pair, pair)).toEqual(best(numbers.slice(min, max + 1)));
      }
    }
  });
});
