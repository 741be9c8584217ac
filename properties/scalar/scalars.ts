/**
 * Abstract scalars as plain numbers, and random ones around a number that they must hold.
 *
 * All components are bigints in [0, 2^width), signed ones too: two's complement, as in memory.
 */
import * as fc from "fast-check";
import { arena } from "../../src/absint/arena.ts";
import { COMPONENTS, type Component } from "../../src/absint/scalar/components.ts";
import { LAYOUT } from "../../src/absint/scalar/operators.ts";

export type Plain = Readonly<Record<Component, bigint>>;

export const widthOf = (component: Component): 32 | 64 => (component.endsWith("32") ? 32 : 64);

const view = (): DataView => new DataView(arena.u8.buffer);

export function write(at: number, scalar: Plain): void {
  const memory = view();
  for (const component of COMPONENTS) {
    if (widthOf(component) === 64) memory.setBigUint64(at + LAYOUT[component], scalar[component], true);
    else memory.setUint32(at + LAYOUT[component], Number(scalar[component]), true);
  }
}

export function read(at: number): Plain {
  const memory = view();
  const component = (c: Component): bigint =>
    widthOf(c) === 64
      ? memory.getBigUint64(at + LAYOUT[c], true)
      : BigInt(memory.getUint32(at + LAYOUT[c], true));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every component is there
  return Object.fromEntries(COMPONENTS.map((c) => [c, component(c)])) as Plain;
}

const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const s32 = (x: bigint): bigint => BigInt.asIntN(32, x);
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);

/** Whether x, in [0, 2^64), is one of the numbers that `s` stands for: the definition of product.ts, written again. */
export const contains = (s: Plain, x: bigint): boolean =>
  (x & ~s.mask) === s.value &&
  s.umin <= x &&
  x <= s.umax &&
  s64(s.smin) <= s64(x) &&
  s64(x) <= s64(s.smax) &&
  s.umin32 <= u32(x) &&
  u32(x) <= s.umax32 &&
  s32(s.smin32) <= s32(x) &&
  s32(x) <= s32(s.smax32);

/** A bound of `s` as the number it means. */
export function meaning(s: Plain, component: Component): bigint {
  if (component === "smin" || component === "smax") return s64(s[component]);
  return component === "smin32" || component === "smax32" ? s32(s[component]) : s[component];
}

/** Whether each component of `inner` is within that of `outer`. */
export const within = (outer: Plain, inner: Plain): boolean =>
  (inner.mask & ~outer.mask) === 0n &&
  (inner.value & ~outer.mask) === outer.value &&
  (["umin", "smin", "umin32", "smin32"] as const).every((c) => meaning(outer, c) <= meaning(inner, c)) &&
  (["umax", "smax", "umax32", "smax32"] as const).every((c) => meaning(inner, c) <= meaning(outer, c));

/** The scalar of all numbers. */
export const ANYTHING: Plain = {
  value: 0n,
  mask: 2n ** 64n - 1n,
  umin: 0n,
  umax: 2n ** 64n - 1n,
  smin: 2n ** 63n,
  smax: 2n ** 63n - 1n,
  umin32: 0n,
  umax32: 2n ** 32n - 1n,
  smin32: 2n ** 31n,
  smax32: 2n ** 31n - 1n,
};

/** A scalar for a reader. */
export const show = (s: Plain): string =>
  COMPONENTS.map(
    (c) => `${c}=${c === "value" || c === "mask" ? `0x${s[c].toString(16)}` : meaning(s, c)}`,
  ).join(" ");

// --- Random ones

const near = fc.bigInt({ min: -2n, max: 2n });
const power = fc.tuple(fc.nat(64), near).map(([n, d]) => u64((1n << BigInt(n)) + d));
const half = fc.oneof(
  near.map(u32),
  fc.tuple(fc.nat(32), near).map(([n, d]) => u32((1n << BigInt(n)) + d)),
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
);

/** Numbers of 64 bits, most of them where things change: 0, powers of two, extremes, and their neighbours, in either half. */
export const number: fc.Arbitrary<bigint> = fc.oneof(
  near.map(u64),
  power,
  power.map((x) => u64(-x)),
  fc.tuple(half, half).map(([high, low]) => (high << 32n) | low),
  half.map((low) => u64(s32(low))),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

/** Bits unknown to a tnum: none, all, a run from below or above, a few, or any. */
const mask: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, 2n ** 64n - 1n),
  fc.nat(64).map((n) => (1n << BigInt(n)) - 1n),
  fc.nat(64).map((n) => u64(-1n << BigInt(n))),
  fc
    .array(fc.nat(63), { minLength: 1, maxLength: 4 })
    .map((bits) => bits.reduce((m, n) => m | (1n << BigInt(n)), 0n)),
  fc.tuple(number, number).map(([a, b]) => a ^ b),
);

/** How far an end lies from the number inside: as far as can be, no way, a little, or at a number given. */
const end = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: "far" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "by", distance: 0n } as const) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("by" as const), distance: number.map((n) => n & 0xfn) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("at" as const), at: number }) },
);
type End = typeof end extends fc.Arbitrary<infer T> ? T : never;

/** A bit for the tnum and for each end. */
const ALL_KNOWN = 2 ** 9 - 1;

/** What a scalar is beside the number in it. */
export interface Shape {
  readonly mask: bigint;
  /** For u64, s64, u32 and s32, the lower and the upper end. */
  readonly ends: readonly End[];
  /** Whether the components have told each other what they know. */
  readonly synchronised: boolean;
  /** Picks of unknown bits for more numbers in it. */
  readonly picks: readonly bigint[];
}

/** In half of the cases much is left open, so that more numbers than x remain. */
export const shape: fc.Arbitrary<Shape> = fc
  .record({
    mask,
    ends: fc.array(end, { minLength: 8, maxLength: 8 }),
    synchronised: fc.boolean(),
    picks: fc.array(number, { minLength: 2, maxLength: 2 }),
    known: fc.oneof(fc.constant(ALL_KNOWN), fc.nat(ALL_KNOWN)),
  })
  .map(({ known, ...shape }) => ({
    ...shape,
    mask: known & 1 ? shape.mask : 2n ** 64n - 1n,
    ends: shape.ends.map((end, i) => ((known >> (i + 1)) & 1 ? end : { kind: "far" as const })),
  }));

/** An interval of [0, 2^width) around x. */
function around(x: bigint, width: number, low: End, high: End): readonly [bigint, bigint] {
  const room = (1n << BigInt(width)) - 1n - x;
  const place = (e: End, space: bigint, wanted: (at: bigint) => bigint): bigint => {
    if (e.kind === "far") return space;
    if (e.kind === "by") return e.distance < space ? e.distance : space;
    const distance = wanted(BigInt.asUintN(width, e.at));
    return distance >= 0n && distance <= space ? distance : BigInt.asUintN(width, e.at) % (space + 1n);
  };
  return [x - place(low, x, (at) => x - at), x + place(high, room, (at) => at - x)];
}

/** The scalar of a shape around x; not synchronised. */
export function scalarAround(x: bigint, { mask, ends }: Shape): Plain {
  const [sign64, sign32] = [2n ** 63n, 2n ** 31n];
  const [umin, umax] = around(x, 64, ends[0]!, ends[1]!);
  const [smin, smax] = around(x ^ sign64, 64, ends[2]!, ends[3]!);
  const [umin32, umax32] = around(u32(x), 32, ends[4]!, ends[5]!);
  const [smin32, smax32] = around(u32(x) ^ sign32, 32, ends[6]!, ends[7]!);
  return {
    value: x & ~mask,
    mask,
    umin,
    umax,
    smin: smin ^ sign64,
    smax: smax ^ sign64,
    umin32,
    umax32,
    smin32: smin32 ^ sign32,
    smax32: smax32 ^ sign32,
  };
}

/** Up to `most` numbers that `s` holds, x first, then such as lie at its ends. */
export function members(s: Plain, x: bigint, picks: readonly bigint[], most: number): readonly bigint[] {
  const high = x & 0xffffffff00000000n;
  const candidates = [
    s.umin,
    s.umax,
    s.smin,
    s.smax,
    ...picks.map((pick) => s.value | (pick & s.mask)),
    s.value,
    s.value | s.mask,
    ...[s.umin32, s.umax32, s.smin32, s.smax32].map((low) => high | low),
  ];
  const found = new Set([x]);
  for (const candidate of candidates) {
    if (found.size === most) break;
    if (contains(s, candidate)) found.add(candidate);
  }
  return [...found];
}
