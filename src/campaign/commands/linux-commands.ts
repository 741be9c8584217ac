/** Calls of bpf(2) as operations of a trace, made by a process of a kernel: what it answers, with ids as traces have them. */
import { attributeBytes, changesOf, type Pointed } from "../../kernel/commands/attribute.ts";
import type { BpfOperation } from "../../kernel/operations/bpf.ts";
import type { Answer, ObjectKind } from "../../kernel/system.ts";
import { COMMANDS, type Command, SYSCALL_NUMBERS } from "../../oracle/linux/abi.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { INFORMATION } from "../../semantics/abi/bpf-information.ts";
import { MAP_TYPES } from "../../semantics/program/map-types.ts";
import { GuardedMemory } from "./guarded-memory.ts";
import type { LinuxIds } from "./linux-ids.ts";

/** What a descriptor stands for. */
interface Found {
  readonly kind: ObjectKind;
  readonly id: number;
  /** The map's or program's type. */
  readonly type: number;
}

/** Commands that make objects. */
const MAKERS: ReadonlySet<Command> = new Set([
  "map_create",
  "prog_load",
  "btf_load",
  "link_create",
  "raw_tracepoint_open",
]);
const LOOKUPS: ReadonlySet<Command> = new Set([
  "map_lookup_elem",
  "map_lookup_and_delete_elem",
  "map_lookup_batch",
  "map_lookup_and_delete_batch",
]);
/** Which objects' ids the values of a map are, to those who look them up. */
const HELD: ReadonlyMap<number, ObjectKind> = new Map([
  [MAP_TYPES.indexOf("prog_array"), "program"],
  [MAP_TYPES.indexOf("array_of_maps"), "map"],
  [MAP_TYPES.indexOf("hash_of_maps"), "map"],
]);
const KINDS: Readonly<Record<string, ObjectKind>> = { map: "map", prog: "program", btf: "btf", link: "link" };
const ID_SIZE = 4;
/** Larger than any information, so that its size tells what it is of. */
const INFORMATION_ROOM = 256;

interface Made {
  readonly result: number;
  readonly before: Uint8Array;
  readonly now: Uint8Array;
  readonly buffers: readonly Pointed[];
}

export class LinuxCommands {
  readonly #kernel: Kernel;
  readonly #memory: GuardedMemory;
  readonly #ids: LinuxIds;

  /** @param ids  those of the trace, for all its processes */
  constructor(kernel: Kernel, ids: LinuxIds) {
    this.#kernel = kernel;
    this.#memory = new GuardedMemory(kernel);
    this.#ids = ids;
  }

  do(operation: BpfOperation): Answer {
    const { command } = operation;
    if (typeof command === "number") return { result: this.#make(operation, command).result };
    const kind = KINDS[command.split("_")[0] ?? ""];
    const made =
      kind !== undefined && command.endsWith("_get_next_id")
        ? this.#nextId(operation, command, kind)
        : this.#make(this.#withIds(operation, command, kind), COMMANDS[command].number);
    this.#note(command, operation, made);
    const out = changesOf(command, made.before, made.now, made.buffers);
    return Object.keys(out).length === 0 ? { result: made.result } : { result: made.result, out };
  }

  #make(operation: BpfOperation, number: number): Made {
    const buffers: Pointed[] = [];
    const now = attributeBytes(operation, (field, bytes) => {
      buffers.push({ field, before: bytes.slice(), now: bytes });
      return this.#memory.address(buffers.length, bytes.length);
    });
    const before = now.slice();
    const pieces = [now, ...buffers.map((buffer) => buffer.now)];
    const address = this.#memory.address(0, now.length);
    const outcomes = this.#kernel.calls([
      ...pieces.map((bytes, piece) => this.#memory.store(piece, bytes)),
      {
        number: SYSCALL_NUMBERS[this.#kernel.arch] ?? 0,
        arguments: [number, address, operation.size ?? now.length],
      },
      ...pieces.map((bytes, piece) => this.#memory.fetch(piece, bytes)),
    ]);
    const outcome = outcomes[pieces.length];
    if (outcome === undefined) throw new Error(`${this.#kernel.name} left a call without an answer`);
    return { result: outcome.errno === 0 ? outcome.result : -outcome.errno, before, now, buffers };
  }

  #withIds(operation: BpfOperation, command: Command, kind: ObjectKind | undefined): BpfOperation {
    const { id } = operation.attr;
    if (kind === undefined || typeof id !== "number" || !command.endsWith("_get_fd_by_id")) return operation;
    return { ...operation, attr: { ...operation.attr, id: this.#ids.real(kind, id) } };
  }

  /** The next of the trace's objects: others are passed over. */
  #nextId(whole: BpfOperation, command: Command, kind: ObjectKind): Made {
    // An attribute without its first field is one where that is 0, which is then put in.
    const isCut = whole.size !== undefined && whole.size < ID_SIZE;
    const operation = isCut ? { ...whole, size: ID_SIZE, attr: { ...whole.attr, start_id: 0 } } : whole;
    const given = operation.attr["start_id"];
    let start = this.#ids.before(kind, typeof given === "number" ? given >>> 0 : 0);
    for (;;) {
      const made = this.#make(
        { ...operation, attr: { ...operation.attr, start_id: start } },
        COMMANDS[command].number,
      );
      const view = new DataView(made.now.buffer);
      // The attribute is as the trace has it.
      if (made.now.length >= ID_SIZE)
        for (const bytes of [made.before, made.now]) {
          new DataView(bytes.buffer).setUint32(0, typeof given === "number" ? given : 0, true);
        }
      if (made.result !== 0) return made;
      const next = view.getUint32(ID_SIZE, true);
      const ordinal = this.#ids.ordinal(kind, next);
      if (ordinal !== 0) {
        view.setUint32(ID_SIZE, ordinal, true);
        return made;
      }
      start = next;
    }
  }

  /** What a descriptor stands for, if that has an id. */
  #find(fd: number): Found | undefined {
    const info = { hex: "00".repeat(INFORMATION_ROOM) };
    const operation: BpfOperation = {
      process: 1,
      do: "bpf",
      command: "obj_get_info_by_fd",
      attr: { bpf_fd: fd, info_len: INFORMATION_ROOM, info },
    };
    const { result, now, buffers } = this.#make(operation, COMMANDS.obj_get_info_by_fd.number);
    const bytes = buffers[0]?.now;
    if (result !== 0 || bytes === undefined) return undefined;
    const size = new DataView(now.buffer).getUint32(ID_SIZE, true);
    const kind = OBJECTS.find((one) => INFORMATION[one].size === size);
    if (kind === undefined) throw new Error(`information of ${size} bytes is of no kind of object`);
    const view = new DataView(bytes.buffer);
    return { kind, id: view.getUint32(INFORMATION[kind].fields.id, true), type: view.getUint32(0, true) };
  }

  /** Remembers what was made, and puts the trace's ids in the place of the kernel's. */
  #note(command: Command, { attr }: BpfOperation, { result, buffers }: Made): void {
    // A batch may have been cut short by an error.
    if (LOOKUPS.has(command)) this.#noteValues(attr["map_fd"], buffers);
    if (result < 0) return;
    if (MAKERS.has(command)) {
      const found = this.#find(result);
      if (found !== undefined) this.#ids.enter(found.kind, found.id);
    } else if (command === "obj_get_info_by_fd") {
      this.#noteInformation(attr["bpf_fd"], buffers);
    }
  }

  #noteInformation(fd: unknown, buffers: readonly Pointed[]): void {
    const found = typeof fd === "number" ? this.#find(fd) : undefined;
    const info = buffers.find(({ field }) => field === "info")?.now;
    if (found === undefined || info === undefined) return;
    const at = INFORMATION[found.kind].fields.id;
    if (at + ID_SIZE <= info.length) this.#replace(info, at, found.kind);
    const types = INFORMATION.map.fields.btf_id;
    if (found.kind === "map" && types + ID_SIZE <= info.length) this.#replace(info, types, "btf");
    const program = INFORMATION.program.fields.btf_id;
    if (found.kind === "program" && program + ID_SIZE <= info.length) this.#replace(info, program, "btf");
  }

  #noteValues(fd: unknown, buffers: readonly Pointed[]): void {
    const found = typeof fd === "number" ? this.#find(fd) : undefined;
    const held = found?.kind === "map" ? HELD.get(found.type) : undefined;
    const values = buffers.find(({ field }) => field === "value" || field === "values");
    if (held === undefined || values === undefined) return;
    for (let at = 0; at + ID_SIZE <= values.now.length; at += ID_SIZE) {
      const changed = values.now
        .subarray(at, at + ID_SIZE)
        .some((byte, index) => byte !== values.before[at + index]);
      if (changed) this.#replace(values.now, at, held);
    }
  }

  #replace(bytes: Uint8Array, at: number, kind: ObjectKind): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(at, this.#ids.ordinal(kind, view.getUint32(at, true)), true);
  }
}

const OBJECTS = ["map", "program", "btf", "link"] as const;
