/**
 * The notation of bpf_asm (Documentation/networking/filter.rst): an instruction a line, `name:` before one that jumps lead to, comments from `;` to the end of the
 * line or between slash and asterisk. Beyond it, loads may name any signed offset, and `xor_x` names the one extension that bpf_asm has no word for.
 */
import { InputError } from "../errors.ts";
import { EXTENSIONS, SKF_AD_OFF } from "./extensions.ts";
import type { ClassicInstruction, ClassicRow, Filter, OperandSyntax } from "./instruction.ts";
import { CLASSIC_ROWS } from "./table.ts";

/** Other names of instructions: what they are, with the operand that they always have, or with their two ways exchanged. */
const OTHER_NAMES: Readonly<
  Record<string, { readonly mnemonic: string; readonly operand?: OperandSyntax; readonly inverted?: true }>
> = {
  ldi: { mnemonic: "ld", operand: "immediate" },
  ldxi: { mnemonic: "ldx", operand: "immediate" },
  ja: { mnemonic: "jmp" },
  jne: { mnemonic: "jeq", inverted: true },
  jneq: { mnemonic: "jeq", inverted: true },
  jlt: { mnemonic: "jge", inverted: true },
  jle: { mnemonic: "jgt", inverted: true },
};

const NUMBER = "[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\\d+)";
const NAME = "[A-Za-z_][\\w]*";

const pattern = (source: string): RegExp => new RegExp(`^${source}$`);

/** Forms of operands; what is caught is `k`. */
const FORMS: readonly (readonly [OperandSyntax, RegExp])[] = [
  ["none", pattern("()")],
  ["a", pattern("%?a()")],
  ["x", pattern("%?x()")],
  ["length", pattern("#?(?:len|pktlen)()")],
  ["immediate", pattern(`#?(${NUMBER})`)],
  ["indirect", pattern(`\\[\\s*%?x\\s*\\+\\s*(${NUMBER})\\s*\\]`)],
  ["absolute", pattern(`\\[\\s*(${NUMBER})\\s*\\]`)],
  ["scratch", pattern(`M\\s*\\[\\s*(${NUMBER})\\s*\\]`)],
  ["header", pattern(`4\\s*\\*\\s*\\(\\s*\\[\\s*(${NUMBER})\\s*\\]\\s*&\\s*0[xX][fF]\\s*\\)`)],
];
const WORD = pattern(`#?(${NAME})`);

/** Words for extensions: bpf_asm's, and tcpdump's where bpf_asm has none. */
const EXTENSION_WORDS: ReadonlyMap<string, number> = new Map(
  EXTENSIONS.map(({ asm, tcpdump, offset }) => [asm ?? tcpdump, SKF_AD_OFF + offset]),
);

function numberOf(text: string, place: string): number {
  const digits = text.replace(/^[-+]/, "");
  // As in C: a zero in front makes a number octal.
  const octal = /^0\d+$/.test(digits);
  const value = (octal ? Number.parseInt(digits, 8) : Number(digits)) * (text.startsWith("-") ? -1 : 1);
  const wrong = octal && /[89]/.test(digits);
  if (wrong || value > 0xffff_ffff || value < -0x8000_0000) {
    throw new InputError(`${place}: ${text} is no number of 32 bits`);
  }
  return value >>> 0;
}

interface Statement {
  readonly place: string;
  readonly mnemonic: string;
  readonly operands: readonly string[];
}

interface Source {
  readonly statements: readonly Statement[];
  readonly labels: ReadonlyMap<string, number>;
}

const LABEL = new RegExp(`^\\s*(${NAME})\\s*:`);

/** Commas separate operands. */
function statementOf(text: string, place: string): Statement {
  const [, mnemonic = "", rest = ""] = /^(\w+)\s*(.*)$/.exec(text) ?? [];
  if (mnemonic === "") throw new InputError(`${place}: ${JSON.stringify(text)} is no instruction`);
  const operands = rest.trim() === "" ? [] : rest.split(",").map((operand) => operand.trim());
  return { place, mnemonic, operands };
}

/** Comments become white space; lines keep their numbers. */
function withoutComments(text: string): string {
  const open = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
  return open.replace(/;.*$/gm, "");
}

function parse(text: string): Source {
  const statements: Statement[] = [];
  const labels = new Map<string, number>();
  for (const [index, line] of withoutComments(text).split("\n").entries()) {
    const place = `line ${index + 1}`;
    let left = line;
    for (let found = LABEL.exec(left); found !== null; found = LABEL.exec(left)) {
      const [whole, name = ""] = found;
      if (labels.has(name)) throw new InputError(`${place}: label ${name} is there already`);
      labels.set(name, statements.length);
      left = left.slice(whole.length);
    }
    if (left.trim() !== "") statements.push(statementOf(left.trim(), place));
  }
  return { statements, labels };
}

interface Operand {
  readonly form: OperandSyntax;
  readonly k: number;
}

function operandOf(text: string, place: string): Operand {
  for (const [form, each] of FORMS) {
    const k = each.exec(text)?.[1];
    if (k !== undefined) return { form, k: k === "" ? 0 : numberOf(k, place) };
  }
  const extension = EXTENSION_WORDS.get(WORD.exec(text)?.[1] ?? "");
  if (extension !== undefined) return { form: "absolute", k: extension };
  throw new InputError(`${place}: ${JSON.stringify(text)} is no operand`);
}

function rowOf(mnemonic: string, form: OperandSyntax, place: string): ClassicRow {
  const full = mnemonic === "ldx" && form === "header" ? "ldxb" : mnemonic;
  const found = CLASSIC_ROWS.find((row) => row.mnemonic === full && row.operand === form);
  if (found !== undefined) return found;
  const known = CLASSIC_ROWS.some((row) => row.mnemonic === mnemonic);
  throw new InputError(
    `${place}: ${known ? `${mnemonic} takes no operand of this form` : `${mnemonic} is no instruction`}`,
  );
}

function distanceTo(name: string, pc: number, most: number, { labels }: Source, place: string): number {
  const target = labels.get(name);
  if (target === undefined) throw new InputError(`${place}: there is no label ${name}`);
  const distance = target - pc - 1;
  if (distance < 0) throw new InputError(`${place}: ${name} lies behind, and jumps go forward alone`);
  if (distance > most)
    throw new InputError(
      `${place}: ${name} is ${distance} instructions away, but a jump skips ${most} at most`,
    );
  return distance;
}

const FARTHEST = 255;

function assembleStatement(
  { place, mnemonic, operands }: Statement,
  pc: number,
  source: Source,
): ClassicInstruction {
  const other = Object.hasOwn(OTHER_NAMES, mnemonic) ? OTHER_NAMES[mnemonic] : undefined;
  const name = other?.mnemonic ?? mnemonic;
  const [first = "", ...ways] = operands;
  if (name === "jmp") {
    if (operands.length !== 1) throw new InputError(`${place}: ${mnemonic} takes one label`);
    return {
      code: rowOf("jmp", "label", place).code,
      jt: 0,
      jf: 0,
      k: distanceTo(first, pc, 0xffff_ffff, source, place),
    };
  }
  const { form, k } = operandOf(first, place);
  if (other?.operand !== undefined && form !== other.operand) {
    throw new InputError(`${place}: ${mnemonic} takes no operand of this form`);
  }
  const { code, operation } = rowOf(name, form, place);
  if (operation.kind !== "jump") {
    if (ways.length > 0) throw new InputError(`${place}: ${mnemonic} takes one operand`);
    return { code, jt: 0, jf: 0, k };
  }
  const inverted = other?.inverted === true;
  if (ways.length < 1 || ways.length > (inverted ? 1 : 2)) {
    throw new InputError(`${place}: ${mnemonic} takes ${inverted ? "a label" : "one or two labels"}`);
  }
  const [to = 0, otherwise = 0] = ways.map((way) => distanceTo(way, pc, FARTHEST, source, place));
  return inverted ? { code, jt: 0, jf: to, k } : { code, jt: to, jf: otherwise, k };
}

/** @throws InputError  that names the line */
export function assembleFilter(text: string): Filter {
  const source = parse(text);
  return source.statements.map((statement, pc) => assembleStatement(statement, pc, source));
}
