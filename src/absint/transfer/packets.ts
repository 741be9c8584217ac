/** Packets that move: helpers and functions that change them leave no pointer into them valid. */
import type { KfuncFacts } from "../../semantics/profile/profile.ts";
import { FLAG, hasFlag, isPacketPointer, KIND } from "../register.ts";

/** Kernel functions that change the packet, of which the kernel tells so nowhere. */
const MOVERS: ReadonlySet<string> = new Set(["bpf_xdp_pull_data"]);

/** Whether packet pointers are stale after a call of the kernel function. */
export const movesPacket = ({ name, changesPacket }: Pick<KfuncFacts, "name" | "changesPacket">): boolean =>
  changesPacket === true || MOVERS.has(name);

/** Functions that leave what a dynptr stands for as it is. */
const READS =
  /^bpf_dynptr_(?:from_skb|from_xdp|from_skb_meta|size|is_null|is_rdonly|clone|adjust|slice|slice_rdwr)$/;

/** Whether a call of the function may write through a dynptr, whatever it is of. */
export const mayWriteDynptr = ({ name, args }: KfuncFacts): boolean =>
  !READS.test(name) && args.some(({ to }) => to === "struct bpf_dynptr");

/** Whether a pointer of the kind goes with the packet. */
export const isInPacket = (kind: number): boolean =>
  isPacketPointer(kind) || kind === KIND.packetEnd || hasFlag(kind, FLAG.inPacket);
