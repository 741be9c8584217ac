/**
 * What an object expects from the kernel: configuration values (`.kconfig`), and kernel variables and functions (`.ksyms`).
 * Source: libbpf's rules as Documentation/bpf/libbpf/libbpf_overview.rst describes them; the layout of the configuration map is by
 * descending alignment, then size, then name.
 */
import { InputError } from "../semantics/errors.ts";
import type { Btf } from "./btf.ts";
import type { BtfOf, BtfType } from "./btf-types.ts";
import type { ElfFile } from "./elf.ts";

/** Far more than any object asks for. */
const MOST_BYTES = 1 << 20;

/** Where each entry of an extern section lies once it is laid out, in the order of the entries; bytes. */
interface ExternPlaces {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly size: number;
}

/** The layout of `.kconfig` or `.ksyms`, of which compilers write only the entries. */
export function externLayout(local: Btf, datasec: BtfOf<"datasec">): ExternPlaces {
  // Kernel symbols have no storage; each gets four bytes so that the section is well-formed.
  if (datasec.name === ".ksyms") {
    const sizes = datasec.vars.map(() => 4);
    return { offsets: sizes.map((_, index) => index * 4), sizes, size: sizes.length * 4 };
  }
  const entries = datasec.vars.map(({ type }, index) => {
    const variable = local.type(type);
    if (variable.kind !== "var") throw new InputError(`section .BTF: ${variable.kind} in .kconfig`);
    return {
      index,
      name: variable.name,
      size: local.size(variable.type),
      align: alignment(local, variable.type),
    };
  });
  entries.sort((a, b) => b.align - a.align || a.size - b.size || (a.name < b.name ? -1 : 1));
  const offsets: number[] = [];
  const sizes: number[] = [];
  let end = 0;
  for (const { index, size, align } of entries) {
    end = Math.ceil(end / align) * align;
    offsets[index] = end;
    sizes[index] = size;
    end += size;
    if (end > MOST_BYTES) throw new InputError(`section .BTF: .kconfig holds more than ${MOST_BYTES} bytes`);
  }
  return { offsets, sizes, size: end };
}

/** Bytes; configuration values are integers, enumerations and arrays of them. */
function alignment(local: Btf, id: number): number {
  const { type } = local.resolve(id);
  if (type.kind === "array") return alignment(local, type.type);
  return "size" in type ? Math.max(1, Math.min(8, type.size)) : 1;
}

export interface Extern {
  readonly name: string;
  readonly from: "kconfig" | "ksyms";
  readonly weak: boolean;
  readonly kind: "variable" | "function";
  /** Type id in the object's BTF. */
  readonly type: number;
  /** Whether its declaration says what it is: that of a `void` variable only tells the name. */
  readonly typed: boolean;
  /** Byte offset in the configuration map, and the size there. */
  readonly offset: number;
  readonly size: number;
}

/** The externs by name. */
export function readExterns(elf: ElfFile, local: Btf): Map<string, Extern> {
  const externs = new Map<string, Extern>();
  for (const from of ["kconfig", "ksyms"] as const) {
    const id = local.findKind(`.${from}`, "datasec");
    const datasec = id === undefined ? undefined : local.type(id);
    if (datasec?.kind !== "datasec") continue;
    const places = externLayout(local, datasec);
    datasec.vars.forEach((entry, index) => {
      const type = local.type(entry.type);
      if (type.kind !== "var" && type.kind !== "func") {
        throw new InputError(`section .BTF: ${type.kind} in .${from}`);
      }
      const symbol = elf.globals.get(type.name);
      externs.set(type.name, {
        name: type.name,
        from,
        weak: symbol?.binding === "weak",
        kind: type.kind === "func" ? "function" : "variable",
        type: type.type,
        typed: type.kind === "func" || local.resolve(type.type).type.kind !== "void",
        offset: places.offsets[index] ?? 0,
        size: places.sizes[index] ?? 0,
      });
    });
  }
  return externs;
}

/** Names of the tristate values, as libbpf's `enum libbpf_tristate` numbers them. */
const TRISTATE: ReadonlyMap<string, bigint> = new Map([
  ["n", 0n],
  ["y", 1n],
  ["m", 2n],
]);

/**
 * The contents of the configuration map. `values` are as in a kernel's `.config` (`y`, `m`, a number, `"text"`), by name; a name that is
 * missing is 0 if weak, and is told in `missing` otherwise.
 */
export function kconfigData(
  local: Btf,
  externs: Iterable<Extern>,
  values: ReadonlyMap<string, string>,
): { readonly data: Uint8Array; readonly missing: readonly string[] } {
  const wanted = [...externs].filter((e) => e.from === "kconfig");
  const data = new Uint8Array(Math.max(0, ...wanted.map((e) => e.offset + e.size)));
  const missing: string[] = [];
  for (const wish of wanted) {
    const value = values.get(wish.name);
    if (value !== undefined) data.set(kconfigBytes(wish, local.resolve(wish.type).type, value), wish.offset);
    else if (!wish.weak) missing.push(wish.name);
  }
  return { data, missing };
}

function kconfigBytes(wish: Extern, type: BtfType, value: string): Uint8Array {
  if (type.kind === "array") {
    const text = /^"(.*)"$/.exec(value)?.[1];
    if (text === undefined) throw new InputError(`kernel configuration ${wish.name}: ${value} is no text`);
    // Cut as strncpy would, with the last byte kept for the NUL.
    return new TextEncoder().encode(text).subarray(0, Math.max(0, wish.size - 1));
  }
  const number =
    TRISTATE.get(value) ?? (/^-?(0x[0-9a-f]+|\d+)$/i.test(value) ? parseNumber(value) : undefined);
  if (number === undefined) throw new InputError(`kernel configuration ${wish.name}: ${value} is no number`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, number), true);
  return bytes.subarray(0, Math.min(8, wish.size));
}

function parseNumber(value: string): bigint {
  return value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value);
}
