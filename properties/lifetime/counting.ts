/**
 * Reference counts over the model's own transition: every place that comes to name an object holds it, every place that no longer does puts it, and what goes is found
 * by counts of 0 alone. The claim is that this finds exactly what cannot be reached.
 */
import type { ModelKind, Place, Reading } from "../../src/kernel/model/reading.ts";
import { closeSocket } from "../../src/kernel/model/settle.ts";
import type { Action } from "../../src/kernel/model/transition.ts";
import { add, constant, eq, FALSE, sub, TRUE, variable, zext } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { HOLDERS, HOOKS, SOCKETS } from "./scopes.ts";
import { type Scope, SymbolicState, type WIDTH } from "./symbolic.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

/** Bits of a count: more than there are places. */
const COUNT = 6;
type Count = Term<typeof COUNT>;
const NONE = constant(COUNT, 0);

/** What is wrong with a wrong version: places of this kind do not hold, or do not put; or arrays keep what they hold when their last user goes. */
export interface Fault {
  readonly noHold?: Place<Named>["of"];
  readonly noPut?: Place<Named>["of"];
  readonly doublePut?: Place<Named>["of"];
  /** What user space has of an array is not counted where it is pinned. */
  readonly pinIsNoUser?: true;
  readonly neverCleared?: true;
  /** A program's maps go when its last descriptor does. */
  readonly freedTooEarly?: true;
  readonly notFreed?: ModelKind;
  /** Sockets that only lie in each other's messages stay. */
  readonly neverCollected?: true;
  /** A message is no user of the array in it. */
  readonly messageIsNoUser?: true;
}

/** Wrong ways of counting, each with an action that shows it. */
export const FAULTS: readonly {
  readonly fault: Fault;
  readonly shownBy: Action;
  /** In which it is shown; SMALL, if none is named. */
  readonly scope?: Scope;
}[] = [
  { fault: { noHold: "fd" }, shownBy: { do: "fork", process: 1 } },
  { fault: { noHold: "pin" }, shownBy: { do: "pin", process: 1, fd: 0, path: "a" } },
  { fault: { noHold: "slot" }, shownBy: { do: "update", process: 1, fd: 0, index: 0, value: 1 } },
  { fault: { noHold: "use" }, shownBy: { do: "load", process: 1, maps: [0] } },
  { fault: { noHold: "target" }, shownBy: { do: "link", process: 1, fd: 0, point: "x" } },
  { fault: { noHold: "attachment" }, shownBy: { do: "attach", process: 1, fd: 0, point: "x" } },
  { fault: { noPut: "fd" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { noPut: "pin" }, shownBy: { do: "unlink", process: 1, path: "a" } },
  { fault: { noPut: "slot" }, shownBy: { do: "delete", process: 1, fd: 0, index: 0 } },
  { fault: { noPut: "use" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { noPut: "target" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { noPut: "attachment" }, shownBy: { do: "detach", process: 1, point: "x" } },
  { fault: { doublePut: "fd" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { doublePut: "slot" }, shownBy: { do: "delete", process: 1, fd: 0, index: 0 } },
  { fault: { pinIsNoUser: true }, shownBy: { do: "pin", process: 1, fd: 0, path: "a" } },
  { fault: { neverCleared: true }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { freedTooEarly: true }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { notFreed: "map" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { notFreed: "link" }, shownBy: { do: "close", process: 1, fd: 0 } },
  { fault: { noHold: "message" }, shownBy: { do: "send", process: 1, fd: 0, value: 1 }, scope: SOCKETS },
  { fault: { noPut: "message" }, shownBy: { do: "receive", process: 1, fd: 0 }, scope: SOCKETS },
  { fault: { neverCollected: true }, shownBy: { do: "close", process: 1, fd: 0 }, scope: SOCKETS },
  { fault: { messageIsNoUser: true }, shownBy: { do: "send", process: 1, fd: 0, value: 1 }, scope: SOCKETS },
  { fault: { noHold: "filter" }, shownBy: { do: "filter", process: 1, fd: 0, value: 1 }, scope: HOLDERS },
  {
    fault: { noPut: "attachment" },
    shownBy: { do: "clear", process: 1, hooks: ["list", "filters"] },
    scope: HOOKS,
  },
  { fault: { noPut: "filter" }, shownBy: { do: "close", process: 1, fd: 0 }, scope: HOLDERS },
];

const isUser = ({ of }: Place<Named>): boolean => of === "fd" || of === "pin" || of === "message";

/** Places that name what they do not keep. */
const isWeak = ({ of }: Place<Named>): boolean => of === "standing" || of === "peer" || of === "reset";

export class CountingState extends SymbolicState {
  readonly counts: Count[];
  /** Of descriptors and pins alone. */
  readonly users: Count[];
  readonly #fault: Fault;

  constructor(scope: Scope, fault: Fault = {}) {
    super(scope);
    this.#fault = fault;
    this.counts = scope.objects.map((_, index) => variable(`count${index + 1}`, COUNT));
    this.users = scope.objects.map((_, index) => variable(`users${index + 1}`, COUNT));
  }

  protected override change(when: Bool, place: Place<Named>, object: Named): void {
    const before = this.cells.get(this.keyOf(place)) ?? this.nothing;
    super.change(when, place, object);
    if (isWeak(place)) return;
    const { noHold, noPut, doublePut } = this.#fault;
    if (noHold !== place.of) this.#count(add, when, object, place);
    if (noPut !== place.of) this.#count(sub, when, before, place);
    if (doublePut === place.of) this.#count(sub, when, before, place);
  }

  #count(by: (a: Count, b: Count) => Count, when: Bool, object: Named, place: Place<Named>): void {
    for (const [index, number] of this.objects().entries()) {
      const here = this.and(when, this.same(object, number));
      if (here === FALSE) continue;
      const one: Count = zext(COUNT, here);
      this.counts[index] = by(this.counts[index] ?? NONE, one);
      const { messageIsNoUser, pinIsNoUser } = this.#fault;
      const uncounted =
        (pinIsNoUser === true && place.of === "pin") || (messageIsNoUser === true && place.of === "message");
      const counted = isUser(place) && !uncounted;
      if (counted) this.users[index] = by(this.users[index] ?? NONE, one);
    }
  }

  /** How many places name each object, and how many of those are user space's. */
  found(index: number): { readonly places: Count; readonly users: Count } {
    const number = this.objects()[index] ?? this.nothing;
    const sum = (places: readonly Place<Named>[]): Count =>
      places.reduce<Count>(
        (total, place) => add(total, zext(COUNT, this.same(this.read(place), number))),
        NONE,
      );
    const places = this.places().filter((place) => !isWeak(place));
    return { places: sum(places), users: sum(places.filter(isUser)) };
  }

  /** What counts find that goes; and sockets of which counts do not find it. */
  readonly settle = (reading: Reading<Bool, Named>): void => {
    this.#free(reading);
    if (!this.scope.objects.includes("unix") || this.#fault.neverCollected === true) return;
    const garbage = this.#garbage();
    for (const [socket, lost] of garbage) closeSocket(reading, lost, socket, false);
    this.#free(reading);
  };

  /** Sockets that lie only in messages of such sockets: all are taken for such, until their counts say otherwise. */
  #garbage(): ReadonlyMap<Named, Bool> {
    const sockets = this.objects().filter((object) => this.kindOf(object) === "unix");
    let garbage = new Map(sockets.map((socket) => [socket, this.exists(socket)]));
    for (const _ of sockets) {
      const lost = new Map(garbage);
      garbage = new Map(
        sockets.map((socket) => {
          const found = sockets.flatMap((holder) =>
            this.edges(holder).map((place) =>
              zext(COUNT, this.and(lost.get(holder) ?? FALSE, this.same(this.read(place), socket))),
            ),
          );
          const count = this.counts[this.numberOf(socket) - 1] ?? NONE;
          const all = found.reduce<Count>((sum, one) => add(sum, one), NONE);
          return [socket, this.and(lost.get(socket) ?? FALSE, sameCount(all, count))];
        }),
      );
    }
    return garbage;
  }

  /** As many rounds as there are objects, since each may let the next one go. */
  #free(reading: Reading<Bool, Named>): void {
    const { neverCleared, notFreed } = this.#fault;
    for (const _ of this.objects()) {
      for (const [index, object] of this.objects().entries()) {
        const kind = this.kindOf(object);
        const unused = eq(this.users[index] ?? NONE, NONE);
        if (kind === "prog_array" && neverCleared !== true) {
          for (const edge of this.edges(object)) reading.write(unused, edge, this.nothing);
        }
        const gone = this.and(this.exists(object), eq(this.counts[index] ?? NONE, NONE));
        if (kind === "unix") closeSocket(reading, gone, object, true);
        const early = this.#fault.freedTooEarly === true && kind === "program" ? unused : FALSE;
        for (const edge of this.edges(object)) {
          reading.write(this.or(gone, early), edge, this.nothing);
        }
        for (const point of this.points()) {
          const standing = { of: "standing", point } as const;
          reading.write(this.and(gone, this.same(this.read(standing), object)), standing, this.nothing);
        }
        if (notFreed !== kind) reading.end(gone, object);
      }
    }
  }
}

/** Whether two terms of counts are the same number; a constant where that is known. */
export const sameCount = (a: Count, b: Count): Bool => (a === b ? TRUE : eq(a, b));
