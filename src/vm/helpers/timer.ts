/** Timers in map values: set up, started and cancelled by programs. What they call runs when the clock is set forward between runs (`timers.ts`). */
import { EBUSY, EDEADLK, EINVAL } from "../errno.ts";
import { keep, keptIn } from "../objects/field.ts";
import { schedule, Timer, type TimerKind, unschedule } from "../objects/timer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** CLOCK_REALTIME, CLOCK_MONOTONIC and CLOCK_BOOTTIME (linux/time.h). */
const CLOCKS: ReadonlySet<bigint> = new Set([0n, 1n, 7n]);
const ABSOLUTE = 1n;
const PINNED = 2n;

const FIELD: { readonly [K in TimerKind]: string } = {
  timer: "timer",
  work: "workqueue",
  task_work: "task_work",
};

/** Where the timer that r1 points to lies. */
function fieldAt(call: Call, kind: TimerKind): NonNullable<ReturnType<Call["state"]["things"]["fieldAt"]>> {
  const region = call.region(1, "timer");
  const place = call.state.things.fieldAt(region, call.state.offset(1, region), [FIELD[kind]]);
  return place ?? call.refuse(1, "timer", `is no ${FIELD[kind]}`);
}

/** The timer that r1 points to; nothing if it was not set up. */
export function timerAt(call: Call, kind: TimerKind): Timer | undefined {
  const found = keptIn(fieldAt(call, kind));
  return found instanceof Timer ? found : undefined;
}

/** Sets up a timer in the value of the map of r2. */
export function setUp(call: Call, kind: TimerKind): number {
  const place = fieldAt(call, kind);
  const map = call.map(2);
  if (keptIn(place) !== undefined) return EBUSY;
  keep(place, new Timer(kind, map, place.cell));
  return 0;
}

function init(call: Call): number {
  fieldAt(call, "timer");
  if (!CLOCKS.has(call.u64(3, "flags"))) {
    call.map(2);
    return EINVAL;
  }
  return setUp(call, "timer");
}

/** What the timer will call: a function of the program. */
export function setCallback(call: Call, kind: TimerKind): number {
  const timer = timerAt(call, kind);
  const entry = call.functionStart(2);
  if (timer === undefined) return EINVAL;
  timer.callback = { loaded: call.state.loaded, entry };
  return 0;
}

function start(call: Call): number {
  const timer = timerAt(call, "timer");
  const delay = call.u64(2, "nsecs");
  const flags = call.u64(3, "flags");
  if ((flags & ~(ABSOLUTE | PINNED)) !== 0n) return EINVAL;
  if (timer?.callback === undefined) return EINVAL;
  schedule(timer, (flags & ABSOLUTE) === 0n ? call.now + delay : delay);
  return 0;
}

/** Says whether it was waiting. What it calls has to be set anew. */
function cancel(call: Call): number {
  const timer = timerAt(call, "timer");
  if (timer === undefined) return EINVAL;
  if (timer === call.run.timer) return EDEADLK;
  timer.callback = undefined;
  return unschedule(timer) ? 1 : 0;
}

export const TIMER_HELPERS: HelperTable = {
  timer_init: init,
  timer_set_callback: (call) => setCallback(call, "timer"),
  timer_start: start,
  timer_cancel: cancel,
};
