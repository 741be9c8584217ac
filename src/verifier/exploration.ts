/** The state of an exploration, and its bookkeeping: which checkpoints are open, which are finished, and what they rest on. */
import { allocate, release } from "../absint/arena.ts";
import { addMarks, beginOrigins, newMarks } from "../absint/origins.ts";
import { frameCount, pack, packedBytes, setGhostCount } from "../absint/state.ts";
import type { GlobalFunction } from "../absint/transfer/global-functions.ts";
import { type Machine, SCRATCH } from "../absint/transfer/machine.ts";
import type { Unsupported } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Checkpoint, Head, Passage, Pending, Trial } from "./checkpoint.ts";
import type { ControlFlow } from "./control-flow.ts";
import { demandMet, finish } from "./finished.ts";
import { areMet, demandCovered, generalise, type Needs, propagate } from "./generalise.ts";
import type { NaturalLoops } from "./loops/natural.ts";
import type { Path } from "./path.ts";
import { addSeen, newSeen, noteFinished, type Seen } from "./seen.ts";
import type { Shapes } from "./shapes.ts";
import type { StackUse } from "./stack-use.ts";

/** Called before each instruction and when a path begins or ends: what a log is made of. */
export interface ExplorationObserver {
  readonly before: (m: Machine) => void;
  readonly after: (m: Machine, pc: number) => void;
  readonly pathEnds: (m: Machine, why: "exit" | "covered") => void;
  /** What follows is proved from the start of a global function. */
  readonly rootBegins: (callee: GlobalFunction) => void;
  readonly rootEnds: (callee: GlobalFunction) => void;
  /** `mark` is what `fork` gave where the path left another one; undefined for the program's start, or a function's. */
  readonly pathBegins: (m: Machine, from: number, mark: number | undefined) => void;
  /** A path leaves the current one here; gives what to go back to when it is its turn. */
  readonly fork: () => number;
}

/** Counters that outlive a rejection. */
export interface Progress {
  /** How many instructions may be processed. */
  readonly limit: number;
  processed: number;
  totalStates: number;
  peakStates: number;
  maxStatesPerInsn: number;
  /** The instructions of the current path. */
  readonly path: Path;
  machine: Machine | undefined;
}

export interface Exploration {
  readonly m: Machine;
  readonly program: Program;
  readonly flow: ControlFlow;
  readonly natural: NaturalLoops;
  readonly progress: Progress;
  readonly stackUse: StackUse;
  readonly observer: ExplorationObserver | undefined;
  /** Checkpoints by instruction, in the order of being made. */
  readonly seen: Map<number, Seen>;
  readonly shapes: Shapes;
  readonly finished: Checkpoint[];
  /** All that were made, in that order. */
  readonly made: Checkpoint[];
  readonly pending: Pending[];
  /** Loops that are being tried, each inside of those before it. */
  readonly trials: Trial[];
  /** For each head of a loop, the instructions processed when a state was last stored there. */
  readonly passed: Map<number, number>;
  /** How often a loop must have been passed before it is tried, by head. */
  readonly patience: Map<number, number>;
  /** Heads of loops whose trial has failed: the next fork that leaves such a loop is followed outside first. */
  readonly suspect: Set<number>;
  /** What was used of the invariants of loops beyond what was expected, by head; and how often something was. */
  readonly needs: Map<number, Needs>;
  noted: number;
  /** The checkpoint that the current path goes on from, and the heads of the loops that it is inside of. */
  current: Checkpoint;
  inside: readonly Checkpoint[];
  /** The current state has just become a checkpoint. */
  met: boolean;
  /** Two live states for guesses at invariants. */
  readonly spare: () => { readonly guess: number; readonly other: number };
  /** Instructions processed when a state was last stored. */
  kept: number;
  /** Instructions processed for nothing. */
  wasted: number;
  /** Why there will be no accept; undefined as long as there may be one. And how many instructions are processed then at most. */
  unclosed: Unsupported | undefined;
  until: number;
}

/** What a checkpoint is besides where it is. */
interface Role {
  readonly passage?: Passage | undefined;
  readonly head?: Head;
}

/** Makes the machine's state a checkpoint, from which the path goes on. */
export function keep(x: Exploration, parent: Checkpoint | undefined, role?: Role): Checkpoint {
  x.kept = x.progress.processed;
  x.met = true;
  return newCheckpoint(x, parent, role);
}

/** A checkpoint of the machine's state. */
export function newCheckpoint(
  { m, progress, made, inside }: Pick<Exploration, "m" | "progress" | "made" | "inside">,
  parent: Checkpoint | undefined,
  { passage, head }: Role = {},
): Checkpoint {
  const bytes = packedBytes(m.state);
  const at = allocate(bytes);
  pack(m.state, at);
  progress.totalStates += 1;
  const marks = newMarks(frameCount(m.state) - 1);
  beginOrigins(m.state);
  m.marks = marks;
  const checkpoint: Checkpoint = {
    pc: m.pc,
    at,
    bytes,
    parent,
    open: 1,
    rank: -1,
    finished: 0,
    marks,
    edges: [],
    roots: undefined,
    loops: inside,
    needs: 0,
    passage,
    head,
  };
  made.push(checkpoint);
  progress.peakStates = Math.max(progress.peakStates, made.length);
  return checkpoint;
}

/** Adds a checkpoint to those that states at its instruction are compared with. */
export function remember(x: Exploration, checkpoint: Checkpoint): void {
  let seen = x.seen.get(checkpoint.pc);
  if (seen === undefined) {
    seen = newSeen();
    x.seen.set(checkpoint.pc, seen);
  }
  addSeen(seen, checkpoint, x.shapes.of(checkpoint.at));
  x.progress.maxStatesPerInsn = Math.max(x.progress.maxStatesPerInsn, seen.checkpoints.length);
}

/** The current path ends in a finished checkpoint, which covers its state. */
export function endIn(x: Exploration, covering: Checkpoint): void {
  demandMet(covering.finished, x.m.state, x.current.marks);
  rest(x.current, covering);
  close(x);
}

function rest(on: Checkpoint, covering: Checkpoint): void {
  on.edges.push(covering);
  on.needs = Math.max(on.needs, covering.loops.length);
}

/** The next time that a loop is tried that begins where `head` does, it is known from the beginning what was used of its invariant. */
function noteNeeds(x: Exploration, { pc, marks: used }: Checkpoint): void {
  const before = x.needs.get(pc);
  const marks = newMarks(used.frame);
  addMarks(marks, used);
  if (before !== undefined) addMarks(marks, before.marks);
  x.noted += 1;
  x.needs.set(pc, { marks, everyLink: before?.everyLink === true || used.links !== undefined });
}

/** The current path has ended; with a checkpoint's last one, the checkpoint is finished, and a path of its parent. */
export function close(x: Exploration): void {
  let at: Checkpoint | undefined = x.current;
  while (at !== undefined) {
    at.open -= 1;
    if (at.open > 0) return;
    if (at.head !== undefined && !areMet(at.head.needs, at.marks)) {
      at.head.lacking = true;
      noteNeeds(x, at);
      return;
    }
    at.rank = x.finished.length;
    x.finished.push(at);
    const seen = x.seen.get(at.pc);
    if (seen !== undefined) noteFinished(seen, at);
    const { parent, head }: Checkpoint = at;
    if (parent !== undefined && head === undefined) propagate(at.at, at.marks, parent.marks);
    generalise(at.at, at.marks);
    at.loops = at.loops.slice(0, at.needs);
    setGhostCount(at.at, at.loops.length);
    if (parent !== undefined && head !== undefined)
      demandCovered(at.at, head.entry, parent.marks, SCRATCH.value);
    if (parent !== undefined) rest(parent, at);
    at.finished = finish(at.at);
    // The states of heads are looked at when the loop is tried again, or another around it.
    if (head === undefined && at.passage === undefined) {
      release(at.at, at.bytes);
      at.at = 0;
    }
    at = parent;
  }
}
