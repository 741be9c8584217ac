/**
 * Reads programs from whatever holds them, told apart by content: an ELF object, a bundle (JSON), or assembly text. Opening files is
 * the caller's; here are the bytes, and the name that errors begin with.
 *
 * Assembly begins with comments that say what a bundle's keys would, one a line; other comments are free:
 *
 *     ; name: count packets
 *     ; type: xdp
 *     ; attach: xdp
 *     ; license: GPL
 *     ; flags: any_alignment, xdp_has_frags
 *     ; map: counters array 4 8 1          name, type, key size, value size, entries, and flags if they are not 0
 */
import { InputError, inFile } from "../semantics/errors.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import { MAP_TYPES, type MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import {
  ATTACH_TYPES,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
} from "../semantics/program/program-types.ts";
import { type Expectation, readBundle } from "./bundle.ts";
import { isElf } from "./elf.ts";
import { type ObjectOptions, readObject } from "./programs.ts";

/** The programs of one file. */
export interface ProgramFile {
  readonly format: "object" | "bundle" | "assembly";
  readonly programs: readonly Program[];
  /** Programs of an object that cannot be built, with the reason in one line; the others are good. */
  readonly failures: readonly { readonly name: string; readonly message: string }[];
  /** What a bundle expects of its program. */
  readonly expect?: Expectation;
}

/** Bytes. Nothing that a compiler makes for BPF comes near; reading more into memory helps nobody. */
const LARGEST_FILE = 64 << 20;

/** For whoever opens files, before reading one. @throws InputError in one line if the file is too large */
export function checkFileSize(name: string, size: number): void {
  if (size <= LARGEST_FILE) return;
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / (1 << 20))} MiB`;
  throw new InputError(`${name}: ${mebibytes(size)}, and the limit for a file is ${mebibytes(LARGEST_FILE)}`);
}

/**
 * @param name the file's name, which every error begins with
 * @throws InputError that names the file and the place inside it
 */
export function readPrograms(name: string, bytes: Uint8Array, options: ObjectOptions = {}): ProgramFile {
  checkFileSize(name, bytes.length);
  return inFile(name, () => {
    if (isElf(bytes)) {
      return { format: "object", ...readObject(bytes, options) };
    }
    const text = textOf(bytes);
    // Assembly has another name than JSON that is no bundle.
    if (/^\s*\{/.test(text) || name.endsWith(".json")) {
      const { program, expect } = readBundle(text);
      return {
        format: "bundle",
        programs: [program],
        failures: [],
        ...(expect === undefined ? {} : { expect }),
      };
    }
    return { format: "assembly", programs: [readAssembly(text, name, options)], failures: [] };
  });
}

function textOf(bytes: Uint8Array): string {
  const neither = "neither an ELF object nor text (a bundle or assembly)";
  if (bytes.length === 0) throw new InputError("the file is empty");
  if (bytes.includes(0)) throw new InputError(neither);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(neither, { cause: error });
  }
}

// --- Assembly

/** What the opening comments may say. */
interface Header {
  name?: string;
  type?: Program["type"];
  attach?: Program["attach"];
  license?: string;
  flags?: readonly LoadFlag[];
  maps: MapDefinition[];
}

const DIRECTIVE = /^\s*;\s*(name|type|attach|license|flags|map):\s*(.*?)\s*$/;

function readAssembly(text: string, file: string, options: ObjectOptions): Program {
  const lines = text.split(/\r?\n/);
  const header = readHeader(lines);
  const type = header.type ?? options.defaultType;
  if (type === undefined) {
    throw new InputError('line 1, column 1: no program type; begin with a line like "; type: xdp"');
  }
  return {
    name: header.name ?? baseName(file),
    type,
    ...(header.attach === undefined ? {} : { attach: header.attach }),
    license: header.license ?? "GPL",
    flags: header.flags ?? [],
    insns: assemble(lines, { maps: header.maps }),
    maps: header.maps,
    lines: [],
    functions: [],
  };
}

/** The directives in the comments before the first instruction. */
function readHeader(lines: readonly string[]): Header {
  const header: Header = { maps: [] };
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== "" && !/^\s*(;|\/\/|#)/.test(line)) break;
    const [, key, value = ""] = DIRECTIVE.exec(line) ?? [];
    if (key === undefined) continue;
    const where = `line ${index + 1}, column ${line.lastIndexOf(value) + 1}`;
    switch (key) {
      case "name":
      case "license":
        header[key] = value;
        break;
      case "type":
        header.type = oneOf(PROGRAM_TYPES.slice(1), value, where, "program type");
        break;
      case "attach":
        header.attach = oneOf(ATTACH_TYPES, value, where, "attach type");
        break;
      case "flags":
        header.flags = value
          .split(/[\s,]+/)
          .filter((flag) => flag !== "")
          .map((flag) => oneOf(FLAG_NAMES, flag, where, "load flag"));
        break;
      default:
        header.maps.push(readMap(value, where));
    }
  }
  return header;
}

const FLAG_NAMES = Object.keys(LOAD_FLAGS).filter((name): name is LoadFlag => name in LOAD_FLAGS);

function readMap(text: string, where: string): MapDefinition {
  const [name = "", type = "", ...rest] = text.split(/\s+/);
  const numbers = rest.map(Number);
  if (
    numbers.length < 3 ||
    numbers.length > 4 ||
    numbers.some((n) => !Number.isInteger(n) || n < 0 || n > 0xffff_ffff)
  ) {
    throw new InputError(`${where}: a map is written "name type key_size value_size entries [flags]"`);
  }
  const [keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = numbers;
  return { name, type: oneOf(MAP_TYPES, type, where, "map type"), keySize, valueSize, maxEntries, flags };
}

function oneOf<T extends string>(names: readonly T[], name: string, where: string, what: string): T {
  const found = names.find((known) => known === name);
  if (found === undefined) throw new InputError(`${where}: there is no ${what} ${JSON.stringify(name)}`);
  return found;
}

function baseName(file: string): string {
  return file.replace(/^.*\//, "").replace(/\.\w+$/, "");
}
