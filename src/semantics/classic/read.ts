/** Filters from files of every form: what a file is, its content tells. */
import { InputError } from "../errors.ts";
import { assembleFilter } from "./assemble.ts";
import { decodeFilter } from "./codec.ts";
import { readImage } from "./image.ts";
import type { Filter } from "./instruction.ts";
import { readBytecode, readDecimal, readInitialisers } from "./numbers.ts";

export const FILTER_FORMATS = ["asm", "d", "dd", "ddd", "bytecode", "hex", "bytes"] as const;

/**
 * `asm` is bpf_asm's notation, `d`, `dd` and `ddd` are what tcpdump prints with these options, `bytecode` is the line that xt_bpf reads, `hex` and `bytes` are
 * `struct sock_filter`s, little-endian.
 */
export type FilterFormat = (typeof FILTER_FORMATS)[number];

/** What is no text: control characters other than white space, or bytes above ASCII. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BINARY = /[^\t\n\r\x20-\x7e]/;

/** A form of text, told by how it begins; that of assembly is none of the others. */
const TEXTS: readonly (readonly [FilterFormat, RegExp])[] = [
  ["d", /^\s*\(0+\)\s/],
  ["dd", /^\s*\{/],
  ["ddd", /^\s*\d+\s*\n\s*\d+ +\d+ +\d+ +-?\d+\s*(\n|$)/],
  ["bytecode", /^\s*\d+\s*,\s*\d+ \d+ \d+ -?\d+\s*(,|$)/],
  ["hex", /^\s*(0x)?([0-9a-fA-F]{2}\s*)+$/],
];

/** A character for each byte: what is no ASCII stays apart from what is. */
const textOf = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

function formatOf(text: string): FilterFormat {
  if (BINARY.test(text)) return "bytes";
  return TEXTS.find(([, pattern]) => pattern.test(text))?.[0] ?? "asm";
}

/** The filter in a file's bytes. @throws InputError  that names the place inside */
export function readFilter(bytes: Uint8Array): Filter {
  const text = textOf(bytes);
  const filter = readAs(formatOf(text), bytes, text);
  if (filter.length === 0) throw new InputError("holds no instruction");
  return filter;
}

function readAs(format: FilterFormat, bytes: Uint8Array, text: string): Filter {
  switch (format) {
    case "bytes":
      return decodeFilter(bytes);
    case "hex":
      return decodeFilter(hexBytes(text));
    case "d":
      return readImage(text);
    case "dd":
      return readInitialisers(text);
    case "ddd":
      return readDecimal(text);
    case "bytecode":
      return readBytecode(text);
    case "asm":
      return assembleFilter(text);
    default:
      return format satisfies never;
  }
}

function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "").replace(/^0x/, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}
