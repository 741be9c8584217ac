/** Widening holds what either scalar holds, keeps what does not grow, and makes every chain end. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocate } from "../../src/absint/arena.ts";
import { SCALAR_BYTES, synchronise, widenScalars } from "../../src/absint/scalar/operators.ts";
import { ANYTHING, number, type Plain, read, scalarAround, shape, show, within, write } from "./scalars.ts";
import { runs } from "./settings.ts";

const [OLDER, NEWER, OUT] = [allocate(SCALAR_BYTES), allocate(SCALAR_BYTES), allocate(SCALAR_BYTES)] as const;

function widened(older: Plain, newer: Plain): Plain {
  write(OLDER, older);
  write(NEWER, newer);
  widenScalars(OLDER, NEWER, OUT);
  return read(OUT);
}

function tightened(s: Plain): Plain {
  write(OUT, s);
  expect(synchronise(OUT)).toBe(0);
  return read(OUT);
}

const scalar = fc.tuple(number, shape).map(([x, form]) => scalarAround(x, form));

test("an upper bound, in every component", () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const result = widened(a, b);
      if (!within(result, a) || !within(result, b))
        throw new Error(`${show(a)} and ${show(b)} give ${show(result)}`);
    }),
    runs(2000),
  );
});

test("what does not grow stays", () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const result = widened(a, b);
      expect(widened(result, a)).toEqual(result);
      expect(widened(result, b)).toEqual(result);
      expect(widened(a, a)).toEqual(a);
    }),
    runs(1000),
  );
});

/** How often an upper bound can change, unsigned and signed, then a lower one; at 64 bits and at 32, and the tnum. */
const LONGEST = 8 + 8 + (1 + 5) + (6 + 6) + (1 + 4) + 64;

/** The steps of a chain that change something. */
function changes(first: Plain, rest: readonly Plain[], between: (s: Plain) => Plain): number {
  let state = first;
  let count = 0;
  for (const next of rest) {
    const wider = between(widened(state, next));
    if (show(wider) !== show(state)) count += 1;
    state = wider;
  }
  return count;
}

test("chains end, whatever comes next", () => {
  fc.assert(
    fc.property(scalar, fc.array(scalar, { minLength: 50, maxLength: 200 }), (first, rest) => {
      expect(changes(first, rest, (s) => s)).toBeLessThanOrEqual(LONGEST);
    }),
    runs(100),
  );
});

test("chains that grow as slowly as they can end", () => {
  // Each scalar is just beyond the one before: one more at the end that is counted up, or one more bit unknown.
  const steps = (bump: (s: Plain) => Plain, start: Plain): number => {
    let state = start;
    for (let count = 0; ; count += 1) {
      const next = widened(state, bump(state));
      if (show(next) === show(state)) return count;
      state = next;
    }
  };
  const zero = Object.fromEntries(Object.keys(ANYTHING).map((c) => [c, 0n])) as Plain;
  const grow = (by: bigint, width: number, x: bigint): bigint => BigInt.asUintN(width, x + by);
  const upTo = (limit: bigint, width: number, x: bigint): bigint => (x === limit ? x : grow(1n, width, x));
  const downTo = (limit: bigint, width: number, x: bigint): bigint => (x === limit ? x : grow(-1n, width, x));
  expect(steps((s) => ({ ...s, umax: upTo(2n ** 64n - 1n, 64, s.umax) }), zero)).toBe(8);
  expect(
    steps((s) => ({ ...s, smax: upTo(2n ** 63n - 1n, 64, s.smax) }), { ...zero, smax: 2n ** 64n - 9n }),
  ).toBe(8);
  expect(steps((s) => ({ ...s, smin: downTo(2n ** 63n, 64, s.smin) }), { ...zero, smin: 9n })).toBe(5);
  expect(steps((s) => ({ ...s, umin: downTo(0n, 64, s.umin) }), { ...zero, umin: 9n })).toBe(1);
  expect(steps((s) => ({ ...s, umax32: upTo(2n ** 32n - 1n, 32, s.umax32) }), zero)).toBe(6);
  expect(
    steps((s) => ({ ...s, smax32: upTo(2n ** 31n - 1n, 32, s.smax32) }), { ...zero, smax32: 2n ** 32n - 9n }),
  ).toBe(6);
  expect(steps((s) => ({ ...s, smin32: downTo(2n ** 31n, 32, s.smin32) }), { ...zero, smin32: 9n })).toBe(4);
  // The highest known bit becomes unknown, then the next.
  expect(steps((s) => ({ ...s, mask: s.mask | ((s.mask >> 1n) | (1n << 63n)) }), zero)).toBe(64);
});

test("a counter from 0 by 4 up to 1000: a multiple of four under the next limit, in three steps", () => {
  const counter = (umax: bigint): Plain =>
    tightened({ ...ANYTHING, value: 0n, mask: 2n ** 64n - 4n, umin: 0n, umax });
  let state = counter(0n);
  const seen: bigint[] = [];
  for (;;) {
    const next = counter(state.umax + 4n < 1000n ? state.umax + 4n : 1000n);
    const wider = tightened(widened(state, next));
    if (show(wider) === show(state)) break;
    state = wider;
    seen.push(state.umax);
  }
  expect(seen).toEqual([124n, 252n, 32764n]);
  expect(state).toEqual(counter(32767n));
});
