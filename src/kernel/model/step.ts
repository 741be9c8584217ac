/** Parts that actions are made of: results with when they apply, descriptors, new objects, places at hooks. */
import { EBADF, EINVAL, ENOTSOCK } from "../../vm/errno.ts";
import type { ProgramKind } from "./actions.ts";
import type { ModelKind, Place, Reading } from "./reading.ts";

/** A result and when it applies. */
export interface Case<B> {
  readonly when: B;
  readonly result: number;
}

/** One action as it is done. What is written is written where no result has been given yet. */
export class Step<B, V> {
  readonly reading: Reading<B, V>;
  readonly cases: Case<B>[] = [];
  /** That no result has been given yet. */
  open: B;

  constructor(reading: Reading<B, V>) {
    this.reading = reading;
    this.open = reading.truth(true);
  }

  // --- Results

  /** The result, where this holds and there is none yet. */
  refuse(when: B, result: number): void {
    const { and, not } = this.reading;
    this.cases.push({ when: and(this.open, when), result });
    this.open = and(this.open, not(when));
  }

  /** The result everywhere else. */
  conclude(result = 0): void {
    this.refuse(this.reading.truth(true), result);
  }

  /** What is done where this holds. All of it has results. */
  where(when: B, act: () => void): void {
    const { and, not } = this.reading;
    const rest = and(this.open, not(when));
    this.open = and(this.open, when);
    act();
    this.open = rest;
  }

  // --- Places

  read(place: Place<V>): V {
    return this.reading.read(place);
  }

  write(place: Place<V>, object: V): void {
    this.reading.write(this.open, place, object);
  }

  clear(place: Place<V>): void {
    this.write(place, this.reading.nothing);
  }

  isNothing(object: V): B {
    return this.reading.same(object, this.reading.nothing);
  }

  isOf(object: V, kinds: readonly ModelKind[]): B {
    const { is, or, truth } = this.reading;
    return kinds.reduce((sum, kind) => or(sum, is(object, kind)), truth(false));
  }

  any<T>(items: readonly T[], holds: (item: T) => B): B {
    const { or, truth } = this.reading;
    return items.reduce((sum, item) => or(sum, holds(item)), truth(false));
  }

  // --- Descriptors

  fd(process: number, fd: number): V {
    return this.read({ of: "fd", process, fd });
  }

  /** A descriptor for the object, the lowest that is free: the result. */
  give(process: number, object: V): void {
    const { and, fds, write } = this.reading;
    for (const fd of fds(process)) {
      const free = this.isNothing(this.fd(process, fd));
      write(and(this.open, free), { of: "fd", process, fd }, object);
      this.refuse(free, fd);
    }
  }

  /** The same without a result: what is to be done has one of its own. */
  install(process: number, object: V): void {
    this.#first(
      this.reading.fds(process).map((fd) => ({ of: "fd", process, fd }) as const),
      (place) => this.isNothing(this.read(place)),
      object,
    );
  }

  /** The object at the first of the places that is free; where there is none, there was no room. */
  #first(places: readonly Place<V>[], isFree: (place: Place<V>) => B, object: V): void {
    const { and, not, or, truth, write } = this.reading;
    let placed = truth(false);
    for (const place of places) {
      const free = and(not(placed), isFree(place));
      write(and(this.open, free), place, object);
      placed = or(placed, free);
    }
    this.open = and(this.open, placed);
  }

  /** What a descriptor stands for, which has to be of the kind. */
  ofKind(process: number, fd: number, kind: ModelKind, otherwise = EINVAL): V {
    const object = this.fd(process, fd);
    this.refuse(this.isNothing(object), EBADF);
    this.refuse(this.reading.not(this.reading.is(object, kind)), otherwise);
    return object;
  }

  /** The socket that a descriptor stands for. */
  socket(process: number, fd: number, kind: "unix" | "udp"): V {
    return this.ofKind(process, fd, kind, ENOTSOCK);
  }

  /** The program that a descriptor stands for, as commands ask for one. */
  program(process: number, fd: number, kind: ProgramKind): V {
    return this.ofKind(process, fd, kind);
  }

  /** The map that a descriptor stands for. */
  map(process: number, fd: number): V {
    const object = this.fd(process, fd);
    this.refuse(this.isNothing(object), EBADF);
    this.refuse(this.reading.not(this.isOf(object, ["map", "prog_array", "outer"])), EINVAL);
    return object;
  }

  // --- New objects

  /** A new object; where there is no room for one, the action has no result. */
  made(kind: ModelKind): V {
    const { object, made } = this.reading.make(this.open, kind);
    this.open = this.reading.and(this.open, made);
    return object;
  }

  /** A new object with what it holds, and its descriptor. */
  make(process: number, kind: ModelKind, hold: (object: V) => void): void {
    const object = this.made(kind);
    hold(object);
    this.give(process, object);
  }

  // --- Hooks

  /** What is at a point: nothing, or a program that is there alone or by a link. */
  at(at: V, point: string): { readonly alone: V; readonly link: V; readonly empty: B } {
    const alone = this.read({ of: "attachment", at, point });
    const link = this.read({ of: "standing", at, point });
    return { alone, link, empty: this.reading.and(this.isNothing(alone), this.isNothing(link)) };
  }

  /** A program or a link at the first free point of a hook. */
  enlist(at: V, hook: string, of: "attachment" | "standing", object: V): void {
    const points = this.reading.pointsOf(at, hook);
    this.#first(
      points.map((point) => ({ of, at, point })),
      (place) => ("point" in place ? this.at(at, place.point).empty : this.reading.truth(false)),
      object,
    );
  }

  /** A link with its program, and where it stands. */
  makeLink(process: number, program: V, stand: (link: V) => void): void {
    this.make(process, "link", (link) => {
      this.write({ of: "target", link }, program);
      stand(link);
    });
  }
}
