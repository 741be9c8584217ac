/**
 * The arithmetic of the classic machine: its registers in WebAssembly memory, and for each row of the table the function that its terms compile to. One
 * serves every filter of the process; a run leaves nothing behind.
 */
import type { Term } from "../term/node.ts";
import { type FunctionSpec, instantiateOnAddresses, type Sink, type Source } from "../term/wasm.ts";
import { EXTENSIONS } from "./extensions.ts";
import type { Operation } from "./instruction.ts";
import { SECCOMP_LOAD } from "./seccomp.ts";
import { CLASSIC_ROWS } from "./table.ts";
import { A, FIELD, K, LENGTH, LOADED, WORD, X } from "./variables.ts";

/** Where the words are, in words. */
export const AT = {
  a: 0,
  x: 1,
  k: 2,
  word: 3,
  loaded: 4,
  length: 5,
  field: 6,
  stored: 7,
  scratch: 8,
} as const;
const WORDS = AT.scratch + 16;

const from = (word: number, bytes: 1 | 2 | 4 = 4): Source => ({
  kind: "memory",
  pointer: 0,
  offset: 4 * word,
  bytes,
});
const into = (word: number): Sink => ({ pointer: 0, offset: 4 * word, bytes: 4 });

const INPUTS: readonly (readonly [Term, Source])[] = [
  [A, from(AT.a)],
  [X, from(AT.x)],
  [K, from(AT.k)],
  [WORD, from(AT.word)],
  [LOADED[1], from(AT.loaded, 1)],
  [LOADED[2], from(AT.loaded, 2)],
  [LOADED[4], from(AT.loaded)],
  [LENGTH, from(AT.length)],
  [FIELD, from(AT.field)],
];

/** What the function of an operation gives: whether the filter ends, a jump is taken, or the value returned. */
function specOf(name: string, operation: Operation): readonly FunctionSpec[] {
  const base = { name, parameters: ["i32"], inputs: INPUTS, outputs: [] } as const;
  switch (operation.kind) {
    case "set": {
      const { to, result, ends } = operation;
      return [
        { ...base, outputs: [[result, into(AT[to])]], ...(ends === undefined ? {} : { result: ends }) },
      ];
    }
    case "packet":
      return [
        { ...base, outputs: [[operation.result, into(AT[operation.to])]] },
        { ...base, name: `${name}/address`, result: operation.address },
      ];
    case "store":
      return [{ ...base, outputs: [[operation.stored, into(AT.stored)]] }];
    case "jump":
      return [{ ...base, result: operation.taken }];
    case "return":
      return [{ ...base, result: operation.result }];
    case "goto":
      return [];
    default:
      return operation satisfies never;
  }
}

/** The registers are at address 0, the parameter of every function. */
export type Effect = (registers: 0) => number;

interface Processor {
  readonly words: Int32Array;
  readonly effects: ReadonlyMap<string, Effect>;
}

function build(): Processor {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const specs = [
    ...CLASSIC_ROWS.flatMap(({ name, operation }) => specOf(name, operation)),
    ...EXTENSIONS.flatMap(({ name, result }) => specOf(name, { kind: "set", to: "a", result })),
    ...specOf("seccomp", SECCOMP_LOAD),
  ];
  return { words: new Int32Array(memory.buffer, 0, WORDS), effects: instantiateOnAddresses(specs, memory) };
}

let shared: Processor | undefined;

/** Compiled on first use. */
export function classicProcessor(): Processor {
  shared ??= build();
  return shared;
}
