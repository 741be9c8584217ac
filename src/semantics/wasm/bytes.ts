const UTF8 = new TextEncoder();

/** A growing sequence of bytes with WebAssembly's encodings of numbers and names (core specification 2.0, section 5.2). */
export class Bytes {
  #buffer = new Uint8Array(256);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + count));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** An unsigned number below 2^32 in LEB128. */
  unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed number of 32 bits in LEB128. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** A signed number of 64 bits in LEB128. */
  signedLong(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    // Numbers are much faster than bigints, and nearly every constant is small.
    while (rest < -0x80000000n || rest > 0x7fffffffn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.signed(Number(rest));
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#buffer.set(values, this.#length);
    this.#length += values.length;
  }

  /** A vector of bytes: its length, then its contents. */
  vector(values: Uint8Array): void {
    this.unsigned(values.length);
    this.bytes(values);
  }

  name(text: string): void {
    this.vector(UTF8.encode(text));
  }

  /** What was written; later writes do not change it. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}
