/** Filters as text of every form that can be read (`read.ts`). */
import { encodeFilter } from "./codec.ts";
import { disassembleFilter } from "./disassemble.ts";
import { writeImage } from "./image.ts";
import type { Filter } from "./instruction.ts";
import { writeBytecode, writeDecimal, writeInitialisers } from "./numbers.ts";
import type { FilterFormat } from "./read.ts";

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The filter in the form: bytes for `bytes`, text for all others. */
export function writeFilter(filter: Filter, format: FilterFormat): string | Uint8Array {
  switch (format) {
    case "bytes":
      return encodeFilter(filter);
    case "hex":
      return filter.map((insn) => `${hexOf(encodeFilter([insn]))}\n`).join("");
    case "d":
      return writeImage(filter);
    case "dd":
      return writeInitialisers(filter);
    case "ddd":
      return writeDecimal(filter);
    case "bytecode":
      return writeBytecode(filter);
    case "asm":
      return disassembleFilter(filter);
    default:
      return format satisfies never;
  }
}
