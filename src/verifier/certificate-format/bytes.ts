/**
 * Numbers as bytes. A varint has seven bits a byte, the lowest first; all bytes but the last have their top bit set, and the last is not 0
 * unless it is the only one, so that a number has one form. Signed numbers are interleaved: 0, -1, 1, -2, …
 */
import { InputError } from "../../semantics/errors.ts";

/** Numbers up to 2^53 - 1 fit in so many bytes of seven bits, 64-bit ones in the other. */
const MOST_BYTES = 8;
const MOST_WIDE_BYTES = 10;

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  raw(bytes: Uint8Array): void {
    for (const value of bytes) this.byte(value);
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no varint`);
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  /** A 64-bit number, taken as signed: numbers near 0 from both sides are short. */
  wide(value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    let rest = signed >= 0n ? 2n * signed : -2n * signed - 1n;
    while (rest >= 128n) {
      this.byte(Number(rest & 127n) + 128);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what a `ByteWriter` wrote. Every complaint is an `InputError` that begins with the offset in the file. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get offset(): number {
    return this.#at;
  }

  get rest(): number {
    return this.#end - this.#at;
  }

  /** @param offset  where what is complained of begins, by default here */
  fail(message: string, offset = this.#at): never {
    throw new InputError(`offset ${offset}: ${message}`);
  }

  byte(): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) return this.fail("ends in the middle");
    this.#at += 1;
    return value;
  }

  raw(count: number): Uint8Array {
    if (count > this.rest) this.fail(`${count} bytes are said to follow, ${this.rest} do`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** A part of the bytes as a reader of its own, which this one goes on after. */
  part(count: number): ByteReader {
    const start = this.#at;
    this.raw(count);
    return new ByteReader(this.#bytes, start, this.#at);
  }

  #groups(most: number): bigint {
    const start = this.#at;
    let value = 0n;
    for (let i = 0; i < most; i += 1) {
      const next = this.byte();
      value |= BigInt(next & 127) << BigInt(7 * i);
      if (next >= 128) continue;
      if (next === 0 && i > 0) this.fail("a number with a leading zero", start);
      return value;
    }
    return this.fail("a number that is too long", start);
  }

  /** @param most  the greatest number that makes sense here */
  varint(what: string, most: number): number {
    const start = this.#at;
    const value = this.#groups(MOST_BYTES);
    if (value > BigInt(most)) this.fail(`${what} is ${value}, which is more than ${most}`, start);
    return Number(value);
  }

  /** A number of things of which each takes a byte or more. */
  count(what: string): number {
    const start = this.#at;
    const value = this.varint(what, Number.MAX_SAFE_INTEGER);
    if (value > this.rest) this.fail(`${what} is ${value}, and ${this.rest} bytes follow`, start);
    return value;
  }

  /** A signed number whose amount is at most `most`. */
  signed(what: string, most: number): number {
    const start = this.#at;
    const groups = Number(this.#groups(MOST_BYTES));
    const value = groups % 2 === 0 ? groups / 2 : -(groups + 1) / 2;
    if (Math.abs(value) > most) this.fail(`${what} is ${value}, beyond ${most}`, start);
    return value;
  }

  /** A 64-bit number, in [0, 2^64). */
  wide(what: string): bigint {
    const start = this.#at;
    const groups = this.#groups(MOST_WIDE_BYTES);
    if (groups >= 1n << 64n) this.fail(`${what} has more than 64 bits`, start);
    return BigInt.asUintN(64, groups % 2n === 0n ? groups / 2n : -(groups + 1n) / 2n);
  }

  text(what: string): string {
    const start = this.#at;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.raw(this.count(what)));
    } catch (error) {
      if (error instanceof InputError) throw error;
      return this.fail(`${what} is not UTF-8`, start);
    }
  }

  /** Another reader, of the bytes from an offset on to where this one is. */
  again(offset: number): ByteReader {
    return new ByteReader(this.#bytes, offset, this.#at);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.rest > 0) this.fail(`${this.rest} bytes too many`);
  }
}
