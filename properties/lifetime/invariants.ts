/** What holds of every state, as formulas; and that it holds after any one action, as questions to a solver. */
import type { Action } from "../../src/kernel/model/actions.ts";
import { PROGRAM_KINDS } from "../../src/kernel/model/actions.ts";
import { PINNED } from "../../src/kernel/model/files.ts";
import { holderOf, type ModelKind, type Place } from "../../src/kernel/model/reading.ts";
import { alive, userPlaces } from "../../src/kernel/model/settle.ts";
import { take } from "../../src/kernel/model/transition.ts";
import { and, eq, FALSE, not, TRUE } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { CountingState, type Fault, sameCount } from "./counting.ts";
import { LIST, type Scope, SymbolicState, type WIDTH } from "./symbolic.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

/** What descriptors stand for. */
const OPEN: readonly ModelKind[] = [...PINNED, "unix", "udp", "cgroup", "network"];

/** What a place may name. */
const MAY_NAME: Readonly<Record<Exclude<Place<Named>["of"], "slot" | "mark">, readonly ModelKind[]>> = {
  fd: OPEN,
  message: OPEN,
  pin: [...PINNED, "directory"],
  attachment: ["program", "classifier", "cgroup_skb"],
  use: ["map", "prog_array", "outer"],
  target: ["program", "classifier", "cgroup_skb"],
  filter: ["filter"],
  standing: ["link"],
  peer: ["unix"],
  reset: ["unix"],
  network: ["network"],
  home: ["network"],
  device: ["device"],
  twin: ["device"],
  mounts: ["mounts"],
  mount: ["files"],
  listed: ["cgroup"],
  parent: ["cgroup"],
};

/** Whether a place names nothing, or what it may. */
function isRight(state: SymbolicState, place: Place<Named>): Bool {
  const object = state.read(place);
  if (place.of === "mark") return state.or(state.same(object, state.nothing), state.same(object, place.at));
  const ofArrays =
    place.of === "slot" && state.kindOf(place.array) !== "outer" ? PROGRAM_KINDS : ["map" as const];
  const kinds: readonly ModelKind[] = place.of === "slot" ? ofArrays : MAY_NAME[place.of];
  const named = kinds
    .filter((kind) => state.scope.objects.includes(kind))
    .reduce((sum, kind) => state.or(sum, state.is(object, kind)), FALSE);
  return state.or(state.same(object, state.nothing), state.and(named, state.exists(object)));
}

const all = (state: SymbolicState, claims: readonly Bool[]): Bool => claims.reduce(state.and, TRUE);

/** Whoever would hold by a place: a process that runs, an object that is there. */
function holds(state: SymbolicState, place: Place<Named>): Bool {
  if ("process" in place) return state.runs(place.process);
  const holder = holderOf(place);
  return holder === undefined ? TRUE : state.exists(holder);
}

/** The invariants by name. */
function invariants(state: SymbolicState): ReadonlyMap<string, Bool> {
  const places = state.places();
  const isNothing = (place: Place<Named>): Bool => state.same(state.read(place), state.nothing);
  const users = userPlaces(state);
  const usersOf = (object: Named): Bool =>
    users.reduce((sum, place) => state.or(sum, state.same(state.read(place), object)), FALSE);
  const reached = alive(state);
  const claims = new Map([
    [
      "no use after free: what a place names is there, and of a kind that it may name",
      all(
        state,
        places.map((place) => isRight(state, place)),
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
  for (const [name, claim] of ofNamespaces(state)) claims.set(name, claim);
  for (const [name, claim] of ofCgroups(state)) claims.set(name, claim);
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

/** Of namespaces, devices and file systems, where the scope has any. */
function ofNamespaces(state: SymbolicState): readonly (readonly [string, Bool])[] {
  const { not, or, same } = state;
  const isNothing = (place: Place<Named>): Bool => same(state.read(place), state.nothing);
  const kept = state
    .roots()
    .flatMap((place) =>
      place.of === "network" || place.of === "mounts"
        ? [or(not(state.runs(place.process)), not(isNothing(place)))]
        : [],
    );
  const first = state
    .ofKind("mounts")
    .map((mounts) => or(not(state.exists(mounts)), not(isNothing({ of: "mount", mounts, path: "" }))));
  const homes = state
    .objects()
    .flatMap((holder) => state.edges(holder))
    .flatMap((place) =>
      place.of === "home" ? [or(not(state.exists(place.socket)), not(isNothing(place)))] : [],
    );
  const pairs = state.ofKind("device").map((device) => {
    const twin = state.read({ of: "twin", device });
    const paired = state.and(not(same(twin, device)), same(state.read({ of: "twin", device: twin }), device));
    return or(not(state.exists(device)), paired);
  });
  return [
    [
      "who runs is in namespaces, which have a first file system, and so are sockets",
      all(state, [...kept, ...first, ...homes]),
    ],
    ["devices are in pairs", all(state, pairs)],
  ];
}

/** Of cgroups, where the scope has any. */
function ofCgroups(state: SymbolicState): readonly (readonly [string, Bool])[] {
  const { not, or, same } = state;
  const isNothing = (place: Place<Named>): Bool => same(state.read(place), state.nothing);
  const cgroups = state.ofKind("cgroup");
  const directories = state.roots().filter(({ of }) => of === "listed");
  const empty = cgroups.flatMap((cgroup) => {
    const listed = directories.reduce((sum, place) => or(sum, same(state.read(place), cgroup)), FALSE);
    const attached = state.edges(cgroup).filter(({ of }) => of === "attachment");
    return [...attached, ...state.weak(cgroup)].map((place) => or(listed, isNothing(place)));
  });
  const above = cgroups.flatMap((cgroup) => {
    let at = cgroup;
    return cgroups.map(() => {
      at = state.read({ of: "parent", cgroup: at });
      return not(same(at, cgroup));
    });
  });
  const lists = cgroups.flatMap((at) => {
    const attached = state.edges(at).filter(({ of }) => of === "attachment");
    const standing = state.weak(at).filter(({ of }) => of === "standing");
    const one = (mark: "multi" | "override"): Bool => not(isNothing({ of: "mark", at, hook: LIST, mark }));
    const several = attached.slice(1).reduce((sum, place) => or(sum, not(isNothing(place))), FALSE);
    const some = [...attached, ...standing].reduce((sum, place) => or(sum, not(isNothing(place))), FALSE);
    const linked = standing.reduce((sum, place) => or(sum, not(isNothing(place))), FALSE);
    return [
      or(not(one("multi")), not(one("override"))),
      or(some, state.and(not(one("multi")), not(one("override")))),
      or(one("multi"), not(linked)),
      or(one("multi"), not(several)),
    ];
  });
  return [
    ["a cgroup without a directory has nothing attached", all(state, empty)],
    ["no cgroup is above itself", all(state, above)],
    ["lists are for one program or for several, as long as something is in them", all(state, lists)],
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
  const counted = take(after, action, find(after), after.settle);
  const model = new SymbolicState(scope);
  const reached = take(model, action, find(model));
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
