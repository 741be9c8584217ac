/**
 * What the kernel looks at before it looks for a program's maps: whether jumps stay in the program, how it ends, and whether instructions before a certain one exist. Our verifier does so
 * too, but of programs whose maps are known.
 */
import { InputError } from "../../semantics/errors.ts";
import { decode } from "../../semantics/isa/codec.ts";
import { E2BIG, EINVAL, EPERM } from "../../vm/errno.ts";

const SLOT = 8;
/** Classes of opcodes: jumps by 64 and by 32 bits. */
const JUMP = 5;
const JUMP32 = 6;
const CALL = 0x85;
const EXIT = 0x95;
const GOTO = 0x05;
const GOTO_LONG = 0x06;
/** `src_reg` of calls of functions, of the program's own and of the kernel's, and of loads of a function's address. */
const PSEUDO_CALL = 1;
const PSEUDO_KFUNC_CALL = 2;
const FUNCTION_ADDRESS = 4;
const LD_IMM64 = 0x18;
/** Functions of a program. */
const MOST_FUNCTIONS = 256;

/**
 * What is wrong with a program before its maps are looked for: 0 or a negative error number.
 * @param end  the instruction before which all have to exist
 * @param capable  whether its loader has `cap_bpf`
 */
export function formProblem(bytes: Uint8Array, end: number, capable: boolean): number {
  const starts = functionStarts(bytes, capable);
  if (typeof starts === "number") return starts;
  return stayInside(bytes, starts) && exists(bytes.slice(0, SLOT * end)) ? 0 : EINVAL;
}

/** Where the functions of a program begin, in order; or a negative error number. */
export function functionStarts(bytes: Uint8Array, capable: boolean): readonly number[] | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const starts = new Set([0]);
  for (let at = 0; at < bytes.length; at += SLOT) {
    const [code, source] = [bytes[at], (bytes[at + 1] ?? 0) >> 4];
    const isOwn =
      (code === CALL && source === PSEUDO_CALL) || (code === LD_IMM64 && source === FUNCTION_ADDRESS);
    if (!isOwn && !(code === CALL && source === PSEUDO_KFUNC_CALL)) continue;
    if (!capable) return EPERM;
    if (!isOwn) continue;
    const start = at / SLOT + 1 + view.getInt32(at + 4, true);
    if (start < 0 || SLOT * start >= bytes.length) return EINVAL;
    starts.add(start);
    if (starts.size > MOST_FUNCTIONS) return E2BIG;
  }
  return [...starts].sort((a, b) => a - b);
}

/** Whether a program calls functions of the kernel's. */
export function callsKernel(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += SLOT)
    if (bytes[at] === CALL && (bytes[at + 1] ?? 0) >> 4 === PSEUDO_KFUNC_CALL) return true;
  return false;
}

/** Whether the jumps of each function lead to its own instructions, and its last one goes nowhere else. */
export const stayInside = (bytes: Uint8Array, starts: readonly number[]): boolean =>
  starts.every((start, index) => functionStaysInside(bytes, start, starts[index + 1] ?? bytes.length / SLOT));

/** Whether the jumps of the instructions from `start` to `end` stay among them and the last one goes nowhere else. */
function functionStaysInside(bytes: Uint8Array, start: number, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = start; at < end; at += 1) {
    const code = view.getUint8(at * SLOT);
    const jumpClass = code & 7;
    if ((jumpClass !== JUMP && jumpClass !== JUMP32) || code === CALL || code === EXIT) continue;
    const offset =
      code === GOTO_LONG ? view.getInt32(at * SLOT + 4, true) : view.getInt16(at * SLOT + 2, true);
    const target = at + 1 + offset;
    if (target < start || target >= end) return false;
  }
  const last = view.getUint8((end - 1) * SLOT);
  return last === EXIT || last === GOTO || last === GOTO_LONG;
}

function exists(bytes: Uint8Array): boolean {
  const insns = bytes.slice();
  const view = new DataView(insns.buffer);
  // Loads of maps are no more than loads here.
  for (let at = 0; at < insns.length; at += SLOT) {
    if (view.getUint8(at) !== LD_IMM64) continue;
    view.setUint8(at + 1, view.getUint8(at + 1) & 15);
    at += SLOT;
  }
  try {
    decode(insns);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
