/**
 * Makes one program of an entry function and everything it calls, as libbpf lays it out: the entry first, then each subprogram where it is
 * first met, depth first.
 */
import { InputError } from "../semantics/errors.ts";
import { decode } from "../semantics/isa/codec.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { FunctionInfo, KernelSymbol, Program, SourceLine } from "../semantics/program/program.ts";
import type { Btf } from "./btf.ts";
import type { Extern } from "./externs.ts";
import { functionPrototype } from "./function-types.ts";
import { type ObjectFunction, SLOT } from "./functions.ts";
import type { ObjectMap } from "./object-map.ts";
import { PSEUDO, type Reference } from "./relocate.ts";

/** A function ready to be linked: CO-RE applied, references known. */
export interface Piece {
  readonly from: ObjectFunction;
  readonly code: Uint8Array;
  readonly references: readonly Reference[];
}

/** The parts of a `Program` that come from linking. */
export type Linked = Pick<
  Program,
  "insns" | "maps" | "lines" | "functions" | "kfuncs" | "ksyms" | "lineInfo"
>;

export interface Surroundings {
  /** Prepares a function; cached, as programs share subprograms. */
  piece(from: ObjectFunction): Piece;
  mapNamed(name: string): ObjectMap | undefined;
  /** A function that is no program of its own. */
  readonly subprogramNamed: (name: string) => ObjectFunction | undefined;
  /** The configuration map, if there is one. */
  readonly kconfig: ObjectMap | undefined;
  /** The BTF id of a kernel function or variable; `undefined` if it is weak and missing, 0 if the kernel is unknown. */
  kernelId(name: string, kind: "func" | "var", weak: boolean): number | undefined;
  /** Whether the kernel has a symbol, whatever it is: `false` if it is weak and missing, `true` if the kernel is unknown. */
  hasSymbol(name: string, weak: boolean): boolean;
  /** The BTF that line and function records refer to. */
  readonly btf: Btf | undefined;
}

/** The kernel loads no more instructions than this (BPF_COMPLEXITY_LIMIT_INSNS). */
const MOST_SLOTS = 1_000_000;

/** The helper id that libbpf gives calls of weak kernel functions that are missing: refused only where a path reaches it. */
const MISSING_KFUNC = 2_002_000_000;

interface Placed extends Piece {
  /** Slots from the start of the program. */
  readonly start: number;
}

export function link(entry: ObjectFunction, around: Surroundings): Linked {
  const placed = layOut(entry, around);
  const parts = [...placed.values()];
  const code = new Uint8Array(parts.reduce((sum, part) => sum + part.code.length, 0));
  for (const { start, code: own } of parts) code.set(own, start * SLOT);
  const maps = new Set<ObjectMap>();
  for (const { references } of parts) {
    for (const reference of references) {
      if ("map" in reference) maps.add(reference.map);
      else if (reference.kind === "kconfig" && around.kconfig !== undefined) maps.add(around.kconfig);
    }
  }
  for (const { definition } of maps) {
    // A set grows while it is walked: what is held may hold others.
    for (const { name } of definition.holds ?? []) {
      const held = around.mapNamed(name);
      if (held !== undefined) maps.add(held);
    }
  }
  const used = [...maps];
  const writer = new Writer(code, used, placed, around);
  for (const { start, references } of parts) {
    for (const reference of references) writer.write(reference, start + reference.at);
  }
  const lineInfo = around.btf === undefined ? undefined : rawLines(parts);
  return {
    insns: decode(code),
    maps: used.map((map): MapDefinition => map.definition),
    lines: sourceLines(parts, around.btf),
    functions: parts.map((part) => functionInfo(part, around.btf)),
    ...(writer.kfuncs.length === 0 ? {} : { kfuncs: writer.kfuncs }),
    ...(writer.ksyms.length === 0 ? {} : { ksyms: writer.ksyms }),
    ...(lineInfo === undefined || lineInfo.length === 0 ? {} : { lineInfo }),
  };
}

/** Where each function goes, in that order. */
function layOut(entry: ObjectFunction, around: Surroundings): Map<ObjectFunction, Placed> {
  const placed = new Map<ObjectFunction, Placed>();
  let end = 0;
  const place = (from: ObjectFunction): Iterator<Reference> => {
    const piece = around.piece(from);
    placed.set(from, { ...piece, start: end });
    end += piece.code.length / SLOT;
    if (end > MOST_SLOTS) throw new InputError(`more than ${MOST_SLOTS} instructions with all subprograms`);
    return piece.references.toSorted((a, b) => a.at - b.at)[Symbol.iterator]();
  };
  const placeAll = (first: ObjectFunction): void => {
    const open = [place(first)];
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      const next = inner.next();
      if (next.done === true) open.pop();
      else if ("target" in next.value && !placed.has(next.value.target)) open.push(place(next.value.target));
    }
  };
  placeAll(entry);
  // Nobody calls it.
  const callback = exceptionCallback(entry, around);
  if (callback !== undefined && !placed.has(callback)) placeAll(callback);
  return placed;
}

/** The function that the entry's declaration tag names as its exception callback. */
function exceptionCallback(
  { func }: ObjectFunction,
  { btf, subprogramNamed }: Surroundings,
): ObjectFunction | undefined {
  const named =
    btf === undefined || func === undefined ? [] : functionPrototype(btf, func.type)?.exceptionCallbacks;
  const name = named?.[0]?.name;
  if (name === undefined) return undefined;
  const found = subprogramNamed(name);
  if (found === undefined) throw new InputError(`there is no exception callback ${name}`);
  if (found.linkage === "static") throw new InputError(`exception callback ${name} is not global, or hidden`);
  return found;
}

/** Writes what references stand for into the code of a program. */
class Writer {
  readonly kfuncs: { readonly insn: number; readonly name: string }[] = [];
  readonly ksyms: KernelSymbol[] = [];
  readonly #view: DataView;
  readonly #maps: ReadonlyMap<ObjectMap, number>;
  readonly #placed: ReadonlyMap<ObjectFunction, Placed>;
  readonly #around: Surroundings;

  constructor(
    code: Uint8Array,
    maps: readonly ObjectMap[],
    placed: ReadonlyMap<ObjectFunction, Placed>,
    around: Surroundings,
  ) {
    this.#view = new DataView(code.buffer);
    this.#maps = new Map(maps.map((map, index) => [map, index]));
    this.#placed = placed;
    this.#around = around;
  }

  /** `slot` counts from the start of the program. */
  write(reference: Reference, slot: number): void {
    switch (reference.kind) {
      case "call":
      case "address": {
        const target = this.#placed.get(reference.target);
        if (target === undefined) throw new Error(`${reference.target.name} has not been laid out`);
        const source = reference.kind === "call" ? PSEUDO.call : PSEUDO.func;
        this.#set(slot, source, target.start - slot - 1, reference.kind === "call" ? undefined : 0);
        return;
      }
      case "map":
        this.#set(slot, PSEUDO.mapFd, this.#index(reference.map), 0);
        return;
      case "data":
        this.#set(slot, PSEUDO.mapValue, this.#index(reference.map), reference.offset);
        return;
      case "kconfig":
        this.#set(slot, PSEUDO.mapValue, this.#index(this.#around.kconfig), reference.extern.offset);
        return;
      case "kfunc": {
        const { name, weak } = reference.extern;
        const id = this.#around.kernelId(name, "func", weak);
        if (id === undefined) this.#set(slot, 0, MISSING_KFUNC, undefined);
        else {
          this.#set(slot, PSEUDO.kfuncCall, id, undefined);
          this.kfuncs.push({ insn: slot, name });
        }
        return;
      }
      case "ksym":
        this.#writeSymbol(reference.extern, slot);
        return;
    }
  }

  #writeSymbol({ name, weak, kind, typed }: Extern, slot: number): void {
    // A weak symbol that the kernel lacks is the number 0, so that programs can ask whether it is there.
    if (!typed) {
      this.#set(slot, 0, 0, 0);
      if (this.#around.hasSymbol(name, weak)) this.ksyms.push({ insn: slot, name, typed });
      return;
    }
    const id = this.#around.kernelId(name, kind === "function" ? "func" : "var", weak);
    this.#set(slot, id === undefined ? 0 : PSEUDO.btfId, id ?? 0, 0);
    if (id !== undefined) this.ksyms.push({ insn: slot, name, typed });
  }

  #index(map: ObjectMap | undefined): number {
    const index = map === undefined ? undefined : this.#maps.get(map);
    if (index === undefined) throw new Error("a reference to a map that the program does not have");
    return index;
  }

  #set(slot: number, source: number, imm: number, immHigh: number | undefined): void {
    const at = slot * SLOT;
    this.#view.setUint8(at + 1, (this.#view.getUint8(at + 1) & 0xf) | (source << 4));
    this.#view.setInt32(at + 4, imm, true);
    if (immHigh === undefined) return;
    if (at + SLOT + SLOT > this.#view.byteLength) throw new InputError(`instruction ${slot}: is cut off`);
    this.#view.setInt32(at + SLOT + 4, immHigh, true);
  }
}

function functionInfo({ from, start }: Placed, btf: Btf | undefined): FunctionInfo {
  const typeId = from.func?.type;
  const prototype = btf === undefined || typeId === undefined ? undefined : functionPrototype(btf, typeId);
  return {
    insn: start,
    name: from.name,
    linkage: from.linkage,
    ...(typeId === undefined ? {} : { typeId }),
    ...(prototype === undefined ? {} : { prototype }),
  };
}

function sourceLines(parts: readonly Placed[], btf: Btf | undefined): SourceLine[] {
  if (btf === undefined) return [];
  return parts.flatMap(({ from, start }) =>
    from.lines.map((record) => ({
      insn: start + (record.offset - from.offset) / SLOT,
      file: btf.text(record.file),
      line: record.line,
      column: record.column,
      text: btf.text(record.text).trim(),
    })),
  );
}

/** Bytes of a `struct bpf_line_info`. */
const LINE_RECORD = 16;

function rawLines(parts: readonly Placed[]): Uint8Array {
  const records = parts.flatMap(({ from, start }) =>
    from.lines.map((record) => ({ ...record, insn: start + (record.offset - from.offset) / SLOT })),
  );
  const view = new DataView(new ArrayBuffer(records.length * LINE_RECORD));
  records.forEach((record, index) => {
    const at = index * LINE_RECORD;
    view.setUint32(at, record.insn, true);
    view.setUint32(at + 4, record.file, true);
    view.setUint32(at + 8, record.text, true);
    view.setUint32(at + 12, ((record.line << 10) | record.column) >>> 0, true);
  });
  return new Uint8Array(view.buffer);
}
