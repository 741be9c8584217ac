/**
 * Objects with ids, and the references that keep them, counted as the kernel counts them: every descriptor, pin, attachment, use by a program and place in a map is a
 * reference, and an object is freed with its last one. The model (`src/kernel/model`) says the same without counts.
 */
import type { LoadedProgram, MapStorage, ReferredProgram } from "../vm/maps/map.ts";
import { ProgramArray } from "../vm/maps/map.ts";
import type { Referent } from "../vm/maps/user-side.ts";
import type { Target } from "./descriptors.ts";
import type { ObjectKind } from "./system.ts";

/** The objects that are alive, by id; ids are not used again. */
export class Registry {
  readonly #objects: Readonly<Record<ObjectKind, Map<number, KernelObject>>> = {
    map: new Map(),
    program: new Map(),
    link: new Map(),
    btf: new Map(),
  };
  readonly #lastIds: Record<ObjectKind, number> = { map: 0, program: 0, link: 0, btf: 0 };
  /** The objects that things in maps stand for. */
  readonly #byReferent = new Map<Referent, KernelObject>();

  /** Enters an object, which gets the next id of its kind. */
  enter(object: KernelObject, kind: ObjectKind): number {
    this.#lastIds[kind] += 1;
    const id = this.#lastIds[kind];
    this.#objects[kind].set(id, object);
    return id;
  }

  leave({ kind, id }: KernelObject): void {
    this.#objects[kind].delete(id);
  }

  find(kind: ObjectKind, id: number): KernelObject | undefined {
    return this.#objects[kind].get(id);
  }

  /** Ids of the objects that are alive, in order. */
  alive(kind: ObjectKind): readonly number[] {
    return [...this.#objects[kind].keys()].sort((a, b) => a - b);
  }

  /** Lets maps hold the object by what stands for it there. */
  refer(referent: Referent, object: KernelObject): void {
    this.#byReferent.set(referent, object);
  }

  forget(referent: Referent): void {
    this.#byReferent.delete(referent);
  }

  referred(referent: Referent): KernelObject | undefined {
    return this.#byReferent.get(referent);
  }
}

/** An object with an id. */
export abstract class KernelObject implements Target {
  abstract readonly kind: ObjectKind;
  readonly id: number;
  protected readonly registry: Registry;
  #references = 0;

  constructor(registry: Registry, kind: ObjectKind) {
    this.registry = registry;
    this.id = registry.enter(this, kind);
  }

  /** How many references there are. */
  get references(): number {
    return this.#references;
  }

  /** One more reference. */
  hold(): void {
    this.#references += 1;
  }

  /** One reference fewer; the last one frees the object. */
  put(): void {
    this.#references -= 1;
    if (this.#references > 0) return;
    this.registry.leave(this);
    this.freed();
  }

  /** What user space has: a descriptor or a pin. */
  holdUser(): void {
    this.hold();
  }

  putUser(): void {
    this.put();
  }

  /** The objects that this one holds, as often as it does. */
  holds(): readonly KernelObject[] {
    return [];
  }

  /** Gives back what the object holds. */
  protected abstract freed(): void;
}

export class MapObject extends KernelObject {
  readonly kind = "map";
  readonly storage: MapStorage;
  /** The BTF that has the types of its keys and values. */
  readonly types: KernelObject | undefined;
  /** Programs that are attached to the map, which go when user space can no longer reach it. */
  attached: { readonly close: () => void } | undefined;
  /** Those references that user space has. */
  #users = 0;

  constructor(registry: Registry, storage: MapStorage, types?: KernelObject) {
    super(registry, "map");
    this.storage = storage;
    this.types = types;
    types?.hold();
    storage.id = this.id;
    registry.refer(storage, this);
    storage.onHold = (thing, held) => {
      const object = registry.referred(thing);
      if (held) object?.hold();
      else object?.put();
    };
  }

  /** How many open files and pins there are of it. */
  get users(): number {
    return this.#users;
  }

  override holdUser(): void {
    this.#users += 1;
    this.hold();
  }

  override holds(): readonly KernelObject[] {
    const things = [...this.storage.things].flatMap((thing) => this.registry.referred(thing) ?? []);
    return this.types === undefined ? things : [...things, this.types];
  }

  /**
   * When user space can no longer reach a program array to change it, what it holds goes, even if a program still uses it: this breaks the cycle of a program in an array that it uses. So
   * do programs that are attached to a map.
   */
  override putUser(): void {
    this.#users -= 1;
    if (this.#users === 0 && this.storage instanceof ProgramArray) this.storage.reset();
    if (this.#users === 0) this.attached?.close();
    this.put();
  }

  protected freed(): void {
    this.storage.reset();
    this.registry.forget(this.storage);
    this.types?.put();
  }
}

export class ProgramObject extends KernelObject {
  readonly kind = "program";
  /** What stands for it in maps. */
  readonly referent: ReferredProgram;
  /** The BTF that its functions and lines are told by. */
  readonly types: KernelObject | undefined;
  /** BTF that it holds besides. */
  readonly #further: readonly KernelObject[];
  readonly #maps: Set<MapObject>;

  /**
   * @param maps  those that the program uses
   * @param further  BTF that came with it, each once
   */
  constructor(
    registry: Registry,
    loaded: LoadedProgram,
    maps: readonly MapObject[],
    types?: KernelObject,
    further: readonly KernelObject[] = [],
  ) {
    super(registry, "program");
    this.types = types;
    types?.hold();
    this.#further = further;
    for (const each of further) each.hold();
    this.referent = { kind: "program", id: this.id, program: loaded.program, loaded };
    this.#maps = new Set(maps);
    registry.refer(this.referent, this);
    for (const map of this.#maps) map.hold();
  }

  /** The maps that it holds. */
  get maps(): readonly MapObject[] {
    return [...this.#maps];
  }

  override holds(): readonly KernelObject[] {
    return [...this.maps, ...this.#further, ...(this.types === undefined ? [] : [this.types])];
  }

  /** Holds one more map (BPF_PROG_BIND_MAP). */
  bind(map: MapObject): void {
    if (this.#maps.has(map)) return;
    this.#maps.add(map);
    map.hold();
  }

  protected freed(): void {
    this.registry.forget(this.referent);
    for (const map of this.#maps) map.put();
    for (const each of this.#further) each.put();
    this.types?.put();
  }
}
