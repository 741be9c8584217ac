/**
 * The arithmetic of the machine: a register file in the machine's memory, and for each row of the instruction table the function that its
 * effect terms compile to. Nothing else in the machine computes with a program's values.
 */
import type { Operation, Row } from "../semantics/isa/instruction.ts";
import { DST, LOADED, R0, SRC } from "../semantics/isa/row.ts";
import { ROWS } from "../semantics/isa/table.ts";
import { constant } from "../semantics/term/build.ts";
import type { Term } from "../semantics/term/node.ts";
import { type FunctionSpec, instantiateOnAddresses, type Sink, type Source } from "../semantics/term/wasm.ts";
import { memory, PROCESSOR_SIZE, REGISTERS_AT } from "./memory.ts";

/** Up to four addresses of 8-byte words; what they are depends on the operation's kind, see `specOf`. The result is a jump's condition. */
export type Effect = (a: number, b: number, c: number, d: number) => number;

const word = (pointer: number): Source => ({ kind: "memory", pointer, offset: 0, bytes: 8 });
const into = (pointer: number): Sink => ({ pointer, offset: 0, bytes: 8 });

const POINTERS = ["i32", "i32", "i32", "i32"] as const;

type Parts = Pick<FunctionSpec, "inputs" | "outputs" | "result">;

/** The function of an operation; the parameters' meaning stands with each kind. */
function partsOf(operation: Operation): Parts | undefined {
  switch (operation.kind) {
    case "alu": // (dst, operand)
      return {
        inputs: [
          [DST, word(0)],
          [SRC, word(1)],
        ],
        outputs: [[operation.result, into(0)]],
      };
    case "jump": // (dst, operand)
      return {
        inputs: [
          [DST, word(0)],
          [SRC, word(1)],
        ],
        outputs: [],
        result: operation.taken,
      };
    case "load":
    case "load_acquire":
    case "packet": // (dst, loaded)
      return { inputs: [[LOADED[operation.size], word(1)]], outputs: [[operation.result, into(0)]] };
    case "store":
    case "store_release": // (stored, operand)
      return { inputs: [[SRC, word(1)]], outputs: [[operation.stored, into(0)]] };
    case "atomic": // (stored, loaded, src, r0)
      return {
        inputs: [
          [LOADED[operation.size], word(1)],
          [SRC, word(2)],
          [R0, word(3)],
        ],
        outputs: [
          [operation.stored, into(0)],
          ...optional(operation.source, 2),
          ...optional(operation.r0, 3),
        ],
      };
    default:
      return undefined;
  }
}

function optional(term: Term<64> | undefined, pointer: number): readonly (readonly [Term, Sink])[] {
  return term === undefined ? [] : [[term, into(pointer)]];
}

/** What a function without a condition returns. */
const NO_RESULT = constant(32, 0);

function specOf(row: Row): readonly FunctionSpec[] {
  const parts = partsOf(row.operation);
  return parts === undefined ? [] : [{ name: row.name, parameters: POINTERS, result: NO_RESULT, ...parts }];
}

/** The functions of all rows that have one: what an address is stands with the operation's kind above. */
export const EFFECTS: readonly FunctionSpec[] = ROWS.flatMap(specOf);

export interface Processor {
  /** The register file and scratch words as int32 halves: register n is words 2n (low) and 2n + 1. */
  readonly words: Int32Array;
  /** The same memory as 64-bit values. */
  readonly quads: BigUint64Array;
  /** By row name; rows without an effect of their own (jumps without condition, calls) have none. */
  readonly effects: ReadonlyMap<string, Effect>;
}

function build(): Processor {
  const effects = instantiateOnAddresses(EFFECTS, memory);
  return {
    words: new Int32Array(memory.buffer, REGISTERS_AT, PROCESSOR_SIZE / 4),
    quads: new BigUint64Array(memory.buffer, REGISTERS_AT, PROCESSOR_SIZE / 8),
    effects,
  };
}

let shared: Processor | undefined;

/** The process's processor, compiled on first use. */
export function processor(): Processor {
  shared ??= build();
  return shared;
}
