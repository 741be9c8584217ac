/** llvm-objdump as an independent disassembler, and the two notations brought together. */
import { spawnSync } from "node:child_process";
import { disassembleInstruction } from "../../src/semantics/isa/disassemble.ts";
import type { Instruction } from "../../src/semantics/isa/instruction.ts";

const OBJDUMP = ["llvm-objdump-19", "llvm-objdump"].find((tool) =>
  spawnSync(tool, ["--version"], { encoding: "utf8" }).stdout?.includes("bpfel"),
);

/** Why there is no llvm-objdump to ask; `undefined` if there is one. */
export const noObjdump = OBJDUMP === undefined ? "there is no llvm-objdump that knows BPF" : undefined;

/** The instructions of a file, by section and then by slot, in LLVM's notation. */
export function objdump(file: string): Map<string, Map<number, string>> {
  if (OBJDUMP === undefined) throw new Error(noObjdump);
  const { stdout } = spawnSync(OBJDUMP, ["-d", "--no-show-raw-insn", "--mcpu=v4", file], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const sections = new Map<string, Map<number, string>>();
  let section = new Map<number, string>();
  for (const line of stdout.split("\n")) {
    const name = /^Disassembly of section (.*):$/.exec(line)?.[1];
    if (name !== undefined) {
      section = new Map();
      sections.set(name, section);
    }
    const insn = /^\s*(\d+):\s+(\S.*)$/.exec(line);
    if (insn !== null) section.set(Number(insn[1]), insn[2] ?? "");
  }
  return sections;
}

function signed(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}

/** Numbers as LLVM's and the kernel's notation can both be read: decimal, immediates and offsets as signed 32 bits. */
function number(text: string): string {
  return `${BigInt.asIntN(32, signed(text))}`;
}

/** One line of llvm-objdump in the common form. LLVM names the lower halves of registers in loads, stores and atomics, the kernel whole ones. */
export function fromLlvm(text: string): string {
  const plain = text.replace(/\s*<[^<>]*>$/, "");
  const wide = /^(r\d+) = (\S+) ll$/.exec(plain);
  if (wide !== null) return `${wide[1]} = ${BigInt.asUintN(64, signed(wide[2] ?? "0"))} ll`;
  return plain
    .replace(/^w(\d+) = \*\(u/, "r$1 = *(u")
    .replace(/^((?:lock )?\*\(u.*) (.?)= w(\d+)$/, "$1 $2= r$3")
    .replace(/goto \+?(-?)(0x)/, "goto $1$2")
    .replace(/([+-]) 0x/g, (_, sign: string) => (sign === "-" ? "+-0x" : "+0x"))
    .replace(/-?0x[0-9a-f]+/g, number);
}

/** Our text of an instruction in the common form. */
export function fromOurs(instruction: Instruction): string {
  const text = disassembleInstruction(instruction, { opcodes: false });
  const wide = /^(r\d+) = (0x[0-9a-f]+) ll$/.exec(text);
  if (wide !== null) return `${wide[1]} = ${BigInt(wide[2] ?? 0)} ll`;
  return text
    .replace(/call \w+#(-?\d+)$/, "call $1")
    .replace(/pc\+?(-?\d)/, "$1")
    .replace(/\((r\d+) \+?(-?\d+)\)/, "($1 +$2)")
    .replace(/0x[0-9a-f]+/g, number);
}
