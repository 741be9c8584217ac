/**
 * What a relocation asks for, by libbpf's rules: which map, which global variable, which function, which thing of the kernel. Only says
 * so; `link.ts` writes it into the instructions, once it knows where everything lies.
 * Source: Documentation/bpf/llvm_reloc.rst, and linux/bpf.h for the pseudo registers.
 */
import { InputError } from "../semantics/errors.ts";
import type { Extern } from "./externs.ts";
import { type ObjectFunction, SLOT } from "./functions.ts";
import type { ObjectMap } from "./object-map.ts";

/** `src_reg` of calls and 16-byte loads (linux/bpf.h). */
export const PSEUDO = { mapFd: 1, mapValue: 2, btfId: 3, func: 4, call: 1, kfuncCall: 2 } as const;

/** What an instruction refers to; `at` counts slots from the start of its function. */
export type Reference =
  /** A call of, or the address of, another function of the object. */
  | { readonly kind: "call" | "address"; readonly at: number; readonly target: ObjectFunction }
  | { readonly kind: "map"; readonly at: number; readonly map: ObjectMap }
  /** The address of byte `offset` of a map's only value, or of an arena. */
  | { readonly kind: "data"; readonly at: number; readonly map: ObjectMap; readonly offset: number }
  | { readonly kind: "kfunc" | "ksym" | "kconfig"; readonly at: number; readonly extern: Extern };

/** The parts of an object that relocations point into. */
export interface Targets {
  /** The map at a byte offset of a section, or the global data that the section holds. */
  map(section: number, offset: number): ObjectMap | undefined;
  /** Whether the section holds variables that lie in the object's arena. */
  isArena(section: number): boolean;
  /** The object's arena. */
  readonly arena: ObjectMap | undefined;
  readonly externs: ReadonlyMap<string, Extern>;
  /** The function that begins at a byte offset of a section. */
  function(section: number, offset: number): ObjectFunction | undefined;
}

const CALL = 0x85;
const LD_IMM64 = 0x18;

/** Every reference of a function; an `InputError` names the section and the offset of one that makes no sense. */
export function references(from: ObjectFunction, targets: Targets): Reference[] {
  const view = new DataView(from.code.buffer, from.code.byteOffset, from.code.length);
  const found: Reference[] = [];
  const relocated = new Set<number>();
  for (const { offset, symbol } of from.relocations) {
    const where = `section ${from.section.name}, offset 0x${offset.toString(16)}`;
    const at = (offset - from.offset) / SLOT;
    if (!Number.isInteger(at)) throw new InputError(`${where}: a relocation inside an instruction`);
    if (relocated.has(at)) throw new InputError(`${where}: a second relocation of one instruction`);
    relocated.add(at);
    const opcode = view.getUint8(at * SLOT);
    const imm = view.getInt32(at * SLOT + 4, true);
    const symbolIs = { name: symbol.name, section: symbol.section, value: symbol.value };
    if (opcode === CALL) found.push(callReference(at, imm, symbolIs, targets, where));
    else if (opcode === LD_IMM64) found.push(loadReference(at, imm, symbolIs, targets, where));
    else
      throw new InputError(`${where}: a relocation of an instruction with opcode 0x${opcode.toString(16)}`);
  }
  for (let at = 0; at < from.code.length / SLOT; at++) {
    const opcode = view.getUint8(at * SLOT);
    const source = view.getUint8(at * SLOT + 1) >> 4;
    if (opcode === CALL && source === PSEUDO.call && !relocated.has(at)) {
      const imm = view.getInt32(at * SLOT + 4, true);
      found.push({ kind: "call", at, target: sameSection(from, at, imm, targets) });
    }
    if (opcode === LD_IMM64) at++;
  }
  return found;
}

interface SymbolPlace {
  readonly name: string;
  readonly section: number;
  readonly value: number;
}

/** The callee of a call without a relocation: the compiler knows the distance inside a section. */
function sameSection(from: ObjectFunction, at: number, imm: number, targets: Targets): ObjectFunction {
  const offset = from.offset + (at + 1 + imm) * SLOT;
  const target = targets.function(from.section.index, offset);
  if (target !== undefined) return target;
  const where = `section ${from.section.name}, offset 0x${(from.offset + at * SLOT).toString(16)}`;
  throw new InputError(`${where}: calls offset ${offset}, where no function begins`);
}

function callReference(
  at: number,
  imm: number,
  symbol: SymbolPlace,
  targets: Targets,
  where: string,
): Reference {
  if (symbol.section === 0) return externReference(at, "call", symbol.name, targets, where);
  // Relative to the symbol, the call goes to where its `imm` says plus the instruction after it.
  const offset = symbol.value + (imm + 1) * SLOT;
  const target = targets.function(symbol.section, offset);
  if (target === undefined)
    throw new InputError(`${where}: calls ${symbol.name}+${offset}, where no function begins`);
  return { kind: "call", at, target };
}

function loadReference(
  at: number,
  imm: number,
  symbol: SymbolPlace,
  targets: Targets,
  where: string,
): Reference {
  if (symbol.section === 0) return externReference(at, "load", symbol.name, targets, where);
  const offset = symbol.value + imm;
  if (targets.isArena(symbol.section)) {
    if (targets.arena === undefined)
      throw new InputError(`${where}: ${symbol.name} lies in an arena, and there is none`);
    return { kind: "data", at, map: targets.arena, offset };
  }
  const map = targets.map(symbol.section, offset);
  if (map?.global === true) return { kind: "data", at, map, offset };
  if (map !== undefined) return { kind: "map", at, map };
  const target = targets.function(symbol.section, offset);
  if (target !== undefined) return { kind: "address", at, target };
  throw new InputError(
    `${where}: refers to ${symbol.name}+${imm}, which is no map, global variable or function`,
  );
}

function externReference(
  at: number,
  by: "call" | "load",
  name: string,
  targets: Targets,
  where: string,
): Reference {
  const extern = targets.externs.get(name);
  if (extern === undefined)
    throw new InputError(`${where}: extern ${name} is not declared in .kconfig or .ksyms`);
  if (by === "call" && extern.kind !== "function")
    throw new InputError(`${where}: calls the variable ${name}`);
  if (extern.from === "kconfig") return { kind: "kconfig", at, extern };
  return { kind: by === "call" ? "kfunc" : "ksym", at, extern };
}
