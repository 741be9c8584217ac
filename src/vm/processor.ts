/**
 * The arithmetic of the machine: a register file in WebAssembly memory, and for each row of the instruction table the function that its
 * effect terms compile to. Nothing else in the machine computes with a program's values.
 *
 * One processor serves every machine of the process: a run starts by clearing the registers, and saves and restores them around itself,
 * so that an observer may run another program.
 */
import type { Operation, Row } from "../semantics/isa/instruction.ts";
import { DST, LOADED, R0, SRC } from "../semantics/isa/row.ts";
import { ROWS } from "../semantics/isa/table.ts";
import type { Term } from "../semantics/term/node.ts";
import { type FunctionSpec, instantiateOnAddresses, type Sink, type Source } from "../semantics/term/wasm.ts";

export const REGISTERS = 11;
export const FRAME_POINTER = 10;

/** Where the scratch words are, in bytes: the register file comes first, 8 bytes each. */
const SCRATCH = 8 * REGISTERS;
/** The operand of an instruction that takes an immediate. */
export const OPERAND = SCRATCH;
/** What memory holds before the instruction. */
export const LOADED_AT = SCRATCH + 8;
/** What memory holds after it. */
export const STORED_AT = SCRATCH + 16;
const USED_BYTES = SCRATCH + 24;

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

function specOf(row: Row): readonly FunctionSpec[] {
  const parts = partsOf(row.operation);
  return parts === undefined ? [] : [{ name: row.name, parameters: POINTERS, ...parts }];
}

export interface Processor {
  /** The register file and scratch words as int32 halves: register n is words 2n (low) and 2n + 1. */
  readonly words: Int32Array;
  /** The same memory as 64-bit values. */
  readonly quads: BigUint64Array;
  /** Register file and scratch, for saving and restoring. */
  readonly bytes: Uint8Array;
  /** By row name; rows without an effect of their own (jumps without condition, calls) have none. */
  readonly effects: ReadonlyMap<string, Effect>;
}

function build(): Processor {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const effects = instantiateOnAddresses(ROWS.flatMap(specOf), memory);
  return {
    words: new Int32Array(memory.buffer, 0, USED_BYTES / 4),
    quads: new BigUint64Array(memory.buffer, 0, USED_BYTES / 8),
    bytes: new Uint8Array(memory.buffer, 0, USED_BYTES),
    effects,
  };
}

let shared: Processor | undefined;

/** The process's processor, compiled on first use. */
export function processor(): Processor {
  shared ??= build();
  return shared;
}
