/**
 * The interpreter: one prepared instruction after the other, until the program ends or faults. Generated code (`dispatch/`) goes on as far as it can; what it leaves is executed
 * one by one.
 */
import { dispatch, NEXT_AT } from "./dispatch/module.ts";
import { placeCode } from "./dispatch/place.ts";
import { OP_SIZE } from "./dispatch/record.ts";
import { execute } from "./execute.ts";
import { type Fault, FaultSignal, fault } from "./fault.ts";
import { memoryWords } from "./memory.ts";
import type { Run } from "./run.ts";
import type { State } from "./state.ts";

/** Called before each instruction; `state.pc` says which. */
export type Step = (state: State) => void;

/**
 * How many instructions generated code executes before it comes back: an engine that has compiled it better meanwhile can change over only then.
 */
const STRETCH = 50_000;

function outside(target: number, length: number): never {
  return fault("invalid_jump", `slot ${target} is outside the program of ${length} slots`);
}

/** Lets generated code execute at most `room` instructions of the program whose code is at an index; returns how many those were. */
function advance(state: State, at: number, room: number): number {
  const left = dispatch(at + OP_SIZE * state.pc, room);
  state.pc = ((memoryWords[NEXT_AT >> 2] ?? 0) - at) / OP_SIZE;
  state.steps += room - left;
  return room - left;
}

/**
 * Runs from `state.pc` to the end. Returns a fault, or `undefined` if the program ended with its result in r0.
 *
 * @param depth  the frame whose end is the end of it, by the frame being left: 0 for the program's
 * @throws Unsupported  where the program does something that the machine does not model
 */
export function interpret(run: Run, step: Step | undefined, depth = 0): Fault | undefined {
  const { state } = run;
  const { budget, generated } = state.options;
  let { ops } = state.loaded;
  let at = placeCode(state.space, ops);
  try {
    for (;;) {
      if (ops !== state.loaded.ops) {
        ({ ops } = state.loaded);
        at = placeCode(state.space, ops);
      }
      if (generated && step === undefined && ops[state.pc]?.plain === true) {
        advance(state, at, Math.min(STRETCH, budget - state.steps));
      }
      const op = ops[state.pc];
      if (op === undefined) return outside(state.pc, ops.length);
      if (state.steps === budget) fault("budget", `no end after ${budget} instructions`);
      if (step !== undefined) {
        step(state);
        if (generated && op.plain && advance(state, at, 1) === 1) continue;
      }
      state.steps += 1;
      const next = execute(run, op);
      if (next === undefined) {
        run.ended = true;
        return undefined;
      }
      state.pc = next;
      if (state.depth < depth) return undefined;
    }
  } catch (error) {
    if (!(error instanceof FaultSignal)) throw error;
    return { ...error.fault, insn: state.pc, program: state.loaded.program.name };
  }
}
