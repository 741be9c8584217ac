/** What ids stand for, in halves, against what absint/register.ts says of links, in numbers of 64 bits. */
import { fc, test } from "@fast-check/vitest";
import { expect, it } from "vitest";
import { Bases, Meanings } from "./classes.ts";

const half = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, 1, -1, -(2 ** 31)),
);
const form = fc.oneof(
  fc.integer({ min: 1, max: 63 }),
  fc.integer({ min: -63, max: -1 }),
  fc.constant(32),
  fc.constant(64),
);
const link = fc.record({ delta: half, form });
interface Link {
  readonly delta: number;
  readonly form: number;
}

/** What a link says that the class counts from, and of how many bits it says that. */
function base(value: bigint, { delta, form: f }: Link): { readonly b: bigint; readonly bits: number } {
  if (f > 0) return { b: BigInt.asUintN(64, value - BigInt(delta)), bits: f };
  return { b: BigInt.asUintN(64, (value >> BigInt(-f)) - BigInt(delta)), bits: 64 + f };
}

/** A member of the class that counts from `b`, if its other bits are those of `other`. */
function member(b: bigint, other: bigint, { delta, form: f }: Link): bigint {
  const of = BigInt.asUintN(64, b + BigInt(delta));
  if (f > 0) return BigInt.asUintN(f, of) | ((BigInt.asUintN(64, other) >> BigInt(f)) << BigInt(f));
  return BigInt.asUintN(64, of << BigInt(-f)) | BigInt.asUintN(-f, other);
}

const lowOf = (value: bigint): number => Number(BigInt.asIntN(32, value));
const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
const number = fc.tuple(half, half).map(([high, low]) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));

const asked = (bases: Bases, value: bigint, { delta, form: f }: Link): boolean =>
  bases.agreesNumber(7, lowOf(value), highOf(value), delta, f);

test.prop([number, number, link, link], { numRuns: 1000 })(
  "members of one class agree",
  (b, other, one, two) => {
    const bases = new Bases();
    expect(asked(bases, member(b, other, one), one)).toBe(true);
    expect(asked(bases, member(b, ~other, two), two)).toBe(true);
  },
);

test.prop([number, link, link, fc.nat(63), fc.boolean()], { numRuns: 2000 })(
  "two numbers agree where what their links say has the same low bits",
  (value, one, two, bit, isNear) => {
    const first = base(value, one);
    // A second member that differs in one bit, or in none.
    const changed = isNear ? first.b ^ (1n << BigInt(bit)) : first.b;
    const second = member(changed, value, two);
    const { b, bits } = base(second, two);
    const common = Math.min(bits, first.bits);
    const bases = new Bases();
    expect(asked(bases, value, one)).toBe(true);
    expect(asked(bases, second, two)).toBe(BigInt.asUintN(common, b) === BigInt.asUintN(common, first.b));
  },
);

it("the most that is known of a class counts, and classes do not know each other", () => {
  const bases = new Bases();
  expect(bases.agrees(1, 5, 0, 4)).toBe(true);
  expect(bases.agrees(1, 0x15, 1, 64)).toBe(true);
  expect(bases.agrees(1, 5, 0, 8)).toBe(false);
  expect(bases.agrees(1, 0x15, 2, 64)).toBe(false);
  expect(bases.agrees(2, 0x15, 2, 64)).toBe(true);
  bases.clear();
  expect(bases.agrees(1, 6, 0, 4)).toBe(true);
});

it("pointers of one id are null together", () => {
  const meanings = new Meanings();
  expect([meanings.agrees(1, true), meanings.agrees(2, false), meanings.agrees(1, true)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([meanings.agrees(1, false), meanings.agrees(0, true), meanings.agrees(0, false)]).toEqual([
    false,
    true,
    true,
  ]);
  meanings.clear();
  expect(meanings.agrees(1, false)).toBe(true);
});
