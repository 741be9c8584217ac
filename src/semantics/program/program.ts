/**
 * A program as everything above reads it: one BPF program with its subprograms, laid out in one array of instructions, ready to be
 * verified, run or loaded. Readers of objects, bundles and assembly make these; nothing downstream knows where one came from.
 */
import type { Instruction } from "../isa/instruction.ts";
import type { MapDefinition } from "./map-types.ts";
import type { OwnTypes } from "./own-types.ts";
import type { Capability } from "./privileges.ts";
import type { AttachType, LoadFlag, ProgramType } from "./program-types.ts";
import type { FunctionPrototype } from "./prototype.ts";

/** Where an instruction came from. */
export interface SourceLine {
  /** The first instruction of the line, as an index of 8-byte slots; the line extends to the next record. */
  readonly insn: number;
  readonly file: string;
  /** 1-based; 0 if unknown. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A function of the program: the main program first, then its subprograms, by first instruction. */
export interface FunctionInfo {
  readonly insn: number;
  readonly name: string;
  /** BTF type id of the function, if the program carries BTF. */
  readonly typeId?: number;
  readonly linkage?: "static" | "global" | "extern";
  /** The type that `typeId` stands for. */
  readonly prototype?: FunctionPrototype;
}

/** A load of the address of something in the kernel. */
export interface KernelSymbol {
  readonly insn: number;
  readonly name: string;
  /** Whether the kernel's BTF tells its type; if not, the load is of a constant, and the loader puts the address there. */
  readonly typed: boolean;
}

/**
 * The instructions by 8-byte slot, as the kernel counts them: a 16-byte load fills one slot and leaves the next one `undefined`.
 * In a map load (`ld_imm64` of kind map_fd or map_value) `imm` is an index into the program's `maps`.
 */
export type Slots = readonly (Instruction | undefined)[];

export interface Program {
  readonly name: string;
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly license: string;
  readonly flags: readonly LoadFlag[];
  /** The capabilities of whoever loads it; absent if all. */
  readonly privileges?: readonly Capability[];
  readonly insns: Slots;
  readonly maps: readonly MapDefinition[];
  /** Sorted by `insn`; empty if unknown. */
  readonly lines: readonly SourceLine[];
  /** Sorted by `insn`; empty if unknown. */
  readonly functions: readonly FunctionInfo[];
  /** Raw BTF, as it would be given to BPF_BTF_LOAD. */
  readonly btf?: Uint8Array;
  /** The structures of `btf`, where the program may have objects of them. */
  readonly ownTypes?: OwnTypes;
  /** `struct bpf_line_info` records (16 bytes, little-endian) that refer to `btf`, as BPF_PROG_LOAD takes them. */
  readonly lineInfo?: Uint8Array;
  /** What the program attaches to, where its section says so: a kernel function, `category/name` of a tracepoint, an LSM hook. */
  readonly target?: string;
  /**
   * Calls of kernel functions by name; the instruction's `imm` is their BTF id in the kernel that the object was read for, or 0. It is the name that
   * counts: a kernel that the program is loaded into may have another id for it.
   */
  readonly kfuncs?: readonly { readonly insn: number; readonly name: string }[];
  /** 16-byte loads of the kernel's variables and functions by name; the `imm` of typed ones is a BTF id as that of calls is. */
  readonly ksyms?: readonly KernelSymbol[];
  /** The section it came from (`xdp`, `tc`, …), where it came from an object. */
  readonly section?: string;
}
