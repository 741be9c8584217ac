/**
 * Work queues in map values: begun with the map that they are in, given a function, and started. The function runs by itself later, as one that a timer
 * calls (call/timer.ts), but may sleep. So does work that a task shall do, which is scheduled with the map that it is in and its function at once.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import type { KfuncValue } from "../../../semantics/profile/profile.ts";
import { KIND, kindName, kindOf, objectOf } from "../../register.ts";
import { requireUnmoved } from "../access.ts";
import { type Machine, register, type Target } from "../machine.ts";
import { requireTaskWork, requireWork } from "../map-fields.ts";
import { reject } from "../rejection.ts";
import { type KfuncCall, ofWork } from "./facts.ts";

/** Whether the function of that name gives a work queue its function. */
export const setsWork = (name: string): boolean => /^bpf_wq_set_callback(?:_impl)?$/.test(name);

/** Whether the function of that name gives a task work. */
export const setsTaskWork = (name: string): boolean =>
  /^bpf_task_work_schedule_(?:signal|resume)(?:_impl)?$/.test(name);

export function requireMapValue({ at, number }: Target): void {
  if (kindOf(at) !== KIND.mapValue) reject("EINVAL", `arg#${number - 1} doesn't point to a map value`);
}

/** An argument that is a work queue. */
export function checkWork(m: Machine, _call: KfuncCall, _value: KfuncValue, target: Target): void {
  requireMapValue(target);
  requireWork(m, target);
  // Which inner map it is would have to be known.
  if (objectOf(target.at) >= m.program.maps.length) throw new Unsupported("work queues in inner maps");
}

/** An argument that is work of a task. */
export function checkTaskWork(m: Machine, _call: KfuncCall, _value: KfuncValue, target: Target): void {
  requireMapValue(target);
  requireTaskWork(m, target);
  if (objectOf(target.at) >= m.program.maps.length) throw new Unsupported("task work in inner maps");
}

/** The map of the work queue in the first argument, or of the task work in the second. */
export function checkMapOfWork(m: Machine, { facts }: KfuncCall, _value: KfuncValue, target: Target): void {
  if (!ofWork(facts.name)) throw new Unsupported(`a map as argument of kernel function ${facts.name}`);
  const { at, number } = target;
  if (kindOf(at) !== KIND.map) reject("EINVAL", `pointer in R${number} isn't map pointer`);
  const isTask = setsTaskWork(facts.name);
  if (objectOf(at) === objectOf(register(m, number - 1))) return;
  const what = isTask ? "bpf_task_work" : "workqueue";
  reject(
    "EINVAL",
    `${what} pointer in R${number - 1} map_uid=0 doesn't match map pointer in R${number} map_uid=0`,
  );
}

/** The function that the work queue shall call, or the task. */
export function checkWorkFunction(
  _m: Machine,
  { facts }: KfuncCall,
  _value: KfuncValue,
  target: Target,
): void {
  if (!setsWork(facts.name) && !setsTaskWork(facts.name)) {
    throw new Unsupported(`a callback as argument of kernel function ${facts.name}`);
  }
  if (kindOf(target.at) !== KIND.func) reject("EINVAL", `arg${target.number - 1} expected pointer to func`);
  requireUnmoved(target, kindName(KIND.func));
}
