/**
 * Bounded reading of binary input. A `Window` is a run of bytes with a name; every read is checked against its ends, and every error
 * names the window and the offset, so that what reads the formats above it never has to.
 */
import { InputError } from "../semantics/errors.ts";

const UTF8 = new TextDecoder("utf-8");

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

export class Window {
  readonly bytes: Uint8Array;
  /** How errors name it: `section .maps`, `ELF header`. */
  readonly place: string;
  readonly bigEndian: boolean;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, place: string, bigEndian: boolean) {
    // Node's Buffer is a Uint8Array whose slice() does not copy: only the plain kind goes on from here.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.place = place;
    this.bigEndian = bigEndian;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.bytes.length;
  }

  /** Throws the `InputError` that names this window and `offset`. */
  fail(offset: number, problem: string): never {
    throw new InputError(`${this.place}, offset ${hex(offset)}: ${problem}`);
  }

  /** Throws unless `size` bytes at `offset` lie inside. */
  check(offset: number, size: number): void {
    if (offset < 0 || size < 0 || offset + size > this.bytes.length) {
      this.fail(offset, `needs ${size} bytes, but only ${Math.max(0, this.bytes.length - offset)} are there`);
    }
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.#view.getUint16(offset, !this.bigEndian);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getUint32(offset, !this.bigEndian);
  }

  i32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getInt32(offset, !this.bigEndian);
  }

  /** An unsigned 64-bit size or offset; more than 2^53 − 1 is an error, as no file has so much. */
  u64(offset: number): number {
    this.check(offset, 8);
    const value = this.#view.getBigUint64(offset, !this.bigEndian);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      this.fail(offset, `the value 0x${value.toString(16)} is too large`);
    return Number(value);
  }

  /** The text at `offset` up to its NUL, which must be there. */
  text(offset: number): string {
    this.check(offset, 1);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0) this.fail(offset, "the text has no terminating NUL");
    return UTF8.decode(this.bytes.subarray(offset, end));
  }

  /** A part of this window under another name; shares the bytes. */
  part(offset: number, size: number, place: string): Window {
    this.check(offset, size);
    return new Window(this.bytes.subarray(offset, offset + size), place, this.bigEndian);
  }
}
