/** What ours knows along a whole program beside what the kernel does: each of the two computes with its own bounds from the start. */
import { reset } from "../../src/absint/arena.ts";
import { KIND, kindOf } from "../../src/absint/register.ts";
import { initialise, registerAt, unpack } from "../../src/absint/state.ts";
import { createMachine, STEP } from "../../src/absint/transfer/machine.ts";
import { step } from "../../src/absint/transfer/step.ts";
import type { StateLog } from "../../src/oracle/linux/state-log.ts";
import { COMPARED, plainOf, precisionOf } from "./kernel-bounds.ts";
import { type BoundsProgram, X, Y } from "./kernel-programs.ts";
import { type Plain, read } from "./scalars.ts";

/** A number of which ours knows less than the kernel. */
export interface Loss {
  readonly pc: number;
  readonly register: number;
  readonly ours: Plain;
  readonly kernel: Plain;
}

export interface PathComparison {
  /** States of registers that both know. */
  readonly compared: number;
  /** Of them, those of which ours knows more in some component. */
  readonly more: number;
  /** Ours found out that the path is not gone at all. */
  readonly impossible: boolean;
  /** The first place where ours knows less. */
  readonly loss?: Loss;
}

/** Follows the first path of the log, which goes on where jumps are not taken if it can. */
export function comparePath({ program }: BoundsProgram, log: StateLog): PathComparison {
  const steps = log.paths[0]?.steps ?? [];
  reset();
  const m = createMachine(program);
  initialise(m.state);
  let [compared, more] = [0, 0];
  for (const [i, { pc, after }] of steps.entries()) {
    // Where the kernel splits a state its first path knows more than any one state can.
    const splits = log.paths.some(({ from, start }) => from === pc && start === pc);
    const next = steps[i + 1]?.pc;
    if (splits || next === undefined || after === undefined) break;
    if (step(m) === STEP.fork && m.forkedPc === next) {
      unpack(m.forked, m.state);
      m.pc = next;
    }
    if (m.pc !== next) return { compared, more, impossible: true };
    for (const register of [X, Y]) {
      const held = after.registers.get(register);
      const at = registerAt(m.state, 0, register);
      if (held?.kind !== "scalar" || kindOf(at) !== KIND.scalar) continue;
      const [ours, kernel] = [read(at), plainOf(held.bounds)];
      const verdicts = COMPARED.map((component) => precisionOf(component, ours, kernel));
      compared += 1;
      if (verdicts.some((verdict) => verdict === "less" || verdict === "incomparable")) {
        return { compared, more, impossible: false, loss: { pc, register, ours, kernel } };
      }
      if (verdicts.includes("more")) more += 1;
    }
  }
  return { compared, more, impossible: false };
}
