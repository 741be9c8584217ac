/**
 * Helpers that call a function of the program. The interpreter comes to such a call again and again: the first time it begins, then each time
 * the function is called once more, until the helper has its result.
 */
import { Unsupported } from "../../semantics/errors.ts";
import {
  type CallingBack,
  callbackArguments,
  helperCallingBack,
  MAX_LOOPS,
} from "../../semantics/helpers/callbacks.ts";
import { E2BIG, EINVAL } from "../errno.ts";
import type { Run } from "../run.ts";
import type { CallInProgress, State } from "../state.ts";
import { Call } from "./call.ts";

/** How often the function shall be called, and with what: `next` sets its arguments, in its frame, or is nothing if there is no more. */
interface Plan {
  readonly runs: number;
  readonly next: (index: number) => (() => void) | undefined;
  /** The error number with which the helper ends at once. */
  readonly refusal?: number;
  /** The result in the end (default: how often the function was called). */
  readonly result?: (done: number) => number;
  /** Takes the function's result, and says whether that is the end (default: it is not 0). */
  readonly answer?: (r0: bigint) => boolean;
}

const nothing = (): undefined => undefined;

const PLANS: { readonly [name in CallingBack]?: (call: Call) => Plan } = {
  loop(call) {
    const runs = call.u32(1, "nr_loops");
    const flags = call.u64(4, "flags");
    if (runs > MAX_LOOPS) return { runs: 0, next: nothing, refusal: flags === 0n ? E2BIG : EINVAL };
    if (flags !== 0n) return { runs, next: nothing, refusal: EINVAL };
    const { state } = call;
    const context = state.copyOf(3);
    return {
      runs,
      next: (index) => () => {
        state.setNumber(1, BigInt(index));
        state.setCopy(2, context);
      },
    };
  },
  for_each_map_elem(call) {
    const map = call.map(1);
    const flags = call.u64(4, "flags");
    if (map.kind !== "values")
      throw new Unsupported(`for_each_map_elem over a map of type ${map.definition.type}`);
    if (flags !== 0n) return { runs: 0, next: nothing, refusal: EINVAL };
    const { state, cpu } = call;
    const context = state.copyOf(3);
    const keys = map.entries().map(([key]) => key);
    let at = 0;
    return {
      runs: keys.length,
      next() {
        // What has been deleted meanwhile is passed over.
        for (; at < keys.length; ) {
          const key = keys[at] ?? new Uint8Array(0);
          const value = map.find(key, cpu);
          at += 1;
          if (value === undefined) continue;
          return () => {
            state.setPointer(1, state.mapRegion(map), 0);
            state.setPointer(2, state.keyRegion(map, key), 0);
            state.setPointer(3, state.valueRegion(map, key, value), 0);
            state.setCopy(4, context);
          };
        }
        return undefined;
      },
    };
  },
};

/** Begins the call at `state.pc`: takes its arguments. */
export function beginCalling(run: Run, id: number): void {
  const { state } = run;
  const name = helperCallingBack(id);
  if (name === undefined) throw new Error(`helper ${id} does not call back`);
  const call = new Call(name, run);
  const entry = call.functionStart(callbackArguments(name).function);
  const make = PLANS[name];
  if (make === undefined) throw new Unsupported(`the helper ${name}`);
  call.initialised(callbackArguments(name).context, "callback_ctx");
  startCalling(state, entry, make(call));
}

/** Begins a call that calls the function at `entry` as planned. */
export function startCalling(state: State, entry: number, plan: Plan): void {
  const { runs, next, refusal, result, answer } = plan;
  state.frame.calling = {
    entry,
    next,
    left: runs,
    done: 0,
    stopped: false,
    answer: answer ?? ((r0) => r0 !== 0n),
    result: (done) => refusal ?? result?.(done) ?? done,
    arguments: [1, 2, 3, 4, 5].map((register) => state.copyOf(register)),
  };
}

/** Calls the function once more, and gives its first instruction; or ends the call with its result in r0. */
export function goOnCalling(state: State, calling: CallInProgress): number | undefined {
  const prepare = calling.left > 0 && !calling.stopped ? calling.next(calling.done) : undefined;
  if (prepare === undefined) {
    state.frame.calling = undefined;
    state.scratch();
    state.setNumber(0, BigInt(calling.result(calling.done)));
    return undefined;
  }
  calling.left -= 1;
  calling.done += 1;
  state.push(state.pc);
  state.scratch();
  prepare();
  return calling.entry;
}
