/** Every abstract operation on parts beside what it does to numbers: the table that tests and benchmarks go through. */
import { add, neg, sub } from "../../src/absint/scalar/alu.ts";
import { and_, or_, xor_ } from "../../src/absint/scalar/bitwise.ts";
import type { Condition } from "../../src/absint/scalar/branch.ts";
import { div } from "../../src/absint/scalar/divide.ts";
import { mul } from "../../src/absint/scalar/multiply.ts";
import { keepLow, signExtendLow } from "../../src/absint/scalar/narrow.ts";
import { mod } from "../../src/absint/scalar/remainder.ts";
import { arsh, lsh, rsh } from "../../src/absint/scalar/shift.ts";
import { sdiv, smod } from "../../src/absint/scalar/signed-division.ts";
import { swap } from "../../src/absint/scalar/swap.ts";
import type { Abstract, Concrete } from "./exhaust.ts";
import { signed } from "./small.ts";

export interface Operator {
  readonly name: string;
  readonly abstract: Abstract;
  /** RFC 9669 section 4.1, for registers of `width` bits. */
  readonly concrete: Concrete;
  readonly operands: 1 | 2;
  /** The widths at which it has a meaning: those of the exhaustive checks, and those at which precision is measured. */
  readonly widths: readonly number[];
  readonly measured: readonly number[];
}

const WIDTHS = [1, 2, 3, 4, 5, 6, 8];
/** Divisors are compared with two, a number of two bits. */
const FROM_TWO = WIDTHS.slice(1);
/** A count modulo the width is its low bits only here. */
const POWERS_OF_TWO = [1, 2, 4, 8];
const BITS = [1, 2, 3];

const operator = (name: string, abstract: Abstract, concrete: Concrete, widths = WIDTHS): Operator => ({
  name,
  abstract,
  concrete,
  operands: abstract.length === 1 ? 1 : 2,
  widths: widths.filter((width) => width <= 4),
  measured: widths.filter((width) => width >= 4),
});

/** The `bits`-bit bytes of a number in reverse order. */
function swapped(x: number, bits: number, width: number): number {
  let result = 0;
  for (let at = 0; at < width; at += bits) result = (result << bits) | low(x >> at, bits);
  return result;
}

const low = (x: number, bits: number): number => x & ((1 << bits) - 1);

export const OPERATORS: readonly Operator[] = [
  operator("add", add, (x, y) => x + y),
  operator("sub", sub, (x, y) => x - y),
  operator("mul", mul, (x, y) => x * y),
  operator("div", div, (x, y) => (y === 0 ? 0 : Math.floor(x / y)), FROM_TWO),
  operator("mod", mod, (x, y) => (y === 0 ? x : x % y)),
  operator("sdiv", sdiv, (x, y, n) => (y === 0 ? 0 : Math.trunc(signed(x, n) / signed(y, n))), FROM_TWO),
  operator("smod", smod, (x, y, n) => (y === 0 ? x : signed(x, n) % signed(y, n))),
  operator("and", and_, (x, y) => x & y),
  operator("or", or_, (x, y) => x | y),
  operator("xor", xor_, (x, y) => x ^ y),
  operator("neg", neg, (x) => -x),
  operator("lsh", lsh, (x, y, n) => x << (y % n), POWERS_OF_TWO),
  operator("rsh", rsh, (x, y, n) => x >> (y % n), POWERS_OF_TWO),
  operator("arsh", arsh, (x, y, n) => signed(x, n) >> (y % n), POWERS_OF_TWO),
  ...BITS.map((bits) =>
    operator(
      `sign extension of ${bits}`,
      (a) => signExtendLow(a, bits),
      (x) => signed(low(x, bits), bits),
      WIDTHS.filter((n) => n >= bits),
    ),
  ),
  ...[1, 2].map((bits) =>
    operator(
      `byte swap, bytes of ${bits}`,
      (a) => swap(a, bits),
      (x, _, n) => swapped(x, bits, n),
      WIDTHS.filter((n) => n % bits === 0),
    ),
  ),
  ...BITS.map((bits) =>
    operator(
      `low ${bits}`,
      (a) => keepLow(a, bits),
      (x) => low(x, bits),
      WIDTHS.filter((n) => n >= bits),
    ),
  ),
];

/** RFC 9669 section 4.3. */
export const CONDITIONS: Readonly<Record<Condition, (x: number, y: number, width: number) => boolean>> = {
  jeq: (x, y) => x === y,
  jne: (x, y) => x !== y,
  jgt: (x, y) => x > y,
  jge: (x, y) => x >= y,
  jlt: (x, y) => x < y,
  jle: (x, y) => x <= y,
  jsgt: (x, y, n) => signed(x, n) > signed(y, n),
  jsge: (x, y, n) => signed(x, n) >= signed(y, n),
  jslt: (x, y, n) => signed(x, n) < signed(y, n),
  jsle: (x, y, n) => signed(x, n) <= signed(y, n),
  jset: (x, y) => (x & y) !== 0,
  jnset: (x, y) => (x & y) === 0,
};
