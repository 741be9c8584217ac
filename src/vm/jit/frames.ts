/** The state's frames, brought up to what compiled code has entered and left meanwhile (`../frame-record.ts`). */
import { CALLED_BACK, depthNow, FIRST_FRAME_AT, FRAME, FRAME_SIZE, frameWord } from "../frame-record.ts";
import { loopPlan, startCalling } from "../helpers/callback.ts";
import { memoryView } from "../memory.ts";
import { regionOf } from "../region.ts";
import type { State } from "../state.ts";

/** Makes the state's frames those that there are. */
export function catchUp(state: State): void {
  const depth = depthNow();
  let first = depth;
  while (first > 0 && frameWord(first, FRAME.pending) !== 0) first -= 1;
  // What lies above has been left, or is another frame than it was.
  if (state.depth > first) state.forget(first);
  for (let frame = first + 1; frame <= depth; frame += 1) {
    const pending = frameWord(frame, FRAME.pending);
    if (pending >= CALLED_BACK) resumeLoop(state, frameWord(frame, FRAME.done) + 1);
    state.adopt(pending & (CALLED_BACK - 1));
  }
}

/**
 * Gives the current frame the call of bpf_loop that compiled code is in.
 *
 * @param done  how often it has called its function
 */
export function resumeLoop(state: State, done: number): void {
  const frame = state.depth + 1;
  const at = FIRST_FRAME_AT + FRAME_SIZE * frame + FRAME.context;
  const context = {
    value: memoryView.getBigUint64(at, true),
    tag: regionOf(frameWord(frame, FRAME.contextRegion)),
  };
  const plan = loopPlan(state, frameWord(frame, FRAME.runs), context);
  startCalling(state, frameWord(frame, FRAME.entry), plan, done);
}
