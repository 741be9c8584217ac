/** A program's functions as one WebAssembly module. */
import { DO, type Op } from "../op.ts";
import type { Callee } from "./calls.ts";
import { Code, I32 } from "./code.ts";
import { type CompiledFunction, FunctionCompiler, type Source, START } from "./function.ts";
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
  for (const { code, target } of ops) {
    const isStart = code === DO.subprogram || code === DO.function;
    if (isStart && !positions.has(target)) positions.set(target, positions.size);
  }
  return positions;
}

/** Buffers that every compilation uses: compiling never waits for anything, so that there is one at a time. */
const OUT = new Code();
const SECTION_BODY = new Code();
const FUNCTION = new Code();
const INSTRUCTIONS = new Code();

function section(id: number, count: number, write: (body: Code) => void): void {
  SECTION_BODY.clear();
  SECTION_BODY.unsigned(count);
  write(SECTION_BODY);
  OUT.byte(id);
  OUT.unsigned(SECTION_BODY.length);
  OUT.append(SECTION_BODY);
}

/** What all modules begin with. */
let prelude: Uint8Array | undefined;

function writePrelude(): Uint8Array {
  const name = (body: Code, text: string): void => {
    const bytes = new TextEncoder().encode(text);
    body.unsigned(bytes.length);
    body.bytes(bytes);
  };
  OUT.clear();
  OUT.bytes(MAGIC);
  section(SECTION.type, TYPES.length, (body) => {
    for (const [parameters, results] of TYPES) {
      body.byte(0x60);
      for (const list of [parameters, results]) {
        body.unsigned(list.length);
        for (const type of list) body.byte(type);
      }
    }
  });
  section(SECTION.import, IMPORTED.length + 1, (body) => {
    name(body, "env");
    name(body, "memory");
    // A memory of at least no pages: any will do.
    body.bytes(Uint8Array.of(0x02, 0x00, 0x00));
    for (const [text, type] of IMPORTED) {
      name(body, "machine");
      name(body, text);
      body.byte(0x00);
      body.unsigned(type);
    }
  });
  return OUT.finish();
}

/** Compiles a program; nothing of it is assumed. */
export function compileProgram(parts: Omit<Source, "functions">): CompiledProgram {
  const positions = functionsOf(parts.ops);
  const callees = new Map<number, Callee>();
  const source: Source = { ...parts, functions: callees };
  const compilers = Array.from(positions, ([entry, position]) => {
    const compiler = new FunctionCompiler(source, entry, INSTRUCTIONS);
    callees.set(entry, { position, entry, reads: compiler.reads });
    return compiler;
  });
  const functions: CompiledFunction[] = [];
  prelude ??= writePrelude();
  OUT.clear();
  OUT.bytes(prelude);
  section(SECTION.function, positions.size, (body) => {
    for (let i = 0; i < positions.size; i += 1) body.unsigned(0);
  });
  section(SECTION.export, positions.size, (body) => {
    for (const position of positions.values()) {
      const digits = `${position}`;
      body.byte(digits.length);
      for (const digit of digits) body.byte(digit.charCodeAt(0));
      body.byte(0x00);
      body.unsigned(IMPORTS + position);
    }
  });
  section(SECTION.code, positions.size, (body) => {
    for (const [position, compiler] of compilers.entries()) {
      INSTRUCTIONS.clear();
      FUNCTION.clear();
      functions.push(compiler.write(position, FUNCTION));
      body.unsigned(FUNCTION.length);
      body.append(FUNCTION);
    }
  });
  return { bytes: OUT.finish(), functions, positions };
}
