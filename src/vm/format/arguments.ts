/**
 * The arguments of a format, gathered before anything is printed: numbers as they are, texts and network addresses as text. The kernel has room for 512 bytes of them, and
 * prints from there.
 */
import { EINVAL, ENOSPC } from "../errno.ts";
import { type Conversion, type Piece, piecesOf } from "./conversions.ts";

/** The arguments' values, and what is known of memory. Texts have a character a byte. */
export interface PrintArguments {
  readonly count: number;
  readonly value: (index: number) => bigint;
  /** The text that an argument points to, at most `most` characters of it; `undefined` if it cannot be read. */
  readonly string: (index: number, memory: "any" | "kernel" | "user", most: number) => string | undefined;
  readonly bytes: (index: number, size: number) => Uint8Array | undefined;
  /** What is shown for an address that shall not be known, of 32 bits. */
  readonly hash: (address: bigint) => number;
  readonly symbol: (address: bigint, form: "name" | "offset" | "return") => string;
}

/** MAX_BPRINTF_BIN_ARGS in kernel/bpf/helpers.c. */
const ROOM = 512;
/** Numbers begin at multiples of this. */
export const UNIT = 4;

const aligned = (at: number): number => Math.ceil(at / UNIT) * UNIT;

/** What has been gathered so far. */
class Gathered {
  readonly bytes = new Uint8Array(ROOM);
  /** Not 0 for bytes that have been written: the others hold what was there before. */
  readonly written = new Uint8Array(ROOM);
  #at = 0;

  get left(): number {
    return ROOM - this.#at;
  }

  /** Returns whether there was room. */
  number(value: bigint, size: 4 | 8): boolean {
    const at = aligned(this.#at);
    if (at + size > ROOM) return false;
    const view = new DataView(this.bytes.buffer);
    view.setUint32(at, Number(value & 0xffffffffn), true);
    if (size === 8) view.setUint32(at + 4, Number((value >> 32n) & 0xffffffffn), true);
    this.written.fill(1, at, at + size);
    this.#at = at + size;
    return true;
  }

  character(value: bigint): boolean {
    if (this.left <= 0) return false;
    this.bytes[this.#at] = Number(value & 0xffn);
    this.written[this.#at] = 1;
    this.#at += 1;
    return true;
  }

  /** Cut to fit, but it takes the room of all of it. */
  text(text: string): boolean {
    if (this.left <= 0) return false;
    this.bytes.set(Buffer.from(text.slice(0, this.left - 1), "latin1"), this.#at);
    this.written.fill(1, this.#at, this.#at + text.length + 1);
    this.#at += text.length + 1;
    return true;
  }
}

function ipText(bytes: Uint8Array, zeros: boolean): string {
  if (bytes.length === 4)
    return [...bytes].map((byte) => (zeros ? String(byte).padStart(3, "0") : String(byte))).join(".");
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return zeros ? digits : (digits.match(/.{4}/g) ?? []).join(":");
}

/** Returns whether there was room. */
function gather(gathered: Gathered, conversion: Conversion, index: number, given: PrintArguments): boolean {
  switch (conversion.kind) {
    case "integer":
      return gathered.number(given.value(index), conversion.bits === 64 ? 8 : 4);
    case "pointer":
      return gathered.number(given.value(index), 8);
    case "character":
      return gathered.character(given.value(index));
    case "string":
      if (gathered.left <= 0) return false;
      return gathered.text(given.string(index, conversion.memory, gathered.left - 1) ?? "");
    case "ip": {
      const size = conversion.version === 4 ? 4 : 16;
      if (gathered.left < size) return false;
      return gathered.text(ipText(given.bytes(index, size) ?? new Uint8Array(size), conversion.zeros));
    }
    case "symbol":
      if (conversion.form !== "return") return gathered.number(given.value(index), 8);
      return gathered.text(given.symbol(given.value(index), "return"));
  }
}

/** A format that Linux accepts with these arguments, ready to be printed. */
export interface Prepared {
  readonly pieces: readonly Piece[];
  readonly arguments: Uint8Array;
  /** Not 0 for bytes of `arguments` that are theirs. */
  readonly written: Uint8Array;
}

/** Takes a format apart and gathers its arguments; or gives a negative error number. `format` is without its final NUL. */
export function prepareFormat(format: string, given: PrintArguments): Prepared | number {
  const gathered = new Gathered();
  const pieces: Piece[] = [];
  let used = 0;
  for (const piece of piecesOf(format)) {
    if (piece === undefined) return EINVAL;
    pieces.push(piece);
    if (typeof piece === "string") continue;
    if (used >= given.count) return EINVAL;
    if (!gather(gathered, piece.conversion, used, given)) return ENOSPC;
    used += 1;
  }
  return { pieces, arguments: gathered.bytes, written: gathered.written };
}
