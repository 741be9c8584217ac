/**
 * The code of an instruction's effect: the table's terms as WebAssembly with holes where a compiled function has its locals, immediates and
 * offsets. A row is read once; each instruction of it is a copy with the holes filled in.
 *
 * Where the immediate decides which code is needed (division, which must not trap, and shifts) it is part of the term, and the row is read once for each immediate.
 */
import type { Operation, Row } from "../../semantics/isa/instruction.ts";
import { DST, LOADED, R0, SRC } from "../../semantics/isa/row.ts";
import { Lowering, typeOf } from "../../semantics/term/lower.ts";
import type { Term } from "../../semantics/term/node.ts";
import { emit, type Store } from "../../semantics/wasm/emit.ts";
import { FunctionBuilder } from "../../semantics/wasm/function.ts";
import { Graph, type Value } from "../../semantics/wasm/graph.ts";
import type { LoadName, StoreName, ValueType } from "../../semantics/wasm/instructions.ts";
import { type Code, I32, OP } from "./code.ts";

/** What the first locals of a template stand for. The address is an i32, the others are i64. */
const PLACE = { dst: 0, src: 1, r0: 2, address: 3 } as const;
const PLACES: readonly ValueType[] = ["i64", "i64", "i64", "i32"];

/** Code with holes; it leaves the result on the stack if it has one. */
export interface Template {
  readonly bytes: Uint8Array;
  /** Four numbers a hole, by ascending position: where it begins and ends, the opcode if it is of a local, and the local. */
  readonly holes: Int32Array;
  /** The types of the locals behind the places, which hold nothing before and after. */
  readonly temporaries: readonly ValueType[];
}

const LOAD_NAME: { readonly [size: number]: LoadName } = {
  1: "i32.load8_u",
  2: "i32.load16_u",
  4: "i32.load",
  8: "i64.load",
};
const STORE_NAME: { readonly [size: number]: StoreName } = {
  1: "i32.store8",
  2: "i32.store16",
  4: "i32.store",
  8: "i64.store",
};

interface Effect {
  /** What goes to memory, with how many bytes that are. */
  readonly stored?: Term;
  readonly size: number;
  readonly result?: Term;
}

function effectOf(operation: Operation): Effect | undefined {
  switch (operation.kind) {
    case "alu":
      return { result: operation.result, size: 0 };
    case "jump":
      return { result: operation.taken, size: 0 };
    case "load":
    case "load_acquire":
      return { result: operation.result, size: operation.size };
    case "store":
    case "store_release":
      return { stored: operation.stored, size: operation.size };
    case "atomic": {
      const { stored, size, source, r0 } = operation;
      const result = source ?? r0;
      return { stored, size, ...(result === undefined ? {} : { result }) };
    }
    default:
      return undefined;
  }
}

/** Reads an effect; with `imm`, for this immediate alone. */
function read(row: Row, imm: number | undefined): Template {
  const effect = effectOf(row.operation);
  if (effect === undefined) throw new Error(`${row.name} has no effect of its own`);
  const { size, stored, result } = effect;
  // The destination is made first: where the engine is free to choose it computes in the register of the right operand, and the destination is what nobody needs any more.
  const graph = new Graph({ olderLast: true });
  const variable = (term: Term): Value => {
    if (term === DST) return graph.parameter("i64", PLACE.dst);
    if (term === SRC)
      return imm === undefined ? graph.parameter("i64", PLACE.src) : graph.constant("i64", BigInt(imm));
    if (term === R0) return graph.parameter("i64", PLACE.r0);
    const name = LOAD_NAME[size];
    if (name === undefined || !Object.values<Term>(LOADED).includes(term))
      throw new Error(`${row.name}: an effect of what is not known`);
    return graph.load(typeOf(8 * size), name, 8 * size, PLACE.address, 0);
  };
  const lowering = new Lowering(graph, variable);
  const stores: Store[] = [];
  if (stored !== undefined) {
    const name = STORE_NAME[size];
    if (name === undefined) throw new Error(`${row.name}: a store of ${size} bytes`);
    stores.push({ value: lowering.raw(stored), name, pointer: PLACE.address, offset: 0 });
  }
  const builder = new FunctionBuilder(row.name, PLACES, []);
  emit(builder, stores, result === undefined ? undefined : lowering.zero(result));
  return withHoles(builder.finish());
}

/** Finds the locals and the offsets of loads and stores in a function's body. */
function withHoles(body: Uint8Array): Template {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const temporaries: ValueType[] = [];
  for (let runs = number(); runs > 0; runs -= 1) {
    const count = number();
    const type: ValueType = body[at++] === I32 ? "i32" : "i64";
    temporaries.push(...Array.from({ length: count }, () => type));
  }
  const first = at;
  const holes: number[] = [];
  const hole = (start: number, kind: number, local: number): void => {
    holes.push(start - first, at - first, kind, local);
  };
  while (at < body.length - 1) {
    const start = at;
    const opcode = body[at++] ?? 0;
    if (opcode === OP.get || opcode === OP.set || opcode === OP.tee) hole(start, opcode, number());
    else if (opcode === OP.const32 || opcode === OP.const64) number();
    else if (opcode === OP.if) at += 1;
    else if (opcode >= FIRST_ACCESS && opcode <= LAST_ACCESS) {
      number();
      const offset = at;
      number();
      hole(offset, HOLE_OFFSET, 0);
    } else if (opcode !== OP.else && opcode !== OP.end && opcode !== SELECT && opcode < FIRST_NUMERIC)
      throw new Error(`an effect's code holds the opcode ${opcode}`);
  }
  return { bytes: body.slice(first, -1), holes: Int32Array.from(holes), temporaries };
}

const FIRST_ACCESS = 0x28;
const LAST_ACCESS = 0x3e;
const SELECT = 0x1b;
/** From here on an opcode is one byte: comparisons, arithmetic, conversions. */
const FIRST_NUMERIC = 0x45;
const HOLE_OFFSET = 0;
const HOLE_NUMBERS = 4;

/** Whether the immediate belongs into the term. */
function dependsOnImmediate({ operation }: Row): boolean {
  return operation.kind === "alu" && operation.operand === "imm" && FOLDED.has(operation.op);
}
const FOLDED: ReadonlySet<string> = new Set(["div", "sdiv", "mod", "smod", "lsh", "rsh", "arsh"]);

const BY_ROW = new Map<Row, Template>();
const BY_IMMEDIATE = new Map<Row, Map<number, Template>>();
/** Immediates of one row whose templates are kept. */
const MOST_IMMEDIATES = 256;

/** The template of an instruction. */
export function templateOf(row: Row, imm: number): Template {
  if (!dependsOnImmediate(row)) {
    const known = BY_ROW.get(row) ?? read(row, undefined);
    BY_ROW.set(row, known);
    return known;
  }
  let templates = BY_IMMEDIATE.get(row);
  if (templates === undefined || templates.size >= MOST_IMMEDIATES) {
    templates = new Map();
    BY_IMMEDIATE.set(row, templates);
  }
  const known = templates.get(imm) ?? read(row, imm);
  templates.set(imm, known);
  return known;
}

/** Gives a local of a function that is being written, for a moment: the `n`-th of its type. */
export type Temporary = (type: ValueType, n: number) => number;

/** Where the places of a template are in a function: locals, and the number in place of `src` if that is an immediate. */
export interface Operands {
  readonly dst: number;
  readonly src: number;
  readonly imm: number | undefined;
  readonly r0: number;
  readonly address: number;
  /** Added to the address. */
  readonly offset: number;
}

/** Writes an instruction's code. */
export function fill(
  code: Code,
  { bytes, holes, temporaries }: Template,
  { dst, src, imm, r0, address, offset }: Operands,
  temporary: Temporary,
): void {
  let from = 0;
  for (let i = 0; i < holes.length; i += HOLE_NUMBERS) {
    code.copy(bytes, from, holes[i] ?? 0);
    from = holes[i + 1] ?? 0;
    const kind = holes[i + 2] ?? 0;
    const local = holes[i + 3] ?? 0;
    if (kind === HOLE_OFFSET) code.unsigned(offset);
    else if (local === PLACE.src && imm !== undefined) code.const64(imm);
    else code.at(kind, localOf(local));
  }
  code.copy(bytes, from, bytes.length);

  function localOf(local: number): number {
    if (local === PLACE.dst) return dst;
    if (local === PLACE.src) return src;
    if (local === PLACE.r0) return r0;
    if (local === PLACE.address) return address;
    const index = local - PLACES.length;
    const type = temporaries[index];
    if (type === undefined) throw new Error("a template's local is a place or a temporary");
    return temporary(type, index);
  }
}
