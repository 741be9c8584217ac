/**
 * Trying loops. When a path has passed the head of a loop often, the loop is explored from a guess at its invariant. If every path that comes
 * back is in the invariant and has made progress, the invariant's checkpoint covers the path. If not, or if something on the way is refused, the
 * trial is undone without a trace, and the path goes on as if it had not been.
 *
 * A trial has two stages. First the loop is *closed*: paths that leave it wait, until it is known that all others come back well. Then they go on,
 * with one ghost less. The invariant's checkpoint is finished when they are, since its claim is about whole runs.
 *
 * What is used of an invariant has to hold again where paths come back, so it is used of their states. It is not known before all paths have been
 * explored. The least is taken for it at first, or what it was found to be when the loop was tried before; if it turns out to be more, the loop is
 * explored again with that.
 */
import { allocate, release } from "../../absint/arena.ts";
import { isCallingBack } from "../../absint/callbacks.ts";
import { sameFrames, stateIncludes } from "../../absint/inclusion.ts";
import { widenStates } from "../../absint/join.ts";
import { addMarks, newMarks } from "../../absint/origins.ts";
import { KIND, kindOf } from "../../absint/register.ts";
import {
  BUDGET,
  frameCount,
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
import type { Advance, Origin, Passage, Trial } from "../checkpoint.ts";
import { close, type Exploration, keep, remember } from "../exploration.ts";
import { demandNeeded } from "../generalise.ts";
import { passHead, progressOf } from "../measure.ts";
import { advancesOf, bestMeasure, demandPlace, useProgress } from "./advance.ts";
import { guessInvariant, limitsOf, movingPlaces, passedStates } from "./invariant.ts";
import { undo, undoLoop } from "./undo.ts";

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

/** What part of the instructions that may be processed may be so for nothing before no more loops are tried. */
const WASTE = 1 / 2;

/** Instructions that are processed once it is known that there will be no accept. */
const AFTERWARDS = 10_000;

type Plan = Omit<Trial, "head" | "closed" | "closedAt" | "left" | "noted" | "within">;

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
  if (x.wasted > WASTE * progress.limit || x.inside.length === MAX_GHOSTS) return false;
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
    needs: x.needs.get(m.pc) ?? { marks: newMarks(frameCount(m.state) - 1), everyLink: false },
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
    const needs = { ...plan.needs, marks: { ...plan.needs.marks } };
    const head = keep(x, origin.checkpoint, {
      head: { entry: origin.at, advances, measure: undefined, needs, lacking: false },
    });
    // Whatever else is forgotten of the invariant: how often the loop is passed rests on the counter's bounds.
    for (const marks of [head.marks, needs.marks]) demandPlace(marks, measure.place);
    remember(x, head);
    if (!passHead(m.state, measure)) throw new Error("the invariant has a counter");
    x.current = head;
    x.inside = [...origin.inside, head];
    const within = beingClosed(x);
    x.trials.push({ ...plan, choice, head, noted: x.noted, closed: false, closedAt: 0, left: [], within });
    return;
  }
  giveUp(x, origin);
}

/**
 * To be asked where paths meet: whether the path has come back to the head of a loop that it is inside of. Then it ends there, or the trial is
 * begun again or given up; `ended` says which.
 */
export function comeBack(x: Exploration): "ended" | "begun" | undefined {
  const { m } = x;
  const depth = x.inside.findLastIndex(({ pc, at }) => pc === m.pc && sameFrames(at, m.state));
  if (depth < 0) return undefined;
  // There may be hundreds of trials; the loop that the path is in is one of the last.
  const trial = x.trials.findLast(({ head }) => head === x.inside[depth]);
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
  demandNeeded(head.at, head.head.needs, m.state, x.current.marks, SCRATCH.value);
  x.current.needs = Math.max(x.current.needs, depth + 1);
  close(x);
  return "ended";
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

/** The innermost loop that is not closed yet. */
function beingClosed({ trials }: Exploration): Trial | undefined {
  const last = trials.at(-1);
  return last?.closed === true ? last.within : last;
}

/** Whether the path has left the loop that is being closed. */
export function hasLeft(x: Exploration): boolean {
  const { m } = x;
  const trial = beingClosed(x);
  if (trial === undefined) return false;
  const frames = frameCount(m.state);
  return frames < trial.frames || (frames === trial.frames && trial.body[m.pc] !== 1);
}

/** The current path waits until the loop that it has left is closed. */
export function setAside(x: Exploration): void {
  const { m, progress } = x;
  const trial = beingClosed(x);
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
    detour: progress.path.from(pathLength),
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
      if (isLacking(x, trial)) {
        again(x, trial);
        return true;
      }
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
    trial.closedAt = x.progress.processed;
    x.patience.set(trial.origin.pc, trial.origin.counted ? PATIENCE_COUNTED : PATIENCE_CLOSED);
    x.pending.push(...trial.left);
    trial.left.length = 0;
  }
  return false;
}

/**
 * Whether more was used of the invariant than paths that came back were asked to keep, or of that of a loop inside that was tried since: all
 * paths have been explored, and the head is not finished.
 */
function isLacking({ trials, noted }: Exploration, trial: Trial): boolean {
  const { head } = trial;
  if (head.head?.lacking === true) return true;
  return head.rank < 0 && noted > trial.noted && trials.every(({ closed }) => closed);
}

/** Explores the loop again, from the same invariant, now that it is known what is used of it. */
function again(x: Exploration, trial: Trial): void {
  const { head, needs, origin } = trial;
  const marks = newMarks(head.marks.frame);
  addMarks(marks, needs.marks);
  addMarks(marks, head.marks);
  marks.links = new Set([...(needs.marks.links ?? []), ...(head.marks.links ?? [])]);
  unpack(head.at, x.spare().guess);
  undoLoop(x, trial);
  const since = { processed: x.progress.processed, wasted: x.wasted };
  begin(x, { ...trial, origin: { ...origin, ...since }, needs: { ...needs, marks } });
}

/** The path that came to the loop is covered by its invariant. */
function logCovered(x: Exploration, { origin }: Trial): void {
  if (x.observer === undefined) return;
  unpack(origin.at, x.m.state);
  x.m.pc = origin.pc;
  x.observer.pathEnds(x.m, "covered");
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
 * A path that goes round a loop without an end is left, and nothing that it came through is ever finished. So there is no accept any more, but other
 * paths may show what is wrong with the program. Says no if it is something else that was thrown.
 */
export function leave(x: Exploration, error: unknown): boolean {
  if (!(error instanceof NotClosed)) return false;
  if (x.unclosed === undefined) {
    x.unclosed = error;
    x.until = x.progress.processed + AFTERWARDS;
  }
  return true;
}

/**
 * What was thrown while loops were tried is no verdict: undoes the innermost trial, or all of them if `all`, and goes on. Says no if none is tried.
 */
export function recover(x: Exploration, error: unknown, all: boolean): boolean {
  if (!(error instanceof Rejection || error instanceof Unsupported)) return false;
  const trial = all ? x.trials[0] : x.trials.at(-1);
  if (trial === undefined) return false;
  undo(x, trial.origin);
  const plan = { ...trial, withFirst: false, choice: 0, widenings: 0 };
  if (!all && !trial.closed && trial.withFirst && guess(x, plan)) begin(x, plan);
  else giveUp(x, trial.origin);
  return true;
}

/** Goes on from where a trial began as if it had not been. */
function giveUp(x: Exploration, origin: Origin): void {
  const { passage, counted } = origin;
  const patience = x.patience.get(origin.pc) ?? (counted ? PATIENCE_COUNTED : PATIENCE);
  x.patience.set(origin.pc, 2 * Math.max(passage.count, patience));
  x.suspect.add(origin.pc);
  const made = keep(x, origin.checkpoint, { passage });
  remember(x, made);
  x.current = made;
  release(origin.at, origin.bytes);
}
