/**
 * Encodings that are no instruction, in the words of the newest kernel (Linux 7.3, asked with every opcode byte and wrong fields of each kind; older
 * kernels differ in some); and encodings that it takes and that are not modelled.
 */
import { InputError } from "../errors.ts";
import type { Fields } from "./instruction.ts";

export type EncodedFields = Readonly<Record<keyof Fields, number>>;

/** Bytes that decode to no instruction. */
export class InstructionError extends InputError {
  /** What the kernel says, with EINVAL. */
  readonly said: string;
  /** What the kernel takes it for that is not modelled; absent for what it refuses, too. */
  readonly unmodelled: string | undefined;

  /**
   * @param at  `instruction 5`
   * @param problem  what is wrong with it
   */
  constructor(at: string, problem: string, opcode: number, fields: EncodedFields) {
    const unmodelled = newerFeature(opcode, fields);
    super(unmodelled === undefined ? `${at}: ${problem}` : `${at}: unsupported: ${unmodelled}`);
    this.said = refusal(opcode, fields);
    this.unmodelled = unmodelled;
  }
}

const LAST_REGISTER = 10;
/** The register through which functions get and give arguments on the stack. */
const ARGUMENTS = 11;
const GOTOX = 0x0d;
const [LDX_DW, ST_DW, STX_DW] = [0x79, 0x7a, 0x7b];

function newerFeature(opcode: number, { dst, src, off, imm }: EncodedFields): string | undefined {
  if (opcode === GOTOX && dst <= LAST_REGISTER && src === 0 && off === 0 && imm === 0) {
    return "indirect jumps (gotox)";
  }
  if (off % 8 !== 0) return undefined;
  const reads = opcode === LDX_DW && src === ARGUMENTS && dst <= LAST_REGISTER && off > 0 && imm === 0;
  const writes =
    dst === ARGUMENTS &&
    off < 0 &&
    ((opcode === ST_DW && src === 0) || (opcode === STX_DW && src <= LAST_REGISTER && imm === 0));
  return reads || writes ? "arguments on the stack (r11)" : undefined;
}

/** By the opcode's class, unless its operation has words of its own. */
const RESERVED = [
  "BPF_LD_[ABS|IND]",
  "BPF_LDX",
  "BPF_ST",
  "BPF_STX",
  "BPF_ALU",
  "BPF_JMP/JMP32",
  "BPF_JMP/JMP32",
  "BPF_ALU",
];

const OPERATIONS: ReadonlyMap<number, string> = new Map([
  [0x05, "BPF_JA"],
  [0x06, "BPF_JA"],
  [GOTOX, "BPF_JA|BPF_X"],
  [0x18, "BPF_LD_IMM64"],
  [0x84, "BPF_NEG"],
  [0x87, "BPF_NEG"],
  [0x85, "BPF_CALL"],
  [0x95, "BPF_EXIT"],
  [0xb4, "BPF_MOV"],
  [0xb7, "BPF_MOV"],
  [0xbc, "BPF_MOV"],
  [0xbf, "BPF_MOV"],
  [0xd4, "BPF_END"],
  [0xd7, "BPF_END"],
  [0xdc, "BPF_END"],
]);

/** The opcodes that there are. */
const KNOWN: ReadonlySet<number> = new Set(
  [
    [0x18, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50],
    [0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91],
    [0x62, 0x6a, 0x72, 0x7a],
    [0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xcb, 0xd3, 0xdb],
    arithmetic(0x04),
    arithmetic(0x07),
    [0x84, 0x87, 0xd4, 0xd7, 0xdc],
    [0x05, 0x06, GOTOX, 0x85, 0x95, 0xe5],
    jumps(0x05),
    jumps(0x06),
  ].flat(),
);

/** Operations with a constant or a register, in a class. */
function arithmetic(cls: number): number[] {
  const codes = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0];
  return codes.flatMap((code) => [code | cls, code | cls | 8]);
}

function jumps(cls: number): number[] {
  const codes = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
  return codes.flatMap((code) => [code | cls, code | cls | 8]);
}

const MAY_GOTO = 0xe5;
const LD_IMM64 = 0x18;
/** The greatest `src_reg` of a 16-byte load that means something. */
const LAST_LOAD = 6;
/** Atomic operations: 8, 16, 32 and 64 bits. */
const ATOMIC = [0xd3, 0xcb, 0xc3, 0xdb];
const ATOMIC_OPERATIONS: ReadonlySet<number> = new Set(
  [
    [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1],
    [0xe1, 0xf1, 0x100, 0x110],
  ].flat(),
);

/** Two digits at least. */
const hex = (value: number): string => (value >>> 0).toString(16).padStart(2, "0");

/** What the kernel says of an encoding that it refuses; its checks in its order. */
function refusal(opcode: number, { dst, src, off, imm }: EncodedFields): string {
  if (dst > LAST_REGISTER) return `R${dst} is invalid`;
  if (src > LAST_REGISTER) return `R${src} is invalid`;
  if (!KNOWN.has(opcode)) return `unknown opcode ${hex(opcode)}`;
  if (ATOMIC.includes(opcode)) {
    return ATOMIC_OPERATIONS.has(imm)
      ? "invalid atomic operand size"
      : `BPF_ATOMIC uses invalid atomic opcode ${hex(imm)}`;
  }
  if (opcode === MAY_GOTO) return `invalid may_goto imm ${imm}`;
  if (opcode === LD_IMM64 && off === 0) {
    return src > LAST_LOAD ? "unrecognized bpf_ld_imm64 insn" : "invalid bpf_ld_imm64 insn";
  }
  return `${OPERATIONS.get(opcode) ?? RESERVED[opcode & 7]} uses reserved fields`;
}
