/**
 * Function and line information of BPF_PROG_LOAD: records that say which function begins where, and which line of its source an instruction is of. The types that they name are those of BTF that the
 * loader names, which the program holds. Linux looks at the functions' records twice: by themselves, and when it knows the program's functions.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { isCapable } from "../../semantics/program/privileges.ts";
import { E2BIG, EBADF, EFAULT, EINVAL } from "../../vm/errno.ts";
import { BtfObject } from "../btf-object.ts";
import type { Call } from "./call.ts";
import { callsKernel, functionStarts, stayInside } from "./raw-checks.ts";

type LoadCall = Call<"prog_load">;

const FUNCTION = {
  count: "func_info_cnt",
  size: "func_info_rec_size",
  place: "func_info",
  least: 8,
} as const;
const LINE = { count: "line_info_cnt", size: "line_info_rec_size", place: "line_info", least: 16 } as const;
const MOST_SIZE = 252;
/** More would ask for much memory, which a kernel may not have. */
const MOST = 1 << 16;
const MOST_LINES = 0x7ff_ffff;

const SLOT = 8;
const CALL = 0x85;
/** What a function of a program is in BTF that is verified where it is called. */
const STATIC = 0;
const TAIL_CALL = 12;
/** Modes of loads of packets, of opcodes of class 0. */
const PACKET_LOADS = [0x20, 0x40];

/** A record's words, or a negative error number. */
type Read = (index: number) => readonly number[] | number;

/** How records are read one after the other; or what is wrong with their size. */
function reader({ attr }: LoadCall, kind: typeof FUNCTION | typeof LINE): Read | number {
  const size = attr.u32(kind.size);
  if (size < kind.least || size > MOST_SIZE || size % 4 !== 0) return EINVAL;
  if (attr.u32(kind.count) > MOST) throw new Unsupported(`prog_load: ${attr.u32(kind.count)} records`);
  const start = attr.u64(kind.place);
  return (index) => {
    const at = start + BigInt(size) * BigInt(index);
    // What is behind what the kernel knows is looked at first.
    const tail = attr.memory.read(at + BigInt(kind.least), size - kind.least);
    if (tail === undefined) return EFAULT;
    if (tail.some((byte) => byte !== 0)) return attr.writeBack(kind.size, kind.least) ? E2BIG : EFAULT;
    const bytes = attr.memory.read(at, kind.least);
    if (bytes === undefined) return EFAULT;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Array.from({ length: kind.least / 4 }, (_, word) => view.getUint32(4 * word, true));
  };
}

export interface FunctionRecords {
  readonly types: BtfObject;
  /** Where each begins, its type, and whether it is static. */
  readonly functions: readonly {
    readonly start: number;
    readonly type: number;
    readonly isStatic: boolean;
  }[];
}

/** The BTF, and where functions begin by their records; nothing if there are no records; or a negative error number. */
export function functionRecords(call: LoadCall): FunctionRecords | number | undefined {
  const { attr, process } = call;
  const count = attr.u32(FUNCTION.count);
  if (count === 0 && attr.u32(LINE.count) === 0) return undefined;
  const types = process.descriptors.target(attr.s32("prog_btf_fd"));
  if (types === undefined) return EBADF;
  if (!(types instanceof BtfObject)) return EINVAL;
  if (count === 0) return { types, functions: [] };
  const read = reader(call, FUNCTION);
  if (typeof read === "number") return read;
  const functions: { start: number; type: number; isStatic: boolean }[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = read(index);
    if (typeof record === "number") return record;
    const [start = 0, id = 0] = record;
    const last = functions.at(-1)?.start;
    if (last === undefined ? start !== 0 : start <= last) return EINVAL;
    const type = types.type(id);
    if (type?.kind !== "func" || types.type(type.size)?.kind !== "func_proto") return EINVAL;
    functions.push({ start, type: id, isStatic: type.count === STATIC });
  }
  return { types, functions };
}

/**
 * What is wrong with records, beside the program: 0 or a negative error number.
 * @throws Unsupported  for programs with functions that are verified by themselves, that call the kernel's, or whose results BTF has a say in
 */
export function recordProblem(call: LoadCall, bytes: Uint8Array, records: FunctionRecords): number {
  const capable = isCapable({ privileges: call.process.capabilities }, "cap_bpf");
  const starts = functionStarts(bytes, capable);
  if (typeof starts === "number") return starts;
  if (callsKernel(bytes))
    throw new Unsupported("prog_load: records of a program that calls the kernel's functions");
  if (!stayInside(bytes, starts)) return EINVAL;
  const { functions } = records;
  if (functions.length > 0) {
    if (functions.length !== starts.length) return EINVAL;
    if (functions.some(({ start }, index) => start !== starts[index])) return EINVAL;
  }
  if (functions.slice(1).some(({ isStatic }) => !isStatic))
    throw new Unsupported("prog_load: records of functions that are not static");
  if (asksForResults(bytes, starts[1] ?? bytes.length / SLOT))
    throw new Unsupported("prog_load: records of functions with tail calls or packet loads");
  return lineProblem(call, bytes, records.types, starts);
}

/** Whether an instruction from the second function on is one that only functions with a number for a result may have. */
function asksForResults(bytes: Uint8Array, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = SLOT * end; at < bytes.length; at += SLOT) {
    const code = view.getUint8(at);
    if ((code & 7) === 0 && PACKET_LOADS.includes(code & 0xe0)) return true;
    if (code === CALL && view.getUint8(at + 1) >> 4 === 0 && view.getInt32(at + 4, true) === TAIL_CALL)
      return true;
  }
  return false;
}

/** Lines are in order, of instructions; the first of each function has one. */
function lineProblem(call: LoadCall, bytes: Uint8Array, types: BtfObject, starts: readonly number[]): number {
  const count = call.attr.u32(LINE.count);
  if (count === 0) return 0;
  if (count > MOST_LINES) return EINVAL;
  const read = reader(call, LINE);
  if (typeof read === "number") return read;
  let last = -1;
  let met = 0;
  for (let index = 0; index < count; index += 1) {
    const record = read(index);
    if (typeof record === "number") return record;
    const [insn = 0, file = 0, line = 0] = record;
    if (insn <= last || SLOT * insn >= bytes.length || bytes[SLOT * insn] === 0) return EINVAL;
    if (!types.hasName(file) || !types.hasName(line)) return EINVAL;
    const next = starts[met];
    if (next !== undefined && insn > next) return EINVAL;
    if (next === insn) met += 1;
    last = insn;
  }
  return met === starts.length ? 0 : EINVAL;
}
