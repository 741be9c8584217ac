/** `soundcheck disasm`: programs as assembly that can be read back, or in the notation of the kernel's log. */
import type { ProgramFile } from "../object/read.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { decode } from "../semantics/isa/codec.ts";
import { disassemble, disassembleInstruction } from "../semantics/isa/disassemble.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program, SourceLine } from "../semantics/program/program.ts";
import { chosen, displayName, parseFile, readBytes } from "./files.ts";
import { parseHex } from "./hex.ts";
import { STATUS, type Status } from "./status.ts";
import { complain, out, outJson, paint, printable } from "./terminal.ts";

export interface DisasmOptions {
  readonly json?: true;
  readonly kernel?: true;
  readonly program?: string;
}

const HEX_ALONE = /^(0x)?[0-9a-f\s]+$/i;

/** Instructions in hexadecimal, as `asm` writes them: what no other kind of file looks like. */
function readHex(name: string, bytes: Uint8Array): ProgramFile | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  if (!HEX_ALONE.test(text) || text.trim() === "") return undefined;
  const insns = inFile(name, () => decode(parseHex("hex", text)));
  const rest = { license: "GPL", flags: [], maps: [], lines: [], functions: [] };
  return { format: "assembly", programs: [{ name, type: "unspec", insns, ...rest }], failures: [] };
}

const fileOf = ({ file }: SourceLine): string => file.split("/").at(-1) ?? file;

/** The source line that begins at each slot. */
function sourceBySlot({ lines }: Program): ReadonlyMap<number, string> {
  return new Map(
    lines
      .filter(({ text }) => text !== "")
      .map((line) => [line.insn, `${line.text.trim()} @ ${fileOf(line)}:${line.line}`]),
  );
}

function mapDirective({ name, type, keySize, valueSize, maxEntries, flags }: MapDefinition): string {
  const words = [name, type, keySize, valueSize, maxEntries, ...(flags === 0 ? [] : [flags])];
  return `; map: ${words.join(" ")}\n`;
}

/** The comments that `asm` and `verify` read a program's surroundings from. */
function directives(program: Program): string {
  const { name, type, attach, license, flags, maps } = program;
  const lines = [
    `; name: ${name}\n`,
    ...(type === "unspec" ? [] : [`; type: ${type}\n`]),
    ...(attach === undefined ? [] : [`; attach: ${attach}\n`]),
    `; license: ${license}\n`,
    ...(flags.length === 0 ? [] : [`; flags: ${flags.join(", ")}\n`]),
    ...maps.map(mapDirective),
  ];
  return lines.join("");
}

function kernelText(program: Program, source: ReadonlyMap<number, string>): string {
  const { insns, maps } = program;
  const lines = insns.flatMap((instruction, slot) => {
    if (instruction === undefined) return [];
    const from = source.get(slot);
    const text = `${slot}: ${disassembleInstruction(instruction, { maps })}\n`;
    return from === undefined ? [text] : [`; ${from}\n`, text];
  });
  return lines.join("");
}

/** Where the comments behind instructions begin. */
const COMMENT_COLUMN = 42;

/** Comments stand in a column, and stand out less than instructions do. */
function arrangeComments(text: string): string {
  return text.replace(/^([^;\n]*)(;.*)$/gm, (_, code: string, comment: string) => {
    return (code === "" ? "" : code.padEnd(COMMENT_COLUMN)) + paint("gray", comment);
  });
}

function print(program: Program, options: DisasmOptions): void {
  const { insns, maps, functions } = program;
  const source = sourceBySlot(program);
  const text =
    options.kernel === true
      ? `${program.name}:\n${kernelText(program, source)}`
      : directives(program) +
        disassemble(insns, { maps, functions, labels: true, comment: (slot) => source.get(slot) });
  out(arrangeComments(printable(text)));
}

function json({ name, type, insns, maps }: Program): object {
  const instructions = insns.flatMap((instruction, slot) => {
    if (instruction === undefined) return [];
    const { row } = instruction;
    return [{ slot, row: row.name, text: disassembleInstruction(instruction, { maps, opcodes: false }) }];
  });
  return { name, type, insns: instructions };
}

export async function disasm(file: string, options: DisasmOptions): Promise<Status> {
  const bytes = await readBytes(file);
  const name = displayName(file);
  const { programs, failures } = readHex(name, bytes) ?? parseFile(name, bytes, "unspec");
  for (const failure of failures) complain(`${name}: ${failure.name}: ${failure.message}`);
  if (programs.length === 0 && failures.length === 0) throw new InputError(`${name}: holds no program`);
  for (const [index, program] of chosen(file, programs, options.program).entries()) {
    if (options.json === true) outJson(json(program));
    else {
      if (index > 0) out("\n");
      print(program, options);
    }
  }
  return failures.length === 0 ? STATUS.held : STATUS.impossible;
}
