/**
 * The exploration: all paths, depth first, each instruction on the abstract state it is reached with. Where paths meet, a state
 * that an already explored one covers is not explored again; a loop that goes round often is tried as a whole (loops/trial.ts). What it finds
 * out is written down as a certificate (write-certificate.ts), which check-certificate.ts confirms without trusting anything here.
 */
import { allocate, release } from "../absint/arena.ts";
import { isCallingBack } from "../absint/callbacks.ts";
import { firstDifference, stateIncludes } from "../absint/inclusion.ts";
import { KIND, kindOf, REGISTER_BYTES, setNone } from "../absint/register.ts";
import {
  FP,
  frameCount,
  ghostCount,
  initialise,
  LIVE_STATE_BYTES,
  pack,
  packedBytes,
  registerAt,
  returnTo,
  setGhostCount,
  unpack,
} from "../absint/state.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { reject } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import type { Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Checkpoint, Passage } from "./checkpoint.ts";
import { type ControlFlow, POINT } from "./control-flow.ts";
import {
  close,
  type Exploration,
  type ExplorationObserver,
  endIn,
  keep,
  newCheckpoint,
  type Progress,
  remember,
} from "./exploration.ts";
import { firstUnmet, saysAllOf } from "./finished.ts";
import { liveRegisters } from "./liveness.ts";
import { type NaturalLoops, naturalLoops } from "./loops/natural.ts";
import { comeBack, hasLeft, leave, ranOut, recover, setAside, settle, tryLoop } from "./loops/trial.ts";
import { currentFrameText } from "./print-state.ts";
import { ASKED, asksOf, beginRoot, PROGRAM, type Root, rootNeeded, startOf } from "./roots.ts";
import { lastOpen, nextCandidate, noteDifference, noteHit, noteMiss, type Seen } from "./seen.ts";
import { Shapes } from "./shapes.ts";
import type { StackUse } from "./stack-use.ts";

/** The kernel's limit on processed instructions. What was processed for nothing, on trial, does not count. */
export const INSN_LIMIT = 1_000_000;

/** Between joins a state is stored only after so many instructions, and at a join that was met before only after a few. */
const FAR = 8;
const NEAR = 4;
/** At the head of a loop a state is stored after so many at any rate: otherwise joins inside of the loop might always come before it. */
const HEAD = 16;

/** What one start came to. */
export interface Explored {
  readonly root: Root;
  /** In the order of finishing: each rests on earlier ones. The last is the start's. */
  readonly finished: readonly Checkpoint[];
  /** The roots that its paths make necessary. */
  readonly needs: ReadonlySet<Root>;
}

/** What all starts have in common. */
interface Whole {
  readonly m: Machine;
  readonly program: Program;
  readonly flow: ControlFlow;
  readonly natural: NaturalLoops;
  readonly progress: Progress;
  readonly stackUse: StackUse;
  readonly observer: ExplorationObserver | undefined;
  readonly live: Uint16Array;
  readonly asks: Uint8Array;
  readonly spare: Exploration["spare"];
}

/**
 * Explores `program`: first from its own start, then each global function that is called, from its prototype's arguments, and each function that is set as
 * a timer's callback.
 *
 * @returns the program's start first
 * @throws Rejection  if some path is not safe; `progress` says where
 * @throws Unsupported  if something on the way is not modelled
 */
export function explore(
  program: Program,
  flow: ControlFlow,
  progress: Progress,
  stackUse: StackUse,
  observer: ExplorationObserver | undefined,
  rules: Rules,
): readonly Explored[] {
  const m = createMachine(program, rules);
  m.limits = { of: new Map(), numbersTell: false };
  progress.machine = m;
  let spare: { readonly guess: number; readonly other: number } | undefined;
  const whole: Whole = {
    m,
    program,
    flow,
    natural: naturalLoops(program.insns, flow),
    progress,
    stackUse,
    observer,
    live: liveRegisters(program.insns, rules.profile),
    asks: asksOf(program.insns),
    spare: () => {
      spare ??= { guess: allocate(LIVE_STATE_BYTES), other: allocate(LIVE_STATE_BYTES) };
      return spare;
    },
  };
  initialise(m.state);
  m.pc = 0;
  let last = exploreFrom(whole, PROGRAM, 0);
  const explored = [last.explored];
  const done = new Set([PROGRAM]);
  const needed = new Set(last.explored.needs);
  // The kernel looks at it, whether anything is thrown or not.
  if (m.exceptionCallback !== undefined) needed.add(m.exceptionCallback);
  for (;;) {
    // By instruction, as the kernel's order is.
    const next = [...needed].filter((root) => !done.has(root)).sort((a, b) => startOf(a) - startOf(b))[0];
    if (next === undefined) return explored;
    done.add(next);
    progress.path.cut(0);
    const callee = m.globals.get(next);
    if (callee !== undefined) observer?.rootBegins(callee);
    if (!beginRoot(m, next)) throw new Error(`no function begins at insn ${startOf(next)}`);
    last = exploreFrom(whole, next, last.wasted);
    if (callee !== undefined) observer?.rootEnds(callee);
    explored.push(last.explored);
    for (const root of last.explored.needs) needed.add(root);
  }
}

/** Every field is written out: an object that others are copied into is one whose fields an engine has to look up. */
function beginExploration(whole: Whole, wasted: number): Exploration {
  const { m, program, flow, natural, progress, stackUse, observer, spare } = whole;
  const made: Checkpoint[] = [];
  return {
    m,
    program,
    flow,
    natural,
    progress,
    stackUse,
    observer,
    spare,
    seen: new Map(),
    shapes: new Shapes(),
    finished: [],
    made,
    pending: [],
    trials: [],
    passed: new Map(),
    patience: new Map(),
    suspect: new Set(),
    needs: new Map(),
    noted: 0,
    inside: [],
    met: true,
    kept: progress.processed,
    current: newCheckpoint({ m, progress, made, inside: [] }, undefined),
    wasted,
    unclosed: undefined,
    until: Number.POSITIVE_INFINITY,
  };
}

/** Explores all paths from the machine's state, given what was processed for nothing before. */
function exploreFrom(
  whole: Whole,
  root: Root,
  wasted: number,
): { readonly explored: Explored; readonly wasted: number } {
  const { observer, live, asks } = whole;
  const x = beginExploration(whole, wasted);
  const { m } = x;
  observer?.pathBegins(m, -1, undefined);
  for (;;) {
    try {
      run(x, live, asks);
      if (x.unclosed !== undefined) throw x.unclosed;
      const needs = new Set(x.finished.flatMap((checkpoint) => [...(checkpoint.roots ?? [])]));
      return { explored: { root, finished: x.finished, needs }, wasted: x.wasted };
    } catch (error) {
      const over = isOverLimit(x);
      if (over && x.unclosed !== undefined) throw x.unclosed;
      if (leave(x, error)) {
        if (!resume(x)) throw error;
      } else if (!recover(x, error, over)) throw error;
    }
  }
}

const isOverLimit = ({ progress, wasted, until }: Exploration): boolean =>
  progress.processed - wasted >= progress.limit || progress.processed >= until;

/** Follows paths until none is left. */
function run(x: Exploration, live: Uint16Array, asks: Uint8Array): void {
  const { m, progress, stackUse } = x;
  for (;;) {
    const ended = !x.met && arrive(x, live);
    x.met = false;
    if (ended) {
      if (!resume(x)) return;
      continue;
    }
    if (isOverLimit(x)) reject("E2BIG", `BPF program is too large. Processed ${progress.limit + 1} insn`);
    const { pc } = m;
    progress.processed += 1;
    progress.path.push(pc);
    // What is on trial may not have been.
    const observer = x.trials.length === 0 ? x.observer : undefined;
    observer?.before(m);
    const asked = asks[pc];
    if (asked === ASKED.exit) stackUse.record(m);
    const root = asked === ASKED.root ? rootNeeded(m) : undefined;
    const outcome = step(m);
    if (root !== undefined) {
      x.current.roots ??= new Set();
      x.current.roots.add(root);
    }
    observer?.after(m, pc);
    if (outcome === STEP.fork) fork(x, pc, observer?.fork());
    if (outcome !== STEP.exit) continue;
    stackUse.record(m);
    observer?.pathEnds(m, "exit");
    close(x);
    if (!resume(x)) return;
  }
}

/** The side of a jump that is not followed now waits. */
function fork(x: Exploration, from: number, mark: number | undefined): void {
  const { m } = x;
  const outside = x.suspect.size > 0 && leavesSuspect(x, from);
  const waits = outside ? m.state : m.forked;
  const pc = outside ? m.pc : m.forkedPc;
  const bytes = packedBytes(waits);
  const at = allocate(bytes);
  pack(waits, at);
  if (outside) {
    unpack(m.forked, m.state);
    m.pc = m.forkedPc;
  }
  const pathLength = x.progress.path.length;
  x.pending.push({
    at,
    bytes,
    pc,
    from,
    checkpoint: x.current,
    loops: x.inside,
    pathLength,
    mark,
  });
  x.current.open += 1;
}

/**
 * Whether the other side of a jump leaves a loop whose trial has failed. What is wrong may be behind the loop, where one passage finds it; else it would be
 * found after all of them.
 */
function leavesSuspect({ m, flow, natural, suspect }: Exploration, from: number): boolean {
  const owner = flow.functionOf[from];
  for (const head of suspect) {
    const body = natural.bodyOf(head);
    const leaves = (pc: number): boolean => body[pc] !== 1 && flow.functionOf[pc] === owner;
    if (body[from] === 1 && leaves(m.forkedPc) && !leaves(m.pc)) return suspect.delete(head);
  }
  return false;
}

/** Goes on with what waits since last; false if there is nothing. */
function resume(x: Exploration): boolean {
  if (x.trials.length > 0 && settle(x)) return true;
  const { m, progress } = x;
  const next = x.pending.pop();
  if (next === undefined) return false;
  unpack(next.at, m.state);
  release(next.at, next.bytes);
  m.pc = next.pc;
  x.current = next.checkpoint;
  x.inside = next.loops;
  if (ghostCount(m.state) > x.inside.length) setGhostCount(m.state, x.inside.length);
  m.marks = x.current.marks;
  progress.path.cut(next.pathLength);
  for (const pc of next.detour ?? []) progress.path.push(pc);
  if (x.trials.length === 0) x.observer?.pathBegins(m, next.from, next.mark);
  return true;
}

/** Before each instruction: says whether the path ends here. */
function arrive(x: Exploration, live: Uint16Array): boolean {
  const { m, flow, progress } = x;
  if (x.trials.length > 0) {
    if (ranOut(x)) return false;
    if (hasLeft(x)) {
      setAside(x);
      return true;
    }
  }
  const point = flow.points[m.pc] ?? POINT.none;
  if (point === POINT.none) return false;
  forgetDead(m, live);
  if (x.inside.length > 0) {
    const back = comeBack(x);
    if (back !== undefined) return back === "ended";
  }
  const since = progress.processed - x.kept;
  const isNew = !x.seen.has(m.pc);
  const due = x.natural.isHead(m.pc) && progress.processed - (x.passed.get(m.pc) ?? 0) >= HEAD;
  return meet(
    x,
    since >= FAR || due || isCallingBack(m.state) || (point === POINT.join && (since >= NEAR || isNew)),
  );
}

/**
 * Compares the current state with those met here before: says whether a finished one covers it. Otherwise it becomes a checkpoint, if one is to be
 * stored here.
 */
function meet(x: Exploration, store: boolean): boolean {
  const { m } = x;
  const seen = x.seen.get(m.pc);
  if (seen !== undefined && isCovered(x, seen, store)) return true;
  if (!store) return false;
  const passage = x.natural.isHead(m.pc) ? passageAt(x, seen) : undefined;
  if (passage !== undefined) x.passed.set(m.pc, x.progress.processed);
  if (passage !== undefined && tryLoop(x, passage)) return false;
  x.current = keep(x, x.current, { passage });
  remember(x, x.current);
  return false;
}

/** Whether a finished checkpoint covers the current state; then the path ends in it. */
function isCovered(x: Exploration, seen: Seen, store: boolean): boolean {
  const { m } = x;
  const shape = x.shapes.of(m.state);
  for (let i = seen.checkpoints.length; ; ) {
    i = nextCandidate(seen, i, store, m.state, shape, SCRATCH.value);
    if (i < 0) return false;
    const old = seen.checkpoints[i];
    if (old === undefined || !isInside(x, old)) continue;
    const difference =
      old.rank >= 0 ? firstUnmet(old.finished, m.state) : firstDifference(old.at, m.state, SCRATCH.value);
    if (difference < 0 && old.rank >= 0 && m.limits?.numbersTell && !saysAllOf(old.finished, m.state))
      continue;
    if (difference >= 0) noteDifference(seen, i, difference, m.state);
    else if (old.rank >= 0) {
      noteHit(seen, i);
      x.stackUse.record(m);
      endIn(x, old);
      if (x.trials.length === 0) x.observer?.pathEnds(m, "covered");
      return true;
    } else if (isBefore(x.current, old) && stateIncludes(m.state, old.at, SCRATCH.value)) {
      rejectLoop(m, old.at);
    }
    if (store) noteMiss(seen, i);
  }
}

/** What is known inside of a loop may be used there alone. */
function isInside({ inside }: Exploration, { loops }: Checkpoint): boolean {
  const depth = loops.length;
  return depth === 0 || (depth <= inside.length && inside[depth - 1] === loops[depth - 1]);
}

/** The path passes the head of a loop: for the first time since it entered the loop, or another time. */
function passageAt({ m, flow, natural, progress }: Exploration, seen: Seen | undefined): Passage {
  const { path, processed } = progress;
  const pathLength = path.length;
  const previous = seen === undefined ? undefined : lastOpen(seen, m.state);
  const before = previous?.passage;
  const body = natural.bodyOf(m.pc);
  const owner = flow.functionOf[m.pc];
  const leaves = (pc: number): boolean => body[pc] !== 1 && flow.functionOf[pc] === owner;
  let stays = before !== undefined;
  for (let i = before?.pathLength ?? 0; stays && i < pathLength; i += 1) stays = !leaves(path.at(i));
  if (previous === undefined || before === undefined || !stays) {
    return { previous: undefined, first: undefined, count: 1, pathLength, since: processed };
  }
  return {
    previous,
    first: before.first ?? previous,
    count: before.count + 1,
    pathLength,
    since: before.since,
  };
}

/** Whether the current path has come through a checkpoint. One whose paths have left a loop that is tried waits without being on the way. */
function isBefore(current: Checkpoint, old: Checkpoint): boolean {
  let at: Checkpoint | undefined = current;
  while (at !== undefined && at !== old) at = at.parent;
  return at === old;
}

/** The same state a second time on one path: the loop between never ends. */
function rejectLoop(m: Machine, before: number): never {
  const now = currentFrameText(m);
  return reject(
    "EINVAL",
    `infinite loop detected at insn ${m.pc}\ncur state:${now}\nold state:${currentFrameText({ ...m, state: before })}`,
  );
}

/** Forgets what no path from here reads: in the current frame before this instruction, in its callers where they go on. */
function forgetDead(m: Machine, live: Uint16Array): void {
  let pc = m.pc;
  for (let f = frameCount(m.state) - 1; f >= 0; f -= 1) {
    let at = registerAt(m.state, f, 0);
    for (let dead = ~(live[pc] ?? 0) & ALL_REGISTERS; dead !== 0; dead >>= 1) {
      if ((dead & 1) !== 0 && kindOf(at) !== KIND.none) setNone(at);
      at += REGISTER_BYTES;
    }
    pc = returnTo(m.state, f);
  }
}

/** A bit for each register that an instruction can write. */
const ALL_REGISTERS = (1 << FP) - 1;
