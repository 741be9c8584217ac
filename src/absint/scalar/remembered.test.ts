import { expect, test } from "vitest";
import { allocate, arena } from "../arena.ts";
import { SCALAR_BYTES } from "./components.ts";
import { remembering } from "./remembered.ts";

const WORDS = SCALAR_BYTES / 4;
const [dst, src, out] = [allocate(SCALAR_BYTES), allocate(SCALAR_BYTES), allocate(SCALAR_BYTES)];
const words = (at: number): Int32Array => arena.i32.subarray(at >> 2, (at >> 2) + WORDS);

/** A stand-in whose results are one for each call. */
function counting(): { readonly calls: () => number; readonly operator: ReturnType<typeof remembering> } {
  let calls = 0;
  const operator = remembering((_dst, _src, to) => {
    calls += 1;
    words(to).fill(1000 + calls);
    return -calls;
  });
  return { calls: () => calls, operator };
}

test("an operator is asked once for the same operands, whatever was in the place of the result", () => {
  const { calls, operator } = counting();
  words(dst).fill(3);
  words(src).fill(5);
  expect(operator(dst, src, out)).toBe(-1);
  words(out).fill(0);
  expect(operator(dst, src, out)).toBe(-1);
  expect([...words(out)]).toEqual(Array.from({ length: WORDS }, () => 1001));
  expect(calls()).toBe(1);
});

test("operands that differ in any bit are others", () => {
  const { calls, operator } = counting();
  words(dst).fill(3);
  words(src).fill(5);
  operator(dst, src, out);
  let asked = 1;
  for (const operand of [dst, src]) {
    for (let word = 0; word < WORDS; word += 1) {
      for (const bit of [1, 1 << 31]) {
        const i = (operand >> 2) + word;
        const old = arena.i32[i] ?? 0;
        arena.i32[i] = old ^ bit;
        operator(dst, src, out);
        asked += 1;
        expect(calls(), `word ${word} of operand ${operand}`).toBe(asked);
        arena.i32[i] = old;
        operator(dst, src, out);
        asked = calls();
      }
    }
  }
});

test("results belong to one operator, and to its operands as they were before the result took their place", () => {
  const [one, other] = [counting(), counting()];
  words(dst).fill(3);
  words(src).fill(5);
  one.operator(dst, src, out);
  expect(other.operator(dst, src, dst)).toBe(-1);
  expect([one.calls(), other.calls()]).toEqual([1, 1]);
  expect(words(dst)[0]).toBe(1001);
  words(dst).fill(3);
  expect(other.operator(dst, src, dst)).toBe(-1);
  expect(other.calls()).toBe(1);
  expect(words(dst)[0]).toBe(1001);
});
