/**
 * The functions of an object: entry programs and subprograms as pieces of code, each with its part of the relocations and of `.BTF.ext`.
 * Everything here is little-endian: the code of a big-endian object is turned first, so that nothing above needs to know.
 */
import { InputError } from "../semantics/errors.ts";
import type { CoreRecord, FuncRecord, LineRecord, SectionRecords } from "./btf-ext.ts";
import { type ElfFile, type ElfRelocation, type ElfSection, type ElfSymbol, SHF, SHT } from "./elf.ts";

export const SLOT = 8;

export interface ObjectFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** libbpf gives hidden functions static linkage. */
  readonly linkage: "static" | "global";
  /** Whether it is a program of its own and not only called: a global function outside `.text`. */
  readonly entry: boolean;
  /** Little-endian; shared, not to be changed. */
  readonly code: Uint8Array;
  /** Sorted by offset; offsets count from the start of the section, as in all that follows. */
  readonly relocations: readonly ElfRelocation[];
  readonly func: FuncRecord | undefined;
  readonly lines: readonly LineRecord[];
  readonly core: readonly CoreRecord[];
}

export interface FunctionFailure {
  readonly name: string;
  readonly message: string;
}

/** A section's functions, and what is wrong with those that cannot be used. */
export function readFunctions(
  elf: ElfFile,
  records: ReadonlyMap<string, SectionRecords>,
): { readonly functions: readonly ObjectFunction[]; readonly failures: readonly FunctionFailure[] } {
  const functions: ObjectFunction[] = [];
  const failures: FunctionFailure[] = [];
  const symbols = new Map<number, ElfSymbol[]>();
  for (const symbol of elf.symbols) {
    if (symbol.type !== "func") continue;
    const known = symbols.get(symbol.section);
    if (known === undefined) symbols.set(symbol.section, [symbol]);
    else known.push(symbol);
  }
  for (const section of elf.sections) {
    if (!holdsCode(section)) continue;
    const code = elf.bigEndian ? turnCode(section.data.bytes) : section.data.bytes;
    const relocations = elf.relocations(section).toSorted((a, b) => a.offset - b.offset);
    let end = 0;
    const inOrder = (symbols.get(section.index) ?? []).toSorted((a, b) => a.value - b.value);
    for (const symbol of inOrder) {
      const problem = placeProblem(symbol, section, end);
      if (problem !== undefined) {
        failures.push({
          name: symbol.name,
          message: `section ${section.name}, offset 0x${symbol.value.toString(16)}: ${problem}`,
        });
        continue;
      }
      end = symbol.value + symbol.size;
      const ext = records.get(section.name);
      const within = <T extends { readonly offset: number }>(
        sorted: readonly T[] | undefined,
      ): readonly T[] =>
        sorted === undefined ? [] : sorted.slice(firstAt(sorted, symbol.value), firstAt(sorted, end));
      functions.push({
        name: symbol.name,
        section,
        offset: symbol.value,
        linkage: symbol.binding === "local" || symbol.hidden ? "static" : "global",
        entry: section.name !== ".text" && symbol.binding !== "local",
        code: code.subarray(symbol.value, end),
        relocations: within(relocations),
        func: within(ext?.funcs).find((record) => record.offset === symbol.value),
        lines: within(ext?.lines),
        core: within(ext?.core),
      });
    }
  }
  return { functions, failures };
}

/** Whether the section holds instructions. */
export function holdsCode(section: ElfSection): boolean {
  return section.type === SHT.progbits && (section.flags & SHF.execinstr) !== 0 && section.data.size > 0;
}

function placeProblem(symbol: ElfSymbol, section: ElfSection, end: number): string | undefined {
  if (symbol.value % SLOT !== 0 || symbol.size % SLOT !== 0 || symbol.size === 0) {
    return `function ${symbol.name} of ${symbol.size} bytes is not made of whole instructions`;
  }
  if (symbol.value + symbol.size > section.size)
    return `function ${symbol.name} reaches past the section's end`;
  if (symbol.value < end) return `function ${symbol.name} overlaps the one before it`;
  return undefined;
}

/** The index of the first element at or after `offset`. */
export function firstAt(sorted: readonly { readonly offset: number }[], offset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Big-endian instructions as little-endian ones: the register nibbles change places, `off` and `imm` their bytes. */
function turnCode(code: Uint8Array): Uint8Array {
  if (code.length % SLOT !== 0)
    throw new InputError(`instruction ${Math.floor(code.length / SLOT)}: is cut off`);
  const turned = new Uint8Array(code.length);
  const from = new DataView(code.buffer, code.byteOffset, code.length);
  const to = new DataView(turned.buffer);
  for (let at = 0; at < code.length; at += SLOT) {
    const registers = from.getUint8(at + 1);
    to.setUint8(at, from.getUint8(at));
    to.setUint8(at + 1, ((registers & 0xf) << 4) | (registers >> 4));
    to.setInt16(at + 2, from.getInt16(at + 2, false), true);
    to.setInt32(at + 4, from.getInt32(at + 4, false), true);
  }
  return turned;
}
