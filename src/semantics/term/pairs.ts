/** Arithmetic on pairs of `i64` values, low half first: terms of 65 to 128 bits. Results are modulo 2^128. */
import type { Graph, Value } from "../wasm/graph.ts";
import type { BinaryOp } from "../wasm/instructions.ts";
import type { CompareOp } from "./node.ts";

export type Pair = readonly [low: Value, high: Value];

const op = (g: Graph, name: BinaryOp, a: Value, b: Value): Value => g.binary(`i64.${name}`, a, b);
const word = (g: Graph, value: bigint | number): Value => g.constant("i64", BigInt(value));
const wide = (g: Graph, bit: Value): Value => g.unary("i64.extend_i32_u", bit);

export const number = (g: Graph, value: bigint): Pair => [word(g, value), word(g, value >> 64n)];

export const not = (g: Graph, [low, high]: Pair): Pair => [
  op(g, "xor", low, word(g, -1)),
  op(g, "xor", high, word(g, -1)),
];

export const bitwise = (g: Graph, name: "and" | "or" | "xor", a: Pair, b: Pair): Pair => [
  op(g, name, a[0], b[0]),
  op(g, name, a[1], b[1]),
];

export function add(g: Graph, a: Pair, b: Pair): Pair {
  const low = op(g, "add", a[0], b[0]);
  const carry = wide(g, op(g, "lt_u", low, a[0]));
  return [low, op(g, "add", op(g, "add", a[1], b[1]), carry)];
}

export function sub(g: Graph, a: Pair, b: Pair): Pair {
  const borrow = wide(g, op(g, "lt_u", a[0], b[0]));
  return [op(g, "sub", a[0], b[0]), op(g, "sub", op(g, "sub", a[1], b[1]), borrow)];
}

/** The upper half of the product of two words, by four products of their halves (Knuth, TAOCP 4.3.1 M). */
function upperProduct(g: Graph, a: Value, b: Value): Value {
  const mask = word(g, 0xffffffffn);
  const half = word(g, 32);
  const [a0, b0] = [op(g, "and", a, mask), op(g, "and", b, mask)];
  const [a1, b1] = [op(g, "shr_u", a, half), op(g, "shr_u", b, half)];
  const middle = op(g, "add", op(g, "mul", a1, b0), op(g, "shr_u", op(g, "mul", a0, b0), half));
  const other = op(g, "add", op(g, "mul", a0, b1), op(g, "and", middle, mask));
  const carried = op(g, "add", op(g, "shr_u", middle, half), op(g, "shr_u", other, half));
  return op(g, "add", op(g, "mul", a1, b1), carried);
}

export function mul(g: Graph, a: Pair, b: Pair): Pair {
  const cross = op(g, "add", op(g, "mul", a[0], b[1]), op(g, "mul", a[1], b[0]));
  return [op(g, "mul", a[0], b[0]), op(g, "add", upperProduct(g, a[0], b[0]), cross)];
}

export const select = (g: Graph, condition: Value, a: Pair, b: Pair): Pair => [
  g.select(condition, a[0], b[0]),
  g.select(condition, a[1], b[1]),
];

/** By a number of 0 to 127. */
export function shiftRight(g: Graph, [low, high]: Pair, count: number): Pair {
  if (count === 0) return [low, high];
  if (count >= 64) return [op(g, "shr_u", high, word(g, count - 64)), word(g, 0)];
  const moved = op(g, "shl", high, word(g, 64 - count));
  return [op(g, "or", op(g, "shr_u", low, word(g, count)), moved), op(g, "shr_u", high, word(g, count))];
}

/** By a number of 0 to 127. */
export function shiftLeft(g: Graph, [low, high]: Pair, count: number): Pair {
  if (count === 0) return [low, high];
  if (count >= 64) return [word(g, 0), op(g, "shl", low, word(g, count - 64))];
  const moved = op(g, "shr_u", low, word(g, 64 - count));
  return [op(g, "shl", low, word(g, count)), op(g, "or", op(g, "shl", high, word(g, count)), moved)];
}

/** Copies bit `width - 1` of a number of 65 to 128 bits to all bits above. */
export function signExtended(g: Graph, [low, high]: Pair, width: number): Pair {
  const count = word(g, 128 - width);
  return [low, op(g, "shr_s", op(g, "shl", high, count), count)];
}

/** A shift of a number of `width` bits by another; a count at or past the width leaves nothing but the sign, for `ashr`. */
export function shift(g: Graph, name: "shl" | "lshr" | "ashr", a: Pair, count: Pair, width: number): Pair {
  const [low, high] = name === "ashr" ? signExtended(g, a, width) : a;
  const by = count[0];
  const [zero, one, last] = [word(g, 0), word(g, 1), word(g, 63)];
  // Wasm takes counts modulo 64; what moves between the words by 64 - count bits moves by 1 and by 63 - count, so that 0 is no exception.
  const rest = op(g, "sub", last, by);
  const far = g.unary("i32.wrap_i64", op(g, "and", op(g, "shr_u", by, word(g, 6)), one));
  const past = g.binary("i32.or", op(g, "ne", count[1], zero), op(g, "ge_u", by, word(g, width)));
  if (name === "shl") {
    const moved = op(g, "or", op(g, "shl", high, by), op(g, "shr_u", op(g, "shr_u", low, one), rest));
    const near: Pair = [op(g, "shl", low, by), moved];
    return select(g, past, [zero, zero], select(g, far, [zero, op(g, "shl", low, by)], near));
  }
  const right = name === "ashr" ? "shr_s" : "shr_u";
  const fill = name === "ashr" ? op(g, "shr_s", high, last) : zero;
  const moved = op(g, "or", op(g, "shr_u", low, by), op(g, "shl", op(g, "shl", high, one), rest));
  const near: Pair = [moved, op(g, right, high, by)];
  return select(g, past, [fill, fill], select(g, far, [op(g, right, high, by), fill], near));
}

/** Both numbers have `width` bits. */
export function compare(g: Graph, name: CompareOp, a: Pair, b: Pair, width: number): Value {
  if (name === "eq")
    return g.unary("i64.eqz", op(g, "or", op(g, "xor", a[0], b[0]), op(g, "xor", a[1], b[1])));
  const isSigned = name === "slt" || name === "sle";
  const [x, y] = isSigned ? [signExtended(g, a, width), signExtended(g, b, width)] : [a, b];
  const above = op(g, isSigned ? "lt_s" : "lt_u", x[1], y[1]);
  const below = op(g, name === "ult" || name === "slt" ? "lt_u" : "le_u", x[0], y[0]);
  return g.select(op(g, "eq", x[1], y[1]), below, above);
}
