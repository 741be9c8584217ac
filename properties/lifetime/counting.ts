/**
 * Reference counts over the model's own transition: every place that comes to name an object holds it, every place that no longer does puts it, and what goes is found
 * by counts of 0 alone. The claim is that this finds exactly what cannot be reached.
 */

import { removeDevice } from "../../src/kernel/model/networks.ts";
import type { ModelKind, Place, Reading } from "../../src/kernel/model/reading.ts";
import { clearMarks, clearUnlisted, closeSocket, release } from "../../src/kernel/model/settle.ts";
import { add, constant, eq, FALSE, sub, TRUE, variable, zext } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { keeps, type Scope, SymbolicState, type WIDTH } from "./symbolic.ts";

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
  /** A cgroup keeps what is attached to it until its last descriptor is closed. */
  readonly attachedUntilClosed?: true;
  /** A link goes and its place does not notice. */
  readonly leftStanding?: true;
  /** A device goes with its namespace and its twin does not. */
  readonly twinStays?: true;
}

/** What keeps what an object of the kind has for its users. */
function isUser({ of }: Place<Named>, kind: ModelKind | undefined): boolean {
  return kind === "cgroup" ? of === "listed" : of === "fd" || of === "pin" || of === "message";
}

export class CountingState extends SymbolicState {
  readonly counts: Count[];
  /** Of those by which somebody uses the object: of arrays descriptors, pins and messages, of cgroups directories. */
  readonly users: Count[];
  readonly #fault: Fault;

  constructor(scope: Scope, fault: Fault = {}) {
    super(scope);
    this.#fault = fault;
    this.counts = scope.objects.map((_, index) => variable(`count${index + 1}`, COUNT));
    this.users = scope.objects.map((_, index) => variable(`users${index + 1}`, COUNT));
  }

  protected override change(when: Bool, place: Place<Named>, object: Named): void {
    const before = this.cells.get(this.nameOf(place)) ?? this.nothing;
    super.change(when, place, object);
    if (!keeps(place)) return;
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
      const counted = isUser(place, this.kindOf(number)) && !uncounted;
      if (counted) this.users[index] = by(this.users[index] ?? NONE, one);
    }
  }

  /** How many places name each object, and how many of those are its users'. */
  found(index: number): { readonly places: Count; readonly users: Count } {
    const number = this.objects()[index] ?? this.nothing;
    const sum = (places: readonly Place<Named>[]): Count =>
      places.reduce<Count>(
        (total, place) => add(total, zext(COUNT, this.same(this.read(place), number))),
        NONE,
      );
    const places = this.places().filter(keeps);
    const users = places.filter((place) => isUser(place, this.kindOf(number)));
    return { places: sum(places), users: sum(users) };
  }

  /** What counts find that goes; and sockets of which counts do not find it. */
  readonly settle = (reading: Reading<Bool, Named>): void => {
    this.#free(reading);
    if (this.scope.objects.includes("unix") && this.#fault.neverCollected !== true) {
      const garbage = this.#garbage();
      for (const [socket, lost] of garbage) closeSocket(reading, lost, socket, false);
      this.#free(reading);
    }
    clearMarks(reading);
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
    for (const _ of this.objects()) for (const object of this.objects()) this.#freeOne(reading, object);
  }

  #freeOne(reading: Reading<Bool, Named>, object: Named): void {
    const { attachedUntilClosed, freedTooEarly, leftStanding, neverCleared, notFreed, twinStays } =
      this.#fault;
    const index = this.numberOf(object) - 1;
    const kind = this.kindOf(object);
    const unused = eq(this.users[index] ?? NONE, NONE);
    if (kind === "prog_array" && neverCleared !== true) {
      for (const edge of this.edges(object)) reading.write(unused, edge, this.nothing);
    }
    if (kind === "cgroup" && attachedUntilClosed !== true) clearUnlisted(reading, unused, object);
    const gone = this.and(this.exists(object), eq(this.counts[index] ?? NONE, NONE));
    if (kind === "unix") closeSocket(reading, gone, object, true);
    if (kind === "device" && twinStays !== true)
      removeDevice(reading, gone, this.read({ of: "twin", device: object }));
    const early = freedTooEarly === true && kind === "program" ? unused : FALSE;
    release(reading, this.or(gone, early), object);
    for (const standing of leftStanding === true ? [] : this.standings())
      reading.write(this.and(gone, this.same(this.read(standing), object)), standing, this.nothing);
    if (notFreed !== kind) reading.end(gone, object);
  }
}

/** Whether two terms of counts are the same number; a constant where that is known. */
export const sameCount = (a: Count, b: Count): Bool => (a === b ? TRUE : eq(a, b));
