/** The transition read on values: a state in which an object is a number, and nothing is 0. */
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
} from "./reading.ts";

export type IdKind = "map" | "program" | "link" | "socket" | "cgroup" | "netns" | "unseen";

/** What has ids of its own: maps of all types together. The others have none that can be seen; some have no descriptors either. */
export const ID_KINDS: Readonly<Record<ModelKind, IdKind>> = {
  map: "map",
  prog_array: "map",
  outer: "map",
  program: "program",
  filter: "program",
  classifier: "program",
  cgroup_skb: "program",
  other: "program",
  link: "link",
  unix: "socket",
  udp: "socket",
  cgroup: "cgroup",
  network: "netns",
  device: "unseen",
  mounts: "unseen",
  files: "unseen",
  directory: "unseen",
};

interface ModelObject {
  readonly kind: ModelKind;
  readonly idKind: IdKind;
  /** Ids are counted by what has ids of its own: maps of all types together. */
  readonly id: number;
}

interface Cell {
  readonly place: Place<number>;
  readonly object: number;
}

/** By the places' keys, what is not nothing. */
type Cells = Map<string, Cell>;

/** The root of the cgroups, which nobody can remove. */
const ROOT_CGROUP = "";

export class State implements Reading<boolean, number> {
  readonly nothing = 0;
  readonly #objects: Map<number, ModelObject>;
  /** What each process that runs has. */
  readonly #processes: Map<number, Cells>;
  /** Cgroups by their directories. */
  readonly #directories: Cells;
  /** What each object has. */
  readonly #held: Map<number, Cells>;
  readonly #made: Record<IdKind | "process" | "object", number>;

  /** The state at the beginning, with one process in namespaces with one file system; or a copy. */
  constructor(from?: State) {
    const copied = (tables: ReadonlyMap<number, Cells>): Map<number, Cells> =>
      new Map([...tables].map(([key, table]) => [key, new Map(table)]));
    if (from !== undefined) {
      this.#objects = new Map(from.#objects);
      this.#processes = copied(from.#processes);
      this.#directories = new Map(from.#directories);
      this.#held = copied(from.#held);
      this.#made = { ...from.#made };
      return;
    }
    this.#objects = new Map();
    this.#processes = new Map([[1, new Map()]]);
    this.#directories = new Map();
    this.#held = new Map();
    const none = { map: 0, program: 0, link: 0, socket: 0, cgroup: 0, netns: 0, unseen: 0 };
    this.#made = { ...none, process: 1, object: 0 };
    const made = (kind: ModelKind): number => this.make(true, kind).object;
    this.write(true, { of: "listed", path: ROOT_CGROUP }, made("cgroup"));
    this.write(true, { of: "network", process: 1 }, made("network"));
    const mounts = made("mounts");
    this.write(true, { of: "mounts", process: 1 }, mounts);
    this.write(true, { of: "mount", mounts, path: "" }, made("files"));
  }

  // --- What can be seen

  /** How many descriptors a process has. */
  tableSize(process: number): number {
    return this.descriptors(process).length;
  }

  /** A process's descriptors, with what they stand for. */
  descriptors(process: number): readonly (readonly [fd: number, object: number])[] {
    return [...(this.#processes.get(process)?.values() ?? [])]
      .flatMap(({ place, object }) => (place.of === "fd" ? [[place.fd, object] as const] : []))
      .sort(([a], [b]) => a - b);
  }

  object(number: number): ModelObject | undefined {
    return this.#objects.get(number);
  }

  /** The object that an id stands for; nothing if there is none. */
  find(kind: IdKind, id: number): number {
    for (const [number, object] of this.#objects) {
      if (object.id === id && object.idKind === kind) return number;
    }
    return this.nothing;
  }

  /** The processes that run. */
  processes(): readonly number[] {
    return [...this.#processes.keys()];
  }

  // --- The reading

  readonly truth = (value: boolean): boolean => value;
  readonly not = (a: boolean): boolean => !a;
  readonly and = (a: boolean, b: boolean): boolean => a && b;
  readonly or = (a: boolean, b: boolean): boolean => a || b;
  readonly same = (a: number, b: number): boolean => a === b;
  readonly is = (object: number, kind: ModelKind): boolean => this.#objects.get(object)?.kind === kind;
  readonly exists = (object: number): boolean => this.#objects.has(object);

  #tableOf(place: Place<number>): Cells | undefined {
    switch (place.of) {
      case "fd":
      case "network":
      case "mounts":
        return this.#processes.get(place.process);
      case "listed":
        return this.#directories;
      default:
        return this.#held.get(holderOf(place) ?? this.nothing);
    }
  }

  readonly read = (place: Place<number>): number => this.#tableOf(place)?.get(keyOf(place))?.object ?? 0;

  readonly write = (when: boolean, place: Place<number>, object: number): void => {
    if (!when) return;
    const key = keyOf(place);
    if (object === this.nothing) {
      this.#tableOf(place)?.delete(key);
      return;
    }
    let table = this.#tableOf(place);
    if (table === undefined) {
      table = new Map();
      if ("process" in place) this.#processes.set(place.process, table);
      else this.#held.set(holderOf(place) ?? this.nothing, table);
    }
    table.set(key, { place, object });
  };

  readonly runs = (process: number): boolean => this.#processes.has(process);

  readonly setRuns = (when: boolean, process: number, value: boolean): void => {
    if (!when) return;
    if (!value) this.#processes.delete(process);
    else {
      if (!this.#processes.has(process)) this.#processes.set(process, new Map());
      this.#made.process = Math.max(this.#made.process, process);
    }
  };

  readonly make = (when: boolean, kind: ModelKind): { object: number; made: boolean } => {
    if (!when) return { object: 0, made: true };
    const idKind = ID_KINDS[kind];
    this.#made.object += 1;
    this.#made[idKind] += 1;
    this.#objects.set(this.#made.object, { kind, idKind, id: this.#made[idKind] });
    return { object: this.#made.object, made: true };
  };

  readonly end = (when: boolean, object: number): void => {
    if (!when) return;
    this.#objects.delete(object);
    this.#held.delete(object);
  };

  readonly objects = (): readonly number[] => [...this.#objects.keys()];

  readonly ofKind = (kind: ModelKind): readonly number[] =>
    [...this.#objects].flatMap(([number, object]) => (object.kind === kind ? [number] : []));

  /** Processes are numbered as they come. */
  readonly nextProcesses = (): readonly number[] => [this.#made.process + 1];

  /** Those that a process has, and the lowest that it has not. */
  readonly fds = (process: number): readonly number[] => {
    const table = this.#processes.get(process);
    if (table === undefined) return [];
    const taken = this.descriptors(process).map(([fd]) => fd);
    let free = 0;
    while (taken[free] === free) free += 1;
    return [...taken.slice(0, free), free, ...taken.slice(free)];
  };

  readonly roots = (): readonly Root<number>[] =>
    [...this.#processes.values(), this.#directories].flatMap((table) =>
      [...table.values()].flatMap(({ place }) => (isWeak(place) ? [] : [place])),
    );

  readonly edges = (holder: number): readonly Edge<number>[] =>
    this.#placesOf(holder).flatMap((place) => (isEdge(place) ? [place] : []));

  readonly weak = (holder: number): readonly WeakPlace<number>[] =>
    this.#placesOf(holder).flatMap((place) => (isWeak(place) ? [place] : []));

  #placesOf(holder: number): readonly Place<number>[] {
    return [...(this.#held.get(holder)?.values() ?? [])].map(({ place }) => place);
  }

  readonly standings = (): readonly Extract<Place<number>, { of: "standing" }>[] =>
    [...this.#held.values()].flatMap((table) =>
      [...table.values()].flatMap(({ place }) => (place.of === "standing" ? [place] : [])),
    );

  readonly pointsOf = (at: number, hook: string): readonly string[] => {
    const taken = this.#placesOf(at).flatMap((place) =>
      "point" in place && isAt(place.point, hook) ? [place.point] : [],
    );
    let free = 0;
    while (taken.includes(`${hook}/${free}`)) free += 1;
    return [...taken, `${hook}/${free}`];
  };

  readonly messages = (socket: number): readonly number[] => {
    const count = this.#placesOf(socket).filter(({ of }) => of === "message").length;
    return Array.from({ length: count + 1 }, (_, index) => index);
  };

  readonly mountPaths = (mounts: number): readonly string[] =>
    this.#placesOf(mounts).flatMap((place) => (place.of === "mount" ? [place.path] : []));

  readonly namesIn = (files: number, path: string): readonly string[] =>
    this.names(files).filter((name) => name.startsWith(`${path}/`));

  /** All names in a file system. */
  names(files: number): readonly string[] {
    return this.#placesOf(files).flatMap((place) => (place.of === "pin" ? [place.path] : []));
  }
}

const isEdge = (place: Place<number>): place is Edge<number> =>
  !isWeak(place) && holderOf(place) !== undefined;
