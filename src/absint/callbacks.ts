/** What calls a function of the program that the program does not call itself: a state has it for each frame (`callbackOf`). */
import type { CallingBack } from "../semantics/helpers/callbacks.ts";
import { KIND, kindOf } from "./register.ts";
import { callbackObject, callbackOf, frameCount, RUNS, registerAt } from "./state.ts";

/** Helpers that call back before they return; the frame goes on at the helper's call, which then calls again or ends. */
export const CALLBACK = {
  loop: 1,
  for_each_map_elem: 2,
  find_vma: 3,
  user_ringbuf_drain: 5,
} as const satisfies Readonly<Record<CallingBack, number>>;

/** `callbackObject` of what bpf_for_each_map_elem calls for an array's elements. */
export const ARRAY = 1;

/**
 * In the first frame: a timer in a value of the map `callbackObject` has called the function, when the program that set it had long ended. So the state is
 * about a run of its own, with no context.
 */
export const TIMER = 4;

/** What compares two nodes while bpf_rbtree_add looks for a place; the frame goes on at the call, as it does with helpers that call back. */
export const LESS = 16;

/** Whether a tree is being changed by whoever has called an active function. */
export function isInLess(state: number): boolean {
  for (let f = 0; f < frameCount(state); f += 1) if (callbackOf(state, f) === LESS) return true;
  return false;
}

/**
 * A bit of `callbackObject` besides the map's index: a work queue has called the function, not a timer. So it may sleep, and no RCU section is
 * around it.
 */
export const WORK = 1 << 16;

/** A bit besides that of `WORK`: the function is work that a task does, whose result is any number of 32 bits. */
const TASK = 1 << 17;
export const TASK_WORK = WORK | TASK;

/** The map in whose value the timer, work queue or task work is that has begun the run. */
export const mapOfTimer = (state: number): number => callbackObject(state, 0) & ~TASK_WORK;

/** Whether the state is about work that a task does. */
export const isOfTask = (state: number): boolean =>
  isOfTimer(state) && (callbackObject(state, 0) & TASK) !== 0;

/** Helpers that ask who has called the program: nobody has, where a timer calls one of its functions. By name, without `bpf_`. */
export const OF_CALLER: ReadonlySet<string> = new Set([
  "get_local_storage",
  "get_retval",
  "set_retval",
  "redirect",
  "redirect_map",
  "redirect_neigh",
  "redirect_peer",
]);

/** Whether the state is about a run that a timer has begun. */
export const isOfTimer = (state: number): boolean => callbackOf(state, 0) === TIMER;

/** Whether the state is about a run that a work queue has begun, or a task. */
export const isOfWork = (state: number): boolean =>
  isOfTimer(state) && (callbackObject(state, 0) & WORK) !== 0;

/** Whether the state stands at the call of a helper that is calling back: in its innermost frame, between two runs. */
export const isCallingBack = (state: number): boolean =>
  kindOf(registerAt(state, frameCount(state) - 1, RUNS)) !== KIND.none;

/** Whether any active function was called by a helper that has not returned yet. */
export function isInCallback(state: number): boolean {
  for (let f = 0; f < frameCount(state); f += 1) if (callbackOf(state, f) !== 0) return true;
  return false;
}

/**
 * What a helper that has not returned yet holds, so that its callbacks must not sleep; `undefined` if nothing: bpf_loop does not, nor what goes through a ring of user space or
 * through an array. Other maps are gone through in an RCU read section, and areas of memory with the lock of the address space.
 */
export function keptAwakeBy(
  state: number,
): "rcu_read_lock" | "mmap_lock" | "bpf_spin_lock" | "timer" | undefined {
  for (let f = 0; f < frameCount(state); f += 1) {
    const by = callbackOf(state, f);
    if (by === TIMER && !isOfWork(state)) return "timer";
    if (by === LESS) return "bpf_spin_lock";
    if (by === CALLBACK.find_vma) return "mmap_lock";
    if (by === CALLBACK.for_each_map_elem && callbackObject(state, f) !== ARRAY) return "rcu_read_lock";
  }
  return undefined;
}
