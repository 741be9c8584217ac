/**
 * The ELF64 container as compilers write it for BPF: relocatable objects of either byte order, with sections, one symbol table and REL
 * relocations. Nothing is believed before it is checked against the bytes that are there; sections share the file's bytes.
 * Source: System V ABI, gABI chapters 4 and 5; the relocation types are those of LLVM's BPF back end
 * (Documentation/bpf/llvm_reloc.rst).
 */
import { InputError } from "../semantics/errors.ts";
import { Window } from "./window.ts";

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** `sh_type`. */
  readonly type: number;
  /** `sh_flags`, low 32 bits. */
  readonly flags: number;
  /** Bytes; for a section without contents (`.bss`) its size in memory. */
  readonly size: number;
  /** Empty for a section without contents. */
  readonly data: Window;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  /** Bytes from the start of its section. */
  readonly value: number;
  /** Bytes. */
  readonly size: number;
  /** Index of its section, or `SHN.undef`, `SHN.abs`, `SHN.common`. */
  readonly section: number;
  readonly binding: "local" | "global" | "weak";
  readonly type: "none" | "object" | "func" | "section" | "file" | "other";
  /** STV_HIDDEN or STV_INTERNAL: a global that libbpf treats as static for verification. */
  readonly hidden: boolean;
}

export interface ElfRelocation {
  /** Bytes from the start of the section that it changes. */
  readonly offset: number;
  /** R_BPF_*. */
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface ElfFile {
  readonly bigEndian: boolean;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** The global and weak symbols by name. */
  readonly globals: ReadonlyMap<string, ElfSymbol>;
  /** The first section with a name. */
  section(name: string): ElfSection | undefined;
  /** The relocations that change a section, in file order. */
  relocations(section: ElfSection): readonly ElfRelocation[];
}

const SHN = { undef: 0, abs: 0xfff1, common: 0xfff2, xindex: 0xffff } as const;
export const SHT = { progbits: 1, symtab: 2, strtab: 3, rela: 4, nobits: 8, rel: 9 } as const;
export const SHF = { write: 1, alloc: 2, execinstr: 4 } as const;

const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;
const REL_SIZE = 16;
const EM_NONE = 0;
const EM_BPF = 247;
const ET_REL = 1;

/** Far above what a compiler writes for BPF; keeps a hostile file from filling memory. */
const MOST_SYMBOLS = 1_000_000;

const BINDINGS = ["local", "global", "weak"] as const;
const SYMBOL_TYPES = ["none", "object", "func", "section", "file"] as const;

/** Whether the bytes begin as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Reads the container; an `InputError` names the section and the offset of what is malformed. */
export function readElf(bytes: Uint8Array): ElfFile {
  const file = openFile(bytes);
  const sections = readSections(file);
  const tables = sections.filter(({ type }) => type === SHT.symtab);
  if (tables.length > 1) throw new InputError(`section ${tables[1]?.name}: a second symbol table`);
  const table = tables[0];
  const symbols = table === undefined ? [] : readSymbols(table, sections);
  const changing = new Map<number, ElfSection[]>();
  for (const section of sections) {
    if (section.type !== SHT.rel && section.type !== SHT.rela) continue;
    changing.set(section.info, [...(changing.get(section.info) ?? []), section]);
  }
  const read = new Map<number, ElfRelocation[]>();
  const byName = new Map(sections.toReversed().map((section) => [section.name, section]));
  return {
    bigEndian: file.bigEndian,
    sections,
    symbols,
    globals: new Map(symbols.filter((s) => s.binding !== "local").map((s) => [s.name, s])),
    section: (name) => byName.get(name),
    relocations: (section) => {
      const known = read.get(section.index);
      if (known !== undefined) return known;
      const from = changing.get(section.index) ?? [];
      const relocations = from.flatMap((table) => readRelocations(table, section, symbols));
      read.set(section.index, relocations);
      return relocations;
    },
  };
}

function openFile(bytes: Uint8Array): Window {
  if (!isElf(bytes)) throw new InputError("ELF header, offset 0x0: not an ELF file");
  const order = bytes[5];
  const file = new Window(bytes, "ELF header", order === 2);
  if (bytes.length < HEADER_SIZE) file.fail(bytes.length, "the file ends inside the header");
  if (bytes[4] !== 2) file.fail(4, "not a 64-bit ELF file");
  if (order !== 1 && order !== 2) file.fail(5, `unknown byte order ${order}`);
  const type = file.u16(16);
  if (type !== ET_REL) file.fail(16, `not a relocatable object (e_type is ${type})`);
  const machine = file.u16(18);
  if (machine !== EM_BPF && machine !== EM_NONE) file.fail(18, `not a BPF object (e_machine is ${machine})`);
  return file;
}

function readSections(file: Window): ElfSection[] {
  const start = file.u64(40);
  if (start === 0) return [];
  const entrySize = file.u16(58);
  if (entrySize !== SECTION_HEADER_SIZE) file.fail(58, `section headers of ${entrySize} bytes instead of 64`);
  if (start + SECTION_HEADER_SIZE > file.size) file.fail(40, "the section headers lie outside the file");
  // With too many sections for 16 bits, the first header holds the count and the index of the names (gABI, "Special Sections").
  const count = file.u16(60) === 0 ? file.u64(start + 32) : file.u16(60);
  const namesIndex = file.u16(62) === SHN.xindex ? file.u32(start + 40) : file.u16(62);
  if (start + count * SECTION_HEADER_SIZE > file.size) {
    file.fail(60, `${count} section headers do not fit into the file`);
  }
  const at = (index: number): number => start + index * SECTION_HEADER_SIZE;
  if (namesIndex >= count) file.fail(62, `section ${namesIndex} of the names does not exist`);
  const names = sectionData(file, at(namesIndex), "section names");
  const sections: ElfSection[] = [];
  for (let index = 0; index < count; index++) {
    const header = file.part(at(index), SECTION_HEADER_SIZE, `header of section ${index}`);
    const name = index === 0 ? "" : names.text(header.u32(0));
    sections.push({
      index,
      name,
      type: header.u32(4),
      flags: header.u32(file.bigEndian ? 12 : 8),
      size: header.u64(32),
      data: sectionData(file, at(index), `section ${name}`),
      link: header.u32(40),
      info: header.u32(44),
    });
  }
  // Sections that share bytes would let a small file pretend to hold a lot; no compiler writes them.
  const claimed = sections.reduce((sum, { data }) => sum + data.size, 0);
  if (claimed > file.size)
    throw new InputError(`ELF header, offset 0x28: sections overlap (${claimed} bytes in all)`);
  return sections;
}

function sectionData(file: Window, header: number, place: string): Window {
  const type = file.u32(header + 4);
  if (type === 0 || type === SHT.nobits) return new Window(new Uint8Array(0), place, file.bigEndian);
  const offset = file.u64(header + 24);
  const size = file.u64(header + 32);
  if (offset + size > file.size) {
    throw new InputError(
      `${place}, offset 0x${offset.toString(16)}: its ${size} bytes reach past the end of the file (${file.size} bytes)`,
    );
  }
  return file.part(offset, size, place);
}

function readSymbols(table: ElfSection, sections: readonly ElfSection[]): ElfSymbol[] {
  const { data } = table;
  const names = sections[table.link];
  if (names === undefined || names.type !== SHT.strtab) {
    return data.fail(0, `its string table, section ${table.link}, does not exist`);
  }
  if (data.size % SYMBOL_SIZE !== 0)
    data.fail(data.size, `${data.size} bytes are no whole number of symbols`);
  const count = data.size / SYMBOL_SIZE;
  if (count > MOST_SYMBOLS) data.fail(0, `${count} symbols, more than ${MOST_SYMBOLS}`);
  const symbols: ElfSymbol[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * SYMBOL_SIZE;
    const info = data.u8(at + 4);
    const section = data.u16(at + 6);
    if (section === SHN.xindex) data.fail(at + 6, "symbols with extended section indices are not supported");
    if (section >= sections.length && section < 0xff00)
      data.fail(at + 6, `section ${section} does not exist`);
    const type = SYMBOL_TYPES[info & 0xf] ?? "other";
    const visibility = data.u8(at + 5) & 3;
    symbols.push({
      name: type === "section" ? (sections[section]?.name ?? "") : names.data.text(data.u32(at)),
      value: data.u64(at + 8),
      size: data.u64(at + 16),
      section,
      binding: BINDINGS[info >> 4] ?? data.fail(at + 4, `unknown symbol binding ${info >> 4}`),
      type,
      hidden: visibility === 1 || visibility === 2,
    });
  }
  return symbols;
}

function readRelocations(
  from: ElfSection,
  changed: ElfSection,
  symbols: readonly ElfSymbol[],
): ElfRelocation[] {
  const { data } = from;
  if (from.type === SHT.rela) data.fail(0, "relocations with addends, which BPF objects do not have");
  if (data.size % REL_SIZE !== 0)
    data.fail(data.size, `${data.size} bytes are no whole number of relocations`);
  const relocations: ElfRelocation[] = [];
  for (let at = 0; at < data.size; at += REL_SIZE) {
    const offset = data.u64(at);
    const index = data.u32(at + (data.bigEndian ? 8 : 12));
    if (offset >= changed.size)
      data.fail(at, `changes offset ${offset} of ${changed.name}, which is shorter`);
    const symbol = symbols[index] ?? data.fail(at + 8, `symbol ${index} does not exist`);
    relocations.push({ offset, type: data.u32(at + (data.bigEndian ? 12 : 8)), symbol });
  }
  return relocations;
}
