/** Filters as arrays of `struct sock_filter`: code (16 bits), jt, jf (8 each) and k (32), little-endian. */
import { InputError } from "../errors.ts";
import type { ClassicInstruction, Filter } from "./instruction.ts";

const INSTRUCTION_BYTES = 8;

export function encodeFilter(filter: Filter): Uint8Array {
  const bytes = new Uint8Array(filter.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of filter.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}

/** Any codes: what they mean is the checker's business. @throws InputError  for bytes that are not whole instructions */
export function decodeFilter(bytes: Uint8Array): Filter {
  if (bytes.length === 0 || bytes.length % INSTRUCTION_BYTES !== 0) {
    throw new InputError(`${bytes.length} bytes are not whole instructions of ${INSTRUCTION_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_BYTES }, (_, index): ClassicInstruction => {
    const at = index * INSTRUCTION_BYTES;
    return {
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    };
  });
}
