/** Faults of decoding and control flow. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("C");

export const CONTROL_FLOW: readonly SeededBug[] = [
  bug(
    "bit-test-is-no-jump",
    "explorer",
    "CVE-2025-38607",
    "which registers are live after a bit test is found as if it never jumped",
    edit(
      "verifier/liveness",
      "const after = (next[pc] ?? []).reduce((set, to) => set | (live[to] ?? 0), 0);",
      'const after = (next[pc] ?? []).filter((to) => { const o = insns[pc]?.row.operation; return o === undefined || o.kind !== "jump" || o.op !== "jset" || to === pc + 1; }).reduce((set, to) => set | (live[to] ?? 0), 0);',
    ),
  ),
  bug(
    "jump-out-of-the-function",
    "verifier",
    "CVE-2024-43838 and CVE-2024-42072: where jumps may lead",
    "a jump may lead in front of its function",
    edit("verifier/control-flow", "if (target < start || target >= end)", "if (target < 0 || target >= end)"),
  ),
  bug(
    "may-goto-falls-through-only",
    "verifier",
    "CVE-2024-42072: may_goto",
    "the side on which may_goto jumps is followed to the next instruction",
    edit("absint/transfer/may-goto", "m.pc += 1 + insn.off;", "m.pc += 1;"),
  ),
  bug(
    "shift-count-not-checked",
    "verifier",
    "checks of immediates when programs are decoded, 2014 and later",
    "a shift by a constant of the width or more is accepted",
    edit(
      "absint/transfer/arithmetic",
      "if (shifts && (insn.imm < 0 || insn.imm >= width))",
      "if (shifts && insn.imm < 0)",
    ),
  ),
  bug(
    "division-by-zero-not-checked",
    "verifier",
    "checks of immediates when programs are decoded",
    "a division by a constant 0 is accepted",
    edit(
      "absint/transfer/arithmetic",
      "if (divides && insn.imm === 0)",
      "if (divides && insn.imm === 1 && insn.imm === 0)",
    ),
  ),
  bug(
    "packets-survive-a-tail-call",
    "verifier",
    "CVE-2024-50063, CVE-2024-58098: packet pointers and tail calls",
    "packet pointers are what they were after a function in which a tail call replaced the rest",
    edit("absint/transfer/call/tail-call", "forgetPackets(m, m.forked);", ""),
  ),
];
