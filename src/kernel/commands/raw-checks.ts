/**
 * What the kernel looks at before it looks for a program's maps: whether jumps stay in the program, how it ends, and whether instructions before a certain one exist. Our verifier does so
 * too, but of programs whose maps are known.
 */
import { InputError } from "../../semantics/errors.ts";
import { decode } from "../../semantics/isa/codec.ts";

const SLOT = 8;
/** Classes of opcodes: jumps by 64 and by 32 bits. */
const JUMP = 5;
const JUMP32 = 6;
const CALL = 0x85;
const EXIT = 0x95;
const GOTO = 0x05;
const GOTO_LONG = 0x06;
/** `src_reg` of a call of a function of the program's own. */
const PSEUDO_CALL = 1;
const LD_IMM64 = 0x18;

/** @param end  the instruction before which all have to exist */
export function isWellFormed(bytes: Uint8Array, end: number): boolean {
  return staysInside(bytes) && exists(bytes.slice(0, SLOT * end));
}

/** Whether jumps lead to instructions and the last one goes nowhere else. Of programs with functions that is not asked here. */
export function staysInside(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length / SLOT;
  for (let at = 0; at < count; at += 1) {
    const code = view.getUint8(at * SLOT);
    const jumpClass = code & 7;
    if (code === CALL && view.getUint8(at * SLOT + 1) >> 4 === PSEUDO_CALL) return true;
    if ((jumpClass !== JUMP && jumpClass !== JUMP32) || code === CALL || code === EXIT) continue;
    const offset =
      code === GOTO_LONG ? view.getInt32(at * SLOT + 4, true) : view.getInt16(at * SLOT + 2, true);
    const target = at + 1 + offset;
    if (target < 0 || target >= count) return false;
  }
  const last = view.getUint8((count - 1) * SLOT);
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
