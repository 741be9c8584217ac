/**
 * Buffers on the stack of a function that was called, which slices may lie in: such a slice goes where the function's frame goes. It carries the buffer's place
 * (references.ts) as its reference, and the buffer's slots are shared, so that nothing else that has a place comes to lie there.
 */
import { isPlaceId, placeFrame } from "../references.ts";
import { referenceOf } from "../register.ts";
import { frameCount, sharedSlots } from "../state.ts";
import type { Machine } from "./machine.ts";
import { endPointers } from "./privileges.ts";

/** The innermost frame of `state` is about to be left: slices that may lie in it are none any more. */
export function endLent(m: Machine, state = m.state): void {
  const frame = frameCount(state) - 1;
  if (sharedSlots(state, frame).every((bits) => bits === 0)) return;
  const isLent = (at: number): boolean => {
    const id = referenceOf(at);
    return isPlaceId(id) && placeFrame(id) === frame;
  };
  endPointers(m, isLent, state);
}
