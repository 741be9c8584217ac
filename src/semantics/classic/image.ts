/** Filters as `tcpdump -d` prints them (libpcap's bpf_image): a line an instruction, with the numbers of the instructions that jumps lead to. */
import { InputError } from "../errors.ts";
import { EXTENSIONS, extensionOf, SKF_AD_OFF } from "./extensions.ts";
import type { ClassicInstruction, ClassicRow, Filter } from "./instruction.ts";
import { CLASSIC_ROWS, classicRow, classicRowByName } from "./table.ts";

/** Rows whose constant is printed in decimal; others are hexadecimal. */
const DECIMAL: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "mod", "lsh", "rsh", "ret"]);

const signed = (k: number): number => k | 0;

function operandText(row: ClassicRow, insn: ClassicInstruction, pc: number): string {
  const { k } = insn;
  switch (row.operand) {
    case "none":
    case "a":
      return "";
    case "immediate":
      return DECIMAL.has(row.mnemonic) ? `#${signed(k)}` : `#0x${k.toString(16)}`;
    case "x":
      return "x";
    case "absolute":
      return `[${extensionOf(insn)?.tcpdump ?? signed(k)}]`;
    case "indirect":
      return `[x + ${signed(k)}]`;
    case "scratch":
      return `M[${k}]`;
    case "header":
      return `4*([${signed(k)}]&0xf)`;
    case "length":
      return "#pktlen";
    case "label":
      return `${pc + 1 + k}`;
    default:
      return row.operand satisfies never;
  }
}

const number = (pc: number): string => `(${String(pc).padStart(3, "0")})`;

function line(insn: ClassicInstruction, pc: number): string {
  const row = classicRow(insn.code);
  if (row === undefined) return `${number(pc)} ${"unimp".padEnd(8)} 0x${insn.code.toString(16)}\n`;
  const name = (row.name === "ja" ? "ja" : row.mnemonic).padEnd(8);
  const operand = operandText(row, insn, pc);
  if (row.operation.kind !== "jump") return `${number(pc)} ${name} ${operand}\n`;
  return `${number(pc)} ${name} ${operand.padEnd(16)} jt ${pc + 1 + insn.jt}\tjf ${pc + 1 + insn.jf}\n`;
}

export const writeImage = (filter: Filter): string => filter.map(line).join("");

// --- Reading

const LINE = /^\((\d+)\)\s+(\w+)\s*(.*?)(?:\s+jt\s+(\d+)\s+jf\s+(\d+))?$/;
const NUMBER = /^-?(?:0x[0-9a-f]+|\d+)$/i;

/** The forms of operands; what is between brackets is `k`. `length` is `#pktlen` and comes before other constants. */
const FORMS: readonly (readonly [ClassicRow["operand"], RegExp])[] = [
  ["none", /^$/],
  ["length", /^#pktlen$/],
  ["immediate", /^#(.+)$/],
  ["x", /^x$/],
  ["indirect", /^\[x \+ (.+)\]$/],
  ["absolute", /^\[(.+)\]$/],
  ["scratch", /^M\[(.+)\]$/],
  ["header", /^4\*\(\[(.+)\]&0xf\)$/],
  ["label", /^(\d+)$/],
];

function numberOf(text: string, place: string): number {
  const extension = EXTENSIONS.find(({ tcpdump }) => tcpdump === text);
  if (extension !== undefined) return SKF_AD_OFF + extension.offset;
  const value = NUMBER.test(text)
    ? Number(text.replace(/^-/, "")) * (text.startsWith("-") ? -1 : 1)
    : Number.NaN;
  if (!Number.isInteger(value) || value > 0xffff_ffff || value < -0x8000_0000) {
    throw new InputError(`${place}: ${JSON.stringify(text)} is no number of 32 bits`);
  }
  return value >>> 0;
}

function distance(target: number, pc: number, most: number, place: string): number {
  const skipped = target - pc - 1;
  if (skipped < 0 || skipped > most) throw new InputError(`${place}: a jump from ${pc} to ${target}`);
  return skipped;
}

function readLine(text: string, pc: number, place: string): ClassicInstruction {
  const found = LINE.exec(text);
  if (found === null) throw new InputError(`${place}: this is no line of tcpdump -d`);
  const [, at, name = "", operand = "", jt, jf] = found;
  if (Number(at) !== pc) throw new InputError(`${place}: instruction ${Number(at)}, but ${pc} is next`);
  const [form, pattern] = FORMS.find(([, each]) => each.test(operand)) ?? [];
  const mnemonic = name === "ja" ? "jmp" : name;
  // A return of A is printed without an operand.
  const row =
    mnemonic === "ret" && operand === ""
      ? classicRowByName("ret_a")
      : CLASSIC_ROWS.find((each) => each.mnemonic === mnemonic && each.operand === form);
  if (row === undefined || pattern === undefined) {
    throw new InputError(`${place}: ${JSON.stringify(`${name} ${operand}`.trim())} is no instruction`);
  }
  if ((row.operation.kind === "jump") !== (jt !== undefined))
    throw new InputError(`${place}: jt and jf are for jumps`);
  const inside = pattern.exec(operand)?.[1];
  const { code } = row;
  if (row.name === "ja") return { code, jt: 0, jf: 0, k: distance(Number(inside), pc, 0xffff_ffff, place) };
  const k = inside === undefined ? 0 : numberOf(inside, place);
  if (jt === undefined || jf === undefined) return { code, jt: 0, jf: 0, k };
  return { code, jt: distance(Number(jt), pc, 255, place), jf: distance(Number(jf), pc, 255, place), k };
}

/** @throws InputError  that names the line */
export function readImage(text: string): Filter {
  return text
    .split("\n")
    .map((each, index) => ({ text: each.trim(), place: `line ${index + 1}` }))
    .filter((each) => each.text !== "")
    .map((each, pc) => readLine(each.text, pc, each.place));
}
