/** Text from a format and arguments, as the kernel's printf for programs makes it. */
import { Unsupported } from "../../semantics/errors.ts";
import { type Prepared, type PrintArguments, prepareFormat, UNIT } from "./arguments.ts";
import type { Conversion, Piece } from "./conversions.ts";

/** Error numbers are shown as they are: no address looks like one (MAX_ERRNO in linux/err.h). */
const FIRST_ERROR = 2n ** 64n - 4095n;
/** Digits of an address that is given no width. */
const POINTER_DIGITS = 16;

/** Reads what has been gathered, in order. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #written: Uint8Array;
  #at = 0;

  constructor({ arguments: bytes, written }: Prepared) {
    this.#bytes = bytes;
    this.#written = written;
  }

  /** The program is shown what another left there. */
  #check(from: number, to: number): void {
    if (this.#written.subarray(from, to).includes(0))
      throw new Unsupported("printing what an earlier program left in the kernel's buffer");
  }

  number(size: 4 | 8): bigint {
    const at = Math.ceil(this.#at / UNIT) * UNIT;
    const view = new DataView(this.#bytes.buffer);
    this.#check(at, at + size);
    this.#at = at + size;
    return size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
  }

  character(): string {
    this.#check(this.#at, this.#at + 1);
    this.#at += 1;
    return String.fromCharCode(this.#bytes[this.#at - 1] ?? 0);
  }

  text(): string {
    const rest = this.#bytes.subarray(this.#at);
    const end = rest.indexOf(0);
    this.#check(this.#at, this.#at + (end === -1 ? rest.length : end));
    const text = Buffer.from(rest.subarray(0, end === -1 ? rest.length : end)).toString("latin1");
    this.#at += text.length + 1;
    return text;
  }
}

function integerText(
  value: bigint,
  { bits, base, signed, upper }: Conversion & { kind: "integer" },
  flags: string,
): string {
  if (!signed) {
    const text = value.toString(base);
    return upper ? text.toUpperCase() : text;
  }
  const number = BigInt.asIntN(bits, value);
  if (number < 0n) return number.toString();
  const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return `${sign}${number}`;
}

const padText = (text: string, flags: string, width = 0): string =>
  flags.includes("-") ? text.padEnd(width) : text.padStart(width);

function padNumber(text: string, flags: string, width = 0): string {
  if (flags.includes("-") || !flags.includes("0")) return padText(text, flags, width);
  const sign = /^[+\- ]?/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

/**
 * The text of a conversion; `fits` says whether there is still room in what is printed to. What was gathered as the text of a pointer is not even taken if there is none, so
 * that the next conversion finds it in place of its own.
 */
function print(
  { flags, width, conversion }: Exclude<Piece, string>,
  reader: Reader,
  fits: boolean,
  given: PrintArguments,
): string {
  switch (conversion.kind) {
    case "integer": {
      const value = reader.number(conversion.bits === 64 ? 8 : 4);
      return padNumber(integerText(value, conversion, flags), flags, width);
    }
    case "pointer": {
      const value = reader.number(8);
      const open = !conversion.hashed || value === 0n || value >= FIRST_ERROR;
      const text = (open ? value : BigInt(given.hash(value))).toString(16);
      return width === undefined
        ? padNumber(text, `${flags}0`, POINTER_DIGITS)
        : padNumber(text, flags, width);
    }
    case "character":
      return padText(reader.character(), flags, width);
    case "string":
      if (conversion.padded) return padText(reader.text(), flags, width);
      return fits ? reader.text() : "";
    case "ip":
      return fits ? reader.text() : "";
    case "symbol":
      if (conversion.form === "return") return fits ? reader.text() : "";
      return padText(given.symbol(reader.number(8), conversion.form), flags, width);
  }
}

/**
 * The whole text, a character a byte, however long; or a negative error number.
 *
 * @param format  without its final NUL
 * @param room  the bytes of what is printed to
 */
export function formatText(format: string, given: PrintArguments, room: number): string | number {
  const prepared = prepareFormat(format, given);
  if (typeof prepared === "number") return prepared;
  const reader = new Reader(prepared);
  let text = "";
  for (const piece of prepared.pieces)
    text += typeof piece === "string" ? piece : print(piece, reader, text.length < room, given);
  return text;
}
