/** Executes one path again on abstract states: what an explanation looks at, since a verdict keeps only the instructions. */
import { reset } from "../../absint/arena.ts";
import { initialise, unpack } from "../../absint/state.ts";
import { beginFunction } from "../../absint/transfer/call/global.ts";
import { createMachine, type Machine, STEP } from "../../absint/transfer/machine.ts";
import { Rejection } from "../../absint/transfer/rejection.ts";
import { step } from "../../absint/transfer/step.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";

export interface ReplayVisitor {
  /** Before the instruction at position `index` of the path. */
  readonly before?: (m: Machine, index: number) => void;
  /** After it; not after the last one, if that is refused. */
  readonly after?: (m: Machine, index: number) => void;
}

/**
 * Replays `path`, the instructions from the start of the program or of a global function on. The machine that is returned stands where the path ends, or at the
 * instruction that was refused; undefined if the path is not one of the program's.
 *
 * @returns the machine and the message of the refusal, if there was one
 */
export function replay(
  program: Program,
  path: readonly number[],
  { before, after }: ReplayVisitor,
  rules: Rules,
): { readonly machine: Machine; readonly message: string | undefined } | undefined {
  reset();
  const m = createMachine(program, rules);
  const callee = m.globals.get(path[0] ?? 0);
  if (callee === undefined) initialise(m.state);
  else beginFunction(m, callee);
  m.pc = callee?.start ?? 0;
  for (const [index, pc] of path.entries()) {
    if (m.pc !== pc) return undefined;
    before?.(m, index);
    let outcome: number;
    try {
      outcome = step(m);
    } catch (error) {
      if (!(error instanceof Rejection) || index !== path.length - 1) return undefined;
      m.pc = pc;
      return { machine: m, message: error.message };
    }
    const next = path[index + 1];
    if (outcome === STEP.fork && next !== undefined && m.pc !== next && m.forkedPc === next) {
      unpack(m.forked, m.state);
      m.pc = next;
    }
    after?.(m, index);
    if (outcome === STEP.exit) break;
  }
  return { machine: m, message: undefined };
}
