/** Wrong ways of counting, each with an action that shows it. */
import type { Action } from "../../src/kernel/model/actions.ts";
import type { Fault } from "./counting.ts";
import { BINDS, CGROUPS, HOLDERS, HOOKS, MOUNTS, NAMESPACES, SOCKETS } from "./scopes.ts";
import { LIST, type Scope } from "./symbolic.ts";

export interface WrongWay {
  readonly fault: Fault;
  readonly shownBy: Action;
  /** In which it is shown; SMALL, if none is named. */
  readonly scope?: Scope;
  /** Of the scopes with namespaces, cgroups and mounts: whether it takes about a second, so that every run of the tests can show it. */
  readonly quick?: true;
}

const process = 1;
const AT = { process, index: 2 } as const;

export const FAULTS: readonly WrongWay[] = [
  { fault: { noHold: "fd" }, shownBy: { do: "fork", process } },
  { fault: { noHold: "pin" }, shownBy: { do: "pin", process, fd: 0, path: "a" } },
  { fault: { noHold: "slot" }, shownBy: { do: "update", process, fd: 0, index: 0, value: 1 } },
  { fault: { noHold: "use" }, shownBy: { do: "load", process, maps: [0] } },
  { fault: { noHold: "target" }, shownBy: { do: "link", ...AT, fd: 0, point: "x" } },
  { fault: { noHold: "attachment" }, shownBy: { do: "attach", ...AT, fd: 0, point: "x" } },
  { fault: { noPut: "fd" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { noPut: "pin" }, shownBy: { do: "unlink", process, path: "a" } },
  { fault: { noPut: "slot" }, shownBy: { do: "delete", process, fd: 0, index: 0 } },
  { fault: { noPut: "use" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { noPut: "target" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { noPut: "attachment" }, shownBy: { do: "detach", ...AT, point: "x" } },
  { fault: { doublePut: "fd" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { doublePut: "slot" }, shownBy: { do: "delete", process, fd: 0, index: 0 } },
  { fault: { pinIsNoUser: true }, shownBy: { do: "pin", process, fd: 0, path: "a" } },
  { fault: { neverCleared: true }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { freedTooEarly: true }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { notFreed: "map" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { notFreed: "link" }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { leftStanding: true }, shownBy: { do: "close", process, fd: 0 } },
  { fault: { noHold: "message" }, shownBy: { do: "send", process, fd: 0, value: 1 }, scope: SOCKETS },
  { fault: { noPut: "message" }, shownBy: { do: "receive", process, fd: 0 }, scope: SOCKETS },
  { fault: { neverCollected: true }, shownBy: { do: "close", process, fd: 0 }, scope: SOCKETS },
  { fault: { messageIsNoUser: true }, shownBy: { do: "send", process, fd: 0, value: 1 }, scope: SOCKETS },
  { fault: { noHold: "filter" }, shownBy: { do: "filter", process, fd: 0, value: 1 }, scope: HOLDERS },
  { fault: { noPut: "filter" }, shownBy: { do: "close", process, fd: 0 }, scope: HOLDERS },
  { fault: { noPut: "attachment" }, shownBy: { do: "no_discipline", ...AT }, scope: HOOKS },
  { fault: { noHold: "target" }, shownBy: { do: "update_link", process, fd: 0, value: 1 }, scope: HOOKS },
  {
    fault: { noPut: "attachment" },
    shownBy: { do: "relist", ...AT, fd: 0, hook: "list", old: 1 },
    scope: HOOKS,
  },

  // --- Namespaces
  { fault: { noHold: "network" }, shownBy: { do: "fork", process }, scope: NAMESPACES },
  { fault: { noPut: "network" }, shownBy: { do: "exit", process }, scope: NAMESPACES },
  { fault: { noPut: "network" }, shownBy: { do: "unshare_net", process }, scope: NAMESPACES },
  { fault: { noHold: "home" }, shownBy: { do: "socket", process }, scope: NAMESPACES },
  { fault: { noPut: "home" }, shownBy: { do: "close", process, fd: 0 }, scope: NAMESPACES },
  { fault: { noHold: "device" }, shownBy: { do: "move_device", ...AT, fd: 0 }, scope: NAMESPACES },
  { fault: { noPut: "device" }, shownBy: { do: "delete_device", ...AT }, scope: NAMESPACES },
  { fault: { noPut: "attachment" }, shownBy: { do: "unshare_net", process }, scope: NAMESPACES },
  { fault: { twinStays: true }, shownBy: { do: "exit", process }, scope: NAMESPACES, quick: true },
  { fault: { notFreed: "network" }, shownBy: { do: "enter_net", process, fd: 0 }, scope: NAMESPACES },

  // --- Cgroups
  {
    fault: { attachedUntilClosed: true },
    shownBy: { do: "cgroup_remove", process, path: "a" },
    scope: CGROUPS,
    quick: true,
  },
  {
    fault: { noHold: "attachment" },
    shownBy: { do: "cgroup_attach", process, cgroup: 0, fd: 1, hook: LIST, mode: "single" },
    scope: CGROUPS,
  },
  {
    fault: { noPut: "attachment" },
    shownBy: { do: "cgroup_attach", process, cgroup: 0, fd: 1, hook: LIST, mode: "override" },
    scope: CGROUPS,
  },
  {
    fault: { noPut: "attachment" },
    shownBy: { do: "cgroup_detach", process, cgroup: 0, fd: 1, hook: LIST },
    scope: CGROUPS,
  },
  {
    fault: { noHold: "attachment" },
    shownBy: { do: "cgroup_replace", process, cgroup: 0, fd: 1, hook: LIST, old: 1 },
    scope: CGROUPS,
  },
  { fault: { noHold: "parent" }, shownBy: { do: "cgroup_create", process, path: "b" }, scope: CGROUPS },
  { fault: { noPut: "parent" }, shownBy: { do: "close", process, fd: 0 }, scope: CGROUPS },
  { fault: { noPut: "listed" }, shownBy: { do: "cgroup_remove", process, path: "a" }, scope: CGROUPS },
  { fault: { leftStanding: true }, shownBy: { do: "close", process, fd: 0 }, scope: CGROUPS },

  // --- Mounts
  { fault: { noHold: "mounts" }, shownBy: { do: "fork", process }, scope: MOUNTS },
  { fault: { noPut: "mounts" }, shownBy: { do: "exit", process }, scope: MOUNTS },
  { fault: { noHold: "mount" }, shownBy: { do: "unshare", process }, scope: MOUNTS, quick: true },
  { fault: { noPut: "mount" }, shownBy: { do: "umount", process, path: "/d" }, scope: MOUNTS },
  { fault: { noPut: "mount" }, shownBy: { do: "rmdir", process, path: "/d" }, scope: MOUNTS },
  { fault: { noPut: "pin" }, shownBy: { do: "umount", process, path: "/d" }, scope: MOUNTS },
  { fault: { pinIsNoUser: true }, shownBy: { do: "pin", process, fd: 0, path: "/d/a" }, scope: MOUNTS },
  { fault: { noPut: "pin" }, shownBy: { do: "rename", process, from: "/a", path: "/d/a" }, scope: MOUNTS },
  { fault: { noHold: "pin" }, shownBy: { do: "name", process, from: "/a", path: "/d/a" }, scope: MOUNTS },
  { fault: { noHold: "mount" }, shownBy: { do: "bind", process, from: "/d", path: "/e" }, scope: BINDS },
  { fault: { notFreed: "files" }, shownBy: { do: "umount", process, path: "/d" }, scope: MOUNTS },
];
