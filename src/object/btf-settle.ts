/**
 * Makes an object's BTF fit for the kernel, as libbpf does before it loads it. Compilers leave the sizes of data sections and the
 * offsets of global variables to the loader; the kernel takes no BTF in the other byte order, no extern functions in a data section, and
 * verifies hidden global functions as static ones.
 */
import { InputError } from "../semantics/errors.ts";
import { type Btf, readBtf } from "./btf.ts";
import { kindLayout, TYPE_HEADER } from "./btf-types.ts";
import type { ElfFile } from "./elf.ts";
import { externLayout } from "./externs.ts";

const HEADER_WORDS = [4, 8, 12, 16, 20];
const STATIC = 0;
const GLOBAL = 1;

/** The BTF with every data section complete, in little-endian order; type ids stay, types may be added at the end. */
export function settleBtf(elf: ElfFile, local: Btf): Btf {
  const bytes = littleEndianCopy(local, elf.bigEndian);
  const view = new DataView(bytes.buffer);
  const added: number[] = [];
  const hidden = new Set(elf.symbols.filter((s) => s.type === "func" && s.hidden).map((s) => s.name));
  for (let id = 1; id < local.count; id++) {
    const type = local.type(id);
    if (type.kind === "func" && hidden.has(type.name)) setCount(view, local.position(id), STATIC);
    if (type.kind === "datasec") settleSection(elf, local, view, id, added);
  }
  return readBtf(append(bytes, view, added));
}

function littleEndianCopy(local: Btf, bigEndian: boolean): Uint8Array {
  const bytes = local.raw.slice();
  if (!bigEndian) return bytes;
  const view = new DataView(bytes.buffer);
  const swap = (at: number): void => view.setUint32(at, view.getUint32(at, false), true);
  view.setUint16(0, view.getUint16(0, false), true);
  for (const at of HEADER_WORDS) swap(at);
  for (let id = 1; id < local.count; id++) {
    const at = local.position(id);
    for (let word = at; word < at + typeLength(view, at); word += 4) if (word !== at + 4) swap(word);
    // The word that holds kind and length goes last: the length is read from it.
    swap(at + 4);
  }
  return bytes;
}

/** Bytes of the big-endian type at `at`. */
function typeLength(view: DataView, at: number): number {
  const info = view.getUint32(at + 4, false);
  const row = kindLayout(info);
  return row === undefined ? TYPE_HEADER : TYPE_HEADER + row.fixed + row.each * (info & 0xffff);
}

function settleSection(elf: ElfFile, local: Btf, view: DataView, id: number, added: number[]): void {
  const datasec = local.type(id);
  if (datasec.kind !== "datasec") return;
  const at = local.position(id);
  const externs = datasec.name === ".ksyms" || datasec.name === ".kconfig";
  const section = elf.section(datasec.name);
  if (!externs && section === undefined) {
    throw new InputError(`section .BTF: data section ${datasec.name} is not in the file`);
  }
  const places = externs ? externLayout(local, datasec) : undefined;
  view.setUint32(at + 8, places?.size ?? section?.size ?? 0, true);
  const vars = datasec.vars.map((entry, index) => {
    const variable = local.type(entry.type);
    if (externs) {
      const type = settleExtern(local, view, entry.type, added);
      return { type, offset: places?.offsets[index] ?? 0, size: places?.sizes[index] ?? entry.size };
    }
    if (variable.kind !== "var" || variable.linkage === "static") return entry;
    const symbol = elf.globals.get(variable.name);
    return symbol?.section === section?.index && symbol !== undefined
      ? { ...entry, offset: symbol.value }
      : entry;
  });
  vars.sort((a, b) => a.offset - b.offset);
  vars.forEach(({ type, offset, size }, index) => {
    const word = at + TYPE_HEADER + index * 12;
    view.setUint32(word, type, true);
    view.setUint32(word + 4, offset, true);
    view.setUint32(word + 8, size, true);
  });
}

/** Makes an extern variable or function a global one; the id of the variable that stands for it in the data section. */
function settleExtern(local: Btf, view: DataView, id: number, added: number[]): number {
  const type = local.type(id);
  const at = local.position(id);
  if (type.kind !== "func") {
    view.setUint32(at + TYPE_HEADER, GLOBAL, true);
    // An address of nothing in particular: the kernel takes no variables without a size.
    if (type.kind === "var" && local.resolve(type.type).type.kind === "void") {
      standIn(local, added, view.getUint32(at, true));
      view.setUint32(at + 8, local.count, true);
    }
    return id;
  }
  setCount(view, at, GLOBAL);
  const name = view.getUint32(at, true);
  const proto = local.type(type.type);
  if (proto.kind === "func_proto") {
    proto.params.forEach((param, index) => {
      const word = local.position(type.type) + TYPE_HEADER + index * 8;
      if (param.name === "" && param.type !== 0) view.setUint32(word, name, true);
    });
  }
  standIn(local, added, name);
  return local.count + 1;
}

/** Adds a number's type and a variable of it, with a name that is there, unless they have been added. */
function standIn(local: Btf, added: number[], name: number): void {
  if (added.length > 0) return;
  const int = (1 << 24) >>> 0;
  const variable = 14 << 24;
  added.push(name, int, 4, 32, name, variable, local.count, GLOBAL);
}

/** The low half of the info word, which holds a function's linkage. */
function setCount(view: DataView, at: number, count: number): void {
  view.setUint32(at + 4, ((view.getUint32(at + 4, true) & 0xffff0000) | count) >>> 0, true);
}

/** Puts words between types and strings. */
function append(bytes: Uint8Array, view: DataView, words: readonly number[]): Uint8Array {
  if (words.length === 0) return bytes;
  const header = view.getUint32(4, true);
  const types = bytes.subarray(header + view.getUint32(8, true)).subarray(0, view.getUint32(12, true));
  const strings = bytes.subarray(header + view.getUint32(16, true)).subarray(0, view.getUint32(20, true));
  const start = header + types.length;
  const result = new Uint8Array(start + words.length * 4 + strings.length);
  result.set(bytes.subarray(0, header));
  result.set(types, header);
  result.set(strings, start + words.length * 4);
  const out = new DataView(result.buffer);
  words.forEach((word, index) => out.setUint32(start + index * 4, word, true));
  out.setUint32(8, 0, true);
  out.setUint32(12, types.length + words.length * 4, true);
  out.setUint32(16, types.length + words.length * 4, true);
  return result;
}
