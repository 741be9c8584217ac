/** What holds of every state, as formulas; and that it holds after any one action, as questions to a solver. */
import type { ModelKind, Place } from "../../src/kernel/model/reading.ts";
import { type Action, alive, Transition } from "../../src/kernel/model/transition.ts";
import { and, eq, FALSE, not, TRUE } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { CountingState, type Fault, sameCount } from "./counting.ts";
import { type Scope, SymbolicState, type WIDTH } from "./symbolic.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

/** What a place may name. */
const MAY_NAME: Readonly<Record<Place<Named>["of"], readonly ModelKind[]>> = {
  fd: ["map", "prog_array", "program", "link"],
  pin: ["map", "prog_array", "program", "link"],
  attachment: ["program"],
  slot: ["program"],
  use: ["map", "prog_array"],
  target: ["program"],
  standing: ["link"],
};

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
    default:
      return TRUE;
  }
}

/** The invariants by name. */
function invariants(state: SymbolicState): ReadonlyMap<string, Bool> {
  const places = state.places();
  const isNothing = (place: Place<Named>): Bool => state.same(state.read(place), state.nothing);
  const usersOf = (object: Named): Bool =>
    state
      .roots()
      .filter(({ of }) => of !== "attachment")
      .reduce((sum, root) => state.or(sum, state.same(state.read(root), object)), FALSE);
  const reached = alive(state);
  const somebodyRuns = state.running.reduce(state.or, FALSE);
  const claims = new Map([
    [
      "no use after free: what a place names is there, and of a kind that it may name",
      all(
        state,
        places.map((place) => {
          const object = state.read(place);
          const named = MAY_NAME[place.of].reduce(
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
export function actions({ fds, objects, pins, points }: Scope): readonly Action[] {
  const process = 1;
  const numbers = Array.from({ length: fds }, (_, fd) => fd);
  const indices = [0, 1];
  return [
    { do: "fork", process },
    { do: "exit", process },
    { do: "create", process, kind: "map" },
    { do: "create", process, kind: "prog_array" },
    { do: "load", process, maps: [] },
    ...numbers.flatMap((fd): readonly Action[] => [
      { do: "close", process, fd },
      { do: "dup", process, fd },
      { do: "load", process, maps: [fd] },
      { do: "unlink_link", process, fd },
      ...indices.map((index) => ({ do: "delete", process, fd, index }) as const),
      ...numbers.flatMap((value) =>
        indices.map((index) => ({ do: "update", process, fd, index, value }) as const),
      ),
      ...numbers.map((other) => ({ do: "load", process, maps: [fd, other] }) as const),
      ...pins.map((path) => ({ do: "pin", process, fd, path }) as const),
      ...points.flatMap((point) => [
        { do: "attach", process, fd, point } as const,
        { do: "link", process, fd, point } as const,
      ]),
    ]),
    ...pins.flatMap((path) => [
      { do: "get", process, path } as const,
      { do: "unlink", process, path } as const,
    ]),
    ...points.map((point) => ({ do: "detach", process, point }) as const),
    ...objects.map((kind, index) => {
      const ids = kind === "prog_array" ? "map" : kind;
      return { do: "open", process, kind: ids, id: index + 1 } as const;
    }),
  ];
}
