/** Executes one path again on abstract states: what an explanation looks at, since a verdict keeps only the instructions. */
import { reset } from "../../absint/arena.ts";
import { initialise, unpack } from "../../absint/state.ts";
import { beginFunction } from "../../absint/transfer/call/global.ts";
import { beginTimerCallback } from "../../absint/transfer/call/timer.ts";
import { createMachine, type Machine, STEP } from "../../absint/transfer/machine.ts";
import { holdsTimer } from "../../absint/transfer/map-fields.ts";
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

/** How often the sides of forks are guessed again. */
const MOST_GUESSES = 256;

/** For each position of a fork whose sides go on at the same instruction: whether the path took the forked one. */
type Sides = Map<number, boolean>;

interface Replayed {
  readonly machine: Machine;
  readonly message: string | undefined;
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
  visitor: ReplayVisitor,
  rules: Rules,
): Replayed | undefined {
  const sides: Sides = new Map();
  // Only an iterator that is asked for an element forks without a jump.
  const guesses = (program.kfuncs?.length ?? 0) > 0 ? MOST_GUESSES : 0;
  for (let i = 0; i < guesses && follow(program, path, {}, rules, sides)?.message === undefined; i += 1) {
    const last = [...sides].findLast(([, forked]) => !forked)?.[0];
    if (last === undefined) break;
    for (const index of sides.keys()) if (index > last) sides.delete(index);
    sides.set(last, true);
  }
  return follow(program, path, visitor, rules, sides);
}

function follow(
  program: Program,
  path: readonly number[],
  { before, after }: ReplayVisitor,
  rules: Rules,
  sides: Sides,
): Replayed | undefined {
  reset();
  const m = createMachine(program, rules);
  begin(m, path[0] ?? 0);
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
    if (outcome === STEP.fork && next !== undefined && m.forkedPc === next) {
      const forked = m.pc !== next || (sides.get(index) ?? false);
      if (m.pc === next) sides.set(index, forked);
      if (forked) unpack(m.forked, m.state);
      m.pc = next;
    }
    after?.(m, index);
    if (outcome === STEP.exit) break;
  }
  return { machine: m, message: undefined };
}

/** Makes the live state the one that the path begins in. Of what a timer calls the path does not say which map has the timer. */
function begin(m: Machine, start: number): void {
  const callee = m.globals.get(start);
  if (callee !== undefined) return beginFunction(m, callee);
  if (start !== 0) return beginTimerCallback(m, { start, map: Math.max(m.maps.findIndex(holdsTimer), 0) });
  initialise(m.state);
  m.pc = 0;
}
