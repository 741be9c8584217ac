/** The operators of two operands by name, and the values at which they go wrong. */

/** For every width. */
export const BINARY = [
  ...(["add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr"] as const),
  ...(["eq", "ult", "ule", "slt", "sle"] as const),
];
/** For up to 64 bits. */
export const DIVISION = ["udiv", "urem", "sdiv", "srem"] as const;

/** 0, ±1, ±2, the least and greatest numbers, powers of two, counts at and past the width. */
export function edges(width: number): bigint[] {
  const top = 1n << BigInt(width - 1);
  const values = [
    0n,
    1n,
    2n,
    -1n,
    -2n,
    top,
    top - 1n,
    top + 1n,
    1n << BigInt(width >> 1),
    BigInt(width),
    BigInt(width + 1),
  ];
  return [...new Set(values.map((v) => BigInt.asUintN(width, v)))];
}
