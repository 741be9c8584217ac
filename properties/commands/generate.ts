/**
 * Calls of bpf(2) drawn by chance, in sequences on few objects: each begins as a right one for the objects that there are, and then, half of the time, something of it is
 * put wrong: a field, what lies at an address, the address, the attribute's size.
 */
import { generator, type Random } from "../../src/campaign/random.ts";
import type { AttributeValue, BpfOperation } from "../../src/kernel/operations/bpf.ts";
import type { Answer } from "../../src/kernel/system.ts";
import { ATTRIBUTE_SIZE, COMMANDS, type Command, type Field } from "../../src/semantics/abi/bpf-commands.ts";
import { MAP_FLAGS, MAP_TYPES, type MapType } from "../../src/semantics/program/map-types.ts";
import { PROGRAM_TYPES, type ProgramType } from "../../src/semantics/program/program-types.ts";
import {
  BAD_ADDRESSES,
  CREATED_ONLY,
  EDGES,
  EDGES_OF,
  EXIT,
  joined,
  LONG_EDGES,
  NAMES,
  PROGRAMS,
  SHAPES,
  type Shape,
  words,
} from "./pieces.ts";
import { frame, isOfType, runnable, runOptions, takesPacket } from "./test-runs.ts";
import { drawTypes, functionTypes } from "./types.ts";

const { zero_seed, rdonly, wronly } = MAP_FLAGS;

interface MadeMap extends Shape {
  readonly fd: number;
  readonly id: number;
}

type Attr = Record<string, AttributeValue>;

/** A call, or that a descriptor is closed. */
export type Step = BpfOperation | { readonly process: number; readonly do: "close"; readonly fd: number };

/** All is done by one process. */
const PROCESS = 1;

const hex = (bytes: Uint8Array): AttributeValue => ({ hex: Buffer.from(bytes).toString("hex") });

const isBytes = (value: AttributeValue | undefined): value is { readonly hex: string } =>
  typeof value === "object" && "hex" in value;

export class Sequence {
  readonly #random: Random;
  readonly #commands: readonly Command[];
  readonly #cpus: number;
  #maps: MadeMap[] = [];
  #programs: number[] = [];
  #others: number[] = [];
  #btfs: number[] = [];
  /** The types of programs, by their descriptors. */
  readonly #types = new Map<number, ProgramType>();
  /** How many maps have been made: the next one's id. */
  #made = 0;

  /** @param cpus  processors, for the values of per-CPU maps */
  constructor(seed: number, commands: readonly Command[], cpus: number) {
    this.#random = generator(seed);
    this.#commands = commands;
    this.#cpus = cpus;
  }

  #below(limit: number): number {
    return this.#random.below(limit);
  }

  #of<T>(list: readonly [T, ...T[]]): T;
  #of<T>(list: readonly T[]): T | undefined;
  #of<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }

  /** A descriptor, of anything or of nothing. */
  #anyFd(): number {
    const open = [...this.#maps.map(({ fd }) => fd), ...this.#programs, ...this.#others];
    return this.#below(4) === 0 ? (this.#of([-1, 7, 99]) ?? 0) : (this.#of(open) ?? 3);
  }

  /** What may be in a program's array of descriptors. */
  #inArray(): number {
    return (this.#below(2) === 0 ? this.#of(this.#btfs) : undefined) ?? this.#anyFd();
  }

  #map(): MadeMap | undefined {
    return this.#of(this.#maps);
  }

  #programFd(): number {
    return this.#below(8) === 0 ? this.#anyFd() : (this.#of(this.#programs) ?? this.#anyFd());
  }

  /** The next operation. */
  next(): Step {
    if (this.#maps.length + this.#programs.length + this.#others.length > 9) {
      const open = [...this.#maps.map(({ fd }) => fd), ...this.#programs, ...this.#others];
      return { process: PROCESS, do: "close", fd: this.#of(open) ?? 0 };
    }
    const needed =
      this.#maps.length < 2 ? "map_create" : this.#programs.length === 0 ? "prog_load" : undefined;
    const wanted = this.#of(this.#commands) ?? "map_create";
    const command =
      needed !== undefined && this.#commands.includes(needed) && this.#below(3) > 0 ? needed : wanted;
    const operation: BpfOperation = { process: PROCESS, do: "bpf", command, attr: this.#attr(command) };
    return this.#below(2) === 0 ? operation : this.#spoilt(operation, command);
  }

  /** Learns what came of an operation. */
  learn(step: Step, { result }: Answer): void {
    if (step.do === "close") {
      this.#maps = this.#maps.filter(({ fd }) => fd !== step.fd);
      this.#programs = this.#programs.filter((fd) => fd !== step.fd);
      this.#others = this.#others.filter((fd) => fd !== step.fd);
      this.#btfs = this.#btfs.filter((fd) => fd !== step.fd);
      return;
    }
    const { command, attr } = step;
    if (result < 0) return;
    if (command === "btf_load") this.#btfs.push(result);
    if (command === "map_create") {
      this.#made += 1;
      // Of an attribute that was cut short not all is as it says.
      const made = step.size === undefined ? madeMap(attr, result, this.#made) : undefined;
      if (made === undefined) this.#others.push(result);
      else this.#maps.push(made);
    } else if (command === "prog_load" || command === "prog_get_fd_by_id") {
      const type = PROGRAM_TYPES[Number(attr["prog_type"])];
      if (command === "prog_load" && type !== undefined) this.#types.set(result, type);
      else this.#types.delete(result);
      this.#programs.push(result);
    } else if (command === "map_get_fd_by_id") {
      const known = this.#maps.find(({ id }) => id === attr["id"]);
      if (known === undefined) this.#others.push(result);
      else this.#maps.push({ ...known, fd: result });
    } else if (typeof command === "string" && OPENERS.has(command)) this.#others.push(result);
  }

  // --- Right calls

  #attr(command: Command): Attr {
    switch (command) {
      case "map_create":
        return this.#creation();
      case "prog_load":
        return this.#load();
      case "map_lookup_elem":
      case "map_lookup_and_delete_elem":
      case "map_update_elem":
      case "map_delete_elem":
      case "map_get_next_key":
        return this.#element(command);
      case "map_lookup_batch":
      case "map_lookup_and_delete_batch":
      case "map_update_batch":
      case "map_delete_batch":
        return this.#batch(command);
      case "map_freeze":
        return { map_fd: this.#map()?.fd ?? this.#anyFd() };
      case "obj_get_info_by_fd": {
        const length = this.#of([104, 232, 40, 80, 256, 16]) ?? 104;
        return { bpf_fd: this.#anyFd(), info_len: length, info: hex(new Uint8Array(length)) };
      }
      case "prog_get_fd_by_id":
      case "link_get_fd_by_id":
      case "btf_get_fd_by_id":
        return { id: this.#below(6) };
      case "map_get_fd_by_id":
        return { id: this.#below(8), open_flags: this.#of([0, 0, rdonly, wronly]) ?? 0 };
      case "prog_get_next_id":
      case "map_get_next_id":
      case "btf_get_next_id":
      case "link_get_next_id":
        return { start_id: this.#below(6), next_id: 77 };
      case "prog_bind_map":
        return { prog_fd: this.#programFd(), map_fd: this.#map()?.fd ?? this.#anyFd() };
      case "prog_stream_read_by_fd":
        return {
          prog_fd: this.#programFd(),
          stream_id: this.#below(4),
          stream_buf: hex(new Uint8Array(16)),
          stream_buf_len: 16,
        };
      case "prog_test_run":
        return this.#run();
      case "btf_load":
        return this.#btf();
      case "enable_stats":
        return {};
      case "iter_create":
      case "link_detach":
      case "link_update":
        return { link_fd: this.#anyFd() };
      case "token_create":
        return { bpffs_fd: this.#anyFd() };
      default:
        return {};
    }
  }

  #creation(): Attr {
    const one = this.#below(4) === 0 ? this.#of(CREATED_ONLY) : this.#of(SHAPES);
    if (one === undefined) return {};
    const btf = this.#below(4) === 0 ? this.#of(this.#btfs) : undefined;
    const [key, value] = this.#below(2) === 0 ? [1, 2] : [this.#below(8), this.#below(8)];
    const typed = btf === undefined ? {} : { btf_fd: btf, btf_key_type_id: key, btf_value_type_id: value };
    const inner = one.type.endsWith("of_maps") ? { inner_map_fd: this.#map()?.fd ?? this.#anyFd() } : {};
    return {
      map_type: MAP_TYPES.indexOf(one.type),
      key_size: one.key,
      value_size: one.value,
      max_entries: one.entries,
      map_flags: one.flags,
      ...(one.extra === undefined || one.extra === 0 ? {} : { map_extra: one.extra }),
      ...(this.#below(3) === 0 ? { map_name: this.#of(NAMES) ?? 0 } : {}),
      ...inner,
      ...typed,
    };
  }

  #load(): Attr {
    const run = this.#below(3) === 0 ? runnable((limit) => this.#below(limit)) : undefined;
    const code = run?.insns ?? this.#of(PROGRAMS) ?? EXIT;
    // A map's address would take the context's place.
    const uses = run === undefined && this.#below(2) === 0 ? this.#map() : undefined;
    const insns =
      uses === undefined ? code : mapLoad(this.#below(6) === 0 ? this.#anyFd() : uses.fd, 1) + code;
    const logs = this.#below(3);
    const size = this.#of([1, 8, 64, 4096, 20_000]) ?? 64;
    const log =
      logs === 0
        ? { log_level: this.#of([1, 2]) ?? 1, log_size: size, log_buf: hex(new Uint8Array(size)) }
        : {};
    const records = this.#below(3) === 0 ? this.#records() : {};
    const fds = this.#below(6) === 0 ? [this.#map()?.fd ?? 0, this.#inArray()] : undefined;
    return {
      prog_type: this.#of([1, 1, 3, 4, 6, 8, 9, 10, 13, 14, 15, 16, 21, 22, 23]) ?? 1,
      insn_cnt: insns.length / 16,
      insns: { hex: insns },
      license: { text: this.#of(["GPL", "", "Dual MIT/GPL", "proprietary"]) ?? "" },
      ...(this.#below(3) === 0 ? { prog_name: this.#of(NAMES) ?? 0 } : {}),
      ...(this.#below(3) === 0 ? { log_true_size: 5 } : {}),
      ...(fds === undefined ? {} : { fd_array: hex(words(fds)), fd_array_cnt: this.#below(3) === 0 ? 1 : 2 }),
      ...records,
      ...log,
      ...run?.attr,
    };
  }

  /** What says of functions and lines: mostly of BTF that has a function. */
  #records(): Attr {
    const functions = this.#below(4) === 0 ? 2 : 1;
    const lines = this.#below(3);
    const size = this.#of([8, 8, 8, 12, 16, 4, 10, 256]) ?? 8;
    const lineSize = this.#of([16, 16, 16, 20, 8, 254]) ?? 16;
    const record = (given: readonly number[], room: number): Uint8Array => {
      const bytes = new Uint8Array(Math.max(room, 4 * given.length));
      bytes.set(words(given));
      if (this.#below(12) === 0) bytes[this.#below(bytes.length)] = 1 + this.#below(3);
      return bytes.subarray(0, room);
    };
    // Of the programs with functions most begin theirs with instruction 2; all but the first are static, with few exceptions.
    const start = this.#of([1, 2, 2, 2]) ?? 2;
    const functionInfo = Array.from({ length: functions }, (_, at) =>
      record([at * start, at === 0 || this.#below(8) === 0 ? 3 : 4], size),
    );
    const lineInfo = Array.from({ length: lines }, (_, at) =>
      record([at * start, 1, this.#below(3), 0x400], lineSize),
    );
    return {
      prog_btf_fd: this.#of(this.#btfs) ?? this.#anyFd(),
      ...(this.#below(5) === 0
        ? {}
        : { func_info: hex(joined(functionInfo)), func_info_cnt: functions, func_info_rec_size: size }),
      ...(lines === 0
        ? {}
        : { line_info: hex(joined(lineInfo)), line_info_cnt: lines, line_info_rec_size: lineSize }),
    };
  }

  /** One integer or two; half of the time a byte of it is another one. */
  #btf(): Attr {
    const ints =
      this.#below(2) === 0 ? [4, 8] : Array.from({ length: 1 + this.#below(2) }, () => 2 ** this.#below(5));
    const types = words(ints.flatMap((size) => [0, 0x0100_0000, size, 8 * size]));
    const header = new Uint8Array(24);
    header.set([0x9f, 0xeb, 1, 0, 24]);
    header.set(words([0, types.length, types.length, 1]), 8);
    const kind = this.#below(3);
    const isDrawn = kind !== 0;
    const bytes =
      kind === 0
        ? joined([header, types, new Uint8Array(1)])
        : kind === 1
          ? functionTypes()
          : drawTypes((limit) => this.#below(limit));
    if (!isDrawn && this.#below(2) === 0)
      bytes[this.#below(bytes.length)] = this.#of([0, 1, 2, 3, 4, 8, 16, 128, 255]) ?? 0;
    const logs = this.#below(3);
    const size = this.#of([1, 8, 20_000]) ?? 8;
    const log =
      logs === 0
        ? { btf_log_level: this.#of([1, 2]) ?? 1, btf_log_size: size, btf_log_buf: hex(new Uint8Array(size)) }
        : {};
    return { btf: hex(bytes), btf_size: bytes.length, ...log };
  }

  #run(): Attr {
    const prog_fd = this.#programFd();
    const below = (limit: number): number => this.#below(limit);
    const options = runOptions(this.#types.get(prog_fd), below);
    const size = this.#of([14, 14, 20, 60, 64, 100, 13, 0]) ?? 14;
    if (!takesPacket(this.#types.get(prog_fd)) && this.#below(8) > 0)
      return { prog_fd, retval: 99, ...options };
    const room = this.#of([size, size, size + 8, 10]) ?? size;
    const back = this.#below(3) === 0 ? {} : { data_out: hex(new Uint8Array(room)), data_size_out: room };
    return { prog_fd, data_in: hex(frame(size, below)), data_size_in: size, retval: 99, ...back, ...options };
  }

  #key({ type, key, entries }: MadeMap): Uint8Array {
    const n = this.#below(8) === 0 ? 0xffff_ffff : this.#below(entries + 2);
    const bytes = new Uint8Array(key);
    if (type === "lpm_trie") bytes.set([this.#of([0, 8, 16, 32, 33]) ?? 0, 0, 0, 0, n & 255]);
    else for (let at = 0; at < key; at += 1) bytes[at] = (n >>> (8 * (at % 4))) & 255;
    return bytes;
  }

  #value(map: MadeMap): Uint8Array {
    const size = transferSize(map, this.#cpus);
    if (!HOLDS.has(map.type))
      return Uint8Array.from({ length: size }, (_, at) =>
        at % stride(map) < map.value ? this.#below(3) : 0,
      );
    const fd =
      map.type === "prog_array"
        ? this.#programFd()
        : map.type.endsWith("of_maps")
          ? (this.#map()?.fd ?? this.#anyFd())
          : this.#anyFd();
    return words([fd]);
  }

  #element(command: Command): Attr {
    const map = this.#map();
    if (map === undefined) return { map_fd: this.#anyFd() };
    const key: Attr = map.key === 0 ? {} : { key: hex(this.#key(map)) };
    const room = hex(new Uint8Array(transferSize(map, this.#cpus)).fill(0xaa));
    if (command === "map_delete_elem") return { map_fd: map.fd, ...key };
    if (command === "map_get_next_key") {
      const from = this.#below(3) === 0 ? {} : key;
      return { map_fd: map.fd, ...from, next_key: hex(new Uint8Array(map.key).fill(0xaa)) };
    }
    if (command === "map_update_elem") {
      return {
        map_fd: map.fd,
        ...key,
        value: hex(this.#value(map)),
        flags: this.#of([0, 0, 0, 1, 2, 3, 4]) ?? 0,
      };
    }
    const value = map.type === "bloom_filter" ? hex(this.#value(map)) : room;
    return { map_fd: map.fd, ...key, value };
  }

  #batch(command: Command): Attr {
    const map = this.#map();
    if (map === undefined) return { map_fd: this.#anyFd() };
    const count = 1 + this.#below(4);
    const times = Array.from({ length: count });
    const writes = command === "map_update_batch" || command === "map_delete_batch";
    const keys = writes
      ? times.map(() => this.#key(map))
      : times.map(() => new Uint8Array(map.key).fill(0xaa));
    const values = writes
      ? times.map(() => this.#value(map))
      : times.map(() => new Uint8Array(transferSize(map, this.#cpus)).fill(0xaa));
    const from = this.#below(3) === 0 && !writes ? { in_batch: hex(this.#key(map)) } : {};
    return {
      map_fd: map.fd,
      count,
      keys: hex(joined(keys)),
      values: hex(joined(values)),
      ...(writes ? {} : { out_batch: hex(new Uint8Array(Math.max(4, map.key)).fill(0xaa)) }),
      ...from,
    };
  }

  // --- Wrong ones

  #spoilt(operation: BpfOperation, command: Command): BpfOperation {
    const way = this.#below(8);
    if (way === 0) return this.#otherSize(operation, command);
    const fields: [string, Field][] = Object.entries(COMMANDS[command].fields);
    const [name, [, width, back]] = this.#of(fields) ?? ["", [0, 4]];
    const now = operation.attr[name];
    // How many processors a kernel is built for is its own.
    if (name === "max_entries" && operation.attr["map_type"] === MAP_TYPES.indexOf("cpumap"))
      return operation;
    if (name === "prog_type" && isOfType(operation.attr["insns"])) return operation;
    const attr: Attr = { ...operation.attr };
    // Half an id of a held object would be compared with half of the kernel's.
    if (
      isBytes(now) &&
      name === "values" &&
      this.#maps.some(({ fd, type }) => fd === attr["map_fd"] && HOLDS.has(type))
    )
      return operation;
    if (isBytes(now)) {
      attr[name] = way < 4 ? (this.#of(BAD_ADDRESSES) ?? 0) : this.#otherLength(now);
    } else if (width === 16) attr[name] = this.#of(NAMES) ?? 0;
    else if (/(^|_)fd$/.test(name)) attr[name] = this.#anyFd();
    else if (width === 8 && (back !== undefined || typeof now === "object"))
      attr[name] = this.#of(BAD_ADDRESSES) ?? 0;
    else attr[name] = this.#of(EDGES_OF[name] ?? (width === 8 ? LONG_EDGES : EDGES)) ?? 0;
    return { ...operation, attr };
  }

  #otherLength({ hex: digits }: { readonly hex: string }): AttributeValue {
    const cut = 2 * this.#below(Math.max(1, digits.length / 2));
    return { hex: this.#below(4) === 0 ? `${digits}00` : digits.slice(0, cut) };
  }

  /** Only between fields: half an address would lead anywhere. */
  #otherSize(operation: BpfOperation, command: Command): BpfOperation {
    const { size, fields } = COMMANDS[command];
    const ends = Object.values<Field>(fields).map(([offset, width]) => offset + width);
    switch (this.#below(6)) {
      case 0:
        return { ...operation, size: this.#of([0, 4096, 4097, 0xffff_ffff]) ?? 0 };
      case 1:
        return { ...operation, size: this.#of(ends) ?? size };
      case 2:
        return { ...operation, tail: "00".repeat(ATTRIBUTE_SIZE + 16 - size) };
      case 3:
        return { ...operation, tail: `${"00".repeat(this.#below(ATTRIBUTE_SIZE + 8 - size))}01` };
      case 4:
        return { ...operation, tail: "00".repeat(4), size: size + 4 + this.#below(9) };
      default:
        return { ...operation, tail: "00".repeat(4096 - size) };
    }
  }
}

/** Commands that give descriptors of other things. */
const OPENERS: ReadonlySet<Command> = new Set([
  "enable_stats",
  "btf_load",
  "btf_get_fd_by_id",
  "link_get_fd_by_id",
  "obj_get",
]);
const HOLDS: ReadonlySet<MapType> = new Set([
  "prog_array",
  "array_of_maps",
  "hash_of_maps",
  "perf_event_array",
  "cgroup_array",
  "sockmap",
]);

const stride = ({ value }: Shape): number => Math.max(1, Math.ceil(value / 8) * 8);

function transferSize(map: Shape, cpus: number): number {
  return map.type.startsWith("percpu") ? stride(map) * cpus : map.value;
}

/** A 16-byte load of a map into a register. */
function mapLoad(fd: number, register: number): string {
  const bytes = new Uint8Array(16);
  bytes.set([0x18, 0x10 | register]);
  bytes.set(words([fd]), 4);
  return Buffer.from(bytes).toString("hex");
}

function madeMap(attr: BpfOperation["attr"], fd: number, id: number): MadeMap | undefined {
  const number = (name: string): number => {
    const value = attr[name];
    return typeof value === "number" ? value : 0;
  };
  const type = MAP_TYPES[number("map_type")];
  if (type === undefined || !SHAPES.some((one) => one.type === type)) return undefined;
  const [key, value] = [number("key_size"), number("value_size")];
  // In which order a table has its elements is known if its hash function begins from 0.
  const isOrdered = !type.includes("hash") || (number("map_flags") & zero_seed) !== 0;
  if (value > 4096 || !isOrdered) return undefined;
  return {
    type,
    fd,
    id,
    key,
    value,
    entries: Math.min(number("max_entries"), 8),
    flags: number("map_flags"),
  };
}
