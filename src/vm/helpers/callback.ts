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
  MAX_SAMPLES,
} from "../../semantics/helpers/callbacks.ts";
import { E2BIG, EAGAIN, EINVAL, ENODATA } from "../errno.ts";
import type { Sample } from "../maps/user-ring-buffer.ts";
import { Dynptr } from "../objects/dynptr.ts";
import type { Run } from "../run.ts";
import type { CallInProgress, RegisterCopy, State } from "../state.ts";
import { Call } from "./call.ts";

/** How often the function shall be called, and with what: `next` sets its arguments, in its frame, or is nothing if there is no more. */
interface Plan {
  readonly runs: number;
  readonly next: (index: number) => (() => void) | undefined;
  /** `runs` is only what is to be expected: it is `next` that says when there is no more. */
  readonly unbounded?: boolean;
  /** The error number with which the helper ends at once. */
  readonly refusal?: number;
  /** The result in the end (default: how often the function was called). */
  readonly result?: (done: number) => number;
  /** Takes the function's result, and says whether that is the end (default: it is not 0). */
  readonly answer?: (r0: bigint) => boolean;
}

/** BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP. */
const WAKEUP_FLAGS = 3n;

const nothing = (): undefined => undefined;

/** bpf_loop, once its arguments are known to be good. */
export function loopPlan(state: State, runs: number, context: RegisterCopy): Plan {
  return {
    runs,
    next: (index) => () => {
      state.setNumber(1, BigInt(index));
      state.setCopy(2, context);
    },
  };
}

const PLANS: { readonly [name in CallingBack]?: (call: Call) => Plan } = {
  loop(call) {
    const runs = call.u32(1, "nr_loops");
    const flags = call.u64(4, "flags");
    if (runs > MAX_LOOPS) return { runs: 0, next: nothing, refusal: flags === 0n ? E2BIG : EINVAL };
    if (flags !== 0n) return { runs, next: nothing, refusal: EINVAL };
    return loopPlan(call.state, runs, call.state.copyOf(3));
  },
  for_each_map_elem(call) {
    const map = call.map(1);
    const flags = call.u64(4, "flags");
    if (map.kind !== "values")
      throw new Unsupported(`for_each_map_elem over a map of type ${map.definition.type}`);
    if (flags !== 0n) return { runs: 0, next: nothing, refusal: EINVAL };
    const { state, cpu } = call;
    const context = state.copyOf(3);
    const elements = map.elements(cpu)[Symbol.iterator]();
    return {
      runs: map.definition.maxEntries,
      unbounded: true,
      next() {
        const step = elements.next();
        if (step.done === true) return undefined;
        const [key, value] = step.value;
        return () => {
          state.setPointer(1, state.mapRegion(map), 0);
          state.setPointer(2, state.keyRegion(map, key), 0);
          state.setPointer(3, state.valueRegion(map, key, value), 0);
          state.setCopy(4, context);
        };
      },
    };
  },
  user_ringbuf_drain(call) {
    const map = call.map(1);
    if (map.kind !== "user_ring") return call.refuse(1, "map", `is a map of type ${map.definition.type}`);
    if ((call.u64(4, "flags") & ~WAKEUP_FLAGS) !== 0n) return { runs: 0, next: nothing, refusal: EINVAL };
    const { state } = call;
    const context = state.copyOf(3);
    let [seen, error] = [0, 0];
    let sample: Sample | undefined;
    return {
      runs: MAX_SAMPLES,
      next() {
        let found = map.peek();
        // What user space has withdrawn is passed over, and counts as looked at.
        for (; found === EAGAIN && seen < MAX_SAMPLES; seen += 1) found = map.peek();
        if (typeof found === "number" || seen >= MAX_SAMPLES) {
          if (typeof found === "number" && found !== ENODATA && found !== EAGAIN) error = found;
          return undefined;
        }
        seen += 1;
        sample = found;
        const { bytes } = found;
        return () => {
          const place = { kind: "record", map: map.definition.name } as const;
          const memory = state.space.region({ place, bytes });
          const dynptr = new Dynptr({ kind: "local", region: memory, offset: 0 }, bytes.length);
          const region = state.opaqueRegion({ kind: "kept", what: dynptr.what });
          state.slots.lend(region, dynptr);
          state.setPointer(1, region, 0);
          state.setCopy(2, context);
        };
      },
      answer(r0) {
        if (sample !== undefined) map.release(sample);
        return r0 !== 0n;
      },
      result: (done) => (error === 0 ? done : error),
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

/** Begins a call that calls the function at `entry` as planned, of which it has done so `done` times already. */
export function startCalling(state: State, entry: number, plan: Plan, done = 0): void {
  const { runs, next, refusal, result, answer, unbounded = false } = plan;
  state.frame.calling = {
    entry,
    next,
    left: runs - done,
    unbounded,
    done,
    stopped: false,
    answer: answer ?? ((r0) => r0 !== 0n),
    result: (done) => refusal ?? result?.(done) ?? done,
    arguments: [1, 2, 3, 4, 5].map((register) => state.copyOf(register)),
  };
}

/** Calls the function once more, and gives its first instruction; or ends the call with its result in r0. */
export function goOnCalling(state: State, calling: CallInProgress): number | undefined {
  const prepare =
    (calling.left > 0 || calling.unbounded) && !calling.stopped ? calling.next(calling.done) : undefined;
  if (prepare === undefined) {
    state.frame.calling = undefined;
    state.scratch();
    state.setNumber(0, BigInt(calling.result(calling.done)));
    return undefined;
  }
  calling.left = Math.max(0, calling.left - 1);
  calling.done += 1;
  state.push(state.pc);
  state.scratch();
  prepare();
  return calling.entry;
}
