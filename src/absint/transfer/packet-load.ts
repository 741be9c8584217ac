/**
 * The legacy packet loads. Where the packet does not have the bytes, such a load is the end of the function that it is in, with 0 as the result: the kernel
 * replaces the instruction by a call and, behind it, `r0 = 0; exit` for that case. So in the main function the program ends, and a function's caller goes on.
 * Linux 6.12 and 7.3 do, in test runs on a packet that is too short.
 */
import type { Instruction, Operation } from "../../semantics/isa/instruction.ts";
import { KIND, kindOf, setConstant, setNone, setScalar, setUnknown } from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import { callbackOf, popFrame, registerAt, returnTo, unpack } from "../state.ts";
import { requireUnmoved } from "./access.ts";
import { requireNothingHeld } from "./call/function.ts";
import { endLent } from "./lent.ts";
import { currentFrame, type Machine, readable, register, STEP, type Step } from "./machine.ts";
import { reject } from "./rejection.ts";

type PacketLoad = Extract<Operation, { kind: "packet" }>;

/** Types of programs that have a packet to be loaded from so. */
const TYPES: ReadonlySet<string> = new Set(["socket_filter", "sched_cls", "sched_act"]);

/** Executes a load. In a function that was called it forks: the caller goes on where the packet is too short. */
export function loadPacket(m: Machine, insn: Instruction, { mode, size }: PacketLoad): Step {
  if (!TYPES.has(m.program.type)) {
    reject("EINVAL", "BPF_LD_[ABS|IND] instructions not allowed for this program type");
  }
  requireNothingHeld(m, "BPF_LD_[ABS|IND]");
  if (kindOf(readable(m, 6)) !== KIND.context) {
    reject("EINVAL", "at the time of BPF_LD_ABS|IND R6 != pointer to skb");
  }
  if (mode === "ind") readable(m, insn.src);
  // What the kernel makes of the load takes the address in R6 for the packet's buffer.
  requireUnmoved({ number: 6, at: register(m, 6), off: 0 }, "ctx");
  const forks = currentFrame(m) > 0;
  if (forks) leave(m);
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  const r0 = register(m, 0);
  setUnknown(r0);
  unknownScalarAt(r0, size * 8);
  m.pc += 1;
  return forks ? STEP.fork : STEP.next;
}

/** The forked state is the caller's, with 0 as the function's result; a helper that has called the function back takes that for "go on". */
function leave(m: Machine): void {
  const frame = currentFrame(m);
  unpack(m.state, m.forked);
  m.forkedPc = returnTo(m.forked, frame);
  if (callbackOf(m.forked, frame) === 0) {
    const r0 = registerAt(m.forked, frame - 1, 0);
    setConstant(r0, 0, 0);
    setScalar(r0);
  }
  endLent(m, m.forked);
  popFrame(m.forked);
}
