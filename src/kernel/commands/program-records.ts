/**
 * Function and line information of BPF_PROG_LOAD: records that say which function begins where, and which line of its source an instruction is of. The types that they name are those of BTF that the
 * loader names, which the program holds. Linux looks at the functions' records twice: by themselves, and when it knows the program's functions.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { E2BIG, EBADF, EFAULT, EINVAL } from "../../vm/errno.ts";
import { BtfObject } from "../btf-object.ts";
import type { Call } from "./call.ts";
import { staysInside } from "./raw-checks.ts";

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
const LD_IMM64 = 0x18;
/** `src_reg` of calls of functions, the kernel's own too, and of loads of a function's address. */
const CALLS = [1, 2];
const FUNCTION_ADDRESS = 4;

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

/** The BTF, and where functions begin by their records; nothing if there are no records; or a negative error number. */
export function functionRecords(
  call: LoadCall,
): { readonly types: BtfObject; readonly starts: readonly number[] } | number | undefined {
  const { attr, process } = call;
  const count = attr.u32(FUNCTION.count);
  if (count === 0 && attr.u32(LINE.count) === 0) return undefined;
  const types = process.descriptors.target(attr.s32("prog_btf_fd"));
  if (types === undefined) return EBADF;
  if (!(types instanceof BtfObject)) return EINVAL;
  if (count === 0) return { types, starts: [] };
  const read = reader(call, FUNCTION);
  if (typeof read === "number") return read;
  const starts: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = read(index);
    if (typeof record === "number") return record;
    const [start = 0, id = 0] = record;
    const last = starts.at(-1);
    if (last === undefined ? start !== 0 : start <= last) return EINVAL;
    const type = types.type(id);
    if (type?.kind !== "func" || types.type(type.size)?.kind !== "func_proto") return EINVAL;
    starts.push(start);
  }
  return { types, starts };
}

/** What is wrong with records, beside the program: 0 or a negative error number. @throws Unsupported  for programs with functions */
export function recordProblem(
  call: LoadCall,
  bytes: Uint8Array,
  { types, starts }: { readonly types: BtfObject; readonly starts: readonly number[] },
): number {
  if (hasFunctions(bytes)) throw new Unsupported("prog_load: function and line information of functions");
  if (!staysInside(bytes)) return EINVAL;
  if (starts.length > 1) return EINVAL;
  const count = call.attr.u32(LINE.count);
  if (count === 0) return 0;
  if (count > MOST_LINES) return EINVAL;
  const read = reader(call, LINE);
  if (typeof read === "number") return read;
  let last = -1;
  for (let index = 0; index < count; index += 1) {
    const record = read(index);
    if (typeof record === "number") return record;
    const [insn = 0, file = 0, line = 0] = record;
    // The first line is the program's first instruction's.
    if (index === 0 ? insn !== 0 : insn <= last) return EINVAL;
    if (SLOT * insn >= bytes.length || bytes[SLOT * insn] === 0) return EINVAL;
    if (!types.hasName(file) || !types.hasName(line)) return EINVAL;
    last = insn;
  }
  return 0;
}

function hasFunctions(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += SLOT) {
    const source = (bytes[at + 1] ?? 0) >> 4;
    if (bytes[at] === CALL && CALLS.includes(source)) return true;
    if (bytes[at] === LD_IMM64 && source === FUNCTION_ADDRESS) return true;
    if (bytes[at] === LD_IMM64) at += SLOT;
  }
  return false;
}
