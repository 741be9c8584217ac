/** Loops over what a frame still has for may_goto: what their ghosts say, and when that is progress. */
import { beforeEach, expect, test } from "vitest";
import { allocate, reset } from "../absint/arena.ts";
import { stateIncludes } from "../absint/inclusion.ts";
import { joinStates } from "../absint/join.ts";
import { rangeOf, setRange, unlink } from "../absint/register.ts";
import {
  BUDGET,
  ghostAt,
  initialise,
  LIVE_STATE_BYTES,
  overBudget,
  popFrame,
  pushFrame,
  registerAt,
} from "../absint/state.ts";
import { setAtMost } from "../absint/transfer/countdown.ts";
import { createMachine, type Machine, SCRATCH } from "../absint/transfer/machine.ts";
import { step } from "../absint/transfer/step.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import { DEFAULT_RULES } from "../semantics/profile/rules.ts";
import type { Measure } from "./certificate.ts";
import { passHead, progressOf } from "./measure.ts";

const measureOf = (frame: number, direction: Measure["direction"] = "down"): Measure => ({
  kind: "counter",
  place: { kind: "register", frame, register: BUDGET },
  order: { bits: 64, signed: false },
  direction,
});

let m: Machine;
beforeEach(() => {
  reset();
  const insns = assemble(["may_goto e", "e:", "r0 = 0", "exit"]);
  m = createMachine(
    {
      name: "test",
      type: "xdp",
      license: "GPL",
      flags: [],
      insns,
      maps: [],
      lines: [],
      functions: [],
      kfuncs: [],
    },
    DEFAULT_RULES,
  );
  initialise(m.state);
});

/** Passes a head in `frame`, and forgets by what distances numbers are apart. */
function enter(frame: number): void {
  const budget = registerAt(m.state, frame, BUDGET);
  setAtMost(budget, 1000);
  expect(passHead(m.state, measureOf(frame))).toBe(true);
  unlink(budget);
  unlink(ghostAt(m.state, 0));
}

test("falling through is progress, jumping is none", () => {
  enter(0);
  expect(progressOf(m.state, measureOf(0), 0)).toBe(0n);
  m.pc = 0;
  step(m);
  expect(progressOf(m.state, measureOf(0), 0)).toBe(0n);
  expect(progressOf(m.forked, measureOf(0), 0)).toBe(1n);
  expect(progressOf(m.forked, measureOf(0, "up"), 0)).toBe(0n);
});

test("a state in which it is progress includes none in which it may not be", () => {
  enter(0);
  m.pc = 0;
  step(m);
  const [jumped, fell] = [m.state, m.forked];
  // The numbers themselves are the same in both.
  for (const state of [jumped, fell]) setAtMost(registerAt(state, 0, BUDGET), 1000);
  for (const state of [jumped, fell]) setAtMost(ghostAt(state, 0), 1000);
  setRange(ghostAt(jumped, 0), overBudget(0, 0));
  setRange(ghostAt(fell, 0), overBudget(0, 1));
  expect(stateIncludes(jumped, fell, SCRATCH.value)).toBe(true);
  expect(stateIncludes(fell, jumped, SCRATCH.value)).toBe(false);
  const out = allocate(LIVE_STATE_BYTES);
  expect(joinStates(fell, jumped, out)).toBe(true);
  expect(progressOf(out, measureOf(0), 0)).toBe(0n);
  expect(stateIncludes(out, fell, SCRATCH.value) && stateIncludes(out, jumped, SCRATCH.value)).toBe(true);
});

test("the budget of another frame is another one", () => {
  pushFrame(m.state, 0, 0);
  enter(1);
  popFrame(m.state);
  expect(rangeOf(ghostAt(m.state, 0))).toBe(0);
  pushFrame(m.state, 0, 0);
  setAtMost(registerAt(m.state, 1, BUDGET), 1000);
  m.pc = 0;
  step(m);
  expect(progressOf(m.forked, measureOf(1), 0)).toBe(0n);
});
