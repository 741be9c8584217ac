/**
 * Calls of helpers that call back. Such a call takes several steps, all at its own instruction:
 *
 * - the first checks the arguments and puts into RUNS (state.ts) how often the helper will call back at most,
 * - each further one forks: either the helper calls the function, with one run less to go, or it ends with a result.
 *
 * When the function exits, the state stands at the call again, with RUNS in it. So a call that calls back is a loop like any other, whose counter
 * is RUNS. Meanwhile r1 to r5 are the helper's copy of its arguments: no other instruction of the frame is executed.
 *
 * What a state with RUNS stands for has the helper stop early, too: that is what it does when the function returns 1. A state without stands at the call's
 * start.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import {
  type CallingBack,
  callbackArguments,
  MAX_LOOPS,
  MAX_SAMPLES,
} from "../../../semantics/helpers/callbacks.ts";
import type { Instruction } from "../../../semantics/isa/instruction.ts";
import { MAP_FLAGS } from "../../../semantics/program/map-types.ts";
import { ARRAY, CALLBACK } from "../../callbacks.ts";
import { addOrigins, demand } from "../../origins.ts";
import {
  copyRegister,
  copyScalarPart,
  KIND,
  kindOf,
  objectOf,
  setConstant,
  setId,
  setNone,
  setPointer,
  setScalar,
  umaxOf,
  uminOf,
  unlink,
} from "../../register.ts";
import { tightAluOperator } from "../../scalar/operators.ts";
import { pushFrame, RUNS, registerAt, setCallback, takeId, unpack } from "../../state.ts";
import { countDown, setAtMost } from "../countdown.ts";
import { DYNPTR } from "../dynptr-slots.ts";
import { typesOf } from "../kernel-object.ts";
import {
  currentFrame,
  type Machine,
  mapAt,
  onForked,
  register,
  SCRATCH,
  STEP,
  type Step,
} from "../machine.ts";
import { holdsLock } from "../map-fields.ts";
import type { CallFacts } from "./facts.ts";
import { requireDepth } from "./function.ts";
import { checkCall, endCall } from "./helper.ts";

/** Executes one step of the call. */
export function callBack(m: Machine, insn: Instruction, name: CallingBack): Step {
  const call = checkCall(m, insn);
  const frame = currentFrame(m);
  const runs = registerAt(m.state, frame, RUNS);
  const callee = registerAt(m.state, frame, callbackArguments(name).function);
  if (kindOf(callee) !== KIND.func) throw new Error("the argument has been checked");
  if (kindOf(runs) === KIND.none) {
    setRuns(m, name, call, runs);
    return STEP.next;
  }
  unpack(m.state, m.forked);
  if (!countDown(m, runs)) {
    unpack(m.forked, m.state);
    demand(m.marks, runs);
    end(m, call);
    m.pc += 1;
    return STEP.next;
  }
  onForked(m, () => end(m, call));
  m.forkedPc = m.pc + 1;
  enter(m, name, call, objectOf(callee));
  return STEP.fork;
}

/** The helper returns. */
function end(m: Machine, call: CallFacts): void {
  setNone(registerAt(m.state, currentFrame(m), RUNS));
  endCall(m, call);
}

// --- How often

function setRuns(m: Machine, name: CallingBack, call: CallFacts, runs: number): void {
  switch (name) {
    case "loop":
      return setLoops(register(m, 1), runs);
    case "for_each_map_elem":
      return setAtMost(runs, elementsOf(m, call));
    case "find_vma":
      return setAtMost(runs, 1);
    case "user_ringbuf_drain":
      return setAtMost(runs, MAX_SAMPLES);
  }
}

/** The low half of `count`: so many runs, or none if they are too many. */
function setLoops(count: number, at: number): void {
  if (kindOf(count) !== KIND.scalar) return setAtMost(at, MAX_LOOPS);
  copyRegister(count, at);
  unlink(at);
  setScalar(at);
  setConstant(SCRATCH.operand, -1, 0);
  tightAluOperator("and", 64)(count, SCRATCH.operand, SCRATCH.value);
  copyScalarPart(SCRATCH.value, at);
  if (umaxOf(at) <= MAX_LOOPS) return;
  if (uminOf(at) > MAX_LOOPS) setConstant(SCRATCH.left, 0, 0);
  else setAtMost(SCRATCH.left, MAX_LOOPS);
  copyScalarPart(SCRATCH.left, at);
}

/**
 * Elements that a map has at most. Inner maps may be greater than their shape says, but for arrays that do not allow for it; that one
 * does not have more than MAX_LOOPS elements is assumed.
 */
function elementsOf(m: Machine, { mapIndex }: CallFacts): number {
  const { type, flags, maxEntries } = mapAt(m, mapIndex);
  const isShape = mapIndex >= m.program.maps.length;
  if (isShape && (type !== "array" || (flags & MAP_FLAGS.inner_map) !== 0)) return MAX_LOOPS;
  if (maxEntries > MAX_LOOPS) throw new Unsupported(`for_each_map_elem over more than ${MAX_LOOPS} elements`);
  return maxEntries;
}

// --- The function

/** Maps that are gone through without an RCU read section: their elements are there as long as they are. */
const ARRAYS: ReadonlySet<string> = new Set(["array", "percpu_array"]);

/** Calls the function that begins at `start`. */
function enter(m: Machine, name: CallingBack, call: CallFacts, start: number): void {
  requireDepth(m);
  const caller = currentFrame(m);
  const callee = pushFrame(m.state, start, m.pc);
  const ofArray = name === "for_each_map_elem" && ARRAYS.has(mapAt(m, call.mapIndex).type);
  setCallback(m.state, callee, CALLBACK[name], ofArray ? ARRAY : 0);
  setNone(registerAt(m.state, caller, 0));
  const at = (register: number): number => registerAt(m.state, callee, register);
  const context = registerAt(m.state, caller, callbackArguments(name).context);
  switch (name) {
    case "loop":
      setIndex(at(1), registerAt(m.state, caller, 1));
      copyRegister(context, at(2));
      break;
    case "for_each_map_elem":
      setElement(m, call.mapIndex, at(2), at(3));
      copyRegister(registerAt(m.state, caller, 1), at(1));
      copyRegister(context, at(4));
      break;
    case "find_vma":
      copyRegister(registerAt(m.state, caller, 1), at(1));
      setArea(m, at(2));
      copyRegister(context, at(3));
      break;
    case "user_ringbuf_drain":
      // The record's memory is the map's, which outlives the program; the dynptr of it is the kernel's, and gone after the run.
      setPointer(at(1), KIND.dynptr, DYNPTR.local);
      copyRegister(context, at(2));
      break;
  }
  m.pc = start;
}

/** How many runs there were before: less than there are in all. */
function setIndex(at: number, count: number): void {
  setLoops(count, SCRATCH.right);
  const limit = umaxOf(SCRATCH.right);
  setAtMost(at, Math.max(limit - 1, 0));
  // What is known of the index rests on what is known of the number.
  if (kindOf(count) === KIND.scalar) addOrigins(count, at);
}

function setElement(m: Machine, mapIndex: number, key: number, value: number): void {
  setPointer(key, KIND.mapKey, mapIndex);
  setPointer(value, KIND.mapValue, mapIndex);
  if (holdsLock(mapAt(m, mapIndex))) setId(value, takeId(m.state));
}

function setArea(m: Machine, at: number): void {
  const struct = typesOf(m).structId("vm_area_struct");
  if (struct === undefined) throw new Unsupported("kernel objects of type vm_area_struct");
  setPointer(at, KIND.btf, struct);
}
