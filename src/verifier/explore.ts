/**
 * The exploration: all paths, depth first, each instruction on the abstract state it is reached with. Where paths meet, a state
 * that an already explored one covers is not explored again. What it finds out is written down as a certificate, which
 * check-certificate.ts confirms without trusting anything here.
 */
import { allocate, release } from "../absint/arena.ts";
import { differsIn, firstDifference, stateIncludes } from "../absint/inclusion.ts";
import { beginOrigins, type Marks, newMarks } from "../absint/origins.ts";
import { setNone } from "../absint/register.ts";
import {
  frameCount,
  initialise,
  pack,
  packedBytes,
  REGISTERS,
  registerAt,
  returnTo,
  toBytes,
  unpack,
} from "../absint/state.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { reject } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate, CertificateNode } from "./certificate.ts";
import { type ControlFlow, POINT } from "./control-flow.ts";
import { demandCovered, generalise, propagate } from "./generalise.ts";
import { liveRegisters } from "./liveness.ts";
import { currentFrameText } from "./print-state.ts";
import type { StackUse } from "./stack-use.ts";

/** The kernel's limit on processed instructions. */
export const INSN_LIMIT = 1_000_000;

/** Between joins a state is stored only after so many instructions, and at a join that was met before only after a few. */
const FAR = 8;
const NEAR = 4;

/** How often a state may fail to cover another, for each time that it does. */
const PATIENCE = 64;

/** A state that was met where paths join. It is finished when every path from it has been explored to its end. */
interface Checkpoint {
  readonly pc: number;
  /** The packed state in the arena, and its size. */
  readonly at: number;
  readonly bytes: number;
  readonly parent: Checkpoint | undefined;
  /** Paths from here that are not explored to their end yet. */
  open: number;
  /** Position in the order of finishing; -1 until then. */
  rank: number;
  hits: number;
  misses: number;
  /** The register that ruled it out the last time. */
  hint: number;
  /** What the paths from here used of the state. */
  readonly marks: Marks;
  /** Finished checkpoints that paths from here ended in. */
  readonly edges: Set<Checkpoint>;
}

/** A side of a fork that is still to be explored. */
interface Pending {
  readonly at: number;
  readonly bytes: number;
  readonly pc: number;
  readonly from: number;
  readonly checkpoint: Checkpoint;
  /** Length of the path up to the fork. */
  readonly pathLength: number;
  readonly mark: number | undefined;
}

/** Called before each instruction and when a path begins or ends: what a log is made of. */
export interface ExplorationObserver {
  readonly before: (m: Machine) => void;
  readonly after: (m: Machine, pc: number) => void;
  readonly pathEnds: (m: Machine, why: "exit" | "covered") => void;
  /** `mark` is what `fork` gave where the path left another one; undefined for the program's start. */
  readonly pathBegins: (m: Machine, from: number, mark: number | undefined) => void;
  /** A path leaves the current one here; gives what to go back to when it is its turn. */
  readonly fork: () => number;
}

/** Counters that outlive a rejection. */
export interface Progress {
  processed: number;
  totalStates: number;
  peakStates: number;
  maxStatesPerInsn: number;
  /** The instructions of the current path. */
  readonly path: number[];
  machine: Machine | undefined;
}

/**
 * Explores `program` and returns its certificate.
 *
 * @throws Rejection  if some path is not safe; `progress` says where
 * @throws Unsupported  if something on the way is not modelled
 */
export function explore(
  program: Program,
  flow: ControlFlow,
  progress: Progress,
  stackUse: StackUse,
  observer: ExplorationObserver | undefined,
): Certificate {
  const m = createMachine(program);
  progress.machine = m;
  const live = liveRegisters(program.insns);
  const seen = new Map<number, Checkpoint[]>();
  const finished: Checkpoint[] = [];
  const pending: Pending[] = [];
  const { path } = progress;
  let stored = 0;
  /** Instructions processed when a state was last stored. */
  let kept = 0;

  initialise(m.state);
  m.pc = 0;
  let current = keep(m, undefined);
  observer?.pathBegins(m, -1, undefined);

  for (;;) {
    const pc = m.pc;
    const point = flow.points[pc] ?? POINT.none;
    if (point !== POINT.none && path.length > 0) {
      forgetDead(m, live);
      const since = progress.processed - kept;
      const met = meet(pc, since >= FAR || (point === POINT.join && (since >= NEAR || !seen.has(pc))));
      if (met !== undefined) {
        current = met;
      } else {
        stackUse.record(m);
        observer?.pathEnds(m, "covered");
        if (!resume()) break;
        continue;
      }
    }
    if (progress.processed >= INSN_LIMIT) {
      reject("E2BIG", `BPF program is too large. Processed ${progress.processed + 1} insn`);
    }
    progress.processed += 1;
    path.push(pc);
    observer?.before(m);
    if (program.insns[pc]?.row.operation.kind === "exit") stackUse.record(m);
    const outcome = step(m);
    observer?.after(m, pc);
    if (outcome === STEP.next) continue;
    if (outcome === STEP.fork) {
      const bytes = packedBytes(m.forked);
      const at = allocate(bytes);
      pack(m.forked, at);
      pending.push({
        at,
        bytes,
        pc: m.forkedPc,
        from: pc,
        checkpoint: current,
        pathLength: path.length,
        mark: observer?.fork(),
      });
      current.open += 1;
      continue;
    }
    observer?.pathEnds(m, "exit");
    close(current);
    if (!resume()) break;
  }
  return certificateOf(finished);

  /** Goes on with the fork met last; false if there is none. */
  function resume(): boolean {
    const next = pending.pop();
    if (next === undefined) return false;
    unpack(next.at, m.state);
    release(next.at, next.bytes);
    m.pc = next.pc;
    current = next.checkpoint;
    m.marks = current.marks;
    path.length = next.pathLength;
    observer?.pathBegins(m, next.from, next.mark);
    return true;
  }

  /**
   * Compares the current state with those met here before: undefined if a finished one covers it. Otherwise a new checkpoint, or the current
   * one still, if nothing is to be stored here.
   */
  function meet(pc: number, store: boolean): Checkpoint | undefined {
    let list = seen.get(pc);
    if (list === undefined) {
      list = [];
      seen.set(pc, list);
    }
    for (let i = list.length - 1; i >= 0; i -= 1) {
      const old = list[i];
      if (old === undefined) continue;
      const difference = differsIn(old.at, m.state, old.hint)
        ? old.hint
        : firstDifference(old.at, m.state, SCRATCH.value);
      if (difference < 0) {
        if (old.rank >= 0) {
          old.hits += 1;
          demandCovered(old.at, m.state, current.marks, SCRATCH.value);
          current.edges.add(old);
          close(current);
          return undefined;
        }
        if (stateIncludes(m.state, old.at, SCRATCH.value)) rejectLoop(m, old.at);
      }
      if (difference >= 0) old.hint = difference;
      if (!store) continue;
      old.misses += 1;
      // A state that keeps missing is not looked at again; it stays what its parents rest on.
      if (old.misses > (old.hits + 1) * PATIENCE) list.splice(i, 1);
    }
    if (!store) return current;
    const made = keep(m, current);
    list.push(made);
    progress.maxStatesPerInsn = Math.max(progress.maxStatesPerInsn, list.length);
    return made;
  }

  function keep(machine: Machine, parent: Checkpoint | undefined): Checkpoint {
    const bytes = packedBytes(machine.state);
    const at = allocate(bytes);
    pack(machine.state, at);
    progress.totalStates += 1;
    kept = progress.processed;
    stored += 1;
    progress.peakStates = Math.max(progress.peakStates, stored);
    const marks = newMarks(frameCount(machine.state) - 1);
    beginOrigins(machine.state);
    machine.marks = marks;
    return {
      pc: machine.pc,
      at,
      bytes,
      parent,
      open: 1,
      rank: -1,
      hits: 0,
      misses: 0,
      hint: REGISTERS,
      marks,
      edges: new Set(),
    };
  }

  /** One path from `checkpoint` has ended; with the last one, the checkpoint is finished, and a path of its parent. */
  function close(checkpoint: Checkpoint): void {
    let at: Checkpoint | undefined = checkpoint;
    while (at !== undefined) {
      at.open -= 1;
      if (at.open > 0) return;
      at.rank = finished.length;
      finished.push(at);
      at.parent?.edges.add(at);
      if (at.parent !== undefined) propagate(at.at, at.marks, at.parent.marks);
      generalise(at.at, at.marks);
      at = at.parent;
    }
  }
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
  const frames = frameCount(m.state);
  let pc = m.pc;
  for (let f = frames - 1; f >= 0; f -= 1) {
    const set = live[pc] ?? 0;
    for (let r = 0; r < REGISTERS - 1; r += 1) if ((set & (1 << r)) === 0) setNone(registerAt(m.state, f, r));
    pc = returnTo(m.state, f);
  }
}

/**
 * Every finished state, in the order of finishing. Those that covered no other are there too: a generalised state has more paths than the
 * exploration took, and what bounded those bounds these.
 */
function certificateOf(finished: readonly Checkpoint[]): Certificate {
  const nodes = finished.map((checkpoint): CertificateNode => {
    const edges = [...checkpoint.edges].map((to) => to.rank).sort((a, b) => a - b);
    return { pc: checkpoint.pc, state: toBytes(checkpoint.at), edges, loops: [] };
  });
  return { nodes };
}
