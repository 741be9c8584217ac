/**
 * What operations are done on: the runtime, which counts references as Linux does; the model, which only knows what can be reached; and Linux itself. All of them
 * answer and are observed in the same terms, so that they can be held against each other.
 *
 * Descriptors are those of the process, a new one the lowest that is free, from 0 on. Ids are counted by kind in the order in which objects are made, from 1 on.
 */
import type { Operation } from "./operation.ts";

/** Kinds of objects that have ids. */
export const OBJECT_KINDS = ["map", "program", "link", "btf"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** What an operation gave. */
export interface Answer {
  /** What the call returned: a descriptor, a number, 0; or a negative error number. */
  readonly result: number;
  /** What it wrote, by the fields' names: numbers, or bytes as hexadecimal digits. */
  readonly out?: Readonly<Record<string, number | string>>;
}

/** A descriptor and what it stands for; things without ids have the id 0. */
export interface OpenDescriptor {
  readonly fd: number;
  readonly kind: string;
  readonly id: number;
}

/** A name in a BPF file system and the object that it keeps. */
export interface Pin {
  /** The first of the processes whose mount namespace the path is of; left out where it is process 1. */
  readonly process?: number;
  readonly path: string;
  readonly kind: ObjectKind;
  readonly id: number;
}

/** What can be seen of a system from outside, each list in order. */
export interface Observation {
  /** Ids of the objects that are alive. */
  readonly alive: Readonly<Record<ObjectKind, readonly number[]>>;
  /** Every process that runs, by number. */
  readonly processes: ReadonlyMap<number, readonly OpenDescriptor[]>;
  readonly pins: readonly Pin[];
}

export interface System {
  /** @throws Unsupported  for an operation that the system does not have */
  readonly do: (operation: Operation) => Answer;
  readonly observe: () => Observation;
}
