/**
 * What an instruction is once decoded, and what a row of the instruction table says. RFC 9669 sections 3 to 5 are the standard; what
 * Linux adds (may_goto, load-acquire, store-release, address-space casts) has the group "linux".
 */
import type { Term } from "../term/node.ts";

/** RFC 9669 section 2.4; `linux` for instructions outside the standard. */
export type ConformanceGroup =
  | "base32"
  | "base64"
  | "divmul32"
  | "divmul64"
  | "atomic32"
  | "atomic64"
  | "packet"
  | "linux";

/** The compilers' `-mcpu` version that first emits the instruction. */
export type IsaVersion = 1 | 2 | 3 | 4;

export type AluOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "sdiv"
  | "or"
  | "and"
  | "lsh"
  | "rsh"
  | "neg"
  | "mod"
  | "smod"
  | "xor"
  | "mov"
  | "movsx8"
  | "movsx16"
  | "movsx32"
  | "arsh"
  | "le16"
  | "le32"
  | "le64"
  | "be16"
  | "be32"
  | "be64"
  | "bswap16"
  | "bswap32"
  | "bswap64";

export type JumpOp =
  | "jeq"
  | "jne"
  | "jgt"
  | "jge"
  | "jlt"
  | "jle"
  | "jset"
  | "jsgt"
  | "jsge"
  | "jslt"
  | "jsle";

export type AtomicOp = "add" | "or" | "and" | "xor" | "xchg" | "cmpxchg";

/** Access size in bytes. */
export type Size = 1 | 2 | 4 | 8;

/** The forms of the 16-byte load (RFC 9669 section 5.4), by `src_reg`. */
export type Imm64Kind = "const" | "map_fd" | "map_value" | "btf_id" | "func" | "map_idx" | "map_idx_value";

/** What an instruction does, in one of a few shapes; the terms are over the variables that `row.ts` names. */
export type Operation =
  /** `result`: the new `dst` from the old `dst` and the operand `src` (the immediate sign-extended to 64 bits, or a register). */
  | {
      readonly kind: "alu";
      readonly op: AluOp;
      readonly width: 32 | 64;
      readonly operand: "imm" | "reg" | "none";
      readonly result: Term<64>;
    }
  /** `taken`: whether the jump is taken, from `dst` and the operand `src`. */
  | {
      readonly kind: "jump";
      readonly op: JumpOp;
      readonly width: 32 | 64;
      readonly operand: "imm" | "reg";
      readonly taken: Term<1>;
    }
  /** Unconditional; the offset is in `imm` if `wide` (gotol), else in `off`. */
  | { readonly kind: "goto"; readonly wide: boolean }
  /** Linux: leaves a loop through `off` when the iteration budget is used up. */
  | { readonly kind: "may_goto" }
  /** `imm`: the helper's id, the subprogram's distance in slots from the next instruction, or the BTF id of the kernel function. */
  | { readonly kind: "call"; readonly callee: "helper" | "subprogram" | "kfunc" }
  | { readonly kind: "exit" }
  /** `result`: the new `dst` from the `size` bytes loaded, `loaded` (little-endian). */
  | { readonly kind: "load"; readonly size: Size; readonly signed: boolean; readonly result: Term<64> }
  /** `stored`: the `8 * size` bits written, from the operand `src`. */
  | { readonly kind: "store"; readonly size: Size; readonly operand: "imm" | "reg"; readonly stored: Term }
  /**
   * At `dst + off`: `stored` replaces the old value `loaded`; `source` is the new `src` register (if `fetch` and not cmpxchg) and
   * `r0` the new r0 (cmpxchg).
   */
  | {
      readonly kind: "atomic";
      readonly op: AtomicOp;
      readonly size: 4 | 8;
      readonly fetch: boolean;
      readonly stored: Term;
      readonly source?: Term<64>;
      readonly r0?: Term<64>;
    }
  | { readonly kind: "load_acquire"; readonly size: Size; readonly result: Term<64> }
  | { readonly kind: "store_release"; readonly size: Size; readonly stored: Term }
  /** Legacy packet access (RFC 9669 section 5.5): r0 = the big-endian bytes at `imm` (abs) or `src + imm` (ind). */
  | {
      readonly kind: "packet";
      readonly mode: "abs" | "ind";
      readonly size: 1 | 2 | 4;
      readonly result: Term<64>;
    }
  | { readonly kind: "ld_imm64"; readonly load: Imm64Kind }
  /** Linux: moves a pointer between address spaces (arena); `imm` holds the two spaces. */
  | { readonly kind: "addr_space_cast" };

/** A field of the encoding: `any` where it is an operand, else the one value it must have. */
export type Field = "any" | number;

/** The fields of an encoded instruction beside the opcode. A number other than 0 selects the row among those of its opcode. */
export interface Fields {
  readonly dst: Field;
  readonly src: Field;
  readonly off: Field;
  readonly imm: Field;
  /** The `imm` of the second slot of a 16-byte load; 0 for every other instruction. */
  readonly immHigh: Field;
}

/** A row of the instruction table. */
export interface Row {
  /** Unique, stable: `add64_imm`, `jeq32_reg`, `ldxdw`, `atomic_fetch_add32`, `ld_imm64_map_fd`, … */
  readonly name: string;
  /** The opcode byte. */
  readonly opcode: number;
  readonly fields: Fields;
  /**
   * The instruction's text in the kernel's verifier-log notation, with a placeholder in braces for each operand (`syntax.ts` lists
   * them). The disassembler prints it and the assembler reads it.
   */
  readonly syntax: string;
  readonly group: ConformanceGroup;
  readonly version: IsaVersion;
  readonly operation: Operation;
}

/** A decoded instruction. `dst` and `src` are register numbers 0 … 10, or 0 where the row has none. */
export interface Instruction {
  readonly row: Row;
  readonly dst: number;
  readonly src: number;
  /** Signed 16 bits, in slots for jumps and bytes for memory; 0 where the field selects the row. */
  readonly off: number;
  /** Signed 32 bits; for a 16-byte load the low half; 0 where the field selects the row. */
  readonly imm: number;
  /** The high 32 bits (signed) of a 16-byte load; 0 otherwise. */
  readonly immHigh: number;
}
