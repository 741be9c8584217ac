/** Decisions and refinements worked by hand, at 8 bits; exhaustive and random claims are in properties/scalar. */
import { describe, expect, test } from "vitest";
import { constant } from "../../semantics/term/build.ts";
import { evaluate } from "../../semantics/term/concrete.ts";
import { type Condition, decide, decideScalars, NEGATION, refine } from "./branch.ts";
import { anything, exactly, type Part } from "./part.ts";
import { fromWide, type Scalar } from "./product.ts";

const WIDTH = 8;
const byte = (x: number) => constant<number>(WIDTH, x);
const number = (x: number): Part<number> => exactly(byte(x));
const ANY: Part<number> = anything<number>(WIDTH);
const unsigned = (umin: number, umax: number): Part<number> => ({
  ...ANY,
  umin: byte(umin),
  umax: byte(umax),
});
const signed = (smin: number, smax: number): Part<number> => ({ ...ANY, smin: byte(smin), smax: byte(smax) });
const bits = (value: number, mask: number): Part<number> => ({
  ...ANY,
  tnum: { value: byte(value), mask: byte(mask) },
});

const NEVER = 0n;
const ALWAYS = 1n;
const OPEN = 2n;

describe("decisions", () => {
  test.each<[Condition, Part<number>, Part<number>, bigint]>([
    ["jeq", number(5), number(5), ALWAYS],
    ["jeq", unsigned(0, 4), number(5), NEVER],
    ["jeq", bits(0, 0xfe), number(5), NEVER],
    ["jeq", unsigned(0, 5), number(5), OPEN],
    ["jne", signed(-3, -1), signed(0, 2), ALWAYS],
    ["jlt", unsigned(0, 4), unsigned(5, 9), ALWAYS],
    ["jlt", unsigned(5, 9), unsigned(0, 5), NEVER],
    ["jlt", unsigned(0, 5), unsigned(5, 9), OPEN],
    ["jle", unsigned(0, 5), unsigned(5, 9), ALWAYS],
    ["jgt", unsigned(6, 9), number(5), ALWAYS],
    ["jge", unsigned(5, 9), number(5), ALWAYS],
    ["jsgt", signed(-1, 5), number(-2), ALWAYS],
    ["jsge", signed(-1, 5), number(6), NEVER],
    ["jslt", signed(-9, -1), number(0), ALWAYS],
    ["jsle", signed(1, 5), number(0), NEVER],
    // As unsigned numbers they are the largest.
    ["jlt", number(-1), number(0), NEVER],
    ["jset", bits(0x10, 0x0f), number(0x30), ALWAYS],
    ["jset", bits(0, 0x0f), number(0x30), NEVER],
    ["jset", bits(0, 0x1f), number(0x30), OPEN],
    ["jnset", bits(0, 0x0f), number(0x30), ALWAYS],
  ])("%s %#", (condition, a, b, answer) => {
    expect(evaluate(decide(condition, a, b), new Map())).toBe(answer);
    const opposite = answer === OPEN ? OPEN : ALWAYS - answer;
    expect(evaluate(decide(NEGATION[condition], a, b), new Map())).toBe(opposite);
  });

  test("low halves that differ make numbers differ, and equal ones decide nothing", () => {
    const low = (x: number): Scalar => ({
      ...fromWide(anything(64)),
      umin32: constant(32, x),
      umax32: constant(32, x),
    });
    const answer = (condition: Condition, a: Scalar, b: Scalar): bigint =>
      evaluate(decideScalars(condition, 64, a, b), new Map());
    expect(answer("jne", low(1), low(2))).toBe(ALWAYS);
    expect(answer("jeq", low(1), low(2))).toBe(NEVER);
    expect(answer("jeq", low(1), low(1))).toBe(OPEN);
    expect(answer("jlt", low(1), low(2))).toBe(OPEN);
  });
});

/** What a refinement changes: bounds as numbers, signed ones below zero as such. */
function changes(before: Part<number>, after: Part<number>): Readonly<Record<string, number>> {
  const flat = ({ tnum, ...bounds }: Part<number>) => Object.entries({ ...tnum, ...bounds });
  const old = new Map(flat(before));
  return Object.fromEntries(
    flat(after).flatMap(([name, term]) => {
      const x = evaluate(term, new Map());
      if (x === evaluate(old.get(name) ?? term, new Map())) return [];
      return [[name, Number(name.startsWith("s") ? BigInt.asIntN(WIDTH, x) : x)]];
    }),
  );
}

describe("refinements", () => {
  test.each<[Condition, Part<number>, Part<number>, Record<string, number>, Record<string, number>]>([
    ["jlt", ANY, unsigned(3, 9), { umax: 8 }, {}],
    ["jlt", unsigned(5, 20), ANY, {}, { umin: 6 }],
    ["jle", unsigned(5, 20), unsigned(3, 9), { umax: 9 }, { umin: 5 }],
    ["jgt", unsigned(0, 6), unsigned(3, 9), { umin: 4 }, { umax: 5 }],
    ["jge", ANY, unsigned(3, 9), { umin: 3 }, {}],
    ["jslt", signed(-2, 20), signed(-3, 9), { smax: 8 }, { smin: -1 }],
    ["jsle", signed(-9, 20), signed(-20, 4), { smax: 4 }, { smin: -9 }],
    ["jsgt", ANY, signed(-3, 9), { smin: -2 }, {}],
    ["jsge", ANY, signed(-3, 9), { smin: -3 }, {}],
    ["jne", unsigned(0, 9), number(0), { umin: 1 }, {}],
    ["jne", unsigned(0, 9), number(9), { umax: 8 }, {}],
    ["jne", unsigned(0, 9), number(5), {}, {}],
    ["jne", unsigned(0, 9), unsigned(0, 1), {}, {}],
    ["jne", signed(-4, 4), number(-4), { smin: -3 }, {}],
    ["jeq", unsigned(0, 9), unsigned(5, 20), { umin: 5 }, { umax: 9 }],
    ["jeq", bits(0x10, 0x0f), bits(0x03, 0xf0), { value: 0x13, mask: 0 }, { value: 0x13, mask: 0 }],
    // Only bit 4 can be shared.
    ["jset", bits(0, 0x1f), number(0x30), { value: 0x10, mask: 0x0f }, {}],
    ["jset", bits(0, 0x3f), number(0x30), {}, {}],
    ["jnset", bits(0, 0x3f), number(0x30), { mask: 0x0f }, {}],
  ])("%s %#", (condition, a, b, left, right) => {
    const [x, y] = refine(condition, a, b);
    expect(changes(a, x)).toEqual(left);
    expect(changes(b, y)).toEqual(right);
  });
});
