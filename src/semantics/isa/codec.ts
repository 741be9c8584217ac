/**
 * The 8-byte encoding of instructions (RFC 9669 section 3): opcode, two register nibbles, a 16-bit offset, a 32-bit immediate. A
 * 16-byte load has a second slot whose immediate is the high half of its constant. In big-endian objects the numbers are
 * big-endian and the two nibbles change places.
 *
 * Decoding accepts what Linux accepts: every field that is not an operand must have the row's value. What a field's value means
 * (a helper that exists, a jump inside the program) is the verifier's business.
 */
import { InputError } from "../errors.ts";
import type { Slots } from "../program/program.ts";
import type { Fields, Instruction, Row } from "./instruction.ts";
import { type EncodedFields, InstructionError } from "./refusal.ts";
import { ROWS } from "./table.ts";

const SLOT_BYTES = 8;
const REGISTERS = 11;
const LD_IMM64 = 0x18;
const NO_FIELDS: EncodedFields = { dst: 0, src: 0, off: 0, imm: 0, immHigh: 0 };

interface CodecOptions {
  /** Of the encoded form; `little` unless told. */
  readonly byteOrder?: "little" | "big";
}

/** In the order in which they are checked, with the kernel's names. */
const FIELD_NAMES = [
  ["dst", "dst_reg"],
  ["src", "src_reg"],
  ["off", "off"],
  ["imm", "imm"],
  ["immHigh", "imm of the second slot"],
] as const;

/** The rows that share an opcode byte, told apart by one field. */
interface Choice {
  /** The field's position in `FIELD_NAMES`; undefined where the opcode has one row. */
  readonly selector: (typeof FIELD_NAMES)[number] | undefined;
  readonly rows: readonly Row[];
}

function choiceOf(rows: readonly Row[]): Choice {
  const selector = FIELD_NAMES.find(([field]) => {
    const values = new Set(rows.map((row) => row.fields[field]));
    return values.size > 1 && !values.has("any");
  });
  const different = selector === undefined ? 1 : new Set(rows.map((row) => row.fields[selector[0]])).size;
  if (different !== rows.length)
    throw new Error(`opcode ${rows[0]?.opcode}: one field must tell its rows apart`);
  return { selector, rows };
}

const BY_OPCODE: readonly (Choice | undefined)[] = Array.from({ length: 256 }, (_, opcode) => {
  const rows = ROWS.filter((row) => row.opcode === opcode);
  return rows.length === 0 ? undefined : choiceOf(rows);
});

const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

function selectRow(opcode: number, values: EncodedFields, at: string): Row {
  const choice = BY_OPCODE[opcode];
  if (choice === undefined)
    throw new InstructionError(at, `opcode ${hex(opcode)} is no instruction`, opcode, values);
  const { selector, rows } = choice;
  const row = rows.find((r) => selector === undefined || r.fields[selector[0]] === values[selector[0]]);
  if (row === undefined) {
    const [field, name] = selector ?? ["imm", "imm"];
    const problem = `${name} is ${values[field]}, which selects no instruction of opcode ${hex(opcode)}`;
    throw new InstructionError(at, problem, opcode, values);
  }
  return row;
}

function checkFields(row: Row, values: EncodedFields, at: string): void {
  for (const [field, name] of FIELD_NAMES) {
    const wanted = row.fields[field];
    const value = values[field];
    if (wanted === "any") {
      if ((field === "dst" || field === "src") && value >= REGISTERS) {
        throw new InstructionError(at, `${name} is ${value}, which is no register`, row.opcode, values);
      }
    } else if (value !== wanted) {
      throw new InstructionError(at, `${name} is ${value}, reserved for ${row.name}`, row.opcode, values);
    }
  }
}

function instructionOf(row: Row, values: EncodedFields): Instruction {
  const operand = (field: keyof Fields): number => (row.fields[field] === "any" ? values[field] : 0);
  return {
    row,
    dst: operand("dst"),
    src: operand("src"),
    off: operand("off"),
    imm: operand("imm"),
    immHigh: operand("immHigh"),
  };
}

/** Whether an instruction fills two slots. */
export function isWide(row: Row): boolean {
  return row.operation.kind === "ld_imm64";
}

/**
 * Reads a program's instructions.
 *
 * @throws InputError that names the instruction's index (in slots) and the field: an unknown opcode, a register number over 10, a
 * reserved field that is not 0, a 16-byte load without its second half, bytes that are not whole instructions
 */
export function decode(bytes: Uint8Array, options: CodecOptions = {}): Slots {
  if (bytes.length % SLOT_BYTES !== 0) {
    throw new InputError(
      `instruction ${Math.floor(bytes.length / SLOT_BYTES)}: cut off after ${bytes.length % SLOT_BYTES} bytes`,
    );
  }
  const little = options.byteOrder !== "big";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const slots: (Instruction | undefined)[] = [];
  while (slots.length * SLOT_BYTES < bytes.length) {
    const index = slots.length;
    const at = `instruction ${index}`;
    const base = index * SLOT_BYTES;
    const opcode = view.getUint8(base);
    const registers = view.getUint8(base + 1);
    const low = registers & 15;
    const high = registers >> 4;
    const values = {
      dst: little ? low : high,
      src: little ? high : low,
      off: view.getInt16(base + 2, little),
      imm: view.getInt32(base + 4, little),
      immHigh: 0,
    };
    const row = selectRow(opcode, values, at);
    if (!isWide(row)) {
      checkFields(row, values, at);
      slots.push(instructionOf(row, values));
      continue;
    }
    const wide = { ...values, immHigh: secondSlot(view, base + SLOT_BYTES, little, `${at}: ${row.name}`) };
    checkFields(row, wide, at);
    slots.push(instructionOf(row, wide), undefined);
  }
  return slots;
}

/** The immediate of a 16-byte load's second slot, of which all else must be 0. */
function secondSlot(view: DataView, base: number, little: boolean, at: string): number {
  if (base >= view.byteLength) throw new InputError(`${at} is cut off before its second slot`);
  const reserved = [
    ["opcode", view.getUint8(base)],
    ["register byte", view.getUint8(base + 1)],
    ["off", view.getInt16(base + 2, little)],
  ] as const;
  for (const [name, value] of reserved) {
    if (value !== 0) {
      throw new InstructionError(at, `${name} of the second slot is ${value}, reserved`, LD_IMM64, NO_FIELDS);
    }
  }
  return view.getInt32(base + 4, little);
}

/** Writes instructions as `decode` reads them. Operands out of range, or slots that do not fit, are a broken invariant. */
export function encode(slots: Slots, options: CodecOptions = {}): Uint8Array {
  const little = options.byteOrder !== "big";
  const bytes = new Uint8Array(slots.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  slots.forEach((instruction, index) => {
    const previous = index === 0 ? undefined : slots[index - 1];
    const second = previous !== undefined && isWide(previous.row);
    if (second !== (instruction === undefined)) {
      throw new Error(`slot ${index} ${second ? "belongs to the 16-byte load before it" : "is empty"}`);
    }
    if (instruction === undefined) return;
    const base = index * SLOT_BYTES;
    const { row } = instruction;
    checkRanges(instruction, index);
    const value = (field: keyof Fields): number => {
      const fixed = row.fields[field];
      return fixed === "any" ? instruction[field] : fixed;
    };
    const [low, high] = little ? [value("dst"), value("src")] : [value("src"), value("dst")];
    view.setUint8(base, row.opcode);
    view.setUint8(base + 1, low | (high << 4));
    view.setInt16(base + 2, value("off"), little);
    view.setInt32(base + 4, value("imm"), little);
    if (!isWide(row)) return;
    if (index + 1 === slots.length) throw new Error(`slot ${index}: the 16-byte load has no second slot`);
    view.setInt32(base + SLOT_BYTES + 4, value("immHigh"), little);
  });
  return bytes;
}

function checkRanges(instruction: Instruction, index: number): void {
  const { row, dst, src, off, imm, immHigh } = instruction;
  const registers = [dst, src].every((r) => Number.isInteger(r) && r >= 0 && r < REGISTERS);
  if (!registers || (off << 16) >> 16 !== off || (imm | 0) !== imm || (immHigh | 0) !== immHigh) {
    throw new Error(`slot ${index}: an operand of ${row.name} is out of range`);
  }
}
