/** What Linux 7.3 said of these encodings, each between instructions that are good. */
import { expect, test } from "vitest";
import { decode } from "./codec.ts";
import { InstructionError } from "./refusal.ts";

/** An instruction's bytes, and a second slot after a 16-byte load. */
function decoded(
  opcode: number,
  dst: number,
  src: number,
  off: number,
  imm: number,
  second?: number,
): unknown {
  const bytes = new Uint8Array(second === undefined ? 8 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, opcode);
  view.setUint8(1, dst | (src << 4));
  view.setInt16(2, off, true);
  view.setInt32(4, imm, true);
  if (second !== undefined) view.setUint8(8, second);
  try {
    return decode(bytes).length;
  } catch (error) {
    if (!(error instanceof InstructionError)) throw error;
    return error.unmodelled === undefined ? error.said : `unsupported: ${error.unmodelled}`;
  }
}

test.each([
  [[0x8f, 1, 2, 0, 0], "unknown opcode 8f"],
  [[0x0e, 1, 0, 0, 0], "unknown opcode 0e"],
  [[0x80, 0, 0, 0, 0], "unknown opcode 80"],
  [[0x00, 12, 0, 0, 0], "R12 is invalid"],
  [[0xbf, 13, 12, 0, 0], "R13 is invalid"],
  [[0xbf, 1, 11, 0, 0], "R11 is invalid"],
  [[0x7b, 11, 1, -4, 0], "R11 is invalid"],
  [[0x7b, 11, 1, 8, 0], "R11 is invalid"],
  [[0x63, 11, 1, -8, 0], "R11 is invalid"],
  [[0x79, 1, 11, -8, 0], "R11 is invalid"],
  [[0x04, 0, 2, 0, 0], "BPF_ALU uses reserved fields"],
  [[0x97, 0, 0, 2, 3], "BPF_ALU uses reserved fields"],
  [[0x87, 0, 0, 0, 3], "BPF_NEG uses reserved fields"],
  [[0xdc, 1, 0, 0, 8], "BPF_END uses reserved fields"],
  [[0xb7, 0, 2, 0, 0], "BPF_MOV uses reserved fields"],
  [[0xbc, 1, 2, 32, 0], "BPF_MOV uses reserved fields"],
  [[0xbf, 1, 2, 8, 7], "BPF_MOV uses reserved fields"],
  [[0x20, 1, 0, 0, 0], "BPF_LD_[ABS|IND] uses reserved fields"],
  [[0x61, 0, 1, 0, 3], "BPF_LDX uses reserved fields"],
  [[0x62, 1, 1, 0, 3], "BPF_ST uses reserved fields"],
  [[0x63, 1, 1, 0, 3], "BPF_STX uses reserved fields"],
  [[0xdb, 1, 2, 0, 0x60], "BPF_ATOMIC uses invalid atomic opcode 60"],
  [[0xdb, 1, 2, 0, 2], "BPF_ATOMIC uses invalid atomic opcode 02"],
  [[0xd3, 1, 2, 0, 0xe1], "invalid atomic operand size"],
  [[0x05, 0, 0, 1, 1], "BPF_JA uses reserved fields"],
  [[0x06, 0, 0, 1, 0], "BPF_JA uses reserved fields"],
  [[0x0d, 1, 0, 1, 0], "BPF_JA|BPF_X uses reserved fields"],
  [[0x15, 0, 2, 0, 0], "BPF_JMP/JMP32 uses reserved fields"],
  [[0x1e, 0, 2, 0, 1], "BPF_JMP/JMP32 uses reserved fields"],
  [[0x85, 0, 3, 0, 1], "BPF_CALL uses reserved fields"],
  [[0x95, 0, 0, 0, 1], "BPF_EXIT uses reserved fields"],
  [[0xe5, 0, 0, 0, 33], "invalid may_goto imm 33"],
  [[0x18, 0, 0, 1, 0, 0], "BPF_LD_IMM64 uses reserved fields"],
  [[0x18, 0, 7, 0, 0, 0], "unrecognized bpf_ld_imm64 insn"],
  [[0x18, 0, 0, 0, 0, 0xb7], "invalid bpf_ld_imm64 insn"],
  // What it takes.
  [[0x0d, 1, 0, 0, 0], "unsupported: indirect jumps (gotox)"],
  [[0x7a, 11, 0, -8, 7], "unsupported: arguments on the stack (r11)"],
  [[0x7b, 11, 1, -16, 0], "unsupported: arguments on the stack (r11)"],
  [[0x79, 1, 11, 8, 0], "unsupported: arguments on the stack (r11)"],
] as const)("%j: %s", ([opcode, dst, src, off, imm, second], said) => {
  expect(decoded(opcode, dst, src, off, imm, second)).toBe(said);
});
