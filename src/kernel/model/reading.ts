/**
 * In what the model's transition (`transition.ts`) is written, so that one definition has several readings: on values, where a truth is a
 * boolean and an object a number (`concrete.ts`); and on formulas, where both are terms over all states at once (`properties/lifetime`).
 */

/** Kinds of objects as far as lifetimes tell them apart. */
export const MODEL_KINDS = [
  "map",
  "prog_array",
  /** An array of maps. */
  "outer",
  /** Of the type that arrays and devices take: XDP. */
  "program",
  /** A program for sockets. */
  "filter",
  /** A program for a device's packets at traffic control. */
  "classifier",
  /** A program for the packets of a cgroup's sockets. */
  "cgroup_skb",
  /** A program of any other type: what it is attached to is not known. */
  "other",
  "link",
  /** One of a pair, by which descriptors are passed. */
  "unix",
  /** One that runs a filter. */
  "udp",
  "cgroup",
  /** A network namespace. */
  "network",
  /** One of a pair of network devices. */
  "device",
  /** A mount namespace. */
  "mounts",
  /** A BPF file system. */
  "files",
  /** A directory in one, which keeps nothing: names are the file system's. */
  "directory",
] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** What a list is, as long as something is in it; and that a device has a clsact discipline. */
export type Mark = "multi" | "override" | "clsact";

/** A place that names an object, or nothing. */
export type Place<V> =
  | { readonly of: "fd"; readonly process: number; readonly fd: number }
  /** The namespaces that a process is in. */
  | { readonly of: "network" | "mounts"; readonly process: number }
  /** The cgroup of a directory, by its path from the root on. */
  | { readonly of: "listed"; readonly path: string }
  /** What a name in a file system stands for. */
  | { readonly of: "pin"; readonly files: V; readonly path: string }
  /** The file system that is mounted at a name of the namespace's first one; at the empty name that first one. */
  | { readonly of: "mount"; readonly mounts: V; readonly path: string }
  | { readonly of: "device"; readonly network: V; readonly index: number }
  /** The network namespace that a socket was made in. */
  | { readonly of: "home"; readonly socket: V }
  | { readonly of: "parent"; readonly cgroup: V }
  /** A program that is attached to a device or a cgroup by itself, not by a link. */
  | { readonly of: "attachment"; readonly at: V; readonly point: string }
  /** A program in a program array, a map in an array of maps. */
  | { readonly of: "slot"; readonly array: V; readonly index: number }
  /** A map that a program uses. */
  | { readonly of: "use"; readonly program: V; readonly index: number }
  /** The program of a link. */
  | { readonly of: "target"; readonly link: V }
  /** What a message that waits in a socket brings: the first is the next. */
  | { readonly of: "message"; readonly socket: V; readonly index: number }
  /** The program of a socket. */
  | { readonly of: "filter"; readonly socket: V }
  /** The link that stands at a point, which this does not keep: it leaves when it goes. */
  | { readonly of: "standing"; readonly at: V; readonly point: string }
  /** The other socket of a pair, while it is there, which this does not keep. */
  | { readonly of: "peer"; readonly socket: V }
  /** The socket itself, if it has not been told yet that the other one went with messages that nobody had received. */
  | { readonly of: "reset"; readonly socket: V }
  /** The other device of a pair: neither is there without the other. */
  | { readonly of: "twin"; readonly device: V }
  /** The holder itself, if this is so of its hook. */
  | { readonly of: "mark"; readonly at: V; readonly hook: string; readonly mark: Mark };

type Of<V, N extends Place<V>["of"]> = Extract<Place<V>, { of: N }>;

/** Those that keep nothing, each with its holder. */
export type WeakPlace<V> = Of<V, "standing" | "peer" | "reset" | "twin" | "mark">;
/** Places that nobody has to keep. */
export type Root<V> = Of<V, "fd" | "network" | "mounts" | "listed"> | Edge<V>;
/** A place whose holder is an object. */
export type Edge<V> = Of<
  V,
  | "pin"
  | "mount"
  | "device"
  | "home"
  | "parent"
  | "attachment"
  | "slot"
  | "use"
  | "target"
  | "message"
  | "filter"
>;

const WEAK: ReadonlySet<string> = new Set<WeakPlace<unknown>["of"]>([
  "standing",
  "peer",
  "reset",
  "twin",
  "mark",
]);

/** Whether a place keeps nothing. */
export const isWeak = <V>(place: Place<V>): place is WeakPlace<V> => WEAK.has(place.of);

/** The object that has a place; undefined for those of processes, and directories of cgroups. */
export function holderOf<V>(place: Place<V>): V | undefined {
  switch (place.of) {
    case "fd":
    case "network":
    case "mounts":
    case "listed":
      return undefined;
    case "pin":
      return place.files;
    case "mount":
      return place.mounts;
    case "device":
      return place.network;
    case "parent":
      return place.cgroup;
    case "attachment":
    case "standing":
    case "mark":
      return place.at;
    case "slot":
      return place.array;
    case "use":
      return place.program;
    case "target":
      return place.link;
    case "twin":
      return place.device;
    case "home":
    case "message":
    case "filter":
    case "peer":
    case "reset":
      return place.socket;
  }
}

/** Which of its holder's places a place is, as text. */
export function keyOf<V>(place: Place<V>): string {
  switch (place.of) {
    case "fd":
      return `fd_${place.process}_${place.fd}`;
    case "network":
    case "mounts":
      return `${place.of}_${place.process}`;
    case "listed":
    case "pin":
    case "mount":
      return `${place.of}_${place.path}`;
    case "attachment":
    case "standing":
      return `${place.of}_${place.point}`;
    case "mark":
      return `${place.mark}_${place.hook}`;
    case "device":
    case "slot":
    case "use":
    case "message":
      return `${place.of}_${place.index}`;
    case "home":
    case "parent":
    case "target":
    case "filter":
    case "peer":
    case "reset":
    case "twin":
      return place.of;
  }
}

/** Truths of type B, objects (or nothing) of type V. */
export interface Reading<B, V> {
  readonly truth: (value: boolean) => B;
  readonly not: (a: B) => B;
  readonly and: (a: B, b: B) => B;
  readonly or: (a: B, b: B) => B;

  readonly nothing: V;
  readonly same: (a: V, b: V) => B;
  readonly is: (object: V, kind: ModelKind) => B;
  /** Whether there is such an object: one that was made and has not gone. */
  readonly exists: (object: V) => B;

  readonly read: (place: Place<V>) => V;
  readonly write: (when: B, place: Place<V>, object: V) => void;
  readonly runs: (process: number) => B;
  readonly setRuns: (when: B, process: number, value: boolean) => void;
  /** A new object of the kind, and whether there is room for one. */
  readonly make: (when: B, kind: ModelKind) => { readonly object: V; readonly made: B };
  /** The objects for which this holds are there no longer. */
  readonly end: (when: B, object: V) => void;

  // What there may be, to go through: on values what there is, on formulas what the scope has room for.
  readonly objects: () => readonly V[];
  readonly ofKind: (kind: ModelKind) => readonly V[];
  /** The processes that the next fork may make: the first of them that does not run. */
  readonly nextProcesses: () => readonly number[];
  /** The numbers of descriptors that a process may have, and one that is free if any is. */
  readonly fds: (process: number) => readonly number[];
  readonly roots: () => readonly Root<V>[];
  readonly edges: (holder: V) => readonly Edge<V>[];
  readonly weak: (holder: V) => readonly WeakPlace<V>[];
  /** All places at which links may stand. */
  readonly standings: () => readonly Of<V, "standing">[];
  /** The points of a hook, or of all hooks under the name: those at which anything is, and for a hook that is a list one that is free if any is. */
  readonly pointsOf: (at: V, hook: string) => readonly string[];
  /** The places of messages in a socket, and one that is free if any is. */
  readonly messages: (socket: V) => readonly number[];
  /** The names at which file systems may be mounted in a namespace. */
  readonly mountPaths: (mounts: V) => readonly string[];
  /** The names in a file system that lie in a directory of it. */
  readonly namesIn: (files: V, path: string) => readonly string[];
}

/** Whether a point is a hook's, or the hook itself. A list's points are numbered, a discipline's named. */
export const isAt = (point: string, hook: string): boolean => point === hook || point.startsWith(`${hook}/`);
