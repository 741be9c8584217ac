/**
 * Trying loops. When a path has passed the head of a loop often, the loop is explored from a guess at its invariant. If every path that comes
 * back is in the invariant and has made progress, the invariant's checkpoint covers the path. If not, or if something on the way is refused, the
 * trial is undone without a trace, and the path goes on as if it had not been.
 *
 * A trial has two stages. First the loop is *closed*: paths that leave it wait, until it is known that all others come back well. Then they go on,
 * with one ghost less. The invariant's checkpoint is finished when they are, since its claim is about whole runs.
 */
import { allocate, release } from "../../absint/arena.ts";
import { isCallingBack } from "../../absint/callbacks.ts";
import { sameFrames, stateIncludes } from "../../absint/inclusion.ts";
import { widenStates } from "../../absint/join.ts";
import { demand, useLink } from "../../absint/origins.ts";
import { formOf, idOf, KIND, kindOf, WHOLE } from "../../absint/register.ts";
import {
  BUDGET,
  frameCount,
  ghostAt,
  MAX_GHOSTS,
  pack,
  packedBytes,
  registerAt,
  setGhostCount,
  unpack,
} from "../../absint/state.ts";
import { SCRATCH } from "../../absint/transfer/machine.ts";
import { Rejection } from "../../absint/transfer/rejection.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { kfuncFacts } from "../../semantics/profile/lookup.ts";
import type { Measure, Order, Place } from "../certificate.ts";
import type { Advance, Origin, Passage, Trial } from "../checkpoint.ts";
import { close, type Exploration, keep, remember } from "../exploration.ts";
import { demandCovered } from "../generalise.ts";
import { counterAt, MAX_PASSAGES, passagesOf, passHead, progressOf } from "../measure.ts";
import { removeSeen } from "../seen.ts";
import { guessInvariant, limitsOf, movingPlaces, passedStates } from "./invariant.ts";

/** How often a path passes a loop before it is tried, at first and once it has been closed. */
const PATIENCE = 32;
const PATIENCE_CLOSED = 8;
/** The same for what the kernel counts: calls that call back, loops over iterators. From what one passage changes it can be told what others may. */
const PATIENCE_COUNTED = 2;

/** Loops that count on a frame's budget are not gone round further than this: millions of passages would be left. */
const MOST_OF_BUDGET = 256;

/** A loop for which there is no end but that of what may be processed: no trial of another one mends that. */
class NotClosed extends Unsupported {}

/** How often an invariant is widened before the trial is given up. */
const WIDENINGS = 24;

/** Instructions that closing a loop may take at least, and for each instruction that was processed since it was entered. */
const LEAST_BUDGET = 4096;
const BUDGET_FACTOR = 2;

/** Instructions that may be processed for nothing in a whole exploration before no more loops are tried. */
const WASTE = 500_000;

type Plan = Omit<Trial, "head" | "closed" | "left">;

const ORDERS: readonly Order[] = [
  { bits: 64, signed: false },
  { bits: 64, signed: true },
  { bits: 32, signed: false },
  { bits: 32, signed: true },
];

/**
 * Tries the loop at whose head the path stands for another time, if it has been there often enough. Says whether it does: the exploration then
 * goes on from the invariant.
 */
export function tryLoop(x: Exploration, passage: Passage): boolean {
  const { m, progress } = x;
  const { previous } = passage;
  const callsBack = isCallingBack(m.state);
  const counted = callsBack || isCounted(x);
  const patience = x.patience.get(m.pc) ?? (counted ? PATIENCE_COUNTED : PATIENCE);
  if (previous === undefined || passage.count < patience) return false;
  if (passage.count > MOST_OF_BUDGET && isBudgeted(x)) {
    throw new NotClosed("a loop that may_goto ends and whose budget is not seen to go down");
  }
  if (x.wasted > WASTE || x.inside.length === MAX_GHOSTS) return false;
  const places = movingPlaces(previous.at, m.state);
  if (places.length === 0 || hasBudget(m.state) !== hasBudget(previous.at)) return false;
  const bytes = packedBytes(m.state);
  const at = allocate(bytes);
  pack(m.state, at);
  const body = x.natural.bodyOf(m.pc);
  const origin: Origin = {
    checkpoint: x.current,
    passage,
    pc: m.pc,
    counted,
    at,
    bytes,
    inside: x.inside,
    pathLength: progress.path.length,
    pending: x.pending.length,
    made: x.made.length,
    finished: x.finished.length,
    trials: x.trials.length,
    processed: progress.processed,
    wasted: x.wasted,
    stackUse: x.stackUse.copy(),
  };
  const plan: Plan = {
    origin,
    body,
    frames: frameCount(m.state),
    limits: limitsOf(x.program.insns, callsBack ? undefined : body, previous.at, m.state),
    places,
    choice: 0,
    // A budget is no number before the first may_goto.
    withFirst: !hasBudget(m.state) || hasBudget((passage.first ?? previous).at),
    widenings: 0,
  };
  if (!guess(x, plan)) giveUp(x, origin);
  else begin(x, plan);
  return true;
}

/** Whether the frame's budget for may_goto (absint/state.ts) has a number. */
const hasBudget = (state: number): boolean =>
  kindOf(registerAt(state, frameCount(state) - 1, BUDGET)) !== KIND.none;

/** Whether the loop at whose head the machine stands has come through a may_goto of its own. */
function isBudgeted({ m, natural, program }: Exploration): boolean {
  if (!hasBudget(m.state)) return false;
  const body = natural.bodyOf(m.pc);
  return program.insns.some((insn, pc) => body[pc] === 1 && insn?.row.operation.kind === "may_goto");
}

/** Whether the loop at whose head the machine stands asks an iterator for elements, or counts on a budget. */
function isCounted(x: Exploration): boolean {
  if (isBudgeted(x)) return true;
  const { m, natural } = x;
  if (m.kfuncs.size === 0) return false;
  const body = natural.bodyOf(m.pc);
  for (const [pc, name] of m.kfuncs) {
    if (body[pc] === 1 && kfuncFacts(m.profile, name)?.flags.includes("iter_next") === true) return true;
  }
  return false;
}

/** Makes the spare state the first guess at the loop's invariant; says no if there is none. */
function guess(x: Exploration, { origin, withFirst, limits }: Plan): boolean {
  const { previous } = origin.passage;
  if (previous === undefined) return false;
  const { guess: out, other } = x.spare();
  return (
    guessInvariant(passedStates(previous, withFirst), origin.at, other, out, limits) &&
    stateIncludes(out, origin.at, SCRATCH.value)
  );
}

/** Explores the loop from the invariant in the spare state. */
function begin(x: Exploration, plan: Plan): void {
  const { m } = x;
  const { origin, places } = plan;
  const invariant = x.spare().guess;
  for (let choice = plan.choice; choice < places.length; choice += 1) {
    const advances = advancesOf(invariant, places[choice]);
    const measure = advances[0]?.measure;
    if (measure === undefined) continue;
    unpack(invariant, m.state);
    m.pc = origin.pc;
    x.inside = origin.inside;
    const head = keep(x, origin.checkpoint, {
      head: { entry: origin.at, advances, measure: undefined },
    });
    remember(x, head);
    if (!passHead(m.state, measure)) throw new Error("the invariant has a counter");
    x.current = head;
    x.inside = [...origin.inside, head];
    x.trials.push({ ...plan, choice, head, closed: false, left: [] });
    return;
  }
  giveUp(x, origin);
}

/** All ways in which the number in a place may advance, if there is one. */
function advancesOf(state: number, place: Place | undefined): readonly Advance[] {
  const at = place === undefined ? undefined : counterAt(state, place);
  if (place === undefined || at === undefined) return [];
  const bits = idOf(at) === 0 ? WHOLE : formOf(at);
  return ORDERS.filter((order) => order.bits <= bits).flatMap((order) =>
    (["up", "down"] as const).map((direction): Advance => {
      const measure: Measure = { kind: "counter", place, order, direction };
      return { measure, least: undefined };
    }),
  );
}

/**
 * To be asked where paths meet: whether the path has come back to the head of a loop that it is inside of. Then it ends there, or the trial is
 * begun again or given up; `ended` says which.
 */
export function comeBack(x: Exploration): "ended" | "begun" | undefined {
  const { m } = x;
  const depth = x.inside.findLastIndex(({ pc, at }) => pc === m.pc && sameFrames(at, m.state));
  const trial = x.trials.find(({ head }) => head === x.inside[depth]);
  const head = trial?.head;
  if (trial === undefined || head?.head === undefined) return undefined;
  if (!stateIncludes(head.at, m.state, SCRATCH.value)) {
    widen(x, trial);
    return "begun";
  }
  const advances = head.head.advances.flatMap(({ measure, least }): Advance[] => {
    const made = progressOf(m.state, measure, depth);
    return made === 0n ? [] : [{ measure, least: least === undefined || made < least ? made : least }];
  });
  if (advances.length === 0) {
    chooseNext(x, trial);
    return "begun";
  }
  head.head.advances = advances;
  useProgress(x, advances[0]?.measure, depth);
  demandCovered(head.at, m.state, x.current.marks, SCRATCH.value);
  x.current.needs = Math.max(x.current.needs, depth + 1);
  close(x);
  return "ended";
}

/** Where the progress is seen must stay: the counter, and its link to the ghost or both their bounds. */
function useProgress({ m, current }: Exploration, measure: Measure | undefined, depth: number): void {
  const at = measure === undefined ? undefined : counterAt(m.state, measure.place);
  if (at === undefined) return;
  const ghost = ghostAt(m.state, depth);
  demand(current.marks, at);
  if (idOf(at) !== 0 && idOf(at) === idOf(ghost)) useLink(current.marks, idOf(at));
  else demand(current.marks, ghost);
}

/** Begins the trial again from an invariant that the current state is in, too. */
function widen(x: Exploration, trial: Trial): void {
  const { m } = x;
  const { guess: out } = x.spare();
  setGhostCount(m.state, trial.origin.inside.length);
  const widened = trial.widenings < WIDENINGS && widenStates(trial.head.at, m.state, out, trial.limits);
  undo(x, trial.origin);
  if (widened) begin(x, { ...trial, widenings: trial.widenings + 1 });
  else giveUp(x, trial.origin);
}

/** Begins the trial again with the next number that may be the counter. */
function chooseNext(x: Exploration, trial: Trial): void {
  unpack(trial.head.at, x.spare().guess);
  undo(x, trial.origin);
  begin(x, { ...trial, choice: trial.choice + 1 });
}

/** Whether the path has left the loop that is being closed. */
export function hasLeft({ m, trials }: Exploration): boolean {
  const trial = trials.findLast(({ closed }) => !closed);
  if (trial === undefined) return false;
  const frames = frameCount(m.state);
  return frames < trial.frames || (frames === trial.frames && trial.body[m.pc] !== 1);
}

/** The current path waits until the loop that it has left is closed. */
export function setAside(x: Exploration): void {
  const { m, progress } = x;
  const trial = x.trials.findLast(({ closed }) => !closed);
  if (trial === undefined) throw new Error("a loop is being closed");
  const bytes = packedBytes(m.state);
  const at = allocate(bytes);
  pack(m.state, at);
  const { pathLength, inside } = trial.origin;
  trial.left.push({
    at,
    bytes,
    pc: m.pc,
    from: m.pc,
    checkpoint: x.current,
    loops: inside,
    pathLength,
    mark: undefined,
    detour: progress.path.slice(pathLength),
  });
}

/**
 * To be called when a path has ended, before another is taken up: ends the stages of trials that are over. Says whether a trial was begun again or
 * given up, so that the exploration goes on from there.
 */
export function settle(x: Exploration): boolean {
  for (let trial = x.trials.at(-1); trial !== undefined; trial = x.trials.at(-1)) {
    if (x.pending.length > trial.origin.pending) return false;
    if (trial.closed) {
      x.trials.pop();
      if (x.trials.length === 0) logCovered(x, trial);
      continue;
    }
    const { head } = trial.head;
    if (head === undefined) throw new Error("a trial explores from an invariant");
    if (head.advances.some(({ least }) => least !== undefined)) {
      head.measure = bestMeasure(trial.head.at, head.advances);
      if (head.measure === undefined) {
        chooseNext(x, trial);
        return true;
      }
    }
    trial.closed = true;
    x.patience.set(trial.origin.pc, trial.origin.counted ? PATIENCE_COUNTED : PATIENCE_CLOSED);
    x.pending.push(...trial.left);
    trial.left.length = 0;
  }
  return false;
}

/** The path that came to the loop is covered by its invariant. */
function logCovered(x: Exploration, { origin }: Trial): void {
  if (x.observer === undefined) return;
  unpack(origin.at, x.m.state);
  x.m.pc = origin.pc;
  x.observer.pathEnds(x.m, "covered");
}

/** The measure by which the head is passed least often, if that is not too often. */
function bestMeasure(state: number, advances: readonly Advance[]): Measure | undefined {
  let best: Measure | undefined;
  let fewest = MAX_PASSAGES + 1n;
  for (const { measure, least } of advances) {
    const passages = least === undefined ? undefined : passagesOf(state, measure, least);
    if (passages === undefined || passages >= fewest) continue;
    best = measure;
    fewest = passages;
  }
  return best;
}

/** Gives the innermost trial up if it has taken too long; says whether it has. */
export function ranOut(x: Exploration): boolean {
  const trial = x.trials.at(-1);
  if (trial === undefined || trial.closed) return false;
  const { passage, processed } = trial.origin;
  const budget = Math.max(LEAST_BUDGET, BUDGET_FACTOR * (processed - passage.since));
  if (x.progress.processed - processed <= budget) return false;
  undo(x, trial.origin);
  giveUp(x, trial.origin);
  return true;
}

/**
 * What was thrown while loops were tried is no verdict: undoes the innermost trial, or all of them if `all`, and goes on. Says no if none is tried.
 */
export function recover(x: Exploration, error: unknown, all: boolean): boolean {
  if (error instanceof NotClosed || !(error instanceof Rejection || error instanceof Unsupported))
    return false;
  const trial = all ? x.trials[0] : x.trials.at(-1);
  if (trial === undefined) return false;
  undo(x, trial.origin);
  const plan = { ...trial, withFirst: false, choice: 0, widenings: 0 };
  if (!all && !trial.closed && trial.withFirst && guess(x, plan)) begin(x, plan);
  else giveUp(x, trial.origin);
  return true;
}

/** Goes back to where a trial began. */
function undo(x: Exploration, origin: Origin): void {
  const { m, progress } = x;
  const free = ({ at, bytes }: { readonly at: number; readonly bytes: number }): void => release(at, bytes);
  x.pending.splice(origin.pending).forEach(free);
  for (const { left } of x.trials.splice(origin.trials)) left.forEach(free);
  for (const made of x.made.splice(origin.made)) {
    const seen = x.seen.get(made.pc);
    const index = seen?.checkpoints.lastIndexOf(made) ?? -1;
    if (seen !== undefined && index >= 0) removeSeen(seen, index);
    free(made);
  }
  x.finished.length = origin.finished;
  x.stackUse.restore(origin.stackUse);
  x.wasted = origin.wasted + progress.processed - origin.processed;
  progress.path.length = origin.pathLength;
  unpack(origin.at, m.state);
  m.pc = origin.pc;
  m.marks = origin.checkpoint.marks;
  x.current = origin.checkpoint;
  x.inside = origin.inside;
}

/** Goes on from where a trial began as if it had not been. */
function giveUp(x: Exploration, origin: Origin): void {
  const { passage, counted } = origin;
  const patience = x.patience.get(origin.pc) ?? (counted ? PATIENCE_COUNTED : PATIENCE);
  x.patience.set(origin.pc, 2 * Math.max(passage.count, patience));
  const made = keep(x, origin.checkpoint, { passage });
  remember(x, made);
  x.current = made;
  release(origin.at, origin.bytes);
}
