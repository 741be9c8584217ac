/**
 * The transition read on formulas: a state of a small scope whose places are variables, so that one question to a solver is about all states at once.
 *
 * Of what a scope has no objects (namespaces, devices, file systems), there is one that is always there and always kept, the *ground*: processes are in it, hooks and pins are its.
 */
import { PLACES } from "../../src/kernel/model/actions.ts";
import { FILTERS } from "../../src/kernel/model/hooks.ts";
import {
  type Edge,
  holderOf,
  isAt,
  isWeak,
  keyOf,
  type ModelKind,
  type Place,
  type Reading,
  type Root,
  type WeakPlace,
} from "../../src/kernel/model/reading.ts";
import { and, constant, eq, FALSE, ite, not, or, TRUE, variable } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";

type Bool = Term<1>;
type Named = Term<typeof WIDTH>;

/** Bits of an object's number: up to 14 objects, the ground, and nothing. */
export const WIDTH = 4;
const GROUND_NUMBER = 15;
/** What can be ground. */
const GROUNDS: readonly ModelKind[] = ["network", "device", "mounts", "files"];

/** How much there may be. */
export interface Scope {
  readonly processes: number;
  /** Descriptors of each process. */
  readonly fds: number;
  /** Names in a file system. */
  readonly pins: readonly string[];
  /** Of a device. */
  readonly points: readonly string[];
  /** A device's hooks that have lists: their points are among those. */
  readonly hooks?: readonly string[];
  /** Numbers of devices in a namespace. */
  readonly devices?: readonly number[];
  /** Names at which file systems may be mounted, beside the root. */
  readonly mounts?: readonly string[];
  /** Directories of cgroups, the first of which is not removed; and the points of the one list that each has. */
  readonly directories?: readonly string[];
  readonly listed?: readonly string[];
  /** Objects by kind, numbered from 1. */
  readonly objects: readonly ModelKind[];
  /** Maps that a program may use. */
  readonly uses: number;
  /** Messages that may wait in a socket. */
  readonly messages?: number;
}

/** The one list of a cgroup. */
export const LIST = "list";

export class SymbolicState implements Reading<Bool, Named> {
  readonly nothing = constant(WIDTH, 0);
  readonly ground = constant(WIDTH, GROUND_NUMBER);
  readonly scope: Scope;
  /** What each place names, by the place's name. */
  readonly cells = new Map<string, Named>();
  readonly #runs: Bool[];
  readonly #exists: Bool[];
  readonly #numbers: readonly Named[];
  /** What the ground is. */
  readonly #grounds: ReadonlySet<ModelKind>;
  readonly #edges: ReadonlyMap<Named, readonly Edge<Named>[]>;
  readonly #weak: ReadonlyMap<Named, readonly WeakPlace<Named>[]>;

  /** Every place is a variable of its own. */
  constructor(scope: Scope) {
    this.scope = scope;
    this.#numbers = scope.objects.map((_, index) => constant(WIDTH, index + 1));
    this.#grounds = new Set(GROUNDS.filter((kind) => !scope.objects.includes(kind)));
    const holders = [...this.#numbers, this.ground];
    this.#edges = new Map(holders.map((holder) => [holder, this.#edgesOf(holder)]));
    this.#weak = new Map(holders.map((holder) => [holder, this.#weakOf(holder)]));
    this.#runs = Array.from({ length: scope.processes }, (_, index) => variable(`runs${index + 1}`, 1));
    this.#exists = scope.objects.map((_, index) => variable(`exists${index + 1}`, 1));
    for (const place of this.places()) {
      const name = this.nameOf(place);
      this.cells.set(name, variable(name, WIDTH));
    }
  }

  /** All places, those that keep nothing too. */
  places(): readonly Place<Named>[] {
    return [
      ...this.roots(),
      ...this.#numbers.flatMap((holder) => [...this.edges(holder), ...this.weak(holder)]),
      ...this.weak(this.ground),
    ];
  }

  /** A place whose holder is a constant, as a name. */
  nameOf(place: Place<Named>): string {
    const holder = holderOf(place);
    return holder === undefined ? keyOf(place) : `${keyOf(place)}_of_${this.numberOf(holder)}`;
  }

  /** The number of an object that is a constant; 0 for the ground. */
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
      this.#grounds.has(kind) ? this.same(object, this.ground) : FALSE,
    );

  readonly exists = (object: Named): Bool =>
    this.#numbers.reduce(
      (sum, number, index) => this.or(sum, this.and(this.same(object, number), this.#exists[index] ?? FALSE)),
      this.same(object, this.ground),
    );

  /** The places that a place with an object for its holder may be, each with when it is. */
  #instances(place: Place<Named>): readonly (readonly [Bool, Place<Named>])[] {
    const holder = holderOf(place);
    if (holder === undefined) return this.cells.has(keyOf(place)) ? [[TRUE, place]] : [];
    const key = keyOf(place);
    return [...this.#numbers, this.ground].flatMap((number) => {
      const when = this.same(holder, number);
      if (when === FALSE) return [];
      const instance = [...this.edges(number), ...this.weak(number)].find((each) => keyOf(each) === key);
      return instance === undefined ? [] : [[when, instance] as const];
    });
  }

  /** What a place names that the scope does not vary. */
  #fixed(place: Place<Named>): Named | undefined {
    const isGround = (kind: ModelKind): boolean => this.#grounds.has(kind);
    switch (place.of) {
      case "network":
        return isGround("network") ? this.ground : undefined;
      case "mounts":
        return isGround("mounts") ? this.ground : undefined;
      case "home":
        return isGround("network") ? this.ground : undefined;
      case "device":
        return isGround("device") ? this.ground : undefined;
      case "mount":
        return isGround("files") ? (place.path === "" ? this.ground : this.nothing) : undefined;
      default:
        return undefined;
    }
  }

  readonly read = (place: Place<Named>): Named =>
    this.#fixed(place) ??
    this.#instances(place).reduce((found, [when, instance]) => {
      const cell = this.cells.get(this.nameOf(instance)) ?? this.nothing;
      return when === TRUE ? cell : ite(when, cell, found);
    }, this.nothing);

  readonly write = (when: Bool, place: Place<Named>, object: Named): void => {
    if (this.#fixed(place) !== undefined) return;
    for (const [here, instance] of this.#instances(place))
      this.change(this.and(when, here), instance, object);
  };

  /** Writes a place whose holder is a constant. */
  protected change(when: Bool, place: Place<Named>, object: Named): void {
    if (when === FALSE) return;
    const name = this.nameOf(place);
    const before = this.cells.get(name);
    if (before === undefined) throw new Error(`${name} is outside the scope`);
    this.cells.set(name, when === TRUE ? object : ite(when, object, before));
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

  readonly ofKind = (kind: ModelKind): readonly Named[] =>
    this.#numbers.filter((object) => this.kindOf(object) === kind);

  readonly processes = (): readonly number[] => this.#runs.map((_, index) => index + 1);

  readonly nextProcesses = (): readonly number[] => this.processes();

  readonly fds = (): readonly number[] => Array.from({ length: this.scope.fds }, (_, fd) => fd);

  readonly roots = (): readonly Root<Named>[] => [
    ...Array.from({ length: this.scope.processes }, (_, index) => index + 1).flatMap((process) => [
      ...this.fds().map((fd) => ({ of: "fd", process, fd }) as const),
      ...(["network", "mounts"] as const).flatMap((of) =>
        this.#grounds.has(of) ? [] : [{ of, process } as const],
      ),
    ]),
    ...(this.scope.directories ?? []).map((path) => ({ of: "listed", path }) as const),
    ...this.edges(this.ground),
  ];

  readonly edges = (holder: Named): readonly Edge<Named>[] => this.#edges.get(holder) ?? [];

  readonly weak = (holder: Named): readonly WeakPlace<Named>[] => this.#weak.get(holder) ?? [];

  #pins(files: Named): readonly Edge<Named>[] {
    return this.scope.pins.map((path) => ({ of: "pin", files, path }));
  }

  #attachments(at: Named, points: readonly string[]): readonly Edge<Named>[] {
    return points.map((point) => ({ of: "attachment", at, point }));
  }

  #edgesOf(holder: Named): readonly Edge<Named>[] {
    const { devices = [], listed = [], mounts = [], points, uses } = this.scope;
    const home = this.#grounds.has("network") ? [] : [{ of: "home", socket: holder } as const];
    if (holder === this.ground) {
      return [
        ...(this.#grounds.has("files") ? this.#pins(holder) : []),
        ...(this.#grounds.has("device") ? this.#attachments(holder, points) : []),
      ];
    }
    switch (this.kindOf(holder)) {
      case "prog_array":
      case "outer":
        return Array.from({ length: PLACES }, (_, index) => ({ of: "slot", array: holder, index }));
      case "unix":
        return [
          ...this.messages().map((index) => ({ of: "message", socket: holder, index }) as const),
          ...home,
        ];
      case "udp":
        return [{ of: "filter", socket: holder }, ...home];
      case "program":
      case "filter":
      case "classifier":
      case "cgroup_skb":
      case "other":
        return Array.from({ length: uses }, (_, index) => ({ of: "use", program: holder, index }));
      case "link":
        return [{ of: "target", link: holder }];
      case "network":
        return devices.map((index) => ({ of: "device", network: holder, index }));
      case "device":
        return this.#attachments(holder, points);
      case "mounts":
        return ["", ...mounts].map((path) => ({ of: "mount", mounts: holder, path }));
      case "files":
        return this.#pins(holder);
      case "cgroup":
        return [{ of: "parent", cgroup: holder }, ...this.#attachments(holder, listed)];
      default:
        return [];
    }
  }

  #weakOf(holder: Named): readonly WeakPlace<Named>[] {
    const { listed = [], points } = this.scope;
    const standings = (names: readonly string[]): readonly WeakPlace<Named>[] =>
      names.map((point) => ({ of: "standing", at: holder, point }));
    const discipline: readonly WeakPlace<Named>[] = points.some((point) => isAt(point, FILTERS))
      ? [{ of: "mark", at: holder, hook: FILTERS, mark: "clsact" }]
      : [];
    if (holder === this.ground)
      return this.#grounds.has("device") ? [...standings(points), ...discipline] : [];
    switch (this.kindOf(holder)) {
      case "unix":
        return [
          { of: "peer", socket: holder },
          { of: "reset", socket: holder },
        ];
      case "device":
        return [{ of: "twin", device: holder }, ...standings(points), ...discipline];
      case "cgroup":
        return [
          ...standings(listed),
          { of: "mark", at: holder, hook: LIST, mark: "multi" },
          { of: "mark", at: holder, hook: LIST, mark: "override" },
        ];
      default:
        return [];
    }
  }

  readonly standings = (): readonly Extract<Place<Named>, { of: "standing" }>[] =>
    [...this.#numbers, this.ground].flatMap((holder) =>
      this.weak(holder).flatMap((place) => (place.of === "standing" ? [place] : [])),
    );

  readonly pointsOf = (_at: Named, hook: string): readonly string[] => [
    ...new Set([...this.scope.points, ...(this.scope.listed ?? [])].filter((point) => isAt(point, hook))),
  ];

  readonly messages = (): readonly number[] =>
    Array.from({ length: this.scope.messages ?? 0 }, (_, index) => index);

  readonly mountPaths = (): readonly string[] => ["", ...(this.scope.mounts ?? [])];

  readonly namesIn = (_files: Named, path: string): readonly string[] =>
    this.scope.pins.filter((name) => name.startsWith(`${path}/`));
}

/** Whether a place keeps what it names. */
export const keeps = (place: Place<Named>): boolean => !isWeak(place);
