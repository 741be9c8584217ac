/**
 * All interleavings of all operations in a small scope, breadth first: from every state that can be reached, every operation, on the runtime and on the model. States that
 * differ only in the names of processes, descriptors, objects, pins and places are one state; the runtime is brought to it by the operations that first led there.
 */
import { isDeepStrictEqual } from "node:util";
import { type Action, PLACES } from "../../src/kernel/model/actions.ts";
import { State } from "../../src/kernel/model/concrete.ts";
import { observationOf, unknownIn } from "../../src/kernel/model/model.ts";
import {
  MODEL_KINDS,
  type ModelKind,
  type Place,
  keyOf as placeKey,
} from "../../src/kernel/model/reading.ts";
import { take as transit } from "../../src/kernel/model/transition.ts";
import { Runtime } from "../../src/kernel/runtime.ts";
import { DEVICE, DEVICES, operationOf } from "./operations.ts";

/** How much there may be at a time. */
export interface Limits {
  readonly processes: number;
  /** Descriptors of each process. */
  readonly fds: number;
  readonly pins: readonly string[];
  readonly points: readonly string[];
  /** Directories of cgroups beneath the root. */
  readonly cgroups?: readonly string[];
  /** Names at which file systems may be mounted. */
  readonly mounts?: readonly string[];
  readonly objects: Readonly<Record<ModelKind, number>>;
}

const NONE: Limits["objects"] = {
  map: 0,
  prog_array: 0,
  outer: 0,
  program: 0,
  filter: 0,
  classifier: 0,
  cgroup_skb: 0,
  other: 0,
  link: 0,
  unix: 0,
  udp: 0,
  // What there is at the beginning.
  cgroup: 1,
  network: 1,
  device: 2,
  mounts: 1,
  files: 1,
  directory: 0,
};

/** The scope that is gone through. */
export const LIMITS: Limits = {
  processes: 2,
  fds: 3,
  pins: ["/a", "/b"],
  points: ["xdp"],
  objects: { ...NONE, map: 2, prog_array: 1, program: 2, link: 1 },
};

/** Sockets in each other's messages, and what else lies there. */
export const SOCKET_LIMITS: Limits = {
  processes: 2,
  fds: 4,
  pins: ["/a"],
  points: [],
  objects: { ...NONE, prog_array: 1, program: 1, unix: 4 },
};

/** Sockets with programs, arrays of maps. */
export const HOLDER_LIMITS: Limits = {
  processes: 1,
  fds: 4,
  pins: ["/a"],
  points: [],
  objects: { ...NONE, map: 2, outer: 1, program: 1, filter: 1, udp: 1 },
};

/** A device that goes from namespace to namespace, with what is attached to it, and a socket that keeps where it was made. */
export const NAMESPACE_LIMITS: Limits = {
  processes: 2,
  fds: 3,
  pins: [],
  points: ["xdp"],
  objects: { ...NONE, network: 2, program: 1, link: 1, udp: 1 },
};

/** A cgroup, one beneath it and one beside it. */
export const CGROUP_LIMITS: Limits = {
  processes: 1,
  fds: 4,
  pins: [],
  points: [],
  cgroups: ["a", "a/b"],
  objects: { ...NONE, cgroup: 3, cgroup_skb: 2, link: 1 },
};

/** File systems in directories of the first one, seen from two mount namespaces. */
export const MOUNT_LIMITS: Limits = {
  processes: 2,
  fds: 2,
  pins: ["/d", "/d/a"],
  points: [],
  mounts: ["/d"],
  objects: { ...NONE, mounts: 2, files: 2, directory: 1, prog_array: 1, program: 1 },
};

/** Scopes by the names that the script has for them. */
export const EXPLORED: Readonly<Record<string, Limits>> = {
  all: LIMITS,
  sockets: SOCKET_LIMITS,
  holders: HOLDER_LIMITS,
  namespaces: NAMESPACE_LIMITS,
  cgroups: CGROUP_LIMITS,
  mounts: MOUNT_LIMITS,
};

export interface Difference {
  readonly trace: readonly Action[];
  readonly what: string;
}

/** A state by the actions that lead to it. */
export interface Reached {
  readonly key: string;
  readonly trace: readonly Action[];
}

export interface Expanded {
  readonly reached: readonly Reached[];
  /** Operations done. */
  readonly steps: number;
  readonly differences: readonly Difference[];
}

function take(state: State, action: Action): number {
  const cases = transit(state, action, (kind, id) => state.find(kind, id));
  return cases.find(({ when }) => when)?.result ?? 0;
}

/** The devices are there from the beginning. */
function firstState(): State {
  const state = new State();
  take(state, { do: "pair", process: 1, indices: [DEVICE, DEVICE + 1] });
  return state;
}

function stateAfter(trace: readonly Action[]): State {
  const state = firstState();
  for (const action of trace) take(state, action);
  return state;
}

function runtimeAfter(trace: readonly Action[]): Runtime {
  const runtime = new Runtime();
  for (const operation of [...DEVICES, ...trace.map(operationOf)]) runtime.do(operation);
  return runtime;
}

/** Where everything begins. */
export const startOf = (limits: Limits): Reached => ({ key: keyOf(firstState(), limits), trace: [] });

/** Every operation in every one of the states, on both sides. */
export function expand(traces: readonly (readonly Action[])[], limits: Limits): Expanded {
  const reached = new Map<string, Reached>();
  const differences: Difference[] = [];
  let steps = 0;
  for (const trace of traces) {
    const before = stateAfter(trace);
    const own = keyOf(before, limits);
    // What changes nothing is done on one runtime, one after the other.
    let still = runtimeAfter(trace);
    for (const action of actionsIn(before, limits)) {
      if (unknownIn(before, action) !== undefined) continue;
      const after = new State(before);
      const result = take(after, action);
      if (!fits(after, limits)) continue;
      steps += 1;
      const key = keyOf(after, limits);
      const changed = key !== own || result >= 0;
      const runtime = changed ? runtimeAfter(trace) : still;
      const what = differenceOf(runtime, action, result, after);
      if (what !== undefined) {
        differences.push({ trace: [...trace, action], what });
        still = runtimeAfter(trace);
      }
      if (!reached.has(key)) reached.set(key, { key, trace: [...trace, action] });
    }
  }
  return { reached: [...reached.values()], steps, differences };
}

function differenceOf(runtime: Runtime, action: Action, result: number, after: State): string | undefined {
  const answer = runtime.do(operationOf(action)).result;
  if (answer !== result) return `the runtime answers ${answer}, the model ${result}`;
  const [ours, models] = [runtime.observe(), observationOf(after)];
  if (!isDeepStrictEqual(ours, models)) return "what is alive, open or pinned differs";
  return runtime.audit()[0];
}

/** Every operation of every process that runs. */
function actionsIn(state: State, limits: Limits): readonly Action[] {
  const { fds, objects: most, pins, points } = limits;
  const numbers = Array.from({ length: fds }, (_, fd) => fd);
  const indices = Array.from({ length: PLACES }, (_, index) => index);
  const objects = state.objects().flatMap((number) => state.object(number) ?? []);
  return state.processes().flatMap((process): readonly Action[] => {
    const open = numbers.filter((fd) => state.read({ of: "fd", process, fd }) !== state.nothing);
    // One descriptor that is not open stands for all of them.
    const some = [...open, fds];
    const where = (kind: ModelKind, ...then: readonly Action[]): readonly Action[] =>
      most[kind] > 0 ? then : [];
    const more = (kind: ModelKind, ...then: readonly Action[]): readonly Action[] =>
      most[kind] > NONE[kind] ? then : [];
    return [
      { do: "fork", process },
      { do: "exit", process },
      ...where("map", { do: "create", process, kind: "map" }),
      ...where("prog_array", { do: "create", process, kind: "prog_array" }),
      ...where("program", { do: "load", process, maps: [] }),
      ...where("filter", { do: "load", process, maps: [], kind: "filter" }),
      ...where("unix", { do: "socketpair", process }),
      ...where("udp", { do: "socket", process }),
      ...some.flatMap((fd): readonly Action[] => [
        { do: "close", process, fd },
        { do: "dup", process, fd },
        ...where("program", { do: "load", process, maps: [fd] }),
        ...where("filter", { do: "load", process, maps: [fd], kind: "filter" }),
        ...where("outer", { do: "outer", process, inner: fd }),
        ...where("unix", { do: "receive", process, fd }),
        ...where("udp", { do: "unfilter", process, fd }),
        ...indices.map((index): Action => ({ do: "delete", process, fd, index })),
        ...some.flatMap((value): readonly Action[] => [
          ...indices.map((index): Action => ({ do: "update", process, fd, index, value })),
          ...where("unix", { do: "send", process, fd, value }),
          ...where("udp", { do: "filter", process, fd, value }),
          ...where("link", { do: "update_link", process, fd, value }),
        ]),
        ...pins.map((path): Action => ({ do: "pin", process, fd, path })),
        ...where("link", { do: "unlink_link", process, fd }),
        ...points.flatMap((point): readonly Action[] => [
          { do: "attach", process, index: DEVICE, fd, point },
          { do: "link", process, index: DEVICE, fd, point },
        ]),
        ...more(
          "network",
          { do: "enter_net", process, fd },
          { do: "move_device", process, index: DEVICE, fd },
        ),
        ...some.flatMap((cgroup) => where("cgroup_skb", ...onCgroup(process, cgroup, fd))),
        ...some.flatMap((cgroup) =>
          open.flatMap((old) =>
            where("cgroup_skb", { do: "cgroup_replace", process, cgroup, fd, hook: LIST, old }),
          ),
        ),
      ]),
      ...open.flatMap((a) =>
        open.filter((b) => a < b).flatMap((b) => where("program", { do: "load", process, maps: [a, b] })),
      ),
      ...pins.flatMap((path): readonly Action[] => [
        { do: "get", process, path },
        { do: "unlink", process, path },
      ]),
      ...pins.flatMap((path) =>
        where("directory", { do: "mkdir", process, path }, { do: "rmdir", process, path }),
      ),
      ...pins.flatMap((from) =>
        pins.flatMap((path): readonly Action[] => [
          { do: "rename", process, from, path },
          { do: "name", process, from, path },
        ]),
      ),
      ...more("mounts", { do: "unshare", process }),
      ...(limits.mounts ?? []).flatMap((path): readonly Action[] => [
        { do: "mount", process, path },
        { do: "umount", process, path },
        ...(limits.mounts ?? []).map((from): Action => ({ do: "bind", process, from, path })),
      ]),
      ...points.map((point): Action => ({ do: "detach", process, index: DEVICE, point })),
      ...more(
        "network",
        { do: "unshare_net", process },
        { do: "open_net", process },
        { do: "pair", process, indices: [DEVICE, DEVICE + 1] },
        { do: "delete_device", process, index: DEVICE },
        { do: "delete_device", process, index: DEVICE + 1 },
      ),
      ...(limits.cgroups ?? []).flatMap((path): readonly Action[] => [
        { do: "cgroup_create", process, path },
        { do: "cgroup_remove", process, path },
        { do: "cgroup_open", process, path },
      ]),
      ...where("cgroup_skb", { do: "load", process, maps: [], kind: "cgroup_skb" }),
      ...objects.flatMap(({ idKind, id }): readonly Action[] =>
        idKind === "map" || idKind === "program" || idKind === "link"
          ? [{ do: "open", process, kind: idKind, id }]
          : [],
      ),
      { do: "open", process, kind: "map", id: UNKNOWN_ID },
      { do: "open", process, kind: "program", id: UNKNOWN_ID },
      { do: "open", process, kind: "link", id: UNKNOWN_ID },
    ];
  });
}

const onCgroup = (process: number, cgroup: number, fd: number): readonly Action[] => [
  { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "single" },
  { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "override" },
  { do: "cgroup_attach", process, cgroup, fd, hook: LIST, mode: "multi" },
  { do: "cgroup_link", process, cgroup, fd, hook: LIST },
  { do: "cgroup_detach", process, cgroup, fd, hook: LIST },
];

/** The list that operations on cgroups mean. */
const LIST = "inet_ingress";
const UNKNOWN_ID = 0x7fff_ffff;

/** Messages that may wait in a socket. */
const MOST_MESSAGES = 2;

function fits(state: State, { fds, objects, processes }: Limits): boolean {
  if (state.processes().length > processes) return false;
  if (state.processes().some((process) => state.tableSize(process) > fds)) return false;
  const all = state.objects();
  if (all.some((socket) => state.edges(socket).filter(({ of }) => of === "message").length > MOST_MESSAGES))
    return false;
  return MODEL_KINDS.every(
    (kind) => all.filter((number) => state.object(number)?.kind === kind).length <= objects[kind],
  );
}

/** The state without names: the least of the texts that it has under all ways of naming. */
function keyOf(state: State, limits: Limits): string {
  const numbers = state.objects();
  const ofKind = (kind: ModelKind): readonly number[] =>
    numbers.filter((number) => state.object(number)?.kind === kind);
  const kinds = MODEL_KINDS.map(ofKind);
  // Names are alike where none is in the other.
  const alike = limits.mounts === undefined;
  let least: string | undefined;
  for (const order of orders(kinds)) {
    const label = new Map(order.map((number, index) => [number, String.fromCharCode(97 + index)]));
    const text = textOf(state, order, (number) => label.get(number) ?? "-", alike);
    if (least === undefined || text < least) least = text;
  }
  return `${kinds.map(({ length }) => length).join("")}:${least ?? ""}`;
}

function textOf(
  state: State,
  order: readonly number[],
  label: (object: number) => string,
  alike: boolean,
): string {
  const nameOf = (place: Place<number>): string => {
    if (place.of === "fd" || place.of === "network" || place.of === "mounts") return place.of;
    // Places in arrays are alike, those in lists, and uses.
    if (place.of === "slot" || place.of === "use" || (place.of === "pin" && alike)) return place.of;
    const listed = place.of === "attachment" || place.of === "standing";
    return listed ? placeKey(place).replace(/\/\d+$/, "") : placeKey(place);
  };
  const texts = (places: readonly Place<number>[]): string =>
    places
      .map((place) => `${nameOf(place)}=${label(state.read(place))}`)
      .sort()
      .join(",");
  const roots = state.roots();
  const tables = state
    .processes()
    .map((process) => texts(roots.filter((place) => "process" in place && place.process === process)));
  return [
    tables.sort().join(";"),
    texts(roots.filter(({ of }) => of === "listed")),
    ...order.map((holder) => texts([...state.edges(holder), ...state.weak(holder)])),
  ].join("|");
}

/** All ways to put the objects of each kind in order, kinds one after the other. */
function orders([first, ...rest]: readonly (readonly number[])[]): readonly (readonly number[])[] {
  if (first === undefined) return [[]];
  const tails = orders(rest);
  return permutations(first).flatMap((head) => tails.map((tail) => [...head, ...tail]));
}

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
