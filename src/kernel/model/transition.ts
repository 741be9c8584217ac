/**
 * What is alive, without counts. There are objects; roots that name them: descriptors of processes, the namespaces that they are in, directories of cgroups; and edges from object to
 * object: a program to the maps that it uses, a program array to the programs in it, an array of maps to its maps, a link to its program, a socket to its program, to what lies in its
 * messages and to the network namespace it was made in; a mount namespace to the file systems in it, a file system to what is pinned there; a network namespace to its devices, a device and
 * a cgroup to the programs that are attached to them alone. An object is alive if and only if it can be reached from a root. A program array that no descriptor, no message and no pin names
 * is empty: nobody could change what is in it. So is a cgroup whose directory is gone.
 *
 * Every action is here once; `reading.ts` says how it is read. An action gives its possible results, of which exactly one applies: a descriptor, a process's
 * number, 0, or a negative error number. Where none applies there was no room for what the action would make.
 */
import { E2BIG, EBADF, EINVAL, ENOENT, ENOTSUPP, ESRCH } from "../../vm/errno.ts";
import { type Action, type ObjectAction, type OpenKind, PLACES, PROGRAM_KINDS } from "./actions.ts";
import { actOnCgroup } from "./cgroups.ts";
import { actOnFiles } from "./files.ts";
import { actOnHook } from "./hooks.ts";
import { actOnNetwork } from "./networks.ts";
import type { Reading } from "./reading.ts";
import { settle } from "./settle.ts";
import { actOnSocket } from "./sockets.ts";
import { type Case, Step } from "./step.ts";

/** What goes after every action, because nothing keeps it any more. */
type Settle<B, V> = (reading: Reading<B, V>) => void;

/** The object that an id of `open` stands for; nothing if there never was one. */
type Find<V> = (kind: OpenKind, id: number) => V;

/**
 * One action in a state that is read and written by the reading.
 * @param settling  by what can be reached, unless another way of finding out is to be held against that
 */
export function take<B, V>(
  reading: Reading<B, V>,
  action: Action,
  find: Find<V>,
  settling: Settle<B, V> = settle,
): readonly Case<B>[] {
  const step = new Step(reading);
  step.refuse(reading.not(reading.runs(action.process)), ESRCH);
  act(step, action, find);
  settling(reading);
  return step.cases;
}

function act<B, V>(step: Step<B, V>, action: Action, find: Find<V>): void {
  switch (action.do) {
    case "fork":
      return fork(step, action.process);
    case "exit":
      return exit(step, action.process);
    case "close":
      step.refuse(step.isNothing(step.fd(action.process, action.fd)), EBADF);
      step.clear({ of: "fd", process: action.process, fd: action.fd });
      return step.conclude();
    case "dup": {
      const object = step.fd(action.process, action.fd);
      step.refuse(step.isNothing(object), EBADF);
      return step.give(action.process, object);
    }
    case "create":
    case "outer":
    case "load":
    case "update":
    case "delete":
    case "open":
      return actOnObject(step, action, find);
    case "socketpair":
    case "socket":
    case "receive":
    case "unfilter":
    case "send":
    case "filter":
      return actOnSocket(step, action);
    case "pin":
    case "get":
    case "unlink":
    case "mkdir":
    case "rmdir":
    case "mount":
    case "umount":
    case "rename":
    case "name":
    case "bind":
    case "unshare":
      return actOnFiles(step, action);
    case "attach":
    case "link":
    case "detach":
    case "list":
    case "list_link":
    case "unlist":
    case "relist":
    case "update_link":
    case "classify":
    case "declassify":
    case "discipline":
    case "no_discipline":
    case "unlink_link":
      return actOnHook(step, action);
    case "unshare_net":
    case "open_net":
    case "enter_net":
    case "pair":
    case "delete_device":
    case "move_device":
      return actOnNetwork(step, action);
    case "cgroup_create":
    case "cgroup_remove":
    case "cgroup_open":
    case "cgroup_attach":
    case "cgroup_link":
    case "cgroup_replace":
    case "cgroup_detach":
      return actOnCgroup(step, action);
  }
}

/** The namespaces of a process. */
const NAMESPACES = ["network", "mounts"] as const;

function fork<B, V>(step: Step<B, V>, process: number): void {
  const { and, fds, nextProcesses, not, runs, setRuns, write } = step.reading;
  for (const child of nextProcesses()) {
    const now = and(step.open, not(runs(child)));
    for (const fd of fds(process)) write(now, { of: "fd", process: child, fd }, step.fd(process, fd));
    for (const of of NAMESPACES) write(now, { of, process: child }, step.read({ of, process }));
    setRuns(now, child, true);
    step.refuse(now, child);
  }
}

function exit<B, V>(step: Step<B, V>, process: number): void {
  for (const fd of step.reading.fds(process)) step.clear({ of: "fd", process, fd });
  for (const of of NAMESPACES) step.clear({ of, process });
  step.reading.setRuns(step.open, process, false);
  step.conclude();
}

function actOnObject<B, V>(step: Step<B, V>, action: ObjectAction, find: Find<V>): void {
  const { exists, is, not, truth } = step.reading;
  const { process } = action;
  switch (action.do) {
    case "create":
      return step.make(process, action.kind, () => undefined);
    case "outer": {
      const inner = step.map(process, action.inner);
      step.refuse(is(inner, "outer"), EINVAL);
      step.refuse(is(inner, "prog_array"), ENOTSUPP);
      return step.make(process, "outer", () => undefined);
    }
    case "load": {
      const maps = action.maps.map((fd) => step.map(process, fd));
      return step.make(process, action.kind ?? "program", (program) => {
        for (const [index, map] of maps.entries()) step.write({ of: "use", program, index }, map);
      });
    }
    case "update": {
      const array = step.map(process, action.fd);
      if (action.index >= PLACES) return step.refuse(truth(true), E2BIG);
      step.refuse(is(array, "map"), 0);
      const slot = { of: "slot", array, index: action.index } as const;
      step.where(is(array, "outer"), () => {
        const inner = step.map(process, action.value);
        step.refuse(not(is(inner, "map")), EINVAL);
        step.write(slot, inner);
        step.conclude();
      });
      const program = step.fd(process, action.value);
      step.refuse(step.isNothing(program), EBADF);
      // An array takes programs of one type: `Model` says that it does not know mixtures.
      step.refuse(not(step.isOf(program, PROGRAM_KINDS)), EINVAL);
      step.write(slot, program);
      return step.conclude();
    }
    case "delete": {
      const array = step.map(process, action.fd);
      step.refuse(is(array, "map"), EINVAL);
      if (action.index >= PLACES) return step.refuse(truth(true), E2BIG);
      const slot = { of: "slot", array, index: action.index } as const;
      step.refuse(step.isNothing(step.read(slot)), ENOENT);
      step.clear(slot);
      return step.conclude();
    }
    case "open": {
      const object = find(action.kind, action.id);
      step.refuse(not(exists(object)), ENOENT);
      return step.give(process, object);
    }
  }
}
