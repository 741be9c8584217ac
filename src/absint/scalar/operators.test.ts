/** The operators in memory, on short examples worked by hand. */
import { beforeEach, expect, test } from "vitest";
import { allocate, arena } from "../arena.ts";
import {
  aluOperator,
  branchOperators,
  constantScalar,
  copyScalar,
  LAYOUT,
  SCALAR_BYTES,
  scalarIncludes,
  synchronise,
  tightAluOperator,
  unknownScalarAt,
} from "./operators.ts";

const block = (): number => allocate(SCALAR_BYTES);
const [a, b, c] = [block(), block(), block()] as const;

const view = (): DataView => new DataView(arena.u8.buffer);
type End = Exclude<keyof typeof LAYOUT, "value" | "mask">;

/** A signed or unsigned bound as the number it means. */
function end(at: number, name: End): bigint {
  const address = at + LAYOUT[name];
  if (name.endsWith("32"))
    return BigInt(name.startsWith("s") ? view().getInt32(address, true) : view().getUint32(address, true));
  return name.startsWith("s") ? view().getBigInt64(address, true) : view().getBigUint64(address, true);
}

const bits = (at: number): readonly bigint[] => [
  view().getBigUint64(at, true),
  view().getBigUint64(at + LAYOUT.mask, true),
];

function set(at: number, name: End, value: bigint): void {
  if (name.endsWith("32")) view().setUint32(at + LAYOUT[name], Number(BigInt.asUintN(32, value)), true);
  else view().setBigInt64(at + LAYOUT[name], BigInt.asIntN(64, value), true);
}

beforeEach(() => {
  for (const at of [a, b, c]) unknownScalarAt(at);
});

test("an index: r & 15, times 8, plus 4", () => {
  const step = (op: "and" | "lsh" | "add", operand: number): void => {
    constantScalar(b, operand, 0);
    aluOperator(op, 64)(a, b, a);
    expect(synchronise(a)).toBe(0);
  };
  step("and", 15);
  expect([end(a, "umin"), end(a, "umax"), end(a, "smin"), end(a, "smax")]).toEqual([0n, 15n, 0n, 15n]);
  step("lsh", 3);
  expect(bits(a)).toEqual([0n, 0x78n]);
  expect(end(a, "umax")).toBe(120n);
  step("add", 4);
  expect(bits(a)).toEqual([4n, 0x78n]);
  expect([end(a, "umin"), end(a, "umax"), end(a, "smax32")]).toEqual([4n, 124n, 124n]);
});

test("a 32-bit operation clears the upper half", () => {
  constantScalar(b, 1, 0);
  aluOperator("add", 32)(a, b, c);
  expect(synchronise(c)).toBe(0);
  expect([end(c, "umin"), end(c, "umax"), end(c, "smin")]).toEqual([0n, 2n ** 32n - 1n, 0n]);
  expect(bits(c)).toEqual([0n, 2n ** 32n - 1n]);
});

test("a bound that is checked signed and unsigned: r < 10 on one edge, r >= 10 on the other", () => {
  constantScalar(b, 10, 0);
  const branch = branchOperators("jlt", 64);
  expect(branch.decide(a, b)).toBe(2);
  copyScalar(a, c);
  branch.taken(c, b);
  expect(synchronise(c)).toBe(0);
  expect([end(c, "umax"), end(c, "smin"), end(c, "smax")]).toEqual([9n, 0n, 9n]);
  expect(branch.decide(c, b)).toBe(1);
  copyScalar(a, c);
  branch.notTaken(c, b);
  expect(synchronise(c)).toBe(0);
  expect([end(c, "umin"), end(c, "smin")]).toEqual([10n, -(2n ** 63n)]);
  expect(branch.decide(c, b)).toBe(0);
});

test("equal numbers share what is known of either's low half", () => {
  set(b, "umin32", 3n);
  set(b, "umax32", 9n);
  expect(synchronise(b)).toBe(0);
  branchOperators("jeq", 64).taken(a, b);
  expect(synchronise(a)).toBe(0);
  expect([end(a, "umin32"), end(a, "umax32"), end(a, "smin32"), end(a, "smax32")]).toEqual([3n, 9n, 3n, 9n]);
});

test("an edge that cannot be taken leaves nothing", () => {
  // 5 … 9, of which no number is under 3, though at 32 bits nothing was said before.
  set(a, "umin", 5n);
  set(a, "umax", 9n);
  constantScalar(b, 3, 0);
  branchOperators("jlt", 32).taken(a, b);
  expect(synchronise(a)).toBe(1);
});

test("constants take a short way, and only constants", () => {
  constantScalar(a, 7, 0);
  constantScalar(b, 5, 0);
  tightAluOperator("mul", 64)(a, b, c);
  expect(bits(c)).toEqual([35n, 0n]);
  expect([end(c, "umin"), end(c, "smax"), end(c, "umax32"), end(c, "smin32")]).toEqual([35n, 35n, 35n, 35n]);
  constantScalar(b, -2, -1);
  tightAluOperator("sdiv", 64)(a, b, c);
  expect([end(c, "smin"), end(c, "smax"), end(c, "smin32")]).toEqual([-3n, -3n, -3n]);
  // 2^32 - 2, and 2^32 is 4 modulo 7.
  tightAluOperator("mod", 32)(b, a, c);
  expect([end(c, "umin"), end(c, "umax")]).toEqual([2n, 2n]);
  // 2^40 or 0: only a bit of the upper half is unknown.
  view().setBigUint64(b, 0n, true);
  view().setBigUint64(b + LAYOUT.mask, 2n ** 40n, true);
  for (const [name, value] of [
    ["umin", 0n],
    ["umax", 2n ** 40n],
    ["smin", 0n],
    ["smax", 2n ** 40n],
  ] as const)
    set(b, name, value);
  for (const name of ["umin32", "umax32", "smin32", "smax32"] as const) set(b, name, 0n);
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const) {
    tightAluOperator("mul", 64)(x, y, c);
    expect([end(c, "umin"), end(c, "umax")]).toEqual([0n, 7n * 2n ** 40n]);
  }
});

test("inclusion", () => {
  constantScalar(b, 7, 0);
  expect(scalarIncludes(a, b)).toBe(1);
  expect(scalarIncludes(b, a)).toBe(0);
  expect(scalarIncludes(b, b)).toBe(1);
});
