/** Filters in the notation of bpf_asm, with labels; `assembleFilter` reads it. */
import { extensionOf } from "./extensions.ts";
import type { ClassicInstruction, ClassicRow, Filter } from "./instruction.ts";
import { classicRow } from "./table.ts";

const label = (target: number): string => `L${target}`;

/** Small numbers are lengths, offsets and the like; others are easier to tell in hexadecimal. */
const constantText = (k: number): string => (k < 0x100 ? `#${k}` : `#0x${k.toString(16)}`);
const offsetText = (k: number): string => `${k | 0}`;

function operandText(row: ClassicRow, insn: ClassicInstruction, pc: number): string {
  const { k } = insn;
  switch (row.operand) {
    case "none":
      return "";
    case "a":
    case "x":
      return row.operand;
    case "immediate":
      return constantText(k);
    case "absolute":
      return extensionOf(insn)?.asm ?? `[${offsetText(k)}]`;
    case "indirect":
      return `[x + ${offsetText(k)}]`;
    case "scratch":
      return `M[${k}]`;
    case "header":
      return `4*([${offsetText(k)}]&0xf)`;
    case "length":
      return "len";
    case "label":
      return label(pc + 1 + k);
    default:
      return row.operand satisfies never;
  }
}

/** Where the instruction jumps to. */
function targets(row: ClassicRow, { jt, jf, k }: ClassicInstruction, pc: number): readonly number[] {
  if (row.operation.kind === "goto") return [pc + 1 + k];
  return row.operation.kind === "jump" ? [pc + 1 + jt, pc + 1 + jf] : [];
}

/** Sizes are part of an extension's load, though they change nothing; only that of a word has its own name. */
function textOf(row: ClassicRow, insn: ClassicInstruction, pc: number): string {
  const operand = operandText(row, insn, pc);
  const text = operand === "" ? row.mnemonic : `${row.mnemonic} ${operand}`;
  if (row.operation.kind !== "jump") return text;
  const places = targets(row, insn, pc).map(label);
  return [text, ...places].join(", ");
}

/**
 * The filter as text.
 *
 * @returns a line an instruction; one that is none, or that the notation cannot write, becomes a comment
 */
export function disassembleFilter(filter: Filter): string {
  const rows = filter.map(({ code }) => classicRow(code));
  const named = new Set(
    filter.flatMap((insn, pc) => {
      const row = rows[pc];
      return row === undefined ? [] : targets(row, insn, pc);
    }),
  );
  const lines = filter.map((insn, pc) => {
    const row = rows[pc];
    const text =
      row === undefined
        ? `; no instruction: code 0x${insn.code.toString(16)}, jt ${insn.jt}, jf ${insn.jf}, k ${insn.k}`
        : textOf(row, insn, pc);
    return `${named.has(pc) ? `${label(pc)}: ` : ""}${text}\n`;
  });
  return lines.join("");
}
