/**
 * `.BTF.ext`: what ties instructions to BTF — functions, source lines, CO-RE relocations — by ELF section.
 * Source: Documentation/bpf/btf.rst, section ".BTF.ext section".
 */
import { InputError } from "../semantics/errors.ts";
import type { Btf } from "./btf.ts";
import { hex, Window } from "./window.ts";

interface Located {
  /** Bytes from the start of the ELF section. */
  readonly offset: number;
}

export interface FuncRecord extends Located {
  /** Type id of the function. */
  readonly type: number;
}

export interface LineRecord extends Located {
  /** Offsets of file name and text in the BTF strings. */
  readonly file: number;
  readonly text: number;
  readonly line: number;
  readonly column: number;
}

/** The kinds of CO-RE relocation, by number (linux/bpf.h, enum bpf_core_relo_kind). */
export const CORE_KINDS = [
  "field_byte_offset",
  "field_byte_size",
  "field_exists",
  "field_signed",
  "field_lshift_u64",
  "field_rshift_u64",
  "type_id_local",
  "type_id_target",
  "type_exists",
  "type_size",
  "enumval_exists",
  "enumval_value",
  "type_matches",
] as const;

export type CoreKind = (typeof CORE_KINDS)[number];

export interface CoreRecord extends Located {
  /** The local type that the access starts from. */
  readonly type: number;
  /** Indices separated by colons: into the array, then into each structure; for an enumerator its index. */
  readonly access: string;
  readonly kind: CoreKind;
}

/** The records of one ELF section, sorted by offset. */
export interface SectionRecords {
  readonly funcs: readonly FuncRecord[];
  readonly lines: readonly LineRecord[];
  readonly core: readonly CoreRecord[];
}

const HEADER_SIZE = 24;
const MAGIC = 0xeb9f;

/** Reads a `.BTF.ext` section; the records by ELF section name. */
export function readBtfExt(
  bytes: Uint8Array,
  btf: Btf,
  place = "section .BTF.ext",
): Map<string, SectionRecords> {
  const all = new Window(bytes, place, bytes[0] === 0xeb);
  if (all.u16(0) !== MAGIC) all.fail(0, `not BTF (the magic is ${hex(all.u16(0))})`);
  if (all.u8(2) !== 1) all.fail(2, `.BTF.ext of version ${all.u8(2)}`);
  const header = all.u32(4);
  if (header < HEADER_SIZE) all.fail(4, `a header of ${header} bytes`);
  const part = (field: number, name: string): Window =>
    all.part(header + all.u32(field), all.u32(field + 4), `${place} ${name}`);

  const funcs = readRecords(part(8, "functions"), btf, 8, (at, data) => ({
    offset: data.u32(at),
    type: data.u32(at + 4),
  }));
  const lines = readRecords(part(16, "lines"), btf, 16, (at, data) => ({
    offset: data.u32(at),
    file: data.u32(at + 4),
    text: data.u32(at + 8),
    line: data.u32(at + 12) >>> 10,
    column: data.u32(at + 12) & 0x3ff,
  }));
  const hasCore = header >= HEADER_SIZE + 8;
  const core = hasCore ? readRecords(part(24, "CO-RE relocations"), btf, 16, coreRecord(btf)) : new Map();

  const sections = new Map<string, SectionRecords>();
  for (const name of new Set([...funcs.keys(), ...lines.keys(), ...core.keys()])) {
    sections.set(name, {
      funcs: onePerPlace(funcs.get(name) ?? [], place, name),
      lines: onePerPlace(lines.get(name) ?? [], place, name),
      core: core.get(name) ?? [],
    });
  }
  return sections;
}

function coreRecord(btf: Btf): (at: number, data: Window) => CoreRecord {
  return (at, data) => {
    const number = data.u32(at + 12);
    return {
      offset: data.u32(at),
      type: data.u32(at + 4),
      access: btf.text(data.u32(at + 8)),
      kind: CORE_KINDS[number] ?? data.fail(at + 12, `unknown kind ${number} of CO-RE relocation`),
    };
  };
}

/** Of several records at one place the first, as the kernel takes only one; a record inside an instruction is an error. */
function onePerPlace<R extends Located>(sorted: readonly R[], place: string, section: string): R[] {
  return sorted.filter(({ offset }, index) => {
    if (offset % 8 !== 0)
      throw new InputError(`${place}: a record inside an instruction (${section}+${hex(offset)})`);
    return offset !== sorted[index - 1]?.offset;
  });
}

/** The records by section; `smallest` is the size that the fields need, longer records have fields we do not know. */
function readRecords<R extends Located>(
  data: Window,
  btf: Btf,
  smallest: number,
  read: (at: number, data: Window) => R,
): Map<string, R[]> {
  const sections = new Map<string, R[]>();
  if (data.size === 0) return sections;
  const size = data.u32(0);
  if (size < smallest || size % 4 !== 0) data.fail(0, `records of ${size} bytes`);
  let at = 4;
  while (at < data.size) {
    const name = btf.text(data.u32(at));
    const count = data.u32(at + 4);
    if (count === 0) data.fail(at + 4, "a section without records");
    at += 8;
    data.check(at, count * size);
    const records = sections.get(name) ?? [];
    for (const end = at + count * size; at < end; at += size) records.push(read(at, data));
    sections.set(name, records);
  }
  for (const records of sections.values()) records.sort((a, b) => a.offset - b.offset);
  return sections;
}
