/** What is ruled out at a glance is ruled out by the whole comparison. */
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { allocate, reset } from "../absint/arena.ts";
import { firstDifference } from "../absint/inclusion.ts";
import { newMarks } from "../absint/origins.ts";
import { KIND, REGISTER_BYTES, setConstant, setOff, setPointer, setRange } from "../absint/register.ts";
import { unknownScalarAt } from "../absint/scalar/operators.ts";
import {
  BYTE,
  growStack,
  initialise,
  LIVE_STATE_BYTES,
  pack,
  packedBytes,
  registerAt,
  setSlotByte,
  slotAt,
  spilledAt,
} from "../absint/state.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { finish, firstUnmet } from "./finished.ts";
import {
  addSeen,
  lastOpen,
  newSeen,
  nextCandidate,
  noteDifference,
  noteFinished,
  noteHit,
  noteMiss,
  removeSeen,
  type Seen,
} from "./seen.ts";

let live = 0;
let other = 0;
let scratch = 0;

beforeEach(() => {
  reset();
  live = allocate(LIVE_STATE_BYTES);
  other = allocate(LIVE_STATE_BYTES);
  scratch = allocate(REGISTER_BYTES);
});

/** What calls are active, in all states here. */
const SHAPE = 1;

/** Whether the first of the checkpoints is passed. */
const isRuledOut = (seen: Seen): boolean => nextCandidate(seen, 1, false, live, SHAPE, scratch) < 0;

/** A number, a number below some power of two or any, or a packet pointer at an offset, with a range, moved by such a number or none. */
const content = fc.record({
  kind: fc.constantFrom("constant", "unknown", "bounded", "packet", "moved", "little", "stack", "map"),
  number: fc.integer({ min: -2, max: 2 }),
  range: fc.nat(2),
});
/** In a register, in another, spilled. */
const states = fc.array(content, { minLength: 3, maxLength: 3 });
/** Most of what one state has another has, too. */
const stays = fc.array(
  fc.nat(2).map((n) => n > 0),
  { minLength: 3, maxLength: 3 },
);
type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;

function fill(state: number, registers: readonly Content[]): void {
  initialise(state);
  growStack(state, 0, 0);
  registers.forEach(({ kind, number, range }, r) => {
    const at = r < 2 ? registerAt(state, 0, 6 + r) : spilledAt(slotAt(state, 0, 0));
    if (r === 2) for (let i = 0; i < 8; i += 1) setSlotByte(slotAt(state, 0, 0), i, BYTE.spill);
    const isNumber = kind === "constant" || kind === "unknown" || kind === "bounded";
    if (isNumber) setConstant(at, number, number >> 31);
    else if (kind === "map") setPointer(at, KIND.mapValue, range);
    else setPointer(at, kind === "stack" ? KIND.stack : KIND.packet, 0);
    if (!isNumber) setOff(at, number);
    if (kind === "packet" || kind === "moved") setRange(at, range);
    if (kind === "moved" || kind === "unknown") unknownScalarAt(at);
    if (kind === "little" || kind === "bounded") unknownScalarAt(at, 1 + range);
  });
}

function checkpointOf(rank: number): Checkpoint {
  const bytes = packedBytes(other);
  const at = allocate(bytes);
  pack(other, at);
  return {
    pc: 0,
    at,
    bytes,
    parent: undefined,
    open: 0,
    rank,
    finished: rank < 0 ? 0 : finish(other),
    marks: newMarks(0),
    edges: [],
    roots: undefined,
    loops: [],
    needs: 0,
    passage: undefined,
    head: undefined,
  };
}

test.each([-1, 0])("what is ruled out at a glance is not included, by a state of rank %i", (rank) => {
  let [ruledOut, ruled] = [0, 0];
  fc.assert(
    fc.property(states, states, states, stays, (outer, first, others, kept) => {
      const second = outer.map((each, i) => (kept[i] === true ? each : (others[i] ?? each)));
      reset();
      [live, other, scratch] = [
        allocate(LIVE_STATE_BYTES),
        allocate(LIVE_STATE_BYTES),
        allocate(REGISTER_BYTES),
      ];
      fill(other, outer);
      fill(live, first);
      const seen = newSeen();
      const checkpoint = checkpointOf(rank);
      addSeen(seen, checkpoint, SHAPE);
      expect(isRuledOut(seen)).toBe(false);
      const place =
        rank < 0 ? firstDifference(checkpoint.at, live, scratch) : firstUnmet(checkpoint.finished, live);
      if (place < 0) return;
      noteDifference(seen, 0, place, live);
      if (isRuledOut(seen)) ruled += 1;
      fill(live, second);
      if (!isRuledOut(seen)) return;
      ruledOut += 1;
      expect(firstDifference(checkpoint.at, live, scratch)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
  expect(ruled).toBeGreaterThan(1250);
  expect(ruledOut).toBeGreaterThan(500);
});

test("what a state was told apart by is forgotten when it is finished", () => {
  fill(other, [{ kind: "constant", number: 1, range: 0 }]);
  fill(live, [{ kind: "constant", number: 2, range: 0 }]);
  const seen = newSeen();
  const checkpoint = checkpointOf(-1);
  addSeen(seen, checkpoint, SHAPE);
  noteDifference(seen, 0, 6, live);
  expect(isRuledOut(seen)).toBe(true);
  setConstant(registerAt(checkpoint.at, 0, 6), 2, 0);
  expect(isRuledOut(seen)).toBe(true);
  noteFinished(seen, checkpoint);
  expect(isRuledOut(seen)).toBe(false);
});

test("a state in which other calls are active is ruled out", () => {
  fill(other, []);
  fill(live, []);
  const seen = newSeen();
  addSeen(seen, checkpointOf(0), SHAPE + 1);
  expect(isRuledOut(seen)).toBe(true);
});

test("the last state that is not finished is found, until it is", () => {
  fill(other, []);
  fill(live, []);
  const seen = newSeen();
  const [first, second, done] = [checkpointOf(-1), checkpointOf(-1), checkpointOf(0)];
  for (const each of [first, second, done]) addSeen(seen, each, SHAPE);
  expect(lastOpen(seen, live)).toBe(second);
  noteFinished(seen, second);
  expect(lastOpen(seen, live)).toBe(first);
  removeSeen(seen, 0);
  expect(lastOpen(seen, live)).toBe(undefined);
});

test("a state that keeps missing is taken away, later if it hits", () => {
  fill(other, []);
  const seen = newSeen();
  addSeen(seen, checkpointOf(0), SHAPE);
  addSeen(seen, checkpointOf(0), SHAPE);
  noteHit(seen, 1);
  for (let i = 0; i < 65; i += 1) noteMiss(seen, 1);
  expect(seen.checkpoints.length).toBe(2);
  for (let i = 0; i < 65; i += 1) noteMiss(seen, 0);
  expect(seen.checkpoints.length).toBe(1);
});
