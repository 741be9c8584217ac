/** The locals of a compiled function: those that every function has, and others as they are needed. None is a parameter. */
import type { ValueType } from "../../semantics/wasm/instructions.ts";
import { type Code, I32, I64 } from "./code.ts";

/** i64: r0 … r10 are locals 0 … 10, then how many more instructions may be executed. i32: the rest. */
export const LOCAL = {
  fuel: 11,
  /** An address, within one instruction. */
  at: 12,
  /** The index of the lower end of the function's stack, and the record of its region. */
  stack: 13,
  stackRegion: 14,
  /** The index of the context's first byte, and its record, where the function is known to have it. */
  context: 15,
  contextRegion: 16,
  /** Which way out was taken. */
  exit: 17,
  /** The records of the regions of r0 … r9. */
  region: 18,
} as const;

const WIDE = 12;
const FIXED = 28;

export class Locals {
  readonly #types: ValueType[] = [];
  readonly #known = new Map<number, number>();

  /** A local by a number of the caller's choice: the same for the same number. */
  #keyed(key: number, type: ValueType): number {
    let local = this.#known.get(key);
    if (local === undefined) {
      local = FIXED + this.#types.push(type) - 1;
      this.#known.set(key, local);
    }
    return local;
  }

  /** The address of the first byte that accesses through a register may touch. */
  first(register: number): number {
    return this.#keyed(register, "i64");
  }

  /** How many places accesses of a kind through a register may begin at: `need` is one bit (needs.ts). */
  limit(register: number, need: number): number {
    return this.#keyed(1000 * need + register, "i64");
  }

  /** How often may_goto has fallen through. */
  loops(): number {
    return this.#keyed(500, "i32");
  }

  /** Whether the function has used `loops`. */
  get hasLoops(): boolean {
    return this.#known.has(500);
  }

  /** Which entry of a loop of several is meant. */
  label(): number {
    return this.#keyed(501, "i32");
  }

  /** How deep the function's frame is, as the records of frames count it. */
  depth(): number {
    return this.#keyed(503, "i32");
  }

  /** How often bpf_loop has called its function, and how often it will in all. */
  index(): number {
    return this.#keyed(504, "i32");
  }
  runs(): number {
    return this.#keyed(505, "i32");
  }

  /** The marks of a stack slot, within one instruction. */
  marks(): number {
    return this.#keyed(502, "i64");
  }

  /** The least number of instructions that must be left for another round of a counted loop. */
  stop(loop: number): number {
    return this.#keyed(1_000_000 + loop, "i64");
  }

  temporary(type: ValueType, n: number): number {
    return this.#keyed((type === "i32" ? 600 : 700) + n, type);
  }

  /** Writes the declarations. */
  write(code: Code): void {
    code.unsigned(2 + this.#types.length);
    code.unsigned(WIDE);
    code.byte(I64);
    code.unsigned(FIXED - WIDE);
    code.byte(I32);
    for (const type of this.#types) {
      code.unsigned(1);
      code.byte(type === "i32" ? I32 : I64);
    }
  }
}
