/**
 * What is alive, without counts. There are objects; roots that name them: descriptors of processes, pins, attachments; and edges from object to object: a program to
 * the maps that it uses, a program array to the programs in it, an array of maps to its maps, a link to its program, a socket to its program and to what lies in its messages. An object is
 * alive if and only if it can be reached from a root. A program array that no descriptor, no message and no pin names is empty: nobody could change what is in it.
 *
 * Every action is here once; `reading.ts` says how it is read. An action gives its possible results, of which exactly one applies: a descriptor, a process's
 * number, 0, or a negative error number. Where none applies there was no room for what the action would make.
 */
import {
  E2BIG,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOENT,
  ENOTSOCK,
  ENOTSUPP,
  ESRCH,
} from "../../vm/errno.ts";
import type { ModelKind, Place, Reading } from "./reading.ts";
import { settle } from "./settle.ts";

const EPIPE = -32;
const ECONNRESET = -104;

/** Programs by what they can be attached to. */
export const PROGRAM_KINDS = ["program", "filter", "classifier"] as const;
export type ProgramKind = (typeof PROGRAM_KINDS)[number];

export type Action =
  | { readonly do: "fork" | "exit" | "socketpair" | "socket"; readonly process: number }
  | { readonly do: "close" | "dup" | "receive" | "unfilter"; readonly process: number; readonly fd: number }
  | { readonly do: "create"; readonly process: number; readonly kind: "map" | "prog_array" }
  /** An array of maps, for maps like the one that is given. */
  | { readonly do: "outer"; readonly process: number; readonly inner: number }
  | {
      readonly do: "load";
      readonly process: number;
      readonly maps: readonly number[];
      readonly kind?: ProgramKind;
    }
  /** A message with a descriptor; a socket's program. */
  | { readonly do: "send" | "filter"; readonly process: number; readonly fd: number; readonly value: number }
  | {
      readonly do: "update";
      readonly process: number;
      readonly fd: number;
      readonly index: number;
      readonly value: number;
    }
  | { readonly do: "delete"; readonly process: number; readonly fd: number; readonly index: number }
  | { readonly do: "pin"; readonly process: number; readonly fd: number; readonly path: string }
  | { readonly do: "get" | "unlink"; readonly process: number; readonly path: string }
  | {
      readonly do: "open";
      readonly process: number;
      readonly kind: "map" | "program" | "link";
      readonly id: number;
    }
  | { readonly do: "attach" | "link"; readonly process: number; readonly fd: number; readonly point: string }
  /** A program, or a link, in a hook's list; and a program out of it. */
  | {
      readonly do: "list" | "list_link" | "unlist";
      readonly process: number;
      readonly fd: number;
      readonly hook: string;
    }
  /** A filter with a program, instead of one that is there unless that is to be an error. */
  | {
      readonly do: "classify";
      readonly process: number;
      readonly fd: number;
      readonly point: string;
      readonly exclusive: boolean;
    }
  | { readonly do: "declassify"; readonly process: number; readonly point: string }
  /** All that is at these hooks leaves them: what they are of goes. */
  | { readonly do: "clear"; readonly process: number; readonly hooks: readonly string[] }
  | { readonly do: "detach"; readonly process: number; readonly point: string }
  | { readonly do: "unlink_link"; readonly process: number; readonly fd: number };

/** A result and when it applies. */
export interface Case<B> {
  readonly when: B;
  readonly result: number;
}

/** Places in a program array. */
export const PLACES = 2;

/** What goes after every action, because nothing keeps it any more. */
type Settle<B, V> = (reading: Reading<B, V>) => void;

/** One action in a state that is read and written by the reading. */
export class Transition<B, V> {
  readonly #reading: Reading<B, V>;
  readonly #settle: Settle<B, V>;
  readonly #cases: Case<B>[] = [];
  /** That no result has been given yet. */
  #open: B;

  /** @param settling  by what can be reached, unless another way of finding out is to be held against that */
  constructor(reading: Reading<B, V>, settling: Settle<B, V> = settle) {
    this.#reading = reading;
    this.#settle = settling;
    this.#open = reading.truth(true);
  }

  /** @param find  the object that an id of `open` stands for; nothing if there never was one */
  take(action: Action, find: (kind: "map" | "program" | "link", id: number) => V): readonly Case<B>[] {
    this.#refuse(this.#reading.not(this.#reading.runs(action.process)), ESRCH);
    this.#act(action, find);
    this.#settle(this.#reading);
    return this.#cases;
  }

  // --- Results

  #refuse(when: B, result: number): void {
    const { and, not } = this.#reading;
    this.#cases.push({ when: and(this.#open, when), result });
    this.#open = and(this.#open, not(when));
  }

  #succeed(): void {
    this.#refuse(this.#reading.truth(true), 0);
  }

  // --- Parts of actions

  #fd(process: number, fd: number): V {
    return this.#reading.read({ of: "fd", process, fd });
  }

  #isOf(object: V, kinds: readonly ModelKind[]): B {
    const { is, or, truth } = this.#reading;
    return kinds.reduce((sum, kind) => or(sum, is(object, kind)), truth(false));
  }

  #isMap(object: V): B {
    return this.#isOf(object, ["map", "prog_array", "outer"]);
  }

  #isNothing(object: V): B {
    return this.#reading.same(object, this.#reading.nothing);
  }

  #write(place: Place<V>, object: V): void {
    this.#reading.write(this.#open, place, object);
  }

  /** A descriptor for the object, the lowest that is free: the result. */
  #give(process: number, object: V): void {
    const { fds } = this.#reading;
    for (const fd of fds(process)) {
      const free = this.#isNothing(this.#fd(process, fd));
      this.#reading.write(this.#reading.and(this.#open, free), { of: "fd", process, fd }, object);
      this.#refuse(free, fd);
    }
  }

  /** The same without a result: what is to be done has one of its own. */
  #install(process: number, object: V): void {
    const { and, fds, not, or, truth, write } = this.#reading;
    let placed = truth(false);
    for (const fd of fds(process)) {
      const free = and(not(placed), this.#isNothing(this.#fd(process, fd)));
      write(and(this.#open, free), { of: "fd", process, fd }, object);
      placed = or(placed, free);
    }
    this.#open = and(this.#open, placed);
  }

  /** What is done where this holds. All of it has results. */
  #where(when: B, act: () => void): void {
    const { and, not } = this.#reading;
    const rest = and(this.#open, not(when));
    this.#open = and(this.#open, when);
    act();
    this.#open = rest;
  }

  /** The socket of a pair that a descriptor stands for. */
  #socket(process: number, fd: number, kind: "unix" | "udp"): V {
    const object = this.#fd(process, fd);
    this.#refuse(this.#isNothing(object), EBADF);
    this.#refuse(this.#reading.not(this.#reading.is(object, kind)), ENOTSOCK);
    return object;
  }

  /** A new object with what it holds, and its descriptor. */
  #make(process: number, kind: ModelKind, hold: (object: V) => void): void {
    const { object, made } = this.#reading.make(this.#open, kind);
    this.#open = this.#reading.and(this.#open, made);
    hold(object);
    this.#give(process, object);
  }

  /** The program that a descriptor stands for, as commands ask for one. */
  #program(process: number, fd: number, kind: ProgramKind = "program"): V {
    const { is, not } = this.#reading;
    const object = this.#fd(process, fd);
    this.#refuse(this.#isNothing(object), EBADF);
    this.#refuse(not(is(object, kind)), EINVAL);
    return object;
  }

  /** The map that a descriptor stands for. */
  #map(process: number, fd: number): V {
    const object = this.#fd(process, fd);
    this.#refuse(this.#isNothing(object), EBADF);
    this.#refuse(this.#reading.not(this.#isMap(object)), EINVAL);
    return object;
  }

  /** What is at a point: nothing, or a program that is there alone or by a link. */
  #at(point: string): { readonly alone: V; readonly link: V; readonly empty: B } {
    const alone = this.#reading.read({ of: "attachment", point });
    const link = this.#reading.read({ of: "standing", point });
    return { alone, link, empty: this.#reading.and(this.#isNothing(alone), this.#isNothing(link)) };
  }

  /** A program or a link at the first free point of a hook; where there is none, there was no room. */
  #enlist(hook: string, of: "attachment" | "standing", object: V): void {
    const { and, not, or, pointsOf, truth, write } = this.#reading;
    let placed = truth(false);
    for (const point of pointsOf(hook)) {
      const free = and(not(placed), this.#at(point).empty);
      write(and(this.#open, free), { of, point }, object);
      placed = or(placed, free);
    }
    this.#open = and(this.#open, placed);
  }

  /** A list has each program once, whether alone or by a link. */
  #refuseTwice(hook: string, program: V): void {
    const { or, pointsOf, read, same } = this.#reading;
    for (const { alone, link } of pointsOf(hook).map((point) => this.#at(point)))
      this.#refuse(or(same(alone, program), same(read({ of: "target", link }), program)), EEXIST);
  }

  #somebodyRuns(): B {
    const { or, processes, runs, truth } = this.#reading;
    return processes().reduce((sum, process) => or(sum, runs(process)), truth(false));
  }

  /** File systems and devices go with the last process that sees them. */
  #leave(when: B): void {
    const { nothing, points, roots, write } = this.#reading;
    for (const root of roots()) if (root.of !== "fd") write(when, root, nothing);
    for (const point of points()) write(when, { of: "standing", point }, nothing);
  }

  // --- Actions

  #act(action: Action, find: (kind: "map" | "program" | "link", id: number) => V): void {
    const { and, exists, fds, is, nextProcesses, not, nothing, read, same } = this.#reading;
    const { process } = action;
    switch (action.do) {
      case "fork":
        for (const child of nextProcesses()) {
          const now = and(this.#open, not(this.#reading.runs(child)));
          for (const fd of fds(process)) {
            this.#reading.write(now, { of: "fd", process: child, fd }, this.#fd(process, fd));
          }
          this.#reading.setRuns(now, child, true);
          this.#refuse(now, child);
        }
        return;
      case "exit":
        for (const fd of fds(process)) this.#write({ of: "fd", process, fd }, nothing);
        this.#reading.setRuns(this.#open, process, false);
        this.#leave(and(this.#open, not(this.#somebodyRuns())));
        return this.#succeed();
      case "close": {
        this.#refuse(this.#isNothing(this.#fd(process, action.fd)), EBADF);
        this.#write({ of: "fd", process, fd: action.fd }, nothing);
        return this.#succeed();
      }
      case "dup": {
        const object = this.#fd(process, action.fd);
        this.#refuse(this.#isNothing(object), EBADF);
        return this.#give(process, object);
      }
      case "create":
        return this.#make(process, action.kind, () => undefined);
      case "outer": {
        const inner = this.#map(process, action.inner);
        this.#refuse(is(inner, "outer"), EINVAL);
        this.#refuse(is(inner, "prog_array"), ENOTSUPP);
        return this.#make(process, "outer", () => undefined);
      }
      case "load": {
        const maps = action.maps.map((fd) => this.#map(process, fd));
        return this.#make(process, action.kind ?? "program", (program) => {
          for (const [index, map] of maps.entries()) this.#write({ of: "use", program, index }, map);
        });
      }
      case "update": {
        const array = this.#map(process, action.fd);
        if (action.index >= PLACES) return this.#refuse(this.#reading.truth(true), E2BIG);
        this.#refuse(is(array, "map"), 0);
        const slot = { of: "slot", array, index: action.index } as const;
        this.#where(is(array, "outer"), () => {
          const inner = this.#map(process, action.value);
          this.#refuse(not(is(inner, "map")), EINVAL);
          this.#write(slot, inner);
          this.#succeed();
        });
        const program = this.#fd(process, action.value);
        this.#refuse(this.#isNothing(program), EBADF);
        // An array takes programs of one type: `Model` says that it does not know mixtures.
        this.#refuse(not(this.#isOf(program, PROGRAM_KINDS)), EINVAL);
        this.#write(slot, program);
        return this.#succeed();
      }
      case "delete": {
        const array = this.#map(process, action.fd);
        this.#refuse(is(array, "map"), EINVAL);
        if (action.index >= PLACES) return this.#refuse(this.#reading.truth(true), E2BIG);
        const slot = { of: "slot", array, index: action.index } as const;
        this.#refuse(this.#isNothing(read(slot)), ENOENT);
        this.#write(slot, nothing);
        return this.#succeed();
      }
      case "pin": {
        const object = this.#fd(process, action.fd);
        this.#refuse(this.#isNothing(object), EINVAL);
        this.#refuse(this.#isOf(object, ["unix", "udp"]), EINVAL);
        const pin = { of: "pin", path: action.path } as const;
        this.#refuse(not(this.#isNothing(read(pin))), EEXIST);
        this.#write(pin, object);
        return this.#succeed();
      }
      case "get": {
        const object = read({ of: "pin", path: action.path });
        this.#refuse(this.#isNothing(object), ENOENT);
        return this.#give(process, object);
      }
      case "unlink": {
        const pin = { of: "pin", path: action.path } as const;
        this.#refuse(this.#isNothing(read(pin)), ENOENT);
        this.#write(pin, nothing);
        return this.#succeed();
      }
      case "open": {
        const object = find(action.kind, action.id);
        this.#refuse(not(exists(object)), ENOENT);
        return this.#give(process, object);
      }
      case "attach": {
        const program = this.#program(process, action.fd);
        this.#refuse(not(this.#isNothing(read({ of: "standing", point: action.point }))), EBUSY);
        this.#write({ of: "attachment", point: action.point }, program);
        return this.#succeed();
      }
      case "detach":
        this.#refuse(not(this.#isNothing(read({ of: "standing", point: action.point }))), EBUSY);
        this.#write({ of: "attachment", point: action.point }, nothing);
        return this.#succeed();
      case "link": {
        const program = this.#program(process, action.fd);
        const { point } = action;
        this.#refuse(not(this.#isNothing(read({ of: "standing", point }))), EBUSY);
        this.#refuse(not(this.#isNothing(read({ of: "attachment", point }))), EBUSY);
        return this.#make(process, "link", (link) => {
          this.#write({ of: "target", link }, program);
          this.#write({ of: "standing", point }, link);
        });
      }
      case "list": {
        const program = this.#program(process, action.fd, "classifier");
        this.#refuseTwice(action.hook, program);
        this.#enlist(action.hook, "attachment", program);
        return this.#succeed();
      }
      case "list_link": {
        const program = this.#program(process, action.fd, "classifier");
        this.#refuseTwice(action.hook, program);
        return this.#make(process, "link", (link) => {
          this.#write({ of: "target", link }, program);
          this.#enlist(action.hook, "standing", link);
        });
      }
      case "unlist": {
        const program = this.#program(process, action.fd, "classifier");
        for (const point of this.#reading.pointsOf(action.hook)) {
          const { alone, link } = this.#at(point);
          this.#refuse(same(read({ of: "target", link }), program), EBUSY);
          this.#where(same(alone, program), () => {
            this.#write({ of: "attachment", point }, nothing);
            this.#succeed();
          });
        }
        return this.#refuse(this.#reading.truth(true), ENOENT);
      }
      case "classify": {
        const filter = { of: "attachment", point: action.point } as const;
        if (action.exclusive) this.#refuse(not(this.#isNothing(read(filter))), EEXIST);
        this.#write(filter, this.#program(process, action.fd, "classifier"));
        return this.#succeed();
      }
      case "declassify": {
        const filter = { of: "attachment", point: action.point } as const;
        this.#refuse(this.#isNothing(read(filter)), ENOENT);
        this.#write(filter, nothing);
        return this.#succeed();
      }
      case "clear":
        for (const point of action.hooks.flatMap((hook) => this.#reading.pointsOf(hook))) {
          this.#write({ of: "attachment", point }, nothing);
          this.#write({ of: "standing", point }, nothing);
        }
        return this.#succeed();
      case "socketpair": {
        const { object: one, made } = this.#reading.make(this.#open, "unix");
        this.#open = and(this.#open, made);
        const { object: other, made: both } = this.#reading.make(this.#open, "unix");
        this.#open = and(this.#open, both);
        this.#write({ of: "peer", socket: one }, other);
        this.#write({ of: "peer", socket: other }, one);
        this.#install(process, one);
        this.#install(process, other);
        return this.#succeed();
      }
      case "send": {
        const socket = this.#socket(process, action.fd, "unix");
        const object = this.#fd(process, action.value);
        this.#refuse(this.#isNothing(object), EBADF);
        const peer = read({ of: "peer", socket });
        this.#refuse(this.#isNothing(peer), EPIPE);
        let put = this.#reading.truth(false);
        for (const index of this.#reading.messages(peer)) {
          const place = { of: "message", socket: peer, index } as const;
          const free = and(not(put), this.#isNothing(read(place)));
          this.#reading.write(and(this.#open, free), place, object);
          put = this.#reading.or(put, free);
        }
        return this.#refuse(put, 1);
      }
      case "receive": {
        const socket = this.#socket(process, action.fd, "unix");
        const first = read({ of: "message", socket, index: 0 });
        this.#where(not(this.#isNothing(first)), () => {
          const places = this.#reading
            .messages(socket)
            .map((index) => ({ of: "message", socket, index }) as const);
          for (const [index, place] of places.entries()) {
            const next = places[index + 1];
            this.#write(place, next === undefined ? nothing : read(next));
          }
          this.#install(process, first);
          this.#refuse(this.#reading.truth(true), 1);
        });
        const reset = { of: "reset", socket } as const;
        this.#where(not(this.#isNothing(read(reset))), () => {
          this.#write(reset, nothing);
          this.#refuse(this.#reading.truth(true), ECONNRESET);
        });
        this.#refuse(this.#isNothing(read({ of: "peer", socket })), 0);
        return this.#refuse(this.#reading.truth(true), EAGAIN);
      }
      case "socket":
        return this.#make(process, "udp", () => undefined);
      case "filter": {
        const socket = this.#socket(process, action.fd, "udp");
        const program = this.#program(process, action.value, "filter");
        this.#write({ of: "filter", socket }, program);
        return this.#succeed();
      }
      case "unfilter": {
        const filter = { of: "filter", socket: this.#socket(process, action.fd, "udp") } as const;
        this.#refuse(this.#isNothing(read(filter)), ENOENT);
        this.#write(filter, nothing);
        return this.#succeed();
      }
      case "unlink_link": {
        const link = this.#fd(process, action.fd);
        this.#refuse(this.#isNothing(link), EBADF);
        this.#refuse(not(is(link, "link")), EINVAL);
        for (const point of this.#reading.points()) {
          const standing = { of: "standing", point } as const;
          this.#reading.write(and(this.#open, same(read(standing), link)), standing, nothing);
        }
        return this.#succeed();
      }
    }
  }
}
