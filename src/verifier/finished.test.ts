/** What is kept of finished states says what they said. */
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { allocate, arena, reset } from "../absint/arena.ts";
import { firstDifference, sameFrames, stateIncludes } from "../absint/inclusion.ts";
import { beginOrigins, type Marks, newMarks, wasSlotDemanded } from "../absint/origins.ts";
import { acquireReference, REFERENCE } from "../absint/references.ts";
import {
  KIND,
  REGISTER_BYTES,
  setConstant,
  setLink,
  setNone,
  setOff,
  setPointer,
  setRange,
  setUnknown,
} from "../absint/register.ts";
import { unknownScalarAt } from "../absint/scalar/operators.ts";
import {
  BYTE,
  ghostAt,
  growStack,
  initialise,
  LIVE_STATE_BYTES,
  pack,
  packedBytes,
  pushFrame,
  RUNS,
  registerAt,
  setCallback,
  setGhostCount,
  setSlotByte,
  share,
  slotAt,
  spilledAt,
} from "../absint/state.ts";
import { demandMet, expand, expandedBytes, finish, firstUnmet, isUnmet } from "./finished.ts";
import { demandCovered } from "./generalise.ts";
import { Shapes } from "./shapes.ts";

let [outer, inner, scratch] = [0, 0, 0];
beforeEach(begin);

function begin(): void {
  reset();
  [outer, inner, scratch] = [
    allocate(LIVE_STATE_BYTES),
    allocate(LIVE_STATE_BYTES),
    allocate(REGISTER_BYTES),
  ];
}

const content = fc.record({
  kind: fc.constantFrom("none", "unknown", "constant", "bounded", "packet", "map", "stack"),
  number: fc.nat(1),
  linked: fc.boolean(),
});
type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;

function write(at: number, { kind, number, linked }: Content): void {
  if (kind === "none") return setNone(at);
  if (kind === "unknown" || kind === "bounded") {
    setUnknown(at);
    if (kind === "bounded") unknownScalarAt(at, 1 + number);
    if (linked) setLink(at, 1, number, 64);
  } else if (kind === "constant") setConstant(at, number, 0);
  else {
    setPointer(at, kind === "packet" ? KIND.packet : kind === "map" ? KIND.mapValue : KIND.stack, 0);
    setOff(at, number);
    if (kind === "packet") setRange(at, number + (linked ? 1 : 0));
  }
}

const slot = fc.record({
  bytes: fc.constantFrom("spill", "low half of a spill", "misc", "zero", "invalid", "object"),
  content,
});
type Slot = typeof slot extends fc.Arbitrary<infer T> ? T : never;

const KINDS: Readonly<Record<Slot["bytes"], readonly number[]>> = {
  spill: Array.from({ length: 8 }, () => BYTE.spill),
  "low half of a spill": [3, 3, 3, 3, 2, 2, 1, 0],
  misc: [1, 1, 1, 1, 1, 1, 1, 2],
  zero: Array.from({ length: 8 }, () => BYTE.zero),
  invalid: Array.from({ length: 8 }, () => BYTE.invalid),
  object: Array.from({ length: 8 }, () => BYTE.object),
};

const frame = fc.record({
  registers: fc.array(content, { minLength: 3, maxLength: 3 }),
  slots: fc.array(slot, { maxLength: 2 }),
});
const state = fc.record({
  frames: fc.array(frame, { minLength: 1, maxLength: 2 }),
  /** Something that is held, a ghost, a call that calls back, a slot that is shared. */
  held: fc.constantFrom(false, false, true),
  ghost: fc.option(content, { nil: undefined }),
  runs: fc.constantFrom(false, false, true),
  shared: fc.constantFrom(false, false, true),
  callback: fc.constantFrom(0, 0, 1),
});
type State = typeof state extends fc.Arbitrary<infer T> ? T : never;

function fill(at: number, { frames, held, ghost, runs, shared, callback }: State): void {
  initialise(at);
  frames.forEach(({ registers, slots }, f) => {
    if (f > 0) pushFrame(at, 7, 3);
    registers.forEach((each, i) => write(registerAt(at, f, [0, 6, 9][i] ?? 0), each));
    slots.forEach(({ bytes, content: spilled }, s) => {
      growStack(at, f, s);
      if (bytes !== "misc" && bytes !== "zero" && bytes !== "invalid")
        write(spilledAt(slotAt(at, f, s)), spilled);
      KINDS[bytes].forEach((kind, i) => setSlotByte(slotAt(at, f, s), i, kind));
    });
    if (runs) setConstant(registerAt(at, f, RUNS), 1, 0);
    if (shared && slots.length > 0) share(at, f, 0);
    if (f > 0) setCallback(at, f, callback, 0);
  });
  if (held) acquireReference(at, 1, REFERENCE.object, 0);
  setGhostCount(at, ghost === undefined ? 0 : 1);
  if (ghost !== undefined) write(ghostAt(at, 0), ghost);
  beginOrigins(at);
}

/** Another state that is a part of the first, as often as not. */
const pairs = fc
  .tuple(state, state, fc.boolean(), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([first, second, other, keeps]): readonly [State, State] => {
    if (other) return [first, second];
    let i = 0;
    const frames = first.frames.map(({ registers, slots }, f) => ({
      registers: registers.map((each, r) =>
        keeps[i++ % 8] === true ? each : (second.frames[f]?.registers[r] ?? each),
      ),
      slots: slots.map((each, s) => (keeps[i++ % 8] === true ? each : (second.frames[f]?.slots[s] ?? each))),
    }));
    return [first, { ...first, frames }];
  });

const kept = (marks: Marks): unknown => ({ ...marks, links: [...(marks.links ?? [])].sort((a, b) => a - b) });

test("what is kept covers the states that the state covers, and asks the same of them", () => {
  let [covered, not] = [0, 0];
  fc.assert(
    fc.property(pairs, ([one, two]) => {
      begin();
      fill(outer, one);
      // What is below the stack may be anything.
      fill(inner, one);
      fill(inner, two);
      const shapes = new Shapes();
      expect(shapes.of(outer) === shapes.of(inner)).toBe(sameFrames(outer, inner));
      if (!sameFrames(outer, inner)) return;
      const block = finish(outer);
      const place = firstUnmet(block, inner);
      expect(place < 0).toBe(firstDifference(outer, inner, scratch) < 0);
      if (place >= 0) {
        not += 1;
        return;
      }
      covered += 1;
      const [byBlock, byState] = [newMarks(one.frames.length - 1), newMarks(one.frames.length - 1)];
      demandMet(block, inner, byBlock);
      demandCovered(outer, inner, byState, scratch);
      expect(kept(byBlock)).toEqual(kept(byState));
    }),
    { numRuns: 1500 },
  );
  expect(covered).toBeGreaterThan(60);
  expect(not).toBeGreaterThan(300);
});

test("the state is made again of what is kept", () => {
  fc.assert(
    fc.property(state, (one) => {
      begin();
      fill(outer, one);
      const block = finish(outer);
      expect(expandedBytes(block)).toBe(packedBytes(outer));
      const again = allocate(expandedBytes(block));
      expand(block, again);
      expect(sameFrames(again, outer)).toBe(true);
      expect(stateIncludes(again, outer, scratch)).toBe(true);
      expect(stateIncludes(outer, again, scratch)).toBe(true);
      // In the packed layout it is what is kept of it.
      const packed = allocate(packedBytes(outer));
      pack(outer, packed);
      const words = (at: number): number => arena.i32[at >> 2] ?? 0;
      for (let i = 0; i < 40; i += 4) expect(words(again + i)).toBe(words(packed + i));
    }),
    { numRuns: 300 },
  );
});

const EMPTY: State = {
  frames: [{ registers: [], slots: [] }],
  held: false,
  ghost: undefined,
  runs: false,
  shared: false,
  callback: 0,
};

test("a number that stands for bytes which are 0 is asked for", () => {
  const spilled: Content = { kind: "constant", number: 0, linked: false };
  fill(outer, { ...EMPTY, frames: [{ registers: [], slots: [{ bytes: "zero", content: spilled }] }] });
  fill(inner, { ...EMPTY, frames: [{ registers: [], slots: [{ bytes: "spill", content: spilled }] }] });
  const block = finish(outer);
  expect(firstUnmet(block, inner)).toBe(-1);
  const marks = newMarks(0);
  demandMet(block, inner, marks);
  expect(wasSlotDemanded(marks, 0)).toBe(true);
});

test("what lies below a stack is no number, whatever lies there", () => {
  const deep: State = {
    ...EMPTY,
    frames: [
      { registers: [], slots: [{ bytes: "spill", content: { kind: "unknown", number: 0, linked: false } }] },
    ],
  };
  fill(outer, deep);
  fill(inner, deep);
  const block = finish(outer);
  expect(firstUnmet(block, inner)).toBe(-1);
  fill(inner, EMPTY);
  expect(firstUnmet(block, inner)).toBeGreaterThanOrEqual(0);
});

test("one place shows that a state is not covered", () => {
  fill(outer, EMPTY);
  setConstant(registerAt(outer, 0, 6), 1, 0);
  const block = finish(outer);
  fill(inner, EMPTY);
  setConstant(registerAt(inner, 0, 6), 2, 0);
  const place = firstUnmet(block, inner);
  expect(isUnmet(place, inner)).toBe(true);
  setConstant(registerAt(inner, 0, 6), 1, 0);
  expect(isUnmet(place, inner)).toBe(false);
});
