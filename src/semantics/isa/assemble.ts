/**
 * Reads programs in the notation that `disassemble` prints, with or without the numbers and opcodes of the kernel's log:
 *
 *     start:                       a label, alone or before an instruction
 *       r2 = *(u32 *)(r1 +0)      ; a comment; `//` and `#` after a space begin one too
 *       if r2 == 0x0 goto done    a label, or pc+3
 *       r1 = map[0]               the program's map by position, or by name
 *       call bpf_map_lookup_elem  or call 1; call pc+3 and call label for subprograms, call kfunc#7 for kernel functions
 *       r3 = 0x1122334455667788 ll
 *     done:
 *       exit
 *
 * Each row of the instruction table says how it is written (`syntax.ts`); a line is the first row's that reads all of it.
 */
import { InputError } from "../errors.ts";
import type { Slots } from "../program/program.ts";
import { isWide } from "./codec.ts";
import type { Instruction, Row } from "./instruction.ts";
import { READERS, type Reading } from "./operands.ts";
import { type Operand, syntaxOf } from "./syntax.ts";
import { ROWS } from "./table.ts";
import { canBeLabel, type Line, type Token, tokenize, tokensOf } from "./tokens.ts";

interface AssemblyOptions {
  /** The maps that `map[name]` may name. */
  readonly maps?: readonly { readonly name: string }[];
  /** The kernel functions that `call name` may name: their positions become the calls' `imm`. */
  readonly kfuncs?: readonly string[];
  /** The kernel's variables and functions that `btf_id[name, 0]` may name: their positions become the loads' `imm`. */
  readonly ksyms?: readonly string[];
}

type Pattern = readonly (string | { readonly operand: Operand })[];

const PATTERNS: readonly (readonly [Row, Pattern])[] = ROWS.map((row) => [
  row,
  syntaxOf(row).flatMap((part): Pattern => ("text" in part ? tokensOf(part.text) : [part])),
]);

/** A label yet to be resolved. */
interface Reference {
  readonly slot: number;
  readonly field: "off" | "imm";
  readonly line: number;
  readonly token: Token;
}

type Values = Omit<Instruction, "row">;

interface Match {
  readonly instruction: Instruction;
  readonly label: { readonly token: Token; readonly field: "off" | "imm" } | undefined;
}

/** What would have let some row read on, at the furthest token that any row reached. */
interface Expected {
  position: number;
  readonly what: Set<string>;
}

function note(expected: Expected, position: number, what: string): undefined {
  if (position > expected.position) {
    expected.position = position;
    expected.what.clear();
  }
  if (position === expected.position) expected.what.add(what);
  return undefined;
}

/** Whether what was read contradicts what an earlier placeholder of the same line read (`r1 = -r2`). */
function contradicts(reading: Reading, values: Partial<Values>): boolean {
  return (["dst", "src"] as const).some(
    (field) =>
      reading.values[field] !== undefined &&
      values[field] !== undefined &&
      values[field] !== reading.values[field],
  );
}

function matchRow(
  row: Row,
  pattern: Pattern,
  tokens: readonly Token[],
  read: (operand: Operand, position: number) => Reading | string,
  expected: Expected,
): Match | undefined {
  let values: Partial<Values> = {};
  let label: Match["label"];
  let position = 0;
  for (const part of pattern) {
    if (typeof part === "string") {
      if (tokens[position]?.text !== part) return note(expected, position, JSON.stringify(part));
      position += 1;
      continue;
    }
    const reading = read(part.operand, position);
    if (typeof reading === "string") return note(expected, position, reading);
    if (contradicts(reading, values)) return note(expected, position, "the same register again");
    const token = tokens[position];
    if (reading.label !== undefined && token !== undefined) label = { token, field: reading.label.field };
    values = { ...values, ...reading.values };
    position += reading.taken;
  }
  if (position < tokens.length) return note(expected, position, "the end of the line");
  return { instruction: { row, dst: 0, src: 0, off: 0, imm: 0, immHigh: 0, ...values }, label };
}

function fail(line: number, column: number, message: string): never {
  throw new InputError(`line ${line}, column ${column}: ${message}`);
}

/** More alternatives than this say nothing. */
const ALTERNATIVES = 5;

function parseInstruction(parsed: Line, line: number, options: AssemblyOptions): Match {
  const { opcode, tokens } = parsed;
  const byte = opcode === undefined ? undefined : Number.parseInt(opcode.text, 16);
  const surroundings = {
    maps: options.maps ?? [],
    kfuncs: options.kfuncs ?? [],
    ksyms: options.ksyms ?? [],
    opcodeGiven: byte !== undefined,
  };
  const texts = tokens.map((token) => token.text);
  /** Most rows ask the same of the same tokens. */
  const readings: Map<Operand, Reading | string>[] = [];
  const read = (operand: Operand, position: number): Reading | string => {
    const here = (readings[position] ??= new Map());
    const found = here.get(operand) ?? READERS[operand](texts.slice(position), surroundings);
    here.set(operand, found);
    return found;
  };
  const expected: Expected = { position: 0, what: new Set() };
  for (const [row, pattern] of PATTERNS) {
    if (byte !== undefined && row.opcode !== byte) continue;
    const match = matchRow(row, pattern, tokens, read, expected);
    if (match !== undefined) return match;
  }
  if (opcode !== undefined && expected.what.size === 0) {
    fail(line, opcode.column, `opcode 0x${opcode.text} is no instruction`);
  }
  const found = tokens[expected.position];
  const where = found?.column ?? parsed.end;
  const instead = found === undefined ? "the line ends" : `found ${JSON.stringify(found.text)}`;
  const wanted = expected.what.size > ALTERNATIVES ? "an instruction" : [...expected.what].join(" or ");
  return fail(line, where, `expected ${wanted}, ${instead}`);
}

/**
 * Reads a program.
 *
 * @param source  the text, or its lines
 * @throws InputError that names line and column (both from 1)
 */
export function assemble(source: string | readonly string[], options: AssemblyOptions = {}): Slots {
  const lines = typeof source === "string" ? source.split(/\r?\n/) : source;
  const slots: (Instruction | undefined)[] = [];
  const labels = new Map<string, number>();
  const references: Reference[] = [];
  lines.forEach((text, index) => {
    const line = index + 1;
    const parsed = tokenize(text, line);
    for (const { text: name, column } of parsed.labels) {
      if (!canBeLabel(name)) fail(line, column, `${JSON.stringify(name)} cannot be a label`);
      if (labels.has(name)) fail(line, column, `label ${JSON.stringify(name)} is there already`);
      labels.set(name, slots.length);
    }
    const { number, opcode, tokens } = parsed;
    if (tokens.length === 0 && opcode === undefined && number === undefined) return;
    if (number !== undefined && Number(number.text) !== slots.length) {
      fail(line, number.column, `instruction ${number.text} stands where ${slots.length} would`);
    }
    const { instruction, label } = parseInstruction(parsed, line, options);
    if (label !== undefined) references.push({ slot: slots.length, line, ...label });
    slots.push(instruction);
    if (isWide(instruction.row)) slots.push(undefined);
  });
  for (const reference of references) resolve(reference, slots, labels);
  return slots;
}

/** Puts the distance to a label into the instruction that refers to it. */
function resolve(
  { slot, field, line, token }: Reference,
  slots: (Instruction | undefined)[],
  labels: ReadonlyMap<string, number>,
): void {
  const to = labels.get(token.text);
  if (to === undefined) fail(line, token.column, `there is no label ${JSON.stringify(token.text)}`);
  const distance = to - slot - 1;
  if (field === "off" && (distance << 16) >> 16 !== distance) {
    fail(
      line,
      token.column,
      `label ${JSON.stringify(token.text)} is ${distance} slots away, too far for 16 bits`,
    );
  }
  const instruction = slots[slot];
  if (instruction === undefined) throw new Error(`no instruction at ${slot} refers to ${token.text}`);
  slots[slot] = { ...instruction, [field]: distance };
}
