/**
 * Functions that timers and work queues call, and tasks as work of theirs. Setting one as a timer's callback is no call: the function runs by itself later, each time that the timer fires. It gets the timer's
 * map, and key and value of the element that the timer is in.
 */
import { helperId } from "../../../semantics/helpers/names.ts";
import type { Instruction } from "../../../semantics/isa/instruction.ts";
import { mapOfTimer, TASK_WORK, TIMER, WORK } from "../../callbacks.ts";
import { KIND, kindOf, objectOf, setId, setPointer } from "../../register.ts";
import { clear, pushFrame, registerAt, setCallback, takeId } from "../../state.ts";
import { setsTaskWork, setsWork } from "../kfunc/work.ts";
import { type Machine, mapAt, register } from "../machine.ts";
import { holdsLock } from "../map-fields.ts";

export interface TimerCallback {
  /** The function's first instruction. */
  readonly start: number;
  /** The index of the map with the timer; with `WORK`, of that with the work queue; with `TASK_WORK`, of that with the task work. */
  readonly map: number;
}

const SET_CALLBACK = helperId("timer_set_callback");

/** Whether a call of a helper sets the callback of a timer. */
export const setsTimer = ({ imm }: Instruction): boolean => imm === SET_CALLBACK;

/** What the instruction at which the machine stands, if it is permitted, sets as a timer's callback. */
export function timerCallback(m: Machine, insn: Instruction | undefined): TimerCallback | undefined {
  const operation = insn?.row.operation;
  if (operation?.kind !== "call") return undefined;
  const isTimer = operation.callee === "helper" && insn !== undefined && setsTimer(insn);
  const name = operation.callee === "kfunc" ? (m.kfuncs.get(m.pc) ?? "") : "";
  const isTask = setsTaskWork(name);
  const isWork = setsWork(name);
  if (!isTimer && !isWork && !isTask) return undefined;
  const [timer, callee] = isTask ? [register(m, 2), register(m, 4)] : [register(m, 1), register(m, 2)];
  if (kindOf(timer) !== KIND.mapValue || kindOf(callee) !== KIND.func) return undefined;
  const by = isTask ? TASK_WORK : isWork ? WORK : 0;
  return { start: objectOf(callee), map: objectOf(timer) | by };
}

/** Makes the live state the one that the function begins in. */
export function beginTimerCallback(m: Machine, { start, map: object }: TimerCallback): void {
  clear(m.state);
  pushFrame(m.state, start, -1);
  setCallback(m.state, 0, TIMER, object);
  const map = mapOfTimer(m.state);
  setPointer(registerAt(m.state, 0, 1), KIND.map, map);
  setPointer(registerAt(m.state, 0, 2), KIND.mapKey, map);
  const value = registerAt(m.state, 0, 3);
  setPointer(value, KIND.mapValue, map);
  if (holdsLock(mapAt(m, map))) setId(value, takeId(m.state));
  m.pc = start;
}
