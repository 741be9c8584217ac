/** Packets that move: helpers and functions that change them leave no pointer into them valid. */
import { FLAG, hasFlag, isPacketPointer, KIND, kindOf, setUnknown } from "../register.ts";
import { forEachRegister } from "../state.ts";

/** Whether a pointer of the kind goes with the packet. */
export const isInPacket = (kind: number): boolean =>
  isPacketPointer(kind) || kind === KIND.packetEnd || hasFlag(kind, FLAG.inPacket);

/** Pointers into a packet that may have moved are numbers from now on, in all frames of `state`. */
export function forgetPackets(state: number): void {
  forEachRegister(state, (at) => {
    if (isInPacket(kindOf(at))) setUnknown(at);
  });
}
