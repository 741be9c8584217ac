/**
 * What an instruction of classic BPF is, and what a row of its table says. The machine has an accumulator A, an index X and 16 scratch words,
 * all of 32 bits. Sources: McCanne and Jacobson, "The BSD Packet Filter" (1993); linux/filter.h, linux/bpf_common.h and
 * Documentation/networking/filter.rst of Linux.
 */
import type { Term } from "../term/node.ts";

/** `struct sock_filter`: what programs are made of, in files and in system calls. */
export interface ClassicInstruction {
  /** 16 bits. */
  readonly code: number;
  /** How many instructions a jump skips if its condition holds, 0 to 255. */
  readonly jt: number;
  /** As `jt`, if the condition does not hold. */
  readonly jf: number;
  /** The operand, unsigned, 32 bits. */
  readonly k: number;
}

/** A classic program. Execution begins at the first instruction, and jumps go forward alone. */
export type Filter = readonly ClassicInstruction[];

export const SCRATCH_WORDS = 16;
/** BPF_MAXINSNS: as long as a filter may be. */
export const MAX_LENGTH = 4096;

export type Register = "a" | "x";

/** Sizes of what is loaded from a packet, in bytes. */
export type LoadSize = 1 | 2 | 4;

/** What `k` is, beside a number of the instruction's own; the checker asks. */
export type OperandKind = "none" | "number" | "divisor" | "shift" | "scratch" | "offset" | "distance";

/** What an instruction does, as terms over the variables of `variables.ts`. */
export type Operation =
  /** `to` becomes `result`; if `ends` is 1 the filter ends with 0 instead. */
  | {
      readonly kind: "set";
      readonly to: Register;
      readonly result: Term<32>;
      readonly ends?: Term<1>;
    }
  /** `to` becomes `result`, which speaks of the `size` bytes at `address`; if the packet does not have them the filter ends with 0. */
  | {
      readonly kind: "packet";
      readonly size: LoadSize;
      readonly address: Term<32>;
      readonly to: Register;
      readonly result: Term<32>;
    }
  /** The scratch word `k` becomes `stored`. */
  | { readonly kind: "store"; readonly stored: Term<32> }
  /** Skips `jt` instructions if `taken`, else `jf`. */
  | { readonly kind: "jump"; readonly taken: Term<1> }
  /** Skips `k` instructions. */
  | { readonly kind: "goto" }
  | { readonly kind: "return"; readonly result: Term<32> };

export interface ClassicRow {
  readonly name: string;
  readonly code: number;
  readonly k: OperandKind;
  /** As bpf_asm writes it. */
  readonly mnemonic: string;
  /** How the operand is written; see `SYNTAX` in `syntax.ts`. */
  readonly operand: OperandSyntax;
  readonly operation: Operation;
}

/** The forms of operands: the addressing modes of bpf_asm, but for labels, which jumps have besides. */
export type OperandSyntax =
  | "none"
  | "immediate"
  | "x"
  | "a"
  | "absolute"
  | "indirect"
  | "scratch"
  | "header"
  | "length"
  | "label";
