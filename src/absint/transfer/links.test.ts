import { beforeEach, describe, expect, test } from "vitest";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { allocate, reset } from "../arena.ts";
import { newMarks } from "../origins.ts";
import {
  constantLow,
  copyRegister,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  REGISTER_BYTES,
  setConstant,
  setLink,
  setUnknown,
  umaxOf,
  uminOf,
  WHOLE,
} from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import { initialise, LIVE_STATE_BYTES, registerAt } from "../state.ts";
import { beginLink, carryLink, cutLink, linkEqual, tellLinked } from "./links.ts";

let state = 0;
let source = 0;

beforeEach(() => {
  reset();
  state = allocate(LIVE_STATE_BYTES);
  source = allocate(REGISTER_BYTES);
  initialise(state);
});

const reg = (r: number): number => registerAt(state, 0, r);

/** A number of `bits` bits in a class. */
function number(r: number, bits: number, id: number, delta = 0, form = WHOLE): number {
  setUnknown(reg(r));
  unknownScalarAt(reg(r), bits);
  setLink(reg(r), id, delta, form);
  return reg(r);
}

const link = (at: number) => (idOf(at) === 0 ? "none" : [deltaOf(at), formOf(at)]);

describe("what an operation leaves of a link", () => {
  test.each<[AluOp, 32 | 64, low: number, high: number, bits: number, from: [number, number], to: unknown]>([
    ["add", 64, 8, 0, 64, [1, WHOLE], [9, WHOLE]],
    ["sub", 64, 8, 0, 64, [1, WHOLE], [-7, WHOLE]],
    ["add", 64, -8, -1, 64, [1, 32], [-7, 32]],
    // A sum of deltas that does not fit is not kept, unless only low bits count.
    ["add", 64, 0x7fffffff, 0, 64, [1, WHOLE], "none"],
    ["add", 64, 0x7fffffff, 0, 64, [1, 32], [-0x80000000, 32]],
    ["add", 64, 0, 1, 64, [0, WHOLE], "none"],
    // At 32 bits: whole if neither the number nor the sum leaves them.
    ["add", 32, 8, 0, 64, [0, WHOLE], [8, 32]],
    ["add", 32, 8, 0, 32, [0, WHOLE], [8, 32]],
    ["add", 32, 8, 0, 16, [0, WHOLE], [8, WHOLE]],
    ["add", 32, -1, -1, 16, [0, WHOLE], [-1, 32]],
    ["add", 32, -1, 0, 16, [0, WHOLE], [-1, 32]],
    ["sub", 32, 1, 0, 16, [0, 8], [-1, 8]],
    ["and", 64, 0xff, 0, 64, [3, WHOLE], [3, 8]],
    ["and", 64, 0xff, 0, 8, [3, WHOLE], [3, WHOLE]],
    ["and", 64, 0xff, 0, 64, [3, 5], [3, 5]],
    ["and", 64, -1, -1, 64, [3, WHOLE], [3, WHOLE]],
    ["and", 64, -1, 0, 64, [3, WHOLE], [3, 32]],
    ["and", 64, -1, 7, 64, [3, WHOLE], [3, 32]],
    ["and", 32, -1, -1, 64, [3, WHOLE], [3, 32]],
    ["and", 64, -2, -1, 64, [3, WHOLE], "none"],
    ["and", 64, 0x7fffffff, 0, 64, [3, WHOLE], [3, 31]],
    ["lsh", 64, 32, 0, 64, [3, 32], [3, -32]],
    ["lsh", 64, 32, 0, 64, [3, 31], "none"],
    ["lsh", 64, 0, 0, 64, [3, WHOLE], "none"],
    ["lsh", 32, 16, 0, 64, [3, WHOLE], "none"],
    ["rsh", 64, 32, 0, 64, [3, -32], [3, 32]],
    ["arsh", 64, 48, 0, 64, [3, -48], [3, 16]],
    ["rsh", 64, 31, 0, 64, [3, -32], "none"],
    ["rsh", 64, 32, 0, 64, [3, WHOLE], "none"],
    ["add", 64, 1, 0, 64, [3, -32], "none"],
    ["le32", 64, 0, 0, 64, [3, WHOLE], [3, 32]],
    ["bswap64", 64, 0, 0, 64, [3, WHOLE], "none"],
    ["be16", 64, 0, 0, 64, [3, WHOLE], "none"],
    ["neg", 64, 0, 0, 64, [3, WHOLE], "none"],
    ["mul", 64, 1, 0, 64, [3, WHOLE], "none"],
    ["or", 64, 0, 0, 64, [3, WHOLE], "none"],
    ["xor", 64, 0, 0, 64, [3, WHOLE], "none"],
  ])("%s%i with 0x%x, 0x%x on %i bits", (op, width, low, high, bits, [delta, form], expected) => {
    const at = number(1, bits, 7, delta, form);
    setConstant(source, low, high);
    carryLink(op, width, at, source);
    expect(link(at)).toEqual(expected);
  });

  test.each<AluOp>(["add", "sub", "and", "lsh"])(
    "%s with an unknown number, or with itself, ends it",
    (op) => {
      setUnknown(source);
      const at = number(1, 64, 7, 3);
      carryLink(op, 64, at, source);
      expect(link(at)).toBe("none");
      number(1, 64, 7, 3);
      carryLink(op, 64, at, at);
      expect(link(at)).toBe("none");
    },
  );

  test("a cut keeps the low bits, or all of a number that is no greater", () => {
    const at = number(1, 17, 7, 3);
    cutLink(at, 16, 0xffff);
    expect(link(at)).toEqual([3, 16]);
    number(1, 16, 7, 3);
    cutLink(at, 16, 0xffff);
    expect(link(at)).toEqual([3, WHOLE]);
    number(1, 64, 7, 3, -32);
    cutLink(at, 16, 0xffff);
    expect(link(at)).toBe("none");
  });
});

describe("what is told", () => {
  const tell = (from: number): boolean => tellLinked(newMarks(0), state, from);
  const range = (at: number) => [uminOf(at), umaxOf(at)];

  test("whole numbers: the bounds, moved", () => {
    const [one, two, three] = [number(1, 64, 7), number(2, 8, 7, 5), number(3, 8, 8, 5)];
    expect(tell(two)).toBe(true);
    expect(range(one)).toEqual([0, 2 ** 64]);
    // What is moved across 0 is an interval of signed numbers only.
    number(1, 64, 7);
    setLink(two, 7, -5, WHOLE);
    expect(tell(two)).toBe(true);
    expect(range(one)).toEqual([5, 260]);
    expect(range(three)).toEqual([0, 255]);
  });

  test("a constant is told as one, and leaves the class", () => {
    const [one, two] = [number(1, 64, 7, 2), number(2, 64, 7, 5)];
    copyRegister(one, reg(3));
    setConstant(two, 10, 0);
    setLink(two, 7, 5, WHOLE);
    expect(tell(two)).toBe(true);
    for (const at of [one, reg(3)]) expect([isConstant(at), constantLow(at), idOf(at)]).toEqual([true, 7, 0]);
    expect(idOf(two)).toBe(0);
  });

  test("low bits: to numbers that have no more", () => {
    const [byte, word] = [number(1, 8, 7), number(2, 32, 7)];
    const low = number(3, 4, 7, -97, 8);
    expect(tell(low)).toBe(true);
    expect(range(byte)).toEqual([97, 112]);
    expect(range(word)).toEqual([0, 0xffffffff]);
  });

  test("a shifted number neither tells nor learns", () => {
    const [one, two] = [number(1, 8, 7, 0, -32), number(2, 64, 7)];
    expect(tell(one)).toBe(true);
    expect(range(two)).toEqual([0, 2 ** 64]);
    number(2, 4, 7);
    expect(tell(two)).toBe(true);
    expect(range(one)).toEqual([0, 255]);
  });

  test("that there is no such number", () => {
    number(1, 8, 7);
    setConstant(reg(2), 1000, 0);
    setLink(reg(2), 7, 1, WHOLE);
    const marks = newMarks(0);
    expect(tellLinked(marks, state, reg(2))).toBe(false);
    expect([...(marks.links ?? [])]).toEqual([7]);
  });
});

describe("equal numbers", () => {
  const equal = (left: number, right: number): void => linkEqual(newMarks(0), state, left, right);

  test("join the class of the one that has one, or a new one", () => {
    const [one, two] = [number(1, 64, 7, 3, 32), number(2, 64, 0)];
    equal(one, two);
    expect([idOf(two), link(two)]).toEqual([7, [3, 32]]);
    const [three, four] = [number(3, 64, 0), number(4, 64, 0)];
    equal(three, four);
    expect(idOf(three)).not.toBe(0);
    expect(idOf(four)).toBe(idOf(three));
    setConstant(reg(5), 1, 0);
    beginLink(state, reg(5));
    equal(four, reg(5));
    expect(idOf(reg(5))).toBe(0);
  });

  test("make one class of two", () => {
    const [one, two] = [number(1, 64, 7, 3), number(2, 64, 8, 5)];
    const other = number(3, 64, 8, 6, 32);
    // one = b + 3 = c + 5 = two, so c + 6 = b + 4.
    equal(one, two);
    expect([idOf(two), link(two), idOf(other), link(other)]).toEqual([7, [3, WHOLE], 7, [4, 32]]);
  });

  test("of which only low bits are known leave two classes", () => {
    const [one, two] = [number(1, 64, 7, 3, 32), number(2, 64, 8)];
    equal(one, two);
    expect([idOf(one), idOf(two)]).toEqual([7, 8]);
  });
});
