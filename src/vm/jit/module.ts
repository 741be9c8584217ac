/** A program's functions as one WebAssembly module. */
import { DO, type Op } from "../op.ts";
import type { Callee } from "./calls.ts";
import { Code, I32 } from "./code.ts";
import { type CompiledFunction, FunctionCompiler, START } from "./function.ts";
import type { Source } from "./function-writer.ts";
import { IMPORTS } from "./writer.ts";

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const MAGIC = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
/** The types of all functions there are: parameters and results. */
const TYPES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[I32], [I32]],
  [[I32], []],
  [[I32, I32], []],
  [[I32, I32], [I32]],
];
/** By name: the type of what is imported, in the order of `IMPORT`. */
const IMPORTED: readonly (readonly [string, number])[] = [
  ["step", 1],
  ["enter", 2],
  ["again", 4],
  ["finish", 3],
];

export interface CompiledProgram {
  readonly bytes: Uint8Array;
  readonly functions: readonly CompiledFunction[];
  /** By a function's first slot, or `START`, its position; the module exports it by that number. */
  readonly positions: ReadonlyMap<number, number>;
}

/** The first slots of the functions: the program's own start, what is called, and what pointers to functions are made of. */
function functionsOf(ops: readonly Op[]): ReadonlyMap<number, number> {
  const positions = new Map([[START, 0]]);
  for (const op of ops) {
    if (op.code !== DO.subprogram && op.code !== DO.function) continue;
    if (!positions.has(op.target)) positions.set(op.target, positions.size);
  }
  return positions;
}

/** Buffers that every compilation uses: compiling never waits for anything, so that there is one at a time. */
const OUT = new Code();
const SECTION_BODY = new Code();
const FUNCTION = new Code();
const INSTRUCTIONS = new Code();

/** Begins a section of so many entries, which are then written to `SECTION_BODY`. */
function beginSection(count: number): void {
  SECTION_BODY.clear();
  SECTION_BODY.unsigned(count);
}

function endSection(id: number): void {
  OUT.byte(id);
  OUT.unsigned(SECTION_BODY.length);
  OUT.append(SECTION_BODY);
}

/** A name in ASCII. */
function writeName(to: Code, text: string): void {
  to.unsigned(text.length);
  for (let i = 0; i < text.length; i += 1) to.byte(text.charCodeAt(i));
}

/** What all modules begin with. */
let prelude: Uint8Array | undefined;

function writePrelude(): Uint8Array {
  OUT.clear();
  OUT.bytes(MAGIC);
  beginSection(TYPES.length);
  for (const [parameters, results] of TYPES) {
    SECTION_BODY.byte(0x60);
    for (const list of [parameters, results]) {
      SECTION_BODY.unsigned(list.length);
      for (const type of list) SECTION_BODY.byte(type);
    }
  }
  endSection(SECTION.type);
  beginSection(IMPORTED.length + 1);
  writeName(SECTION_BODY, "env");
  writeName(SECTION_BODY, "memory");
  // A memory of at least no pages: any will do.
  SECTION_BODY.bytes(Uint8Array.of(0x02, 0x00, 0x00));
  for (const [text, type] of IMPORTED) {
    writeName(SECTION_BODY, "machine");
    writeName(SECTION_BODY, text);
    SECTION_BODY.byte(0x00);
    SECTION_BODY.unsigned(type);
  }
  endSection(SECTION.import);
  return OUT.finish();
}

/** Compiles a program; nothing of it is assumed. */
export function compileProgram(parts: Omit<Source, "functions">): CompiledProgram {
  const positions = functionsOf(parts.ops);
  const callees = new Map<number, Callee>();
  const source: Source = { ...parts, functions: callees };
  const compilers: FunctionCompiler[] = [];
  for (const [entry, position] of positions) {
    const compiler = new FunctionCompiler(source, entry);
    callees.set(entry, { position, entry, reads: compiler.reads });
    compilers.push(compiler);
  }
  const functions: CompiledFunction[] = [];
  prelude ??= writePrelude();
  OUT.clear();
  OUT.bytes(prelude);
  beginSection(positions.size);
  for (let i = 0; i < positions.size; i += 1) SECTION_BODY.unsigned(0);
  endSection(SECTION.function);
  beginSection(positions.size);
  for (let position = 0; position < positions.size; position += 1) {
    writeName(SECTION_BODY, `${position}`);
    SECTION_BODY.byte(0x00);
    SECTION_BODY.unsigned(IMPORTS + position);
  }
  endSection(SECTION.export);
  beginSection(positions.size);
  for (const [position, compiler] of compilers.entries()) {
    INSTRUCTIONS.clear();
    FUNCTION.clear();
    functions.push(compiler.write(position, INSTRUCTIONS, FUNCTION));
    SECTION_BODY.unsigned(FUNCTION.length);
    SECTION_BODY.append(FUNCTION);
  }
  endSection(SECTION.code);
  return { bytes: OUT.finish(), functions, positions };
}
