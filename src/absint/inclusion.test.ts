import { beforeEach, describe, expect, test } from "vitest";
import { allocate, arena, reset } from "./arena.ts";
import { differsIn, ELSEWHERE, firstDifference, stateIncludes } from "./inclusion.ts";
import { acquireReference, REFERENCE, releaseLockReference, releaseReference } from "./references.ts";
import {
  FLAG,
  KIND,
  REGISTER_BYTES,
  setConstant,
  setId,
  setKind,
  setNone,
  setOff,
  setPointer,
  setRange,
  setReference,
  setUnknown,
} from "./register.ts";
import { unknownScalarAt } from "./scalar/operators.ts";
import {
  BYTE,
  growStack,
  initialise,
  LIVE_STATE_BYTES,
  pack,
  packedBytes,
  pushFrame,
  REGISTERS,
  registerAt,
  SECTION,
  setSectionDepth,
  setSlotByte,
  share,
  slotAt,
  spilledAt,
  toBytes,
  unpack,
} from "./state.ts";

let outer = 0;
let inner = 0;
let scratch = 0;

beforeEach(() => {
  reset();
  outer = allocate(LIVE_STATE_BYTES);
  inner = allocate(LIVE_STATE_BYTES);
  scratch = allocate(REGISTER_BYTES);
  initialise(outer);
  initialise(inner);
});

const includes = (): boolean => stateIncludes(outer, inner, scratch);
const reg = (state: number, register: number): number => registerAt(state, 0, register);

/** A slot of the first frame with all its bytes of a kind. */
function slot(state: number, index: number, kind: number): number {
  growStack(state, 0, index);
  const at = slotAt(state, 0, index);
  for (let i = 0; i < 8; i += 1) setSlotByte(at, i, kind);
  return at;
}

test("a state includes itself, packed or not", () => {
  setUnknown(reg(outer, 3));
  slot(outer, 2, BYTE.misc);
  unpack(outer, inner);
  expect(includes()).toBe(true);
  const packed = allocate(packedBytes(outer));
  pack(outer, packed);
  expect(stateIncludes(packed, inner, scratch)).toBe(true);
  expect(stateIncludes(inner, packed, scratch)).toBe(true);
  expect(toBytes(packed)).toEqual(toBytes(inner));
});

test("a slot that is shared is in both states or in none: less can be known of it later, and more of one that is not", () => {
  for (const state of [outer, inner]) slot(state, 40, BYTE.misc);
  share(inner, 0, 40);
  expect(includes()).toBe(false);
  share(outer, 0, 40);
  expect(includes()).toBe(true);
  share(outer, 0, 3);
  expect(includes()).toBe(false);
});

describe("registers", () => {
  test("what is not cared about may be anything, and nothing else may be missing", () => {
    setUnknown(reg(inner, 3));
    expect(includes()).toBe(true);
    setNone(reg(inner, 3));
    setUnknown(reg(outer, 3));
    expect(includes()).toBe(false);
  });

  test("numbers by their values", () => {
    setUnknown(reg(outer, 3));
    unknownScalarAt(reg(outer, 3), 8);
    setConstant(reg(inner, 3), 255, 0);
    expect(includes()).toBe(true);
    setConstant(reg(inner, 3), 256, 0);
    expect(includes()).toBe(false);
    setConstant(reg(outer, 3), 7, 0);
    setConstant(reg(inner, 3), 7, 0);
    expect(includes()).toBe(true);
    setConstant(reg(inner, 3), 7, 1);
    expect(includes()).toBe(false);
  });

  test("a pointer is no number, and not another pointer", () => {
    setUnknown(reg(outer, 3));
    setPointer(reg(inner, 3), KIND.packet, 0);
    expect(includes()).toBe(false);
    setPointer(reg(outer, 3), KIND.mapValue, 0);
    setPointer(reg(inner, 3), KIND.mapValue, 1);
    expect(includes()).toBe(false);
    setPointer(reg(inner, 3), KIND.mapValueOrNull, 0);
    expect(includes()).toBe(false);
    setPointer(reg(inner, 3), KIND.mapValue, 0);
    expect(includes()).toBe(true);
    setOff(reg(inner, 3), 4);
    expect(includes()).toBe(false);
  });

  test("more of the packet may be known to be there, not less", () => {
    setPointer(reg(outer, 3), KIND.packet, 0);
    setRange(reg(outer, 3), 14);
    setPointer(reg(inner, 3), KIND.packet, 0);
    setRange(reg(inner, 3), 20);
    expect(includes()).toBe(true);
    setRange(reg(inner, 3), 13);
    expect(includes()).toBe(false);
  });

  test("registers that are equal in the outer state are equal in the inner one, under whatever id", () => {
    for (const r of [3, 4]) {
      setUnknown(reg(outer, r));
      setUnknown(reg(inner, r));
      setId(reg(outer, r), 1);
    }
    expect(includes()).toBe(false);
    setId(reg(inner, 3), 8);
    setId(reg(inner, 4), 9);
    expect(includes()).toBe(false);
    setId(reg(inner, 4), 8);
    expect(includes()).toBe(true);
    // Being equal is knowing more.
    setId(reg(outer, 3), 0);
    setId(reg(outer, 4), 0);
    expect(includes()).toBe(true);
  });
});

describe("the stack", () => {
  test.each([
    ["invalid", "invalid", true],
    ["invalid", "misc", true],
    ["misc", "misc", true],
    ["misc", "zero", true],
    ["zero", "zero", true],
    ["misc", "invalid", false],
    ["zero", "misc", false],
    ["zero", "invalid", false],
  ] as const)("%s bytes and %s bytes: %s", (wide, narrow, expected) => {
    slot(outer, 1, BYTE[wide]);
    slot(inner, 1, BYTE[narrow]);
    expect(includes()).toBe(expected);
  });

  test("slots beyond the inner stack must be unused", () => {
    slot(outer, 0, BYTE.invalid);
    expect(includes()).toBe(true);
    slot(outer, 1, BYTE.misc);
    expect(includes()).toBe(false);
  });

  test("a spilled number by its value; any number is plain bytes, and plain bytes are any number", () => {
    setConstant(spilledAt(slot(outer, 0, BYTE.spill)), 5, 0);
    setConstant(spilledAt(slot(inner, 0, BYTE.spill)), 6, 0);
    expect(includes()).toBe(false);
    setUnknown(spilledAt(slotAt(outer, 0, 0)));
    expect(includes()).toBe(true);
    slot(inner, 0, BYTE.misc);
    expect(includes()).toBe(true);
    unknownScalarAt(spilledAt(slotAt(outer, 0, 0)), 32);
    expect(includes()).toBe(false);
    slot(outer, 0, BYTE.misc);
    setConstant(spilledAt(slot(inner, 0, BYTE.spill)), 6, 0);
    expect(includes()).toBe(true);
  });

  test("a spilled pointer is not plain bytes", () => {
    slot(outer, 0, BYTE.misc);
    setPointer(spilledAt(slot(inner, 0, BYTE.spill)), KIND.context, 0);
    expect(includes()).toBe(false);
  });

  test("zero bytes are a spilled zero", () => {
    setConstant(spilledAt(slot(outer, 0, BYTE.spill)), 0, 0);
    slot(inner, 0, BYTE.zero);
    expect(includes()).toBe(true);
    slot(outer, 0, BYTE.zero);
    setConstant(spilledAt(slot(inner, 0, BYTE.spill)), 0, 0);
    expect(includes()).toBe(true);
    setConstant(spilledAt(slotAt(inner, 0, 0)), 1, 0);
    expect(includes()).toBe(false);
  });
});

test("as many frames, of the same functions, called from the same places", () => {
  pushFrame(inner, 9, 3);
  expect(includes()).toBe(false);
  pushFrame(outer, 9, 3);
  expect(includes()).toBe(true);
  initialise(outer);
  pushFrame(outer, 9, 4);
  expect(includes()).toBe(false);
});

describe("the place that differed last", () => {
  const differs = (place: number): boolean => differsIn(outer, inner, place, scratch);

  test("says no only by itself", () => {
    setConstant(reg(outer, 3), 7, 0);
    setConstant(reg(inner, 3), 8, 0);
    expect(firstDifference(outer, inner, scratch)).toBe(3);
    expect(differs(3)).toBe(true);
    expect(differs(4)).toBe(false);
    setNone(reg(outer, 3));
    expect(differs(3)).toBe(false);
    expect(firstDifference(outer, inner, scratch)).toBe(-1);
  });

  test("is none if a pointer that was moved by a constant stands for one that was moved by a number", () => {
    for (const state of [outer, inner]) setPointer(reg(state, 3), KIND.packet, 0);
    setOff(reg(inner, 3), 4);
    expect(differs(3)).toBe(true);
    unknownScalarAt(reg(outer, 3));
    expect(differs(3)).toBe(false);
  });

  test("may be a slot, of any frame", () => {
    for (const state of [outer, inner]) {
      growStack(state, 0, 1);
      for (let i = 0; i < 8; i += 1) setSlotByte(slotAt(state, 0, 1), i, BYTE.zero);
      pushFrame(state, 9, 4);
    }
    expect(firstDifference(outer, inner, scratch)).toBe(-1);
    setSlotByte(slotAt(inner, 0, 1), 5, BYTE.misc);
    const place = firstDifference(outer, inner, scratch);
    expect(place).toBeGreaterThanOrEqual(0);
    expect(differs(place)).toBe(true);
    setSlotByte(slotAt(inner, 0, 1), 5, BYTE.zero);
    expect(differs(place)).toBe(false);
  });

  test("is a register or slot in use: what lies before and behind them is not looked at", () => {
    for (const state of [outer, inner]) {
      const [before, behind] = [reg(state, 0) - REGISTER_BYTES, reg(state, REGISTERS)];
      arena.u8.fill(state === outer ? 7 : 9, before, before + REGISTER_BYTES);
      arena.u8.fill(state === outer ? 7 : 9, behind, behind + REGISTER_BYTES);
    }
    expect(differs(-1)).toBe(false);
    expect(differs(REGISTERS)).toBe(false);
    expect(differs(ELSEWHERE)).toBe(false);
  });
});

describe("references", () => {
  test("the same is held, under whatever id, and what rests on it rests on the same", () => {
    acquireReference(outer, 5, REFERENCE.object, 1);
    expect(includes()).toBe(false);
    acquireReference(inner, 9, REFERENCE.object, 2);
    expect(includes()).toBe(true);
    for (const [state, id] of [
      [outer, 5],
      [inner, 9],
    ] as const) {
      setPointer(reg(state, 3), KIND.socket, 0);
      setReference(reg(state, 3), id);
    }
    expect(includes()).toBe(true);
    acquireReference(outer, 6, REFERENCE.object, 3);
    acquireReference(inner, 10, REFERENCE.object, 3);
    expect(includes()).toBe(true);
    setReference(reg(inner, 3), 10);
    expect(includes()).toBe(false);
    releaseReference(outer, 5);
    releaseReference(inner, 9);
    setReference(reg(outer, 3), 6);
    expect(includes()).toBe(true);
  });

  test("what rests on something held cannot pass for what rests on nothing held", () => {
    acquireReference(outer, 5, REFERENCE.object, 1);
    acquireReference(inner, 5, REFERENCE.object, 1);
    setPointer(reg(outer, 3), KIND.socket, 0);
    setPointer(reg(inner, 3), KIND.socket, 0);
    setReference(reg(inner, 3), 5);
    setReference(reg(outer, 3), 7);
    expect(includes()).toBe(false);
    setReference(reg(inner, 3), 8);
    expect(includes()).toBe(true);
  });

  test("a lock is no object, and inside of a section is not outside", () => {
    acquireReference(outer, 5, REFERENCE.lock, 1);
    acquireReference(inner, 5, REFERENCE.object, 1);
    expect(includes()).toBe(false);
    expect(releaseReference(outer, 5)).toBe(false);
    expect(releaseLockReference(outer, 5)).toBe(true);
    releaseReference(inner, 5);
    setSectionDepth(outer, SECTION.rcu, 1);
    expect(includes()).toBe(false);
    setSectionDepth(inner, SECTION.rcu, 1);
    expect(includes()).toBe(true);
  });
});

test("a pointer with a flag is another kind", () => {
  setPointer(reg(outer, 3), KIND.btf, 7);
  setPointer(reg(inner, 3), KIND.btf | FLAG.untrusted, 7);
  expect(includes()).toBe(false);
  setKind(reg(outer, 3), KIND.btf | FLAG.untrusted);
  expect(includes()).toBe(true);
});
