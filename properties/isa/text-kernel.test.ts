/**
 * Claim: instructions print as the running kernel's verifier log prints them. The log lists every instruction before it is verified, so the
 * operands need not make sense. References to maps, functions and BTF are left out: the kernel prints addresses or names for them.
 */
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadRaw } from "../../src/oracle/linux/load.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import { disassembleInstruction } from "../../src/semantics/isa/disassemble.ts";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import { randomWords } from "./operands.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/isa/text-kernel skipped: ${kernel.reason}`);
const EACH = 20;

function printsPlainly({ operation }: Row): boolean {
  if (operation.kind === "ld_imm64") return operation.load === "const";
  return operation.kind !== "call" || operation.callee !== "kfunc";
}

/** Random operands; jumps go to the next instruction or the one after, so that the control-flow check passes. */
function randomInstruction(row: Row, random: () => bigint): Instruction {
  const { kind } = row.operation;
  const register = (): number => Number(random() % 11n);
  const jumps = kind === "jump" || kind === "may_goto" || kind === "goto";
  const near = row.name === "gotol" ? 0 : row.name === "call_subprogram" ? 2 : undefined;
  const values = {
    dst: register(),
    src: register(),
    off: jumps ? (kind === "goto" ? 0 : Number(random() % 2n)) : Number(BigInt.asIntN(16, random())),
    imm: near ?? Number(BigInt.asIntN(32, random() >> (random() % 32n))),
    immHigh: Number(BigInt.asIntN(32, random())),
  };
  const operand = (field: keyof typeof values): number => (row.fields[field] === "any" ? values[field] : 0);
  return insn(row.name, {
    dst: operand("dst"),
    src: operand("src"),
    off: operand("off"),
    imm: operand("imm"),
    immHigh: operand("immHigh"),
  });
}

const END = [insn("mov64_imm"), insn("exit")];

/** What the kernel prints for the first instruction of a program. */
function kernelText(instruction: Instruction): string {
  const { kind } = instruction.row.operation;
  const rest = kind === "exit" ? [] : instruction.row.name === "call_subprogram" ? [...END, ...END] : END;
  const insns = encode(layOut([instruction, ...rest]));
  const loaded = loadRaw({ type: "socket_filter", insns }, { logLevel: 2 });
  if (loaded.verdict === "accept") loaded.close();
  const found = /^\s*0: (?:[.\d]{10} )?(\([0-9a-f]{2}\) .*?)(?:\s*;.*)?$/m.exec(loaded.log);
  if (found?.[1] === undefined)
    throw new Error(`no text in the log of ${instruction.row.name}:\n${loaded.log}`);
  return found[1];
}

describe.skipIf(!kernel.ok)(`text agrees with the kernel${because}`, () => {
  const rows = ROWS.filter(printsPlainly).map((row) => [row.name, row] as const);
  test.each(rows)("%s", (_, row) => {
    const random = randomWords(7n);
    for (let i = 0; i < EACH; i++) {
      const instruction = randomInstruction(row, random);
      expect(disassembleInstruction(instruction)).toBe(kernelText(instruction));
    }
  });
});
