/** Operations on objects, each in the model and in the runtime, with what has to be the same after each. */
import fc from "fast-check";
import { expect } from "vitest";
import type { MapKind, Runtime } from "../../src/kernel/runtime.ts";
import { aliveIds, type Kind, type Model, type Name, settle } from "./model.ts";

const E = { ESRCH: -3, ENOENT: -2, E2BIG: -7, EBADF: -9, EEXIST: -17, EINVAL: -22 } as const;

/** What an operation does to the model; it returns what the system call does. */
type Step = (model: Model) => number;

/** What the operations are done on: the runtime, or a kernel. */
export type Objects = Pick<
  Runtime,
  | "mapCreate"
  | "progLoad"
  | "close"
  | "dup"
  | "fork"
  | "exit"
  | "mapUpdate"
  | "mapDelete"
  | "objPin"
  | "objGet"
  | "unlink"
  | "getFdById"
  | "processes"
  | "descriptors"
> & {
  /** Those that are alive; a kernel may take a while until they are the expected ones. */
  readonly alive: (kind: Kind, expected: readonly number[]) => readonly number[];
};

type Operation = fc.Command<Model, Objects>;

/** One operation: the same result, the same objects alive, the same descriptors. */
class Both implements Operation {
  readonly #text: string;
  readonly #step: Step;
  readonly #run: (runtime: Objects) => number;

  constructor(text: string, step: Step, run: (runtime: Objects) => number) {
    this.#text = text;
    this.#step = step;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, runtime: Objects): void {
    const expected = this.#step(model);
    settle(model);
    expect(this.#run(runtime)).toBe(expected);
    for (const kind of ["map", "program"] as const) {
      const expected = aliveIds(model, kind);
      expect(runtime.alive(kind, expected)).toEqual(expected);
    }
    expect(new Set(runtime.processes())).toEqual(new Set(model.processes.keys()));
    for (const [process, table] of model.processes) {
      const own = [...table].map(([fd, name]) => `${fd} ${name}`).sort();
      expect(
        runtime
          .descriptors(process)
          .map(([fd, kind, id]) => `${fd} ${kind} ${id}`)
          .sort(),
      ).toEqual(own);
    }
  }

  toString(): string {
    return this.#text;
  }
}

// --- The operations, on the model

type Table = Map<number, Name>;

/** With the table of a process that runs. */
const inProcess =
  (process: number, step: (table: Table, model: Model) => number): Step =>
  (model) => {
    const table = model.processes.get(process);
    return table === undefined ? E.ESRCH : step(table, model);
  };

function open(table: Table, name: Name): number {
  const fd = Array.from({ length: table.size + 1 }, (_, at) => at).find((at) => !table.has(at)) ?? 0;
  table.set(fd, name);
  return fd;
}

function make(model: Model, kind: Kind): Name {
  model.made[kind] += 1;
  return `${kind} ${model.made[kind]}`;
}

const close = (process: number, fd: number): Operation =>
  new Both(
    `${process}: close(${fd})`,
    inProcess(process, (table) => (table.delete(fd) ? 0 : E.EBADF)),
    (runtime) => runtime.close(process, fd),
  );

const dup = (process: number, fd: number): Operation =>
  new Both(
    `${process}: dup(${fd})`,
    inProcess(process, (table) => {
      const name = table.get(fd);
      return name === undefined ? E.EBADF : open(table, name);
    }),
    (runtime) => runtime.dup(process, fd),
  );

const fork = (process: number): Operation =>
  new Both(
    `${process}: fork()`,
    inProcess(process, (table, model) => {
      model.made.process += 1;
      model.processes.set(model.made.process, new Map(table));
      return model.made.process;
    }),
    (runtime) => runtime.fork(process),
  );

const exit = (process: number): Operation =>
  new Both(
    `${process}: exit()`,
    inProcess(process, (_, model) => (model.processes.delete(process) ? 0 : E.ESRCH)),
    (runtime) => runtime.exit(process),
  );

const PLACES = 2;

const mapCreate = (process: number, type: MapKind): Operation =>
  new Both(
    `${process}: map_create(${type})`,
    inProcess(process, (table, model) => {
      const name = make(model, "map");
      if (type === "prog_array") model.arrays.set(name, new Map());
      return open(table, name);
    }),
    (runtime) => runtime.mapCreate(process, type, PLACES),
  );

const progLoad = (process: number, fds: readonly number[]): Operation =>
  new Both(
    `${process}: prog_load(maps ${fds.join(", ")})`,
    inProcess(process, (table, model) => {
      const maps = new Set<Name>();
      for (const fd of fds) {
        const name = table.get(fd);
        if (name === undefined) return E.EBADF;
        if (!name.startsWith("map")) return E.EINVAL;
        maps.add(name);
      }
      const program = make(model, "program");
      model.maps.set(program, maps);
      return open(table, program);
    }),
    (runtime) => runtime.progLoad(process, fds),
  );

/** With the map that a descriptor stands for: the programs in it, if it is a program array. */
const inMap = (
  process: number,
  fd: number,
  step: (programs: Map<number, Name> | undefined, table: Table) => number,
): Step =>
  inProcess(process, (table, model) => {
    const name = table.get(fd);
    if (name === undefined) return E.EBADF;
    return name.startsWith("map") ? step(model.arrays.get(name), table) : E.EINVAL;
  });

const mapUpdate = (process: number, fd: number, index: number, value: number): Operation =>
  new Both(
    `${process}: map_update_elem(${fd}, ${index}, ${value})`,
    inMap(process, fd, (programs, table) => {
      if (index >= PLACES) return E.E2BIG;
      if (programs === undefined) return 0;
      const name = table.get(value);
      if (name === undefined) return E.EBADF;
      if (!name.startsWith("program")) return E.EINVAL;
      programs.set(index, name);
      return 0;
    }),
    (runtime) => runtime.mapUpdate(process, fd, index, value),
  );

const mapDelete = (process: number, fd: number, index: number): Operation =>
  new Both(
    `${process}: map_delete_elem(${fd}, ${index})`,
    inMap(process, fd, (programs) => {
      if (programs === undefined) return E.EINVAL;
      if (index >= PLACES) return E.E2BIG;
      return programs.delete(index) ? 0 : E.ENOENT;
    }),
    (runtime) => runtime.mapDelete(process, fd, index),
  );

const objPin = (process: number, fd: number, path: string): Operation =>
  new Both(
    `${process}: obj_pin(${fd}, ${path})`,
    inProcess(process, (table, { pins }) => {
      const name = table.get(fd);
      if (name === undefined) return E.EINVAL;
      if (pins.has(path)) return E.EEXIST;
      pins.set(path, name);
      return 0;
    }),
    (runtime) => runtime.objPin(process, fd, path),
  );

const objGet = (process: number, path: string): Operation =>
  new Both(
    `${process}: obj_get(${path})`,
    inProcess(process, (table, { pins }) => {
      const name = pins.get(path);
      return name === undefined ? E.ENOENT : open(table, name);
    }),
    (runtime) => runtime.objGet(process, path),
  );

const unlink = (path: string): Operation =>
  new Both(
    `unlink(${path})`,
    ({ pins }) => (pins.delete(path) ? 0 : E.ENOENT),
    (runtime) => runtime.unlink(path),
  );

const getFdById = (process: number, kind: Kind, id: number): Operation =>
  new Both(
    `${process}: get_fd_by_id(${kind} ${id})`,
    inProcess(process, (table, model) =>
      aliveIds(model, kind).includes(id) ? open(table, `${kind} ${id}`) : E.ENOENT,
    ),
    (runtime) => runtime.getFdById(process, kind, id),
  );

// --- Drawn by chance

const fd = fc.integer({ min: 0, max: 7 });
const index = fc.integer({ min: 0, max: PLACES });
/** Where objects are pinned. */
export const PATHS = ["one", "two", "three"] as const;
const path = fc.constantFrom(...PATHS);
const kind = fc.constantFrom("map" as const, "program" as const);

/** Sequences of operations on few objects, by one process or by several. */
export function operations(most: number, processes: number): fc.Arbitrary<Iterable<Operation>> {
  const process = fc.integer({ min: 1, max: processes });
  const several = processes === 1 ? [] : [process.map(fork), process.map(exit)];
  return fc.commands<Model, Objects>(
    [
      fc.tuple(process, fc.constantFrom("array" as const, "prog_array" as const)).map((p) => mapCreate(...p)),
      fc.tuple(process, fc.array(fd, { maxLength: 2 })).map((p) => progLoad(...p)),
      fc.tuple(process, fd).map((p) => close(...p)),
      fc.tuple(process, fd).map((p) => dup(...p)),
      fc.tuple(process, fd, index, fd).map((p) => mapUpdate(...p)),
      fc.tuple(process, fd, index).map((p) => mapDelete(...p)),
      fc.tuple(process, fd, path).map((p) => objPin(...p)),
      fc.tuple(process, path).map((p) => objGet(...p)),
      path.map(unlink),
      fc.tuple(process, kind, fc.integer({ min: 1, max: 6 })).map((p) => getFdById(...p)),
      ...several,
    ],
    { maxCommands: most, size: "max" },
  );
}
