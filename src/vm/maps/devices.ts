/**
 * Device maps, their hash tables, and maps of processors: where redirected packets go, by number, with a program that they meet there. A value is a number (of a device; for a processor
 * the length of its queue) and, if there is room, a descriptor on the way in and the program's id on the way out.
 */
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { E2BIG, EEXIST, EINVAL, ENODEV, ENOENT, ENOMEM, EOVERFLOW } from "../errno.ts";
import { nextIndex } from "./array.ts";
import { Owner } from "./owner.ts";
import { indexOf, type MapValue } from "./storage.ts";
import { Table } from "./table.ts";
import { BPF_EXIST, BPF_NOEXIST, type Referent, UserSide } from "./user-side.ts";

/** The longest queue of a processor. */
const MAX_QUEUE = 16_384;

export interface Target extends MapValue {
  /** The device's number, or the length of the processor's queue. */
  readonly number: number;
  readonly program: Referent | undefined;
}

export class DeviceMap extends UserSide {
  readonly kind = "devices";
  readonly owner = new Owner(false);
  /** Whether there is a device, or a processor, of that number. */
  exists: (number: number) => boolean;
  /** Has it said when a device goes: whoever goes leaves the map. Devices stay by default. */
  watch: (number: number, gone: () => void) => void = () => undefined;
  /** For the arrays the order of the table says nothing. */
  readonly #targets: Table<Target>;

  /** @param cpus  how many processors the machine has */
  constructor(definition: MapDefinition, cpus: number) {
    // A look-up points to the kernel's own record, which programs only read.
    super({ ...definition, flags: definition.flags | MAP_FLAGS.rdonly_prog });
    this.exists = definition.type === "cpumap" ? (cpu) => cpu < cpus : () => true;
    this.#targets = new Table(definition.maxEntries, indexOf);
  }

  reset(): void {
    const programs = [...this.things];
    this.#targets.clear();
    for (const program of programs) this.onHold(program, false);
  }

  /** The programs that packets meet. */
  override get things(): Iterable<Referent> {
    return [...this.#targets.byAge()].flatMap(({ held }) => held.program ?? []);
  }

  /** Where packets go that are redirected to `key`; its bytes are what a program's look-up points to. */
  find(key: Uint8Array): Target | undefined {
    return this.#targets.get(key);
  }

  get #isHash(): boolean {
    return this.definition.type === "devmap_hash";
  }

  #programOf(value: Uint8Array): Referent | undefined | number {
    if (value.length < 8) return undefined;
    const descriptor = new DataView(value.buffer, value.byteOffset).getInt32(4, true);
    if (descriptor <= 0) return undefined;
    const held = this.held(descriptor);
    if (typeof held === "number") return EINVAL;
    const place = this.definition.type === "cpumap" ? "xdp_cpumap" : "xdp_devmap";
    const { program } = held;
    return program?.attach === place && this.owner.accepts(program) ? held : EINVAL;
  }

  #target(number: number, value: Uint8Array): Target | number {
    const program = this.#programOf(value);
    if (typeof program === "number") return this.definition.type === "cpumap" ? ENOMEM : program;
    const bytes = value.slice();
    if (bytes.length >= 8) new DataView(bytes.buffer).setUint32(4, program?.id ?? 0, true);
    return { number, program, bytes };
  }

  #checkIndex(key: Uint8Array, number: number): number {
    if (this.definition.type !== "cpumap") return number === 0 || this.exists(number) ? 0 : EINVAL;
    if (number > MAX_QUEUE) return EOVERFLOW;
    return this.exists(indexOf(key)) ? 0 : ENODEV;
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    return this.find(key)?.bytes.slice() ?? ENOENT;
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const number = indexOf(value);
    if (flags > BPF_EXIST) return EINVAL;
    const wrong = this.#isHash ? this.#checkNew(key, number, flags) : this.#checkPlace(key, number, flags);
    if (wrong !== 0) return wrong;
    // A processor without a queue is one that is taken out.
    if (number === 0 && this.definition.type === "cpumap") return this.#empty(key);
    const target = this.#target(number, value);
    if (typeof target === "number") return target;
    if (number === 0) return target.program === undefined ? this.#empty(key) : EINVAL;
    if (this.#isHash && this.find(key) === undefined && this.#targets.size >= this.definition.maxEntries) {
      return E2BIG;
    }
    this.#change(key, target);
    if (this.definition.type !== "cpumap") {
      this.watch(number, () => {
        if (this.find(key) === target) this.#change(key, undefined);
      });
    }
    return 0;
  }

  #empty(key: Uint8Array): number {
    this.#change(key, undefined);
    return 0;
  }

  /** Puts a target where another one may be, or nothing. Returns whether there was one. */
  #change(key: Uint8Array, target: Target | undefined): boolean {
    const before = this.find(key);
    if (target?.program !== undefined) this.onHold(target.program, true);
    if (target === undefined) this.#targets.remove(key);
    else this.#targets.insert(key, target);
    if (before?.program !== undefined) this.onHold(before.program, false);
    return before !== undefined;
  }

  #checkPlace(key: Uint8Array, number: number, flags: bigint): number {
    if (indexOf(key) >= this.definition.maxEntries) return E2BIG;
    return flags === BPF_NOEXIST ? EEXIST : this.#checkIndex(key, number);
  }

  #checkNew(key: Uint8Array, number: number, flags: bigint): number {
    if (number === 0) return EINVAL;
    if (this.find(key) !== undefined && (flags & BPF_NOEXIST) !== 0n) return EEXIST;
    return this.exists(number) ? 0 : EINVAL;
  }

  protected override userDelete(key: Uint8Array): number {
    const there = this.#change(key, undefined);
    if (this.#isHash) return there ? 0 : ENOENT;
    return indexOf(key) >= this.definition.maxEntries ? EINVAL : 0;
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    if (!this.#isHash) return nextIndex(this.definition, key);
    return this.#targets.keyAfter(key) ?? ENOENT;
  }
}
