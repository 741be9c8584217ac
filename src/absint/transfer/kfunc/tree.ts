/**
 * bpf_rbtree_add: while the kernel looks for the place of a new node it asks a function of the program, again and again, which of two nodes comes first. So the
 * call takes several steps, all at its own instruction, as calls of helpers that call back do (call/callback.ts): the first checks the arguments and puts into RUNS how
 * often the function will be asked at most; each further one forks.
 *
 * The function gets two non-owning pointers and nothing else, and the lock stays held while it runs. It leaves trees as they are, since the kernel stands in the middle of one.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import { isInLess, LESS } from "../../callbacks.ts";
import { demand } from "../../origins.ts";
import { FLAG, KIND, kindOf, objectOf, setNone, setOff, setPointer, setUnknown } from "../../register.ts";
import { pushFrame, RUNS, registerAt, setCallback, unpack } from "../../state.ts";
import { requireDepth } from "../call/function.ts";
import { countDown, setAtMost } from "../countdown.ts";
import { currentFrame, type Machine, onForked, readable, register, STEP, type Step } from "../machine.ts";
import { reject } from "../rejection.ts";
import type { KfuncCall } from "./facts.ts";
import { giveAway, type Node, nodeIn, requireOffset, requireOwnedNode } from "./graph.ts";
import { clearArguments, OWNED } from "./own-objects.ts";

/**
 * The most steps from a tree's root to a leaf: at most half of the nodes on a way are red, so that a tree of n nodes has no way longer than 2 log2(n + 1), and there is no
 * memory for 2^64 nodes.
 */
const DEEPEST = 128;

/** Executes one step of the call. */
export function addToTree(m: Machine, call: KfuncCall): Step {
  if (isInLess(m.state)) throw new Unsupported(`kernel function ${call.facts.name} in what compares nodes`);
  const node = nodeIn(m, call, "rb_root");
  requireOwnedNode(m, call, node, "rb_root");
  const less = readable(m, 3);
  if (kindOf(less) !== KIND.func) reject("EINVAL", "arg2 expected pointer to func");
  requireOffset(m, call);
  const start = objectOf(less);
  const runs = registerAt(m.state, currentFrame(m), RUNS);
  if (kindOf(runs) === KIND.none) {
    setAtMost(runs, DEEPEST);
    return STEP.next;
  }
  unpack(m.state, m.forked);
  if (!countDown(m, runs)) {
    unpack(m.forked, m.state);
    demand(m.marks, runs);
    end(m);
    m.pc += 1;
    return STEP.next;
  }
  onForked(m, end);
  m.forkedPc = m.pc + 1;
  enter(m, node, start);
  return STEP.fork;
}

/** The node is in the tree, or it was in another one, and the program's reference is given back: either way it is the program's no longer. */
function end(m: Machine): void {
  setNone(registerAt(m.state, currentFrame(m), RUNS));
  giveAway(m);
  clearArguments(m);
  setUnknown(register(m, 0));
}

/** Calls the function that begins at `start` with the new node and one of the tree. */
function enter(m: Machine, { struct, offset }: Node, start: number): void {
  requireDepth(m);
  const caller = currentFrame(m);
  const callee = pushFrame(m.state, start, m.pc);
  setCallback(m.state, callee, LESS, 0);
  setNone(registerAt(m.state, caller, 0));
  for (const number of [1, 2]) {
    const at = registerAt(m.state, callee, number);
    setPointer(at, OWNED | FLAG.nonOwning, struct);
    setOff(at, offset);
  }
  m.pc = start;
}
