/** Kernel functions on work queues and work of tasks: what they call runs as soon as the program is over, when the clock is next looked at. */
import { EBUSY, EINVAL } from "../errno.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { setCallback, setUp, timerAt } from "../helpers/timer.ts";
import { keep, keptIn } from "../objects/field.ts";
import { objectAt } from "../objects/own.ts";
import { schedule, Timer } from "../objects/timer.ts";

function start(call: Call): number {
  const work = timerAt(call, "work");
  if (call.u32(2, "flags") !== 0) return EINVAL;
  if (work?.callback === undefined) return EINVAL;
  schedule(work, call.now);
  return 0;
}

/** Work that the task of r1 does when it next returns to user space. */
function scheduleTaskWork(call: Call): number {
  objectAt(call, 1, "task");
  const region = call.region(2, "tw");
  const place = call.state.things.fieldAt(region, call.state.offset(2, region), ["task_work"]);
  if (place === undefined) return call.refuse(2, "tw", "is no task_work");
  const map = call.map(3);
  const entry = call.functionStart(4);
  const found = keptIn(place);
  const work = found instanceof Timer ? found : new Timer("task_work", map, place.cell);
  if (work.callback !== undefined) return EBUSY;
  keep(place, work);
  work.callback = { loaded: call.state.loaded, entry };
  schedule(work, call.now);
  return 0;
}

export const WORK_FUNCTIONS: HelperTable = {
  bpf_wq_init(call) {
    timerAt(call, "work");
    if (call.u32(3, "flags") === 0) return setUp(call, "work");
    call.map(2);
    return EINVAL;
  },
  bpf_wq_set_callback: (call) => setCallback(call, "work"),
  bpf_wq_start: start,
  bpf_task_work_schedule_signal: scheduleTaskWork,
  bpf_task_work_schedule_resume: scheduleTaskWork,
};
