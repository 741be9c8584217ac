/**
 * BPF objects and what keeps them: processes with descriptors, the BPF file system, maps and programs, as Linux has them. Lifetimes are counted here, as the kernel counts them:
 * every descriptor, pin, use by a program and place in a program array is a reference, and an object is freed with its last one. `properties/lifetime/model.ts` says the
 * same without counts.
 *
 * Commands return what the system calls do: a descriptor or 0, or a negative error number.
 */
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT } from "../vm/errno.ts";

const ESRCH = -3;

interface Counted {
  readonly id: number;
  /** Everything that keeps it. */
  references: number;
}

interface MapObject extends Counted {
  readonly kind: "map";
  readonly type: MapKind;
  readonly maxEntries: number;
  /** Those references that user space has: descriptors and pins. */
  users: number;
  /** The programs of a program array, by index. */
  readonly programs: Map<number, ProgramObject>;
}

interface ProgramObject extends Counted {
  readonly kind: "program";
  readonly maps: readonly MapObject[];
}

type BpfObject = MapObject | ProgramObject;

export type MapKind = "array" | "prog_array";

export class Runtime {
  /** Descriptors of each process. */
  readonly #processes = new Map<number, Map<number, BpfObject>>([[FIRST_PROCESS, new Map()]]);
  readonly #pins = new Map<string, BpfObject>();
  readonly #objects = { map: new Map<number, BpfObject>(), program: new Map<number, BpfObject>() };
  readonly #ids = { map: 0, program: 0 };
  #lastProcess = FIRST_PROCESS;

  // --- What there is

  /** Ids of the objects that are alive, in order. */
  alive(kind: BpfObject["kind"]): readonly number[] {
    return [...this.#objects[kind].keys()].sort((a, b) => a - b);
  }

  processes(): readonly number[] {
    return [...this.#processes.keys()];
  }

  /** Descriptors of a process in order, each with what it stands for. */
  descriptors(process: number): readonly (readonly [fd: number, kind: BpfObject["kind"], id: number])[] {
    return [...(this.#processes.get(process) ?? [])]
      .map(([fd, { kind, id }]) => [fd, kind, id] as const)
      .sort(([a], [b]) => a - b);
  }

  // --- References

  #hold(object: BpfObject, user: boolean): void {
    object.references += 1;
    if (user && object.kind === "map") object.users += 1;
  }

  #put(object: BpfObject, user: boolean): void {
    object.references -= 1;
    if (user && object.kind === "map") {
      object.users -= 1;
      // Nobody can reach the array any more to change it: what it holds goes, even if a program still uses it.
      if (object.users === 0) this.#clear(object);
    }
    if (object.references > 0) return;
    this.#objects[object.kind].delete(object.id);
    if (object.kind === "map") this.#clear(object);
    else for (const map of object.maps) this.#put(map, false);
  }

  #clear(map: MapObject): void {
    const held = [...map.programs.values()];
    map.programs.clear();
    for (const program of held) this.#put(program, false);
  }

  #newId(kind: BpfObject["kind"]): number {
    this.#ids[kind] += 1;
    return this.#ids[kind];
  }

  // --- Processes

  #table(process: number): Map<number, BpfObject> | undefined {
    return this.#processes.get(process);
  }

  /** Gives the process a descriptor, the lowest that it does not use. */
  #open(table: Map<number, BpfObject>, object: BpfObject): number {
    let fd = 0;
    while (table.has(fd)) fd += 1;
    table.set(fd, object);
    this.#hold(object, true);
    return fd;
  }

  /** The new process's number. */
  fork(process: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    this.#lastProcess += 1;
    this.#processes.set(this.#lastProcess, new Map(table));
    for (const object of table.values()) this.#hold(object, true);
    return this.#lastProcess;
  }

  exit(process: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    this.#processes.delete(process);
    for (const object of table.values()) this.#put(object, true);
    return 0;
  }

  close(process: number, fd: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const object = table.get(fd);
    if (object === undefined) return EBADF;
    table.delete(fd);
    this.#put(object, true);
    return 0;
  }

  dup(process: number, fd: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const object = table.get(fd);
    return object === undefined ? EBADF : this.#open(table, object);
  }

  // --- bpf()

  mapCreate(process: number, type: MapKind, maxEntries: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    if (maxEntries === 0) return EINVAL;
    const map: MapObject = {
      kind: "map",
      id: this.#newId("map"),
      type,
      maxEntries,
      references: 0,
      users: 0,
      programs: new Map(),
    };
    this.#objects.map.set(map.id, map);
    return this.#open(table, map);
  }

  /** @param maps  descriptors of the maps that the program uses */
  progLoad(process: number, maps: readonly number[]): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const used = new Set<MapObject>();
    for (const fd of maps) {
      const object = table.get(fd);
      if (object === undefined) return EBADF;
      if (object.kind !== "map") return EINVAL;
      used.add(object);
    }
    const program: ProgramObject = {
      kind: "program",
      id: this.#newId("program"),
      maps: [...used],
      references: 0,
    };
    this.#objects.program.set(program.id, program);
    for (const map of used) this.#hold(map, false);
    return this.#open(table, program);
  }

  /**
   * BPF_MAP_UPDATE_ELEM.
   *
   * @param value  for a program array a program's descriptor; what other arrays hold keeps nothing alive
   */
  mapUpdate(process: number, fd: number, index: number, value: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const map = mapOf(table, fd);
    if (typeof map === "number") return map;
    if (index >= map.maxEntries) return E2BIG;
    if (map.type === "array") return 0;
    const object = table.get(value);
    if (object === undefined) return EBADF;
    if (object.kind !== "program") return EINVAL;
    const before = map.programs.get(index);
    map.programs.set(index, object);
    this.#hold(object, false);
    if (before !== undefined) this.#put(before, false);
    return 0;
  }

  /** BPF_MAP_DELETE_ELEM. */
  mapDelete(process: number, fd: number, index: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const map = mapOf(table, fd);
    if (typeof map === "number") return map;
    if (map.type === "array") return EINVAL;
    if (index >= map.maxEntries) return E2BIG;
    const before = map.programs.get(index);
    if (before === undefined) return ENOENT;
    map.programs.delete(index);
    this.#put(before, false);
    return 0;
  }

  objPin(process: number, fd: number, path: string): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const object = table.get(fd);
    if (object === undefined) return EINVAL;
    if (this.#pins.has(path)) return EEXIST;
    this.#pins.set(path, object);
    this.#hold(object, true);
    return 0;
  }

  objGet(process: number, path: string): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const object = this.#pins.get(path);
    return object === undefined ? ENOENT : this.#open(table, object);
  }

  unlink(path: string): number {
    const object = this.#pins.get(path);
    if (object === undefined) return ENOENT;
    this.#pins.delete(path);
    this.#put(object, true);
    return 0;
  }

  getFdById(process: number, kind: BpfObject["kind"], id: number): number {
    const table = this.#table(process);
    if (table === undefined) return ESRCH;
    const object = this.#objects[kind].get(id);
    return object === undefined ? ENOENT : this.#open(table, object);
  }
}

function mapOf(table: ReadonlyMap<number, BpfObject>, fd: number): MapObject | number {
  const object = table.get(fd);
  if (object === undefined) return EBADF;
  return object.kind === "map" ? object : EINVAL;
}

/** The process that there is at the beginning. */
const FIRST_PROCESS = 1;
