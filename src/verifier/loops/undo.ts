/** Going back: what the trial of a loop has left is taken away, all of it or what rests on the loop. */
import { release } from "../../absint/arena.ts";
import { unpack } from "../../absint/state.ts";
import type { Checkpoint, Origin, Trial } from "../checkpoint.ts";
import type { Exploration } from "../exploration.ts";
import { releaseFinished } from "../finished.ts";
import { removeSeen } from "../seen.ts";

/** Goes back to where a trial began, as if it had not been. */
export function undo(x: Exploration, origin: Origin): void {
  const { progress } = x;
  const free = ({ at, bytes }: { readonly at: number; readonly bytes: number }): void => release(at, bytes);
  x.pending.splice(origin.pending).forEach(free);
  for (const { left } of x.trials.splice(origin.trials)) left.forEach(free);
  for (const made of x.made.splice(origin.made)) discard(x, made);
  x.finished.length = origin.finished;
  x.stackUse.restore(origin.stackUse);
  x.wasted = origin.wasted + progress.processed - origin.processed;
  goBack(x, origin);
}

/**
 * Goes back to where a trial began all of whose paths have been explored. What was found out since stays, unless it rests on the head of the loop, or on one
 * inside that is not finished either.
 */
export function undoLoop(x: Exploration, { origin, closedAt }: Trial): void {
  const depth = origin.inside.length;
  const stays = ({ rank, loops }: Checkpoint): boolean =>
    rank >= 0 && loops.every((loop, i) => i < depth || loop.rank >= 0);
  x.trials.length = origin.trials;
  const finished = x.finished.splice(origin.finished).filter(stays);
  for (const made of x.made.splice(origin.made)) {
    if (stays(made)) x.made.push(made);
    else discard(x, made);
  }
  for (const each of finished) {
    each.rank = x.finished.length;
    x.finished.push(each);
  }
  x.wasted += closedAt - origin.processed;
  goBack(x, origin);
}

/** A checkpoint is taken for none. */
function discard(x: Exploration, checkpoint: Checkpoint): void {
  const { pc, at, bytes, finished } = checkpoint;
  const seen = x.seen.get(pc);
  const index = seen?.checkpoints.lastIndexOf(checkpoint) ?? -1;
  if (seen !== undefined && index >= 0) removeSeen(seen, index);
  if (at !== 0) release(at, bytes);
  if (finished !== 0) releaseFinished(finished);
}

/** The path stands where a trial began. */
function goBack(x: Exploration, origin: Origin): void {
  const { m, progress } = x;
  progress.path.cut(origin.pathLength);
  unpack(origin.at, m.state);
  m.pc = origin.pc;
  m.marks = origin.checkpoint.marks;
  x.current = origin.checkpoint;
  x.inside = origin.inside;
}
