/** Instructions that a kernel does not know: older ones take a newer instruction for a mistake in the encoding of an old one. */
import { reject } from "../absint/transfer/rejection.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import { knowsInstruction } from "../semantics/profile/lookup.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import type { Slots } from "../semantics/program/program.ts";

/**
 * Refuses a program with an instruction that the profile's kernel does not know, reached or not.
 *
 * @throws Rejection  with the words of such a kernel (read off Linux 6.1's)
 */
export function checkInstructions(insns: Slots, profile: Profile): void {
  if (profile.unknownInstructions.length === 0) return;
  for (const insn of insns) {
    if (insn !== undefined && !knowsInstruction(profile, insn.row.name)) reject("EINVAL", complaint(insn));
  }
}

function complaint({ row: { opcode, operation, fields } }: Instruction): string {
  switch (operation.kind) {
    case "alu":
      // A division with a sign is one without, and a move that extends one that does not, but for the offset.
      if (operation.op === "sdiv" || operation.op === "smod") return "BPF_ALU uses reserved fields";
      if (operation.op.startsWith("mov")) return "BPF_MOV uses reserved fields";
      break;
    case "addr_space_cast":
      return "BPF_MOV uses reserved fields";
    case "load":
      if (operation.signed) return "BPF_LDX uses reserved fields";
      break;
    case "load_acquire":
    case "store_release":
      if (operation.size >= 4) return `BPF_ATOMIC uses invalid atomic opcode ${fields.imm.toString(16)}`;
      break;
    default:
  }
  return `unknown opcode ${opcode.toString(16)}`;
}
