/**
 * BPF_OBJ_GET_INFO_BY_FD. What hangs on the processor, the clock or the kernel's own rewriting of a program (its machine code, tag, times, counts of instructions
 * after the rewriting) is answered as zero.
 */
import { INFORMATION, type InfoKind } from "../../semantics/abi/bpf-information.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { isGplCompatible } from "../../semantics/program/license.ts";
import { MAP_FLAGS, MAP_TYPES } from "../../semantics/program/map-types.ts";
import { PROGRAM_TYPES } from "../../semantics/program/program-types.ts";
import { EBADFD, EFAULT, EINVAL } from "../../vm/errno.ts";
import { LINK_TYPES, LinkObject } from "../attachments/link.ts";
import { BtfObject } from "../btf-object.ts";
import { KernelObject, MapObject, ProgramObject } from "../objects.ts";
import { tailProblem } from "./attribute.ts";
import type { Call } from "./call.ts";

/** The most that is looked at of what user space gives. */
const PAGE = 4096;
const ID_SIZE = 4;
/** Sizes of the records that programs' functions and lines are told in. */
const FUNC_RECORD = 8;
const LINE_RECORD = 16;
const JITED_LINE_RECORD = 8;

/** What a map's maker asked for its descriptor alone. */
const FOR_DESCRIPTOR = MAP_FLAGS.rdonly | MAP_FLAGS.wronly;

type InfoCall = Call<"obj_get_info_by_fd">;

/** A structure of fields by name. */
class Record {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fields: Readonly<{ [name: string]: number }>;

  constructor(kind: InfoKind) {
    this.bytes = new Uint8Array(INFORMATION[kind].size);
    this.#view = new DataView(this.bytes.buffer);
    this.#fields = INFORMATION[kind].fields;
  }

  #at(name: string): number {
    const offset = this.#fields[name];
    if (offset === undefined) throw new Error(`no field ${name} in such information`);
    return offset;
  }

  get(name: string): number {
    return this.#view.getUint32(this.#at(name), true);
  }

  long(name: string): bigint {
    return this.#view.getBigUint64(this.#at(name), true);
  }

  set(name: string, value: number): void {
    this.#view.setUint32(this.#at(name), value, true);
  }

  setLong(name: string, value: bigint): void {
    this.#view.setBigUint64(this.#at(name), value, true);
  }

  setText(name: string, text: string): void {
    this.bytes.set(new TextEncoder().encode(text), this.#at(name));
  }
}

export function objectInfo(call: InfoCall): number {
  const { process, attr } = call;
  const target = process.descriptors.target(attr.s32("bpf_fd"));
  if (target === undefined) return EBADFD;
  if (!(target instanceof KernelObject)) return EINVAL;
  const record = new Record(target.kind);
  const length = attr.u32("info_len");
  const known = Math.min(length, record.bytes.length);
  const given = attr.read("info", Math.min(length, PAGE));
  const readable = given ?? attr.read("info", known);
  const problem =
    length > record.bytes.length && length <= PAGE && given === undefined
      ? tailProblem(readable ?? new Uint8Array(0), record.bytes.length, length)
      : tailProblem(given ?? new Uint8Array(0), record.bytes.length, length);
  if (problem !== 0) return problem;
  if (readable === undefined) return EFAULT;
  const told = tell(call, target, record, readable.subarray(0, known));
  if (told !== 0) return told;
  if (!attr.write("info", record.bytes.subarray(0, known))) return EFAULT;
  return attr.writeBack("info_len", known) ? 0 : EFAULT;
}

/** Fills the record in. What user space gave is read where the kernel reads it. */
function tell(call: InfoCall, target: KernelObject, record: Record, given: Uint8Array): number {
  if (target instanceof MapObject) return tellMap(target, record, given);
  if (target instanceof ProgramObject) return tellProgram(call, target, record, given);
  if (target instanceof LinkObject) return tellLink(call, target, record, given);
  if (target instanceof BtfObject) return tellBtf(call, target, record, given);
  throw new Unsupported(`obj_get_info_by_fd of a ${target.kind}`);
}

function tellLink({ attr }: InfoCall, link: LinkObject, record: Record, given: Uint8Array): number {
  record.bytes.set(given);
  const view = new DataView(record.bytes.buffer);
  const { named } = link;
  if (named !== undefined) {
    const [pointer, room] = [view.getBigUint64(named.pointer, true), view.getUint32(named.length, true)];
    if ((pointer === 0n) !== (room === 0)) return EINVAL;
    const wrong = room === 0 ? 0 : attr.memory.writeName(pointer, room, named.name);
    if (wrong !== 0) return wrong;
    view.setUint32(named.length, named.name.length + 1, true);
  }
  record.set("type", LINK_TYPES[link.type]);
  record.set("id", link.id);
  record.set("prog_id", link.program.id);
  for (const [offset, value] of link.details()) view.setUint32(offset, value, true);
  return 0;
}

/** Beside the record the bytes themselves, and the name, which only the kernel's own have. */
function tellBtf({ attr }: InfoCall, { id, bytes }: BtfObject, record: Record, given: Uint8Array): number {
  record.bytes.set(given);
  const room = Math.min(record.get("btf_size"), bytes.length);
  if (!attr.memory.write(record.long("btf"), bytes.subarray(0, room))) return EFAULT;
  record.set("btf_size", bytes.length);
  record.set("id", id);
  record.set("kernel_btf", 0);
  if ((record.long("name") === 0n) !== (record.get("name_len") === 0)) return EINVAL;
  if (record.long("name") !== 0n) throw new Unsupported("obj_get_info_by_fd: a name of BTF");
  return 0;
}

function tellMap({ id, storage, types }: MapObject, record: Record, given: Uint8Array): number {
  const { type, keySize, valueSize, maxEntries, flags, name, extra = 0 } = storage.definition;
  record.bytes.set(given);
  const asked = { hash: record.long("hash"), size: record.get("hash_size") };
  record.bytes.fill(0);
  record.set("type", MAP_TYPES.indexOf(type));
  record.set("id", id);
  record.set("key_size", keySize);
  record.set("value_size", valueSize);
  record.set("max_entries", maxEntries);
  // The machine's programs only read a cpumap; Linux does not say so of it.
  const own = type === "cpumap" ? MAP_FLAGS.rdonly_prog : 0;
  record.set("map_flags", flags & ~(FOR_DESCRIPTOR | own));
  record.setText("name", name);
  record.setLong("map_extra", BigInt(extra));
  if (types !== undefined) {
    record.set("btf_id", types.id);
    record.set("btf_key_type_id", storage.definition.btfKey ?? 0);
    record.set("btf_value_type_id", storage.definition.btfValue ?? 0);
  }
  if (asked.hash === 0n) return asked.size === 0 ? 0 : EINVAL;
  throw new Unsupported("obj_get_info_by_fd: a map's hash");
}

/** What the caller must have right of the sizes of records, if it gives any: with a number of records, the size is theirs. */
const RECORDS = [
  ["nr_func_info", "func_info_rec_size", FUNC_RECORD],
  ["nr_line_info", "line_info_rec_size", LINE_RECORD],
  ["nr_jited_line_info", "jited_line_info_rec_size", JITED_LINE_RECORD],
] as const;

/** Lists that are filled in where they are asked for, and not modelled. */
const LISTS = [
  "jited_prog_len",
  "xlated_prog_len",
  "nr_jited_ksyms",
  "nr_jited_func_lens",
  "nr_func_info",
  "nr_line_info",
  "nr_jited_line_info",
  "nr_prog_tags",
] as const;

function tellProgram({ attr }: InfoCall, program: ProgramObject, record: Record, given: Uint8Array): number {
  record.bytes.set(given);
  const room = record.get("nr_map_ids");
  const mapIds = record.long("map_ids");
  if (LISTS.some((name) => record.get(name) !== 0)) {
    for (const [count, size, expected] of RECORDS) {
      if ((record.get(count) !== 0 || record.get(size) !== 0) && record.get(size) !== expected) return EINVAL;
    }
    throw new Unsupported("obj_get_info_by_fd: a program's code and records");
  }
  for (const [, size, expected] of RECORDS) {
    if (record.get(size) !== 0 && record.get(size) !== expected) return EINVAL;
    record.set(size, expected);
  }
  const { program: loaded } = program.referent;
  record.set("type", PROGRAM_TYPES.indexOf(loaded.type));
  record.set("id", program.id);
  record.setText("name", loaded.name.padEnd(16, "\0"));
  if (program.types !== undefined) record.set("btf_id", program.types.id);
  record.set("gpl_compatible", isGplCompatible(loaded.license) ? 1 : 0);
  const { maps } = program;
  record.set("nr_map_ids", maps.length);
  const ids = new Uint8Array(ID_SIZE * Math.min(room, maps.length));
  for (const [at, { id }] of maps.slice(0, room).entries()) {
    new DataView(ids.buffer).setUint32(ID_SIZE * at, id, true);
  }
  return attr.memory.write(mapIds, ids) ? 0 : EFAULT;
}
