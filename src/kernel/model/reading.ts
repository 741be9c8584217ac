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
  "link",
  /** One of a pair, by which descriptors are passed. */
  "unix",
  /** One that runs a filter. */
  "udp",
] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** A place that names an object, or nothing. Those in the upper half are roots. */
export type Place<V> =
  | { readonly of: "fd"; readonly process: number; readonly fd: number }
  | { readonly of: "pin"; readonly path: string }
  /** A program that is attached by itself, not by a link. */
  | { readonly of: "attachment"; readonly point: string }
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
  | { readonly of: "standing"; readonly point: string }
  /** The other socket of a pair, while it is there, which this does not keep. */
  | { readonly of: "peer"; readonly socket: V }
  /** The socket itself, if it has not been told yet that the other one went with messages that nobody had received. */
  | { readonly of: "reset"; readonly socket: V };

/** A place whose holder is an object. */
export type Edge<V> = Extract<Place<V>, { of: "slot" | "use" | "target" | "message" | "filter" }>;
/** Those of a socket that keep nothing. */
export type WeakPlace<V> = Extract<Place<V>, { of: "peer" | "reset" }>;
export type Root<V> = Extract<Place<V>, { of: "fd" | "pin" | "attachment" }>;

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
  readonly processes: () => readonly number[];
  /** The processes that the next fork may make: the first of them that does not run. */
  readonly nextProcesses: () => readonly number[];
  /** The numbers of descriptors that a process may have, and one that is free if any is. */
  readonly fds: (process: number) => readonly number[];
  readonly roots: () => readonly Root<V>[];
  readonly edges: (holder: V) => readonly Edge<V>[];
  /** Of a socket of a pair; nothing of other objects. */
  readonly weak: (holder: V) => readonly WeakPlace<V>[];
  readonly points: () => readonly string[];
  /** The points of a hook, or of all hooks under the name: those at which anything is, and for a hook that is a list one that is free if any is. */
  readonly pointsOf: (hook: string) => readonly string[];
  /** The places of messages in a socket, and one that is free if any is. */
  readonly messages: (socket: V) => readonly number[];
}

/** Whether a point is a hook's, or the hook itself. A list's points are numbered, a discipline's named. */
export const isAt = (point: string, hook: string): boolean => point === hook || point.startsWith(`${hook}/`);
