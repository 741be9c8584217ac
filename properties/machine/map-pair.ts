/** The same map in the machine and in the running kernel, and operations on both: commands of bpf(2), and helpers that programs call. */

import { loadBtf } from "../../src/oracle/linux/btf-records.ts";
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { MapCommands } from "../../src/oracle/linux/map-commands.ts";
import {
  createMap as createKernelMap,
  type KernelMap,
  possibleCpus,
  word,
} from "../../src/oracle/linux/maps.ts";
import { TYPES } from "../../src/oracle/linux/probe/types.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { MAP_FLAGS, type MapDefinition } from "../../src/semantics/program/map-types.ts";
import { Machine } from "../../src/vm/machine.ts";
import { createMap } from "../../src/vm/maps/create.ts";
import type { MapStorage } from "../../src/vm/maps/map.ts";
import { AttachedToGroup } from "./cgroup-program.ts";
import { KernelRing } from "./kernel-ring.ts";
import {
  CHANGE_AT,
  COMMAND,
  COMMAND_SIZE,
  CPU_AT,
  FLAGS_AT,
  type HelperCase,
  helpersOf,
  KEY_AT,
  OUT,
  programFor,
  SIZE,
  VALUE_AT,
} from "./map-programs.ts";
import type { Reference } from "./map-references.ts";
import { isSettled, keyOf, valueOf } from "./map-shapes.ts";

const COMMANDS = [
  "lookup",
  "update",
  "delete",
  "next",
  "take",
  "freeze",
  "lookup_batch",
  "take_batch",
  "update_batch",
  "delete_batch",
  "consume",
  "produce",
] as const;

export interface Operation {
  readonly side: "user" | "program";
  readonly what: (typeof COMMANDS)[number] | HelperCase;
  readonly key: number;
  readonly value: number;
  readonly flags: bigint;
  readonly count: number;
}

type Answer = number | string;

/** Order in a hash table whose seed is not 0 is the kernel's alone. */
function isOrdered({ type, flags }: MapDefinition): boolean {
  const isHash = /^(percpu_|lru_|lru_percpu_)?hash/.test(type);
  return !isHash || (!type.startsWith("lru") && (flags & MAP_FLAGS.zero_seed) !== 0);
}

/** The commands to try on a map; updates more often than others. */
export function commandsOf(definition: MapDefinition): readonly (typeof COMMANDS)[number][] {
  const isOfOrder = (what: string): boolean => what === "next" || what.endsWith("_batch");
  const all = COMMANDS.filter(
    (what) => (isOrdered(definition) || !isOfOrder(what)) && !(isSettled(definition) && what === "freeze"),
  );
  switch (definition.type) {
    case "ringbuf":
      return all.filter((what) => what !== "produce");
    case "user_ringbuf":
      return [
        ...all.filter((what) => what !== "consume"),
        ...Array.from({ length: 12 }, () => "produce" as const),
      ];
    default: {
      const plain = all.filter((what) => what !== "consume" && what !== "produce");
      return [...plain, "update", "update", "update", "lookup"];
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const text = (result: Uint8Array | number): Answer => (typeof result === "number" ? result : hex(result));
const PACKET = new Uint8Array(64);

type Side = Pick<
  MapCommands,
  | "lookup"
  | "update"
  | "delete"
  | "nextKey"
  | "lookupAndDelete"
  | "freeze"
  | "lookupBatch"
  | "lookupAndDeleteBatch"
  | "updateBatch"
  | "deleteBatch"
>;

interface Runner {
  readonly machine: Machine;
  readonly loaded: Accepted;
}

export class MapPair {
  readonly definition: MapDefinition;
  readonly ours: MapStorage;
  readonly theirs: KernelMap;
  readonly #pool: readonly Reference[];
  readonly #commands: MapCommands;
  readonly #ring: KernelRing | undefined;
  readonly #attached: AttachedToGroup | undefined;
  readonly #command: { readonly ours: MapStorage; readonly theirs: KernelMap };
  readonly #out: { readonly ours: MapStorage; readonly theirs: KernelMap };
  readonly #runners = new Map<string, Runner>();
  #next: Uint8Array | undefined;

  constructor(definition: MapDefinition, pool: readonly Reference[]) {
    const cpus = possibleCpus();
    this.definition = definition;
    this.#pool = pool;
    const btf = loadBtf(THIS_MACHINE, TYPES);
    try {
      this.theirs = createKernelMap(definition, btf);
    } finally {
      THIS_MACHINE.close(btf);
    }
    this.#commands = new MapCommands(this.theirs);
    this.ours = createMap(definition, cpus);
    this.ours.descriptors = (fd) => pool.find((one) => one.fd === fd)?.referent;
    if (this.ours.kind === "devices" && definition.type !== "cpumap")
      this.ours.exists = (number) => number === 1;
    this.#command = { ours: createMap(COMMAND, cpus), theirs: createKernelMap(COMMAND) };
    this.#out = { ours: createMap(OUT, cpus), theirs: createKernelMap(OUT) };
    if (this.ours.kind === "cgroup_storage") {
      this.#attached = new AttachedToGroup(this.theirs, pool);
      if (this.#attached.attached) this.ours.addGroup(keyOf(definition, pool, 0));
    }
    if (definition.type.endsWith("ringbuf")) {
      this.#ring = new KernelRing(this.theirs);
      this.ours.writableMappings = 1;
    }
  }

  close(): void {
    for (const { loaded } of this.#runners.values()) loaded.close();
    // A socket that is in one map cannot be put into some others, and maps are freed later than they are closed.
    if (this.ours.kind === "sockets") for (const key of this.theirs.keys()) this.#commands.delete(key);
    this.#attached?.close();
    this.#ring?.close();
    for (const map of [this.theirs, this.#command.theirs, this.#out.theirs]) map.close();
  }

  #runner(helper: HelperCase): Runner {
    let runner = this.#runners.get(helper);
    if (runner === undefined) {
      const program = programFor(helper, this.definition);
      const loaded = loadProgram(program, { maps: [this.#command.theirs, this.#out.theirs, this.theirs] });
      if (loaded.verdict === "reject")
        throw new Error(`${helper}: ${loaded.message}\n${loaded.log.slice(-600)}`);
      const maps = [this.#command.ours, this.#out.ours, this.ours];
      runner = { machine: new Machine(program, { maps, cpus: possibleCpus() }), loaded };
      this.#runners.set(helper, runner);
    }
    return runner;
  }

  get #evicts(): boolean {
    return this.definition.type.startsWith("lru");
  }

  /** Performs an operation on both; nothing if it makes no sense for the map. */
  perform(given: Operation): { readonly machine: Answer; readonly kernel: Answer } | undefined {
    const operation = this.#evicts && given.what === "update" ? this.#promised(given) : given;
    const answers = operation.side === "user" ? this.#asUser(operation) : this.#asProgram(operation);
    if (answers !== undefined && this.#evicts) this.#settle(operation);
    return answers;
  }

  // --- Commands

  #asUser(operation: Operation): { readonly machine: Answer; readonly kernel: Answer } | undefined {
    const { what } = operation;
    if (what === "consume") return this.#consume();
    if (what === "produce") return this.#produce(operation);
    const from = operation.count % 2 === 1 ? this.#next : undefined;
    const kernel = this.#ask(this.#commands, operation, from);
    const machine = this.#ask(this.ours, operation, from);
    return { machine, kernel };
  }

  #ask(side: Side, operation: Operation, from: Uint8Array | undefined): Answer {
    const { what, flags, count } = operation;
    const key = keyOf(this.definition, this.#pool, operation.key);
    const value = valueOf(this.definition, this.#pool, this.theirs.transferSize, operation.value);
    const many = Array.from({ length: count % 5 }, (_, i) =>
      keyOf(this.definition, this.#pool, operation.key + i),
    );
    switch (what) {
      case "lookup":
        return text(side.lookup(key, flags, this.definition.type === "bloom_filter" ? value : undefined));
      case "update":
        return side.update(key, value, flags);
      case "delete":
        return side.delete(key);
      case "next":
        return text(side.nextKey(count % 4 === 0 ? undefined : key));
      case "take":
        return text(side.lookupAndDelete(key, flags));
      case "freeze":
        // Seldom, since little happens afterwards.
        return count === 9 ? side.freeze() : 0;
      case "lookup_batch":
        return this.#batch(side.lookupBatch(from, count, flags));
      case "take_batch":
        return this.#batch(side.lookupAndDeleteBatch(from, count, flags));
      case "update_batch":
        return this.#batch(
          side.updateBatch(
            many.map((one) => [one, value] as const),
            flags,
          ),
        );
      default:
        return this.#batch(side.deleteBatch(many, flags));
    }
  }

  #batch({ error, count, keys, values, next }: ReturnType<Side["lookupBatch"]>): string {
    this.#next = next?.slice(0, Math.max(4, this.definition.keySize));
    const pairs = keys.map((key, i) => `${hex(key)}=${hex(values[i] ?? new Uint8Array(0))}`);
    return `${error} ${count} ${pairs.join(" ")} ${next === undefined ? "" : hex(next.subarray(0, 4))}`;
  }

  #consume(): { readonly machine: Answer; readonly kernel: Answer } | undefined {
    if (this.#ring === undefined || this.ours.kind !== "ring") return undefined;
    const { data, consumer, producer } = this.ours;
    const machine = `${consumer} ${producer} ${hex(data)}`;
    const kernel = `${this.#ring.consumer} ${this.#ring.producer} ${hex(this.#ring.data)}`;
    this.ours.consume();
    this.#ring.consumer = this.ours.consumer;
    return { machine, kernel };
  }

  /** A sample as user space should write it, or one with a flag, or with a length or a position that is nonsense. */
  #produce({
    key,
    value,
    count,
  }: Operation): { readonly machine: Answer; readonly kernel: Answer } | undefined {
    if (this.#ring === undefined || this.ours.kind !== "user_ring") return undefined;
    const size = this.definition.maxEntries;
    const consumed = { machine: Number(this.ours.consumer), kernel: this.#ring.consumer };
    const position = Math.ceil(Number(this.ours.producer) / 8) * 8;
    const length = key % 16 === 15 ? 5000 : (key % 16) * (value % 16 === 15 ? 70 : 3);
    const places = Math.ceil((length + 8) / 8) * 8;
    if (position + places - consumed.machine > size && count !== 9) return consumed;
    const bits = [0, 0, 0, 0, 0, 0, 0x8000_0000, 0x4000_0000, 0x4000_0000][count] ?? 0;
    const bytes = Uint8Array.from({ length: 8 + Math.min(length, 1024) }, (_, i) => (i < 8 ? 0 : value + i));
    new DataView(bytes.buffer).setUint32(0, (length | bits) >>> 0, true);
    this.#ring.write(position, bytes);
    for (const [i, byte] of bytes.entries()) this.ours.data[(position + i) % size] = byte;
    const producer = position + places + (value % 32 === 31 ? 3 : 0);
    this.#ring.producer = producer;
    this.ours.producer = BigInt(producer);
    return consumed;
  }

  // --- Programs

  #asProgram(operation: Operation): { readonly machine: Answer; readonly kernel: Answer } | undefined {
    const helper = helpersOf(this.definition).find((name) => name === operation.what);
    if (helper === undefined || (helper === "for_each" && !isOrdered(this.definition))) return undefined;
    const { machine, loaded } = this.#runner(helper);
    const command = new Uint8Array(COMMAND_SIZE);
    const view = new DataView(command.buffer);
    view.setBigUint64(FLAGS_AT, operation.flags, true);
    view.setUint32(CPU_AT, operation.count, true);
    view.setUint32(CHANGE_AT, operation.value >> 6, true);
    command.set(keyOf(this.definition, this.#pool, operation.key), KEY_AT);
    const { valueSize } = this.definition;
    const value = valueOf(this.definition, this.#pool, valueSize === 0 ? 63 : valueSize, operation.value);
    command.set(value, VALUE_AT);
    this.#command.theirs.update(word(0), command);
    this.#command.ours.update(word(0), command);
    const ran = testRun(loaded.fd, { packet: PACKET });
    if (!ran.ran) throw new Error(ran.message);
    const theirs = this.#out.theirs.lookup(word(0)) ?? new Uint8Array(SIZE);
    const cpu = new DataView(theirs.buffer, theirs.byteOffset).getUint32(CPU_AT, true);
    const result = machine.run({ packet: PACKET, cpu });
    if (result.outcome === "fault") return { machine: result.fault.message, kernel: hex(theirs) };
    const ours = this.#out.ours.lookup(word(0));
    return { machine: text(ours), kernel: hex(theirs) };
  }

  // --- What is not promised

  /** A table of type LRU takes an element from the others before it looks whether the key is there: the key's own, perhaps, so that flags about it say nothing. */
  #promised(operation: Operation): Operation {
    const isThere = typeof this.ours.lookup(keyOf(this.definition, this.#pool, operation.key)) !== "number";
    return isThere && operation.flags < 3n ? { ...operation, flags: 0n } : operation;
  }

  /** Which elements a table of type LRU evicts is the kernel's to choose: what one side has lost, the other loses as well. */
  #settle({ what, key: number, flags }: Operation): void {
    const key = keyOf(this.definition, this.#pool, number);
    // What is promised: the element that was put is there.
    if (
      what === "update" &&
      flags === 0n &&
      (!this.theirs.lookup(key) || typeof this.ours.lookup(key) === "number")
    ) {
      throw new Error(`${this.definition.type}: the element that was put is not there`);
    }
    const kernel = new Set(this.theirs.keys().map(hex));
    const machine = new Set(this.ours.entries().map(([key]) => hex(key)));
    for (const key of kernel) if (!machine.has(key)) this.theirs.delete(Buffer.from(key, "hex"));
    for (const key of machine) if (!kernel.has(key)) this.ours.delete(Buffer.from(key, "hex"));
    if (this.definition.type === "lru_percpu_hash")
      this.#settleCopies([...kernel].filter((key) => machine.has(key)));
  }

  /** A program's update of a full table may evict the element that it is to change, and then it is new: the other processors' values are zeros. */
  #settleCopies(keys: readonly string[]): void {
    const stride = Math.ceil(this.definition.valueSize / 8) * 8;
    for (const key of keys.map((one) => Buffer.from(one, "hex"))) {
      const theirs = this.theirs.lookup(key);
      const own = this.ours.lookup(key);
      if (theirs === undefined || typeof own === "number") continue;
      const isRenewed = [...theirs.keys()].every((at) => {
        const start = at - (at % stride);
        return theirs[at] === own[at] || theirs.subarray(start, start + stride).every((byte) => byte === 0);
      });
      if (isRenewed) this.ours.update(key, theirs);
    }
  }

  /** What both hold in the end, by key. */
  contents(): { readonly machine: readonly string[]; readonly kernel: readonly string[] } | undefined {
    const { type, flags } = this.definition;
    const isReadable = (flags & MAP_FLAGS.wronly) === 0;
    if (!isReadable || this.ours.kind !== "values") return undefined;
    const lines = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): readonly string[] =>
      entries.map(([key, value]) => `${hex(key)}=${hex(value)}`).sort();
    return type === "lpm_trie" || this.ours.kind === "values"
      ? { machine: lines(this.ours.entries()), kernel: lines(this.theirs.entries()) }
      : undefined;
  }
}
