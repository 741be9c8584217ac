/**
 * The BPF objects inside another file: programs and libraries carry theirs as data (libbpf's skeletons do), byte for byte as the compiler
 * wrote them. They are found by the ELF header, of either byte order.
 */
import { isElf } from "./elf.ts";

export interface EmbeddedObject {
  /** Bytes from the start of the file; 0 if the file is the object. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const CLASS_64 = 2;
const TYPE_RELOCATABLE = 1;
const MACHINE_BPF = 247;
const HEADER_SIZE = 64;
/** Bytes of a section header, as every 64-bit object has them. */
const SECTION_HEADER_SIZE = 64;

/** All of them, in the order of the file; itself if it is one. */
export function embeddedObjects(file: Uint8Array): EmbeddedObject[] {
  const found: EmbeddedObject[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = file.indexOf(0x7f); at >= 0; at = file.indexOf(0x7f, at + 1)) {
    if (at + HEADER_SIZE > file.length) break;
    const end = objectEnd(view, at);
    if (end !== undefined && end <= file.length) {
      found.push({ offset: at, bytes: file.subarray(at, end) });
    }
  }
  return found;
}

/** Whether the bytes are an object that was compiled for big-endian machines. */
export function isBigEndianObject(bytes: Uint8Array): boolean {
  return isElf(bytes) && bytes[5] === 2;
}

/** Where an object that begins at `at` ends: compilers and linkers put the section headers last. */
function objectEnd(view: DataView, at: number): number | undefined {
  if (!MAGIC.every((byte, index) => view.getUint8(at + index) === byte)) return undefined;
  const order = view.getUint8(at + 5);
  if (view.getUint8(at + 4) !== CLASS_64 || (order !== 1 && order !== 2)) return undefined;
  const little = order === 1;
  if (view.getUint16(at + 16, little) !== TYPE_RELOCATABLE) return undefined;
  if (view.getUint16(at + 18, little) !== MACHINE_BPF) return undefined;
  const end =
    view.getBigUint64(at + 40, little) + BigInt(view.getUint16(at + 60, little) * SECTION_HEADER_SIZE);
  return end > BigInt(view.byteLength) ? undefined : at + Number(end);
}
