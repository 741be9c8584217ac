/**
 * Buffers on the stack of a function that was called, which slices may lie in: such a slice goes where the function's frame goes. It carries the buffer's place
 * (references.ts) as its reference, and the buffer's slots are shared, so that nothing else that has a place comes to lie there.
 */
import { isPlaceId, placeFrame } from "../references.ts";
import { KIND, kindOf, objectOf, referenceOf } from "../register.ts";
import { callbackOf, frameCount, sharedSlots } from "../state.ts";
import { DYNPTR } from "./dynptr-slots.ts";
import type { Machine } from "./machine.ts";
import { endPointers, keepsPointers } from "./privileges.ts";

/**
 * The innermost frame of `state` is about to be left: slices that may lie in it are none any more, and if it is a callback's, no dynptr that the kernel has
 * made for this run of it.
 */
export function endLent(m: Machine, state = m.state): void {
  const frame = frameCount(state) - 1;
  if (callbackOf(state, frame) !== 0 && keepsPointers(m)) {
    endPointers(m, (at) => kindOf(at) === KIND.dynptr && objectOf(at) === DYNPTR.local, state);
  }
  if (sharedSlots(state, frame).every((bits) => bits === 0)) return;
  const isLent = (at: number): boolean => {
    const id = referenceOf(at);
    return isPlaceId(id) && placeFrame(id) === frame;
  };
  endPointers(m, isLent, state);
}
