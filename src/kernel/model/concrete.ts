/** The transition read on values: a state in which an object is a number, and nothing is 0. */
import {
  type Edge,
  isAt,
  type ModelKind,
  type Place,
  type Reading,
  type Root,
  type WeakPlace,
} from "./reading.ts";

export type IdKind = "map" | "program" | "link" | "socket";

/** What has ids of its own: maps of all types together. Sockets have none that can be seen. */
export const ID_KINDS: Readonly<Record<ModelKind, IdKind>> = {
  map: "map",
  prog_array: "map",
  outer: "map",
  program: "program",
  filter: "program",
  classifier: "program",
  link: "link",
  unix: "socket",
  udp: "socket",
};

interface ModelObject {
  readonly kind: ModelKind;
  readonly idKind: IdKind;
  /** Ids are counted by what has ids of its own: maps of all types together. */
  readonly id: number;
}

/** By name or number, the objects that are named; what is nothing is left out. */
type Names<K> = Map<K, number>;

function put<K>(names: Names<K>, name: K, object: number): void {
  if (object === 0) names.delete(name);
  else names.set(name, object);
}

const copied = <K, L>(tables: ReadonlyMap<K, Names<L>>): Map<K, Names<L>> =>
  new Map([...tables].map(([key, table]) => [key, new Map(table)]));

export class State implements Reading<boolean, number> {
  readonly nothing = 0;
  readonly #objects: Map<number, ModelObject>;
  readonly #fds: Map<number, Names<number>>;
  readonly #pins: Names<string>;
  readonly #attachments: Names<string>;
  readonly #standings: Names<string>;
  /** What each object holds: slots, uses and messages by index; a target and a filter at 0. */
  readonly #held: Map<number, Names<number>>;
  readonly #weak: Readonly<Record<WeakPlace<number>["of"], Names<number>>>;
  readonly #made: Record<IdKind | "process" | "object", number>;

  /** The state at the beginning, with one process; or a copy. */
  constructor(from?: State) {
    if (from === undefined) {
      this.#objects = new Map();
      this.#fds = new Map([[1, new Map()]]);
      this.#pins = new Map();
      this.#attachments = new Map();
      this.#standings = new Map();
      this.#held = new Map();
      this.#weak = { peer: new Map(), reset: new Map() };
      this.#made = { map: 0, program: 0, link: 0, socket: 0, process: 1, object: 0 };
    } else {
      this.#objects = new Map(from.#objects);
      this.#fds = copied(from.#fds);
      this.#pins = new Map(from.#pins);
      this.#attachments = new Map(from.#attachments);
      this.#standings = new Map(from.#standings);
      this.#held = copied(from.#held);
      this.#weak = { peer: new Map(from.#weak.peer), reset: new Map(from.#weak.reset) };
      this.#made = { ...from.#made };
    }
  }

  // --- What can be seen

  /** How many descriptors a process has. */
  tableSize(process: number): number {
    return this.#fds.get(process)?.size ?? 0;
  }

  get pins(): ReadonlyMap<string, number> {
    return this.#pins;
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

  // --- The reading

  readonly truth = (value: boolean): boolean => value;
  readonly not = (a: boolean): boolean => !a;
  readonly and = (a: boolean, b: boolean): boolean => a && b;
  readonly or = (a: boolean, b: boolean): boolean => a || b;
  readonly same = (a: number, b: number): boolean => a === b;
  readonly is = (object: number, kind: ModelKind): boolean => this.#objects.get(object)?.kind === kind;
  readonly exists = (object: number): boolean => this.#objects.has(object);

  readonly read = (place: Place<number>): number => {
    switch (place.of) {
      case "fd":
        return this.#fds.get(place.process)?.get(place.fd) ?? 0;
      case "pin":
        return this.#pins.get(place.path) ?? 0;
      case "attachment":
        return this.#attachments.get(place.point) ?? 0;
      case "standing":
        return this.#standings.get(place.point) ?? 0;
      case "peer":
      case "reset":
        return this.#weak[place.of].get(place.socket) ?? 0;
      default:
        return this.#held.get(holderOf(place))?.get(indexOf(place)) ?? 0;
    }
  };

  readonly write = (when: boolean, place: Place<number>, object: number): void => {
    if (!when) return;
    switch (place.of) {
      case "fd":
        return put(tableOf(this.#fds, place.process), place.fd, object);
      case "pin":
        return put(this.#pins, place.path, object);
      case "attachment":
        return put(this.#attachments, place.point, object);
      case "standing":
        return put(this.#standings, place.point, object);
      case "peer":
      case "reset":
        return put(this.#weak[place.of], place.socket, object);
      default:
        return put(tableOf(this.#held, holderOf(place)), indexOf(place), object);
    }
  };

  readonly runs = (process: number): boolean => this.#fds.has(process);

  readonly setRuns = (when: boolean, process: number, value: boolean): void => {
    if (!when) return;
    if (!value) this.#fds.delete(process);
    else {
      tableOf(this.#fds, process);
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

  readonly processes = (): readonly number[] => [...this.#fds.keys()];

  /** Processes are numbered as they come. */
  readonly nextProcesses = (): readonly number[] => [this.#made.process + 1];

  /** Those that a process has, and the lowest that it has not. */
  readonly fds = (process: number): readonly number[] => {
    const table = this.#fds.get(process);
    if (table === undefined) return [];
    let free = 0;
    while (table.has(free)) free += 1;
    return [...table.keys(), free].sort((a, b) => a - b);
  };

  readonly roots = (): readonly Root<number>[] => [
    ...[...this.#fds].flatMap(([process, table]) =>
      [...table.keys()].map((fd) => ({ of: "fd", process, fd }) as const),
    ),
    ...[...this.#pins.keys()].map((path) => ({ of: "pin", path }) as const),
    ...[...this.#attachments.keys()].map((point) => ({ of: "attachment", point }) as const),
  ];

  readonly edges = (holder: number): readonly Edge<number>[] => {
    const kind = this.#objects.get(holder)?.kind;
    const indices = [...(this.#held.get(holder)?.keys() ?? [])];
    switch (kind) {
      case "prog_array":
      case "outer":
        return indices.map((index) => ({ of: "slot", array: holder, index }));
      case "unix":
        return indices.map((index) => ({ of: "message", socket: holder, index }));
      case "udp":
        return [{ of: "filter", socket: holder }];
      case "program":
      case "filter":
      case "classifier":
        return indices.map((index) => ({ of: "use", program: holder, index }));
      case "link":
        return [{ of: "target", link: holder }];
      default:
        return [];
    }
  };

  readonly weak = (holder: number): readonly WeakPlace<number>[] =>
    this.#objects.get(holder)?.kind === "unix"
      ? [
          { of: "peer", socket: holder },
          { of: "reset", socket: holder },
        ]
      : [];

  readonly points = (): readonly string[] => [...this.#standings.keys()];

  readonly pointsOf = (hook: string): readonly string[] => {
    const taken = [...this.#attachments.keys(), ...this.#standings.keys()].filter((point) =>
      isAt(point, hook),
    );
    let free = 0;
    while (taken.includes(`${hook}/${free}`)) free += 1;
    return [...taken, `${hook}/${free}`];
  };

  readonly messages = (socket: number): readonly number[] => {
    const count = this.#held.get(socket)?.size ?? 0;
    return Array.from({ length: count + 1 }, (_, index) => index);
  };
}

/** A new table where there is none yet. */
function tableOf<K, L>(tables: Map<K, Names<L>>, key: K): Names<L> {
  const found = tables.get(key);
  if (found !== undefined) return found;
  const made: Names<L> = new Map();
  tables.set(key, made);
  return made;
}

function holderOf(edge: Edge<number>): number {
  switch (edge.of) {
    case "slot":
      return edge.array;
    case "use":
      return edge.program;
    case "target":
      return edge.link;
    case "message":
    case "filter":
      return edge.socket;
  }
}

const indexOf = (edge: Edge<number>): number => ("index" in edge ? edge.index : 0);
