/** Every action that a scope has something for. */
import type { Action } from "../../src/kernel/model/actions.ts";
import { ID_KINDS } from "../../src/kernel/model/concrete.ts";
import type { ModelKind } from "../../src/kernel/model/reading.ts";
import { LIST, type Scope } from "./symbolic.ts";

const process = 1;
const INDICES = [0, 1];
/** Where hooks are, in scopes without devices of their own. */
const AT = { process, index: 2 } as const;

/** Every action of process 1 in the scope; processes are alike. */
export function actions(scope: Scope): readonly Action[] {
  const { fds, objects, pins } = scope;
  const numbers = Array.from({ length: fds }, (_, fd) => fd);
  const has = (kind: ModelKind, ...then: readonly Action[]): readonly Action[] =>
    objects.includes(kind) ? then : [];
  return [
    { do: "fork", process },
    { do: "exit", process },
    ...has("map", { do: "create", process, kind: "map" }),
    ...has("prog_array", { do: "create", process, kind: "prog_array" }),
    ...has("program", { do: "load", process, maps: [] }),
    ...has("filter", { do: "load", process, maps: [], kind: "filter" }),
    ...has("cgroup_skb", { do: "load", process, maps: [], kind: "cgroup_skb" }),
    ...has(
      "classifier",
      { do: "load", process, maps: [], kind: "classifier" },
      { do: "declassify", ...AT, point: "filters/1" },
      { do: "discipline", ...AT, manner: "create" },
      { do: "no_discipline", ...AT },
    ),
    ...has("unix", { do: "socketpair", process }),
    ...has("udp", { do: "socket", process }),
    ...(scope.points.includes("list/0") ? [] : scope.points).flatMap((point): readonly Action[] => [
      { do: "detach", ...AT, point },
      ...numbers.flatMap((fd): readonly Action[] => [
        { do: "attach", ...AT, fd, point },
        { do: "link", ...AT, fd, point },
      ]),
    ]),
    ...numbers.flatMap((fd): readonly Action[] => [
      ...has("outer", { do: "outer", process, inner: fd }),
      ...has("unix", { do: "receive", process, fd }),
      ...has("filter", { do: "unfilter", process, fd }),
      ...numbers.flatMap((value) => [
        ...has("unix", { do: "send", process, fd, value }),
        ...has("filter", { do: "filter", process, fd, value }),
      ]),
      ...has("program", ...ofPrograms(scope, fd, numbers)),
      ...has("classifier", ...ofLists(scope, fd, numbers)),
      ...has("link", { do: "unlink_link", process, fd }),
      ...numbers.flatMap((value) => has("link", { do: "update_link", process, fd, value })),
      ...has("cgroup_skb", ...ofCgroup(fd, numbers)),
      ...has("network", { do: "enter_net", process, fd }, { do: "move_device", ...AT, fd }),
      { do: "close", process, fd },
      { do: "dup", process, fd },
      ...pins.map((path): Action => ({ do: "pin", process, fd, path })),
    ]),
    ...pins.flatMap((path): readonly Action[] => [
      { do: "get", process, path },
      { do: "unlink", process, path },
      ...has("directory", { do: "mkdir", process, path }, { do: "rmdir", process, path }),
      ...pins
        .filter((from) => from !== path)
        .flatMap((from): readonly Action[] => [
          { do: "rename", process, from, path },
          { do: "name", process, from, path },
        ]),
    ]),
    ...has("mounts", { do: "unshare", process }),
    ...(scope.mounts ?? []).flatMap((path): readonly Action[] => [
      { do: "mount", process, path },
      { do: "umount", process, path },
      ...(scope.mounts ?? [])
        .filter((from) => from !== path)
        .map((from): Action => ({ do: "bind", process, from, path })),
    ]),
    ...has("network", { do: "unshare_net", process }, { do: "open_net", process }),
    ...has("device", { do: "pair", process, indices: [2, 3] }, { do: "delete_device", ...AT }),
    ...(scope.directories ?? []).flatMap((path): readonly Action[] => [
      { do: "cgroup_create", process, path },
      { do: "cgroup_remove", process, path },
      { do: "cgroup_open", process, path },
    ]),
    ...objects.flatMap((kind, index): readonly Action[] => {
      const ids = ID_KINDS[kind];
      const hasIds = ids === "map" || ids === "program" || ids === "link";
      return hasIds ? [{ do: "open", process, kind: ids, id: index + 1 }] : [];
    }),
  ];
}

function ofPrograms({ objects, uses }: Scope, fd: number, numbers: readonly number[]): readonly Action[] {
  const arrays = objects.includes("prog_array") || objects.includes("outer");
  return [
    ...(uses > 0 ? [{ do: "load", process, maps: [fd] } as const] : []),
    ...INDICES.map((index): Action => ({ do: "delete", process, fd, index })),
    ...numbers.flatMap((value) =>
      INDICES.map((index): Action => ({ do: "update", process, fd, index, value })),
    ),
    ...(uses > 0 ? numbers.map((other): Action => ({ do: "load", process, maps: [fd, other] })) : []),
  ].filter((action) => arrays || action.do === "load");
}

const ofLists = ({ hooks = [] }: Scope, fd: number, numbers: readonly number[]): readonly Action[] => [
  ...hooks.flatMap((hook): readonly Action[] => [
    ...numbers.flatMap((other): readonly Action[] => [
      { do: "relist", ...AT, fd, hook, old: other },
      { do: "list", ...AT, fd, hook, beside: other },
    ]),
    { do: "list", ...AT, fd, hook },
    { do: "list_link", ...AT, fd, hook },
    { do: "unlist", ...AT, fd, hook },
  ]),
  { do: "load", process, maps: [fd], kind: "classifier" },
  { do: "classify", ...AT, fd, point: "filters/1", exclusive: true },
  { do: "classify", ...AT, fd, point: "filters/1", exclusive: false },
];

const ofCgroup = (cgroup: number, numbers: readonly number[]): readonly Action[] =>
  numbers.flatMap((fd): readonly Action[] => [
    { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "single" },
    { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "override" },
    { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "multi" },
    { do: "cgroup_link", process, cgroup, fd, hook: LIST },
    { do: "cgroup_detach", process, cgroup, fd, hook: LIST },
    ...numbers.map((old): Action => ({ do: "cgroup_replace", process, cgroup, fd, hook: LIST, old })),
  ]);
