import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { allocate, reset } from "../absint/arena.ts";
import { REGISTER_BYTES, setConstant, setLink, setUnknown } from "../absint/register.ts";
import { joinScalars } from "../absint/scalar/operators.ts";
import {
  BYTE,
  ghostAt,
  ghostCount,
  growStack,
  initialise,
  LIVE_STATE_BYTES,
  MAX_GHOSTS,
  registerAt,
  setGhostCount,
  setSlotByte,
  slotAt,
  spilledAt,
} from "../absint/state.ts";
import type { Measure, Order, Place } from "./certificate.ts";
import { counterAt, passagesOf, passHead, progressOf } from "./measure.ts";

const R1: Place = { kind: "register", frame: 0, register: 1 };
const ORDERS: readonly Order[] = [64, 32].flatMap((bits) =>
  [false, true].map((signed): Order => ({ bits: bits === 64 ? 64 : 32, signed })),
);
const measure = (order: Order, direction: Measure["direction"]): Measure => ({
  kind: "counter",
  place: R1,
  order,
  direction,
});
const UP = measure({ bits: 64, signed: false }, "up");
const DOWN = measure({ bits: 64, signed: false }, "down");

let state = 0;
beforeEach(() => {
  reset();
  state = allocate(LIVE_STATE_BYTES);
  initialise(state);
});

const half = (x: bigint, shift: bigint): number => Number(BigInt.asIntN(32, x >> shift));
const constantAt = (at: number, x: bigint): void => setConstant(at, half(x, 0n), half(x, 32n));

/** Some number of which no more is known than what is true of both. */
function eitherAt(at: number, x: bigint, y: bigint): void {
  const other = allocate(REGISTER_BYTES);
  constantAt(at, x);
  constantAt(other, y);
  joinScalars(at, other, at);
}

describe("progress", () => {
  /** A counter from `least` to `greatest`, linked to the ghost at a distance. */
  const linked = (least: bigint, greatest: bigint, distance: number, form = 64): void => {
    const [at, ghost] = [registerAt(state, 0, 1), ghostAt(state, 0)];
    eitherAt(at, least, greatest);
    setUnknown(ghost);
    setLink(at, 7, distance, form);
    setLink(ghost, 7, 0, form);
    setGhostCount(state, 1);
  };

  test("a number that is one more than it was, and cannot have wrapped around", () => {
    linked(1n, 1000n, 1);
    expect(progressOf(state, UP, 0)).toBe(1n);
    expect(progressOf(state, DOWN, 0)).toBe(0n);
  });

  test("a number that is one more than it was, and may be 0, has perhaps wrapped around", () => {
    linked(0n, 1000n, 1);
    expect(progressOf(state, UP, 0)).toBe(0n);
  });

  test("a number that is one less than it was, and cannot have wrapped around", () => {
    linked(0n, 1000n, -1);
    expect(progressOf(state, DOWN, 0)).toBe(1n);
    linked(0n, 2n ** 64n - 1n, -1);
    expect(progressOf(state, DOWN, 0)).toBe(0n);
  });

  test("what is known of the low bits alone is nothing of the whole number", () => {
    linked(1n, 1000n, 1, 32);
    expect(progressOf(state, UP, 0)).toBe(0n);
    expect(progressOf(state, measure({ bits: 32, signed: false }, "up"), 0)).toBe(1n);
  });

  test("a number that is what it was has made none", () => {
    linked(1n, 1000n, 0);
    for (const order of ORDERS) {
      expect(progressOf(state, measure(order, "up"), 0)).toBe(0n);
      expect(progressOf(state, measure(order, "down"), 0)).toBe(0n);
    }
  });

  test("of what is not a number there is none", () => {
    linked(1n, 1000n, 1);
    expect(progressOf(state, { ...UP, place: { kind: "register", frame: 0, register: 2 } }, 0)).toBe(0n);
    expect(progressOf(state, { ...UP, place: { kind: "slot", frame: 0, slot: 0 } }, 0)).toBe(0n);
    expect(progressOf(state, { ...UP, place: { kind: "register", frame: 1, register: 1 } }, 0)).toBe(0n);
  });

  /** Numbers around the ends of types, where sums wrap around. */
  const word = fc
    .tuple(fc.constantFrom(0n, 1n << 31n, 1n << 32n, 1n << 63n), fc.integer({ min: -4, max: 4 }))
    .map(([limit, d]) => BigInt.asUintN(64, limit + BigInt(d)));

  test("what is said to be progress is, whatever the numbers", () => {
    let seen = 0;
    const property = fc.property(
      word,
      fc.integer({ min: -5, max: 5 }),
      word,
      word,
      fc.constantFrom(64, 33, 32, 31),
      fc.boolean(),
      (then, distance, otherNow, otherThen, form, isLinked) => {
        reset();
        state = allocate(LIVE_STATE_BYTES);
        initialise(state);
        const now = BigInt.asUintN(64, then + BigInt(distance));
        const [at, ghost] = [registerAt(state, 0, 1), ghostAt(state, 0)];
        setUnknown(at);
        setUnknown(ghost);
        eitherAt(at, now, otherNow);
        eitherAt(ghost, then, otherThen);
        if (isLinked) {
          setLink(at, 7, distance, form);
          setLink(ghost, 7, 0, form);
        }
        setGhostCount(state, 1);
        for (const order of ORDERS) {
          for (const direction of ["up", "down"] as const) {
            const made = progressOf(state, measure(order, direction), 0);
            if (made === 0n) continue;
            seen += 1;
            const as = (x: bigint): bigint =>
              order.signed ? BigInt.asIntN(order.bits, x) : BigInt.asUintN(order.bits, x);
            const apart = direction === "up" ? as(now) - as(then) : as(then) - as(now);
            expect(apart).toBeGreaterThanOrEqual(made);
          }
        }
      },
    );
    fc.assert(property, { numRuns: 3000, seed: 1 });
    expect(seen).toBeGreaterThan(1000);
  });
});

describe("the head of a loop", () => {
  test("remembers the counter, linked to it", () => {
    setUnknown(registerAt(state, 0, 1));
    expect(passHead(state, UP)).toBe(true);
    expect(ghostCount(state)).toBe(1);
    expect(progressOf(state, UP, 0)).toBe(0n);
  });

  test("has a counter that is a number", () => {
    expect(counterAt(state, { kind: "register", frame: 0, register: 1 })).toBeUndefined();
    expect(passHead(state, UP)).toBe(false);
  });

  test("may count in a slot, if a number was spilled there", () => {
    const place: Place = { kind: "slot", frame: 0, slot: 0 };
    expect(counterAt(state, place)).toBeUndefined();
    growStack(state, 0, 0);
    const slot = slotAt(state, 0, 0);
    expect(counterAt(state, place)).toBeUndefined();
    for (let i = 0; i < 4; i += 1) setSlotByte(slot, i, BYTE.spill);
    setUnknown(spilledAt(slot));
    expect(counterAt(state, place)).toBe(spilledAt(slot));
    expect(passHead(state, { ...UP, place })).toBe(true);
  });

  test("is inside of no more than so many others", () => {
    setUnknown(registerAt(state, 0, 1));
    for (let i = 0; i < MAX_GHOSTS; i += 1) expect(passHead(state, UP)).toBe(true);
    expect(passHead(state, UP)).toBe(false);
  });

  test("is passed once for each step between the counter's bounds, and once more", () => {
    eitherAt(registerAt(state, 0, 1), 10n, 30n);
    expect(passagesOf(state, UP, 1n)).toBe(21n);
    expect(passagesOf(state, UP, 7n)).toBe(3n);
    expect(passagesOf(state, measure({ bits: 32, signed: true }, "down"), 20n)).toBe(2n);
  });
});
