/**
 * `may_goto` jumps when the frame has used up what it may still do, and falls through otherwise: the program says that a loop may end there, the kernel sees to it that
 * it does.
 *
 * The frame's budget (BUDGET, state.ts) is how often it may fall through. It is the most there is until the frame's first `may_goto`. A concrete budget may be
 * anything up to that, so either side is always possible but for a budget that is known to be 0. On x86-64 Linux since 6.15 bounds the time instead: what is claimed of
 * the number of passages does not hold there, and that loops end does.
 */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { KIND, kindOf, rangeOf, setRange } from "../register.ts";
import { BUDGET, ghostAt, ghostCount, overBudget, registerAt, unpack } from "../state.ts";
import { countDown, setAtMost } from "./countdown.ts";
import { currentFrame, type Machine, onForked, STEP, type Step } from "./machine.ts";

/** BPF_MAX_LOOPS. */
const MOST = 8 * 1024 * 1024;

/** The frame's budget has become one less: what was at least as much is more. */
function spend(state: number, frame: number): void {
  for (let g = 0; g < ghostCount(state); g += 1) {
    const at = ghostAt(state, g);
    if (rangeOf(at) === overBudget(frame, 0)) setRange(at, overBudget(frame, 1));
  }
}

/** Forks: the live state jumps, the forked one falls through with one less left. */
export function mayGoto(m: Machine, insn: Instruction): Step {
  const frame = currentFrame(m);
  const budget = registerAt(m.state, frame, BUDGET);
  if (kindOf(budget) === KIND.none) setAtMost(budget, MOST);
  unpack(m.state, m.forked);
  const falls = onForked(m, () => countDown(m, registerAt(m.forked, frame, BUDGET)));
  if (falls) spend(m.forked, frame);
  m.forkedPc = m.pc + 1;
  m.pc += 1 + insn.off;
  return falls ? STEP.fork : STEP.next;
}
