/** What programs have set to be called later is called, between runs: an operation of the machine, when its clock is set forward. */
import { AddressSpace } from "./address-space.ts";
import { Context } from "./context.ts";
import type { Environment } from "./environment.ts";
import { interpret } from "./interpreter.ts";
import type { RunResult } from "./machine.ts";
import type { MapStorage } from "./maps/map.ts";
import { firstDue, type Timer, unschedule } from "./objects/timer.ts";
import { Run } from "./run.ts";
import { type RunOptions, State } from "./state.ts";

/** More calls than a clock set forward may lead to: a timer may start itself again. */
const MOST_CALLS = 10_000;

const OPTIONS: RunOptions = { budget: 10_000_000, uninitialisedStack: "fault", generated: true };

/** The key under which a map holds a value; nothing if it does no longer. */
function keyOf({ map, cell }: Timer): Uint8Array | undefined {
  if (map.kind !== "values") return undefined;
  for (const [key, value] of map.elements(0)) if (value === cell) return key;
  return undefined;
}

function call(timer: Timer, environment: Environment): RunResult | undefined {
  const { map, cell, callback, kind } = timer;
  const key = keyOf(timer);
  if (callback === undefined || key === undefined) return undefined;
  if (kind === "task_work") timer.callback = undefined;
  const space = new AddressSpace();
  try {
    const layout = { struct: "bpf_timer", size: 0, fields: [] };
    const input = { context: new Context(space, layout, new Uint8Array(0)) };
    const state = new State(callback.loaded, space, input, environment, OPTIONS);
    const run = new Run(state);
    run.timer = timer;
    state.pc = callback.entry;
    state.setPointer(1, state.mapRegion(map), 0);
    state.setPointer(2, state.keyRegion(map, key), 0);
    state.setPointer(3, state.valueRegion(map, key, cell), 0);
    const fault = interpret(run, undefined);
    const { printed } = run;
    if (fault !== undefined) return { outcome: "fault", fault, printed, steps: state.steps };
    const effects = { clones: run.clones };
    return { outcome: "exit", r0: state.value(0), pointer: false, effects, printed, steps: state.steps };
  } finally {
    space.release();
  }
}

/**
 * Calls what is due in the maps until `nowNs`, in the order of the times, each with the clock at its own; what these start that is due by then, too.
 *
 * @param environment  of each call; its clock and context are no matter
 * @returns how each call ended
 */
export function advance(
  maps: readonly MapStorage[],
  nowNs: bigint,
  environment: Environment = {},
): readonly RunResult[] {
  const results: RunResult[] = [];
  for (let calls = 0; calls < MOST_CALLS; calls += 1) {
    const first = firstDue(maps, nowNs);
    if (first === undefined) return results;
    unschedule(first.timer);
    const result = call(first.timer, { ...environment, clockNs: first.due });
    if (result !== undefined) results.push(result);
  }
  throw new Error(`timers called ${MOST_CALLS} times: one starts itself again at once`);
}
