/**
 * The transition read on formulas: a state of a small scope whose places are variables, so that one question to a solver is about all states at once.
 */
import {
  type Edge,
  isAt,
  type ModelKind,
  type Place,
  type Reading,
  type Root,
  type WeakPlace,
} from "../../src/kernel/model/reading.ts";
import { PLACES } from "../../src/kernel/model/transition.ts";
import { and, constant, eq, FALSE, ite, not, or, TRUE, variable } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

/** Bits of an object's number: up to 15 objects, and nothing. */
export const WIDTH = 4;

/** How much there may be. */
export interface Scope {
  readonly processes: number;
  /** Descriptors of each process. */
  readonly fds: number;
  readonly pins: readonly string[];
  readonly points: readonly string[];
  /** Hooks that have lists: their points are among those. */
  readonly hooks?: readonly string[];
  /** Objects by kind, numbered from 1. */
  readonly objects: readonly ModelKind[];
  /** Maps that a program may use. */
  readonly uses: number;
  /** Messages that may wait in a socket. */
  readonly messages?: number;
}

export class SymbolicState implements Reading<Bool, Named> {
  readonly nothing = constant(WIDTH, 0);
  readonly scope: Scope;
  /** What each place names, by the place's key. */
  readonly cells = new Map<string, Named>();
  readonly #runs: Bool[];
  readonly #exists: Bool[];
  readonly #numbers: readonly Named[];

  /** Every place is a variable of its own. */
  constructor(scope: Scope) {
    this.scope = scope;
    this.#numbers = scope.objects.map((_, index) => constant(WIDTH, index + 1));
    this.#runs = Array.from({ length: scope.processes }, (_, index) => variable(`runs${index + 1}`, 1));
    this.#exists = scope.objects.map((_, index) => variable(`exists${index + 1}`, 1));
    for (const place of this.places()) {
      const key = this.keyOf(place);
      this.cells.set(key, variable(key, WIDTH));
    }
  }

  /** All places, standing ones too. */
  places(): readonly Place<Named>[] {
    return [
      ...this.roots(),
      ...this.#numbers.flatMap((holder) => [...this.edges(holder), ...this.weak(holder)]),
      ...this.scope.points.map((point) => ({ of: "standing", point }) as const),
    ];
  }

  /** A place whose holder is a constant, as a name. */
  keyOf(place: Place<Named>): string {
    switch (place.of) {
      case "fd":
        return `fd_${place.process}_${place.fd}`;
      case "pin":
        return `pin_${place.path}`;
      case "attachment":
      case "standing":
        return `${place.of}_${place.point}`;
      case "slot":
        return `slot_${this.numberOf(place.array)}_${place.index}`;
      case "use":
        return `use_${this.numberOf(place.program)}_${place.index}`;
      case "target":
        return `target_${this.numberOf(place.link)}`;
      case "message":
        return `message_${this.numberOf(place.socket)}_${place.index}`;
      case "filter":
      case "peer":
      case "reset":
        return `${place.of}_${this.numberOf(place.socket)}`;
    }
  }

  /** The number of an object that is a constant. */
  numberOf(object: Named): number {
    return this.#numbers.indexOf(object) + 1;
  }

  kindOf(object: Named): ModelKind | undefined {
    return this.scope.objects[this.numberOf(object) - 1];
  }

  /** Every process's number with whether it runs. */
  get running(): readonly Bool[] {
    return this.#runs;
  }

  // --- The reading

  readonly truth = (value: boolean): Bool => (value ? TRUE : FALSE);
  readonly not = (a: Bool): Bool => (a === TRUE ? FALSE : a === FALSE ? TRUE : not(a));
  readonly and = (a: Bool, b: Bool): Bool =>
    a === FALSE || b === FALSE ? FALSE : a === TRUE ? b : b === TRUE ? a : and(a, b);
  readonly or = (a: Bool, b: Bool): Bool =>
    a === TRUE || b === TRUE ? TRUE : a === FALSE ? b : b === FALSE ? a : or(a, b);
  readonly same = (a: Named, b: Named): Bool => {
    if (a === b) return TRUE;
    return a.op === "const" && b.op === "const" ? FALSE : eq(a, b);
  };

  readonly is = (object: Named, kind: ModelKind): Bool =>
    this.#numbers.reduce(
      (sum, number) => (this.kindOf(number) === kind ? this.or(sum, this.same(object, number)) : sum),
      FALSE,
    );

  readonly exists = (object: Named): Bool =>
    this.#numbers.reduce(
      (sum, number, index) => this.or(sum, this.and(this.same(object, number), this.#exists[index] ?? FALSE)),
      FALSE,
    );

  /** The places that a place with an object for its holder may be, each with when it is. */
  #instances(place: Place<Named>): readonly (readonly [Bool, Place<Named>])[] {
    const holder =
      "array" in place
        ? place.array
        : "program" in place
          ? place.program
          : "link" in place
            ? place.link
            : "socket" in place
              ? place.socket
              : undefined;
    if (holder === undefined) return [[TRUE, place]];
    return this.#numbers.flatMap((number) => {
      const instance = [...this.edges(number), ...this.weak(number)].find(
        (edge) => edge.of === place.of && indexOf(edge) === indexOf(place),
      );
      const when = this.same(holder, number);
      return instance === undefined || when === FALSE ? [] : [[when, instance] as const];
    });
  }

  readonly read = (place: Place<Named>): Named =>
    this.#instances(place).reduce((found, [when, instance]) => {
      const cell = this.cells.get(this.keyOf(instance)) ?? this.nothing;
      return when === TRUE ? cell : ite(when, cell, found);
    }, this.nothing);

  readonly write = (when: Bool, place: Place<Named>, object: Named): void => {
    for (const [here, instance] of this.#instances(place))
      this.change(this.and(when, here), instance, object);
  };

  /** Writes a place whose holder is a constant. */
  protected change(when: Bool, place: Place<Named>, object: Named): void {
    if (when === FALSE) return;
    const key = this.keyOf(place);
    const before = this.cells.get(key);
    if (before === undefined) throw new Error(`${key} is outside the scope`);
    this.cells.set(key, when === TRUE ? object : ite(when, object, before));
  }

  readonly runs = (process: number): Bool => this.#runs[process - 1] ?? FALSE;

  readonly setRuns = (when: Bool, process: number, value: boolean): void => {
    this.#runs[process - 1] = ite(when, this.truth(value), this.runs(process));
  };

  readonly make = (when: Bool, kind: ModelKind): { object: Named; made: Bool } => {
    let [object, made] = [this.nothing, FALSE];
    for (const [index, number] of this.#numbers.entries()) {
      if (this.kindOf(number) !== kind) continue;
      const exists = this.#exists[index] ?? FALSE;
      const taken = this.and(this.not(made), this.not(exists));
      object = ite(taken, number, object);
      made = this.or(made, taken);
      this.#exists[index] = this.or(exists, this.and(when, taken));
    }
    return { object, made };
  };

  readonly end = (when: Bool, object: Named): void => {
    const index = this.numberOf(object) - 1;
    this.#exists[index] = this.and(this.#exists[index] ?? FALSE, this.not(when));
  };

  readonly objects = (): readonly Named[] => this.#numbers;

  readonly processes = (): readonly number[] => this.#runs.map((_, index) => index + 1);

  readonly nextProcesses = (): readonly number[] => this.processes();

  readonly fds = (): readonly number[] => Array.from({ length: this.scope.fds }, (_, fd) => fd);

  readonly roots = (): readonly Root<Named>[] => [
    ...this.processes().flatMap((process) => this.fds().map((fd) => ({ of: "fd", process, fd }) as const)),
    ...this.scope.pins.map((path) => ({ of: "pin", path }) as const),
    ...this.scope.points.map((point) => ({ of: "attachment", point }) as const),
  ];

  readonly edges = (holder: Named): readonly Edge<Named>[] => {
    switch (this.kindOf(holder)) {
      case "prog_array":
      case "outer":
        return Array.from({ length: PLACES }, (_, index) => ({ of: "slot", array: holder, index }));
      case "unix":
        return this.messages().map((index) => ({ of: "message", socket: holder, index }));
      case "udp":
        return [{ of: "filter", socket: holder }];
      case "program":
      case "filter":
      case "classifier":
        return Array.from({ length: this.scope.uses }, (_, index) => ({ of: "use", program: holder, index }));
      case "link":
        return [{ of: "target", link: holder }];
      default:
        return [];
    }
  };

  readonly weak = (holder: Named): readonly WeakPlace<Named>[] =>
    this.kindOf(holder) === "unix"
      ? [
          { of: "peer", socket: holder },
          { of: "reset", socket: holder },
        ]
      : [];

  readonly points = (): readonly string[] => this.scope.points;

  readonly pointsOf = (hook: string): readonly string[] =>
    this.scope.points.filter((point) => isAt(point, hook));

  readonly messages = (): readonly number[] =>
    Array.from({ length: this.scope.messages ?? 0 }, (_, index) => index);
}

const indexOf = (place: Place<Named>): number => ("index" in place ? place.index : 0);
