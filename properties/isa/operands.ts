/** Operands at which arithmetic goes wrong when it does, and random ones from a fixed seed. */

const U64 = (1n << 64n) - 1n;

/** Values of 64 bits: 0, 1, −1, the extremes of every width, powers of two and their neighbours, shift counts at and past the widths. */
export function edges64(): bigint[] {
  const values = new Set<bigint>([
    0n,
    1n,
    2n,
    3n,
    5n,
    7n,
    10n,
    31n,
    32n,
    33n,
    63n,
    64n,
    65n,
    127n,
    128n,
    255n,
  ]);
  for (const power of [7n, 8n, 15n, 16n, 31n, 32n, 33n, 47n, 48n, 62n, 63n]) {
    for (const near of [-1n, 0n, 1n]) values.add((1n << power) + near);
  }
  for (const value of Array.from(values)) values.add(BigInt.asUintN(64, -value));
  for (const value of [
    0x80000000_00000001n,
    0x7fffffff_80000000n,
    0xffffffff_7fffffffn,
    0x01020304_05060708n,
  ]) {
    values.add(value);
  }
  return [...values];
}

/** The immediates among them. */
export function edges32(): number[] {
  return [...new Set(edges64().map((value) => Number(BigInt.asIntN(32, value))))];
}

/** A stream of 64-bit numbers (splitmix64). */
export function randomWords(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & U64;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & U64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & U64;
    return z ^ (z >> 31n);
  };
}
