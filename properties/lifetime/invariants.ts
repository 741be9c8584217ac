/** What holds of every state, as formulas; and that it holds after any one action, as questions to a solver. */
import { ID_KINDS } from "../../src/kernel/model/concrete.ts";
import { MODEL_KINDS, type ModelKind, type Place } from "../../src/kernel/model/reading.ts";
import { alive, messagePlaces } from "../../src/kernel/model/settle.ts";
import { type Action, PROGRAM_KINDS, Transition } from "../../src/kernel/model/transition.ts";
import { and, eq, FALSE, not, TRUE } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { CountingState, type Fault, sameCount } from "./counting.ts";
import { type Scope, SymbolicState, type WIDTH } from "./symbolic.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

const OBJECTS: readonly ModelKind[] = [
  "map",
  "prog_array",
  "outer",
  "program",
  "filter",
  "classifier",
  "link",
];

/** What a place may name. */
const MAY_NAME: Readonly<Record<Exclude<Place<Named>["of"], "slot">, readonly ModelKind[]>> = {
  fd: MODEL_KINDS,
  message: MODEL_KINDS,
  pin: OBJECTS,
  attachment: ["program", "classifier"],
  use: ["map", "prog_array", "outer"],
  target: ["program", "classifier"],
  filter: ["filter"],
  standing: ["link"],
  peer: ["unix"],
  reset: ["unix"],
};

function mayName(state: SymbolicState, place: Place<Named>): readonly ModelKind[] {
  if (place.of === "slot") return state.kindOf(place.array) === "outer" ? ["map"] : PROGRAM_KINDS;
  return MAY_NAME[place.of];
}

const all = (state: SymbolicState, claims: readonly Bool[]): Bool => claims.reduce(state.and, TRUE);

/** Whoever would hold by a place: a process that runs, an object that is there. */
function holds(state: SymbolicState, place: Place<Named>): Bool {
  switch (place.of) {
    case "fd":
      return state.runs(place.process);
    case "slot":
      return state.exists(place.array);
    case "use":
      return state.exists(place.program);
    case "target":
      return state.exists(place.link);
    case "message":
    case "filter":
    case "peer":
    case "reset":
      return state.exists(place.socket);
    default:
      return TRUE;
  }
}

/** The invariants by name. */
function invariants(state: SymbolicState): ReadonlyMap<string, Bool> {
  const places = state.places();
  const isNothing = (place: Place<Named>): Bool => state.same(state.read(place), state.nothing);
  const usersOf = (object: Named): Bool =>
    [...state.roots().filter(({ of }) => of !== "attachment"), ...messagePlaces(state)].reduce(
      (sum, root) => state.or(sum, state.same(state.read(root), object)),
      FALSE,
    );
  const reached = alive(state);
  const somebodyRuns = state.running.reduce(state.or, FALSE);
  const claims = new Map([
    [
      "no use after free: what a place names is there, and of a kind that it may name",
      all(
        state,
        places.map((place) => {
          const object = state.read(place);
          const named = mayName(state, place).reduce(
            (sum, kind) => state.or(sum, state.is(object, kind)),
            FALSE,
          );
          return state.or(isNothing(place), state.and(named, state.exists(object)));
        }),
      ),
    ],
    [
      "namespaces have their processes: where nobody runs, nothing is pinned or attached",
      all(
        state,
        places
          .filter(({ of }) => of === "pin" || of === "attachment" || of === "standing")
          .map((pin) => state.or(somebodyRuns, isNothing(pin))),
      ),
    ],
    [
      "what is not there, and what does not run, holds nothing",
      all(
        state,
        places.map((place) => state.or(holds(state, place), isNothing(place))),
      ),
    ],
    [
      "nothing is there that cannot be reached, and nothing has gone that can",
      all(
        state,
        [...reached].map(([object, reachable]) => eq(state.exists(object), reachable)),
      ),
    ],
    [
      "an array that user space does not name is empty",
      all(
        state,
        state
          .objects()
          .filter((object) => state.kindOf(object) === "prog_array")
          .flatMap((array) => state.edges(array).map((slot) => state.or(usersOf(array), isNothing(slot)))),
      ),
    ],
  ]);
  const sockets = state.objects().filter((object) => state.kindOf(object) === "unix");
  if (sockets.length > 0)
    claims.set(
      "sockets are in pairs, and messages in order",
      all(
        state,
        sockets.flatMap((socket) => ordered(state, socket)),
      ),
    );
  if (state instanceof CountingState) {
    claims.set(
      "a count is the number of references found",
      all(
        state,
        state.objects().flatMap((_, index) => {
          const { places, users } = state.found(index);
          const [count, user] = [state.counts[index], state.users[index]];
          return count === undefined || user === undefined
            ? []
            : [sameCount(count, places), sameCount(user, users)];
        }),
      ),
    );
  }
  return claims;
}

/** A socket is its peer's peer; it is told of the other one's end when that has come; no place of its messages is free before one that is not. */
function ordered(state: SymbolicState, socket: Named): readonly Bool[] {
  const { and, not, or, same } = state;
  const isNothing = (place: Place<Named>): Bool => same(state.read(place), state.nothing);
  const peer = state.read({ of: "peer", socket });
  const reset = { of: "reset", socket } as const;
  const places = state.edges(socket);
  return [
    or(
      same(peer, state.nothing),
      and(not(same(peer, socket)), same(state.read({ of: "peer", socket: peer }), socket)),
    ),
    or(isNothing(reset), and(same(state.read(reset), socket), same(peer, state.nothing))),
    ...places.slice(1).map((place, index) => {
      const before = places[index];
      return before === undefined ? TRUE : or(not(isNothing(before)), isNothing(place));
    }),
  ];
}

/** What has to hold after an action. */
export interface Step {
  /** That the state before satisfies the invariants, and that the action has a result in it. */
  readonly premises: readonly Bool[];
  readonly goals: ReadonlyMap<string, Bool>;
}

/** The object that an id of `open` stands for in a scope: the id is the object's number. */
const find =
  (state: SymbolicState) =>
  (_kind: string, id: number): Named =>
    state.objects()[id - 1] ?? state.nothing;

/** An action by counts: the invariants hold after it, and it is the step that reachability gives. */
export function stepOf(scope: Scope, action: Action, fault?: Fault): Step {
  const before = new CountingState(scope);
  const premise = all(before, [...invariants(before).values()]);
  const after = new CountingState(scope, fault);
  const counted = new Transition(after, after.settle).take(action, find(after));
  const model = new SymbolicState(scope);
  const reached = new Transition(model).take(action, find(model));
  const enabled = counted.reduce((sum, { when }) => after.or(sum, when), FALSE);
  const goals = new Map(invariants(after));
  goals.set(
    "counts let go what reachability lets go",
    all(after, [
      ...after.places().map((place) => after.same(after.read(place), model.read(place))),
      ...after.objects().map((object) => eq(after.exists(object), model.exists(object))),
      ...after.running.map((runs, index) => eq(runs, model.runs(index + 1))),
      ...counted.map(({ when, result }, index) =>
        reached[index]?.result === result ? eq(when, reached[index].when) : FALSE,
      ),
    ]),
  );
  goals.set(
    "at most one result",
    all(
      after,
      counted.flatMap(({ when }, index) =>
        counted.slice(index + 1).map((other) => after.not(after.and(when, other.when))),
      ),
    ),
  );
  return { premises: [premise, enabled], goals };
}

/** What a solver refutes if all goals hold. */
export const denied = ({ premises, goals }: Step): readonly Bool[] => [
  ...premises,
  not([...goals.values()].reduce((sum, goal) => and(sum, goal))),
];

/** Every action of process 1 in the scope; processes are alike. */
export function actions({ fds, hooks = [], objects, pins, points }: Scope): readonly Action[] {
  const process = 1;
  const numbers = Array.from({ length: fds }, (_, fd) => fd);
  const indices = [0, 1];
  const ofLists = (fd: number): readonly Action[] => [
    ...hooks.flatMap((hook): readonly Action[] => [
      { do: "list", process, fd, hook },
      { do: "list_link", process, fd, hook },
      { do: "unlist", process, fd, hook },
    ]),
    { do: "load", process, maps: [fd], kind: "classifier" },
    { do: "classify", process, fd, point: "filters/1", exclusive: true },
    { do: "classify", process, fd, point: "filters/1", exclusive: false },
  ];
  const ofPrograms = (fd: number): readonly Action[] => [
    { do: "load", process, maps: [fd] },
    ...indices.map((index): Action => ({ do: "delete", process, fd, index })),
    ...numbers.flatMap((value) =>
      indices.map((index): Action => ({ do: "update", process, fd, index, value })),
    ),
    ...numbers.map((other): Action => ({ do: "load", process, maps: [fd, other] })),
    ...points.flatMap((point): readonly Action[] => [
      { do: "attach", process, fd, point },
      { do: "link", process, fd, point },
    ]),
  ];
  const has = (kind: ModelKind, ...then: readonly Action[]): readonly Action[] =>
    objects.includes(kind) ? then : [];
  return [
    { do: "fork", process },
    { do: "exit", process },
    ...has("map", { do: "create", process, kind: "map" }),
    ...has("prog_array", { do: "create", process, kind: "prog_array" }),
    ...has("program", { do: "load", process, maps: [] }),
    ...has("filter", { do: "load", process, maps: [], kind: "filter" }),
    ...has(
      "classifier",
      { do: "load", process, maps: [], kind: "classifier" },
      { do: "declassify", process, point: "filters/1" },
      { do: "clear", process, hooks: [...hooks, "filters"] },
    ),
    ...has("unix", { do: "socketpair", process }),
    ...has("udp", { do: "socket", process }),
    ...numbers.flatMap((fd): readonly Action[] => [
      ...has("outer", { do: "outer", process, inner: fd }),
      ...has("unix", { do: "receive", process, fd }),
      ...has("udp", { do: "unfilter", process, fd }),
      ...numbers.flatMap((value) => [
        ...has("unix", { do: "send", process, fd, value }),
        ...has("udp", { do: "filter", process, fd, value }),
      ]),
      ...(objects.includes("program") ? ofPrograms(fd) : []),
      ...(objects.includes("classifier") ? ofLists(fd) : []),
      ...has("link", { do: "unlink_link", process, fd }),
      { do: "close", process, fd },
      { do: "dup", process, fd },
      ...pins.map((path): Action => ({ do: "pin", process, fd, path })),
    ]),
    ...pins.flatMap((path): readonly Action[] => [
      { do: "get", process, path },
      { do: "unlink", process, path },
    ]),
    ...points.map((point): Action => ({ do: "detach", process, point })),
    ...objects.flatMap((kind, index): readonly Action[] => {
      const ids = ID_KINDS[kind];
      return ids === "socket" ? [] : [{ do: "open", process, kind: ids, id: index + 1 }];
    }),
  ];
}
