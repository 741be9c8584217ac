/** The words were read off Linux 6.1, which knows none of these instructions. */
import { expect, test } from "vitest";
import { insn, layOut } from "../semantics/isa/make.ts";
import { DEFAULT_RULES } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { checkCertificate } from "./check-certificate.ts";
import { verify } from "./verify.ts";

const WORDS: Readonly<Record<string, string>> = {
  sdiv32_imm: "BPF_ALU uses reserved fields",
  smod64_reg: "BPF_ALU uses reserved fields",
  movsx16_64: "BPF_MOV uses reserved fields",
  addr_space_cast: "BPF_MOV uses reserved fields",
  bswap32: "unknown opcode d7",
  may_goto: "unknown opcode e5",
  ldxsw: "BPF_LDX uses reserved fields",
  load_acquire8: "unknown opcode d3",
  load_acquire64: "BPF_ATOMIC uses invalid atomic opcode 100",
  store_release32: "BPF_ATOMIC uses invalid atomic opcode 110",
};

const program = (name: string): Program => {
  const zero = (dst: number) => insn("mov64_imm", { dst, imm: 0 });
  const insns = layOut([zero(0), zero(2), insn("goto", { off: 0 }), insn(name, {}), insn("exit", {})]);
  return { name, type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [], functions: [] };
};

test.each(Object.entries(WORDS))("a kernel without %s says: %s", (name, message) => {
  const profile = { ...DEFAULT_RULES.profile, unknownInstructions: [name] };
  expect(verify(program(name), undefined, { profile })).toMatchObject({
    verdict: "reject",
    errno: "EINVAL",
    message,
  });
});

test("a certificate for a kernel that has an instruction is none for a kernel that has not", () => {
  const other = program("bswap32");
  const verdict = verify(other);
  if (verdict.verdict !== "accept") throw new Error("Linux 6.18 accepts it");
  const profile = { ...DEFAULT_RULES.profile, unknownInstructions: ["bswap32"] };
  expect(checkCertificate(other, verdict.certificate, undefined, { profile })).toMatchObject({ ok: false });
});
