/**
 * Tail calls in functions that the program calls. Another program takes the function's place, not the whole program's: when it ends, the function's
 * caller goes on, with the other program's result in r0. A packet may be another then. In callbacks of helpers, and in what these call, there are none.
 */
import { setUnknown } from "../../register.ts";
import { popFrame, registerAt, returnTo, unpack } from "../../state.ts";
import { endLent } from "../lent.ts";
import { currentFrame, type Machine, STEP, type Step } from "../machine.ts";
import { forgetPackets } from "../privileges.ts";

/**
 * Forks behind a tail call in a frame other than the first: the live state goes on in the function, as nothing has come of the call; the other one stands where
 * the function's caller does.
 */
export function leaveByTailCall(m: Machine): Step {
  const frame = currentFrame(m);
  unpack(m.state, m.forked);
  m.forkedPc = returnTo(m.forked, frame);
  setUnknown(registerAt(m.forked, frame - 1, 0));
  endLent(m, m.forked);
  popFrame(m.forked);
  forgetPackets(m, m.forked);
  return STEP.fork;
}
