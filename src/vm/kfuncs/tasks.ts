/** Kernel functions on tasks and control groups: those that the environment has. */
import type { Task } from "../environment.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { currentTask } from "../helpers/tasks.ts";
import { drop, giveAway, objectAt, take } from "../objects/own.ts";
import type { Thing } from "../objects/thing.ts";
import { give } from "./own-objects.ts";

/** The tasks there are: the running one, and others that the environment names. */
export function tasksOf(call: Call): readonly Task[] {
  return [currentTask(call), ...(call.state.environment.otherTasks ?? [])];
}

export const taskObject = ({ state }: Call, { pid }: Task): Thing =>
  state.things.kernelObject("task_struct", BigInt(pid));

/** Another reference to an object of the kernel, for the program to give back. */
function acquire(call: Call, thing: Thing): undefined {
  thing.references += 1;
  take(call, thing);
  return give(call, thing);
}

function release(call: Call): undefined {
  const [thing] = objectAt(call, 1, "p");
  giveAway(call, thing);
  drop(call.run, thing);
  return call.noResult();
}

function taskFromPid(call: Call): number | undefined {
  const wanted = call.i32(1, "pid");
  const task = tasksOf(call).find(({ pid }) => pid === wanted);
  return task === undefined ? 0 : acquire(call, taskObject(call, task));
}

/** The ids of the control groups there are, from the root on; each is below the one before it. */
const groupsOf = ({ state: { environment } }: Call): readonly bigint[] => environment.cgroups ?? [1n];

const groupObject = ({ state }: Call, id: bigint): Thing => state.things.kernelObject("cgroup", id);

function groupFromId(call: Call): number | undefined {
  const wanted = call.u64(1, "cgid");
  return groupsOf(call).includes(wanted) ? acquire(call, groupObject(call, wanted)) : 0;
}

function ancestor(call: Call): number | undefined {
  const [thing] = objectAt(call, 1, "cgrp");
  const level = call.i32(2, "level");
  const groups = groupsOf(call);
  const own = groups.findIndex((id) => groupObject(call, id) === thing);
  const id = level >= 0 && level <= own ? groups[level] : undefined;
  return id === undefined ? 0 : acquire(call, groupObject(call, id));
}

const acquireAgain = (call: Call): undefined => acquire(call, objectAt(call, 1, "p")[0]);

export const TASK_FUNCTIONS: HelperTable = {
  bpf_task_from_pid: taskFromPid,
  bpf_task_from_vpid: taskFromPid,
  bpf_task_acquire: acquireAgain,
  bpf_task_release: release,
  bpf_cgroup_from_id: groupFromId,
  bpf_cgroup_acquire: acquireAgain,
  bpf_cgroup_release: release,
  bpf_cgroup_ancestor: ancestor,
  /** The running task, and all others, are in the last control group, and so below all. */
  bpf_task_under_cgroup(call) {
    objectAt(call, 1, "task");
    objectAt(call, 2, "ancestor");
    return 1;
  },
};
