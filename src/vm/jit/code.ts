/**
 * A function's instructions as they are written: a growing buffer that numbers go into without the detour of `bigint`, since a compiler that is to take a microsecond an
 * instruction writes tens of thousands of bytes. Encodings: core specification 2.0, sections 5.2 to 5.4.
 */

/** One-byte opcodes and those with an operand of their own that the compiler writes itself; what instructions compute comes from `row-code.ts`. */
export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load32: 0x28,
  load64: 0x29,
  load8: 0x2d,
  load16: 0x2f,
  load64From32: 0x35,
  store32: 0x36,
  store64: 0x37,
  store8: 0x3a,
  store16: 0x3b,
  const32: 0x41,
  const64: 0x42,
  eqz32: 0x45,
  eq32: 0x46,
  ne32: 0x47,
  eqz64: 0x50,
  eq64: 0x51,
  ne64: 0x52,
  less64: 0x53,
  below64: 0x54,
  greater64: 0x55,
  notBelow64: 0x5a,
  add32: 0x6a,
  sub32: 0x6b,
  and32: 0x71,
  or32: 0x72,
  add64: 0x7c,
  sub64: 0x7d,
  divide64: 0x80,
  right64: 0x88,
  wrap: 0xa7,
} as const;

/** The type of a block without a result, and of values. */
export const NO_RESULT = 0x40;
export const I32 = 0x7f;
export const I64 = 0x7e;

/** The longest number of 32 bits takes so many bytes. */
const MOST_BYTES = 5;

export class Code {
  #buffer = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer, with room for so many more bytes. */
  #reserve(count: number): Uint8Array {
    const needed = this.#length + count;
    return needed <= this.#buffer.length ? this.#buffer : this.#grow(needed);
  }

  #grow(needed: number): Uint8Array {
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, needed));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    return larger;
  }

  /** Forgets what was written; the buffer stays for the next function. */
  clear(): void {
    this.#length = 0;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1)[this.#length] = value;
    this.#length += 1;
  }

  /** Bytes `start` … `end - 1` of others. Mostly few, for which a call of `set` would cost more. */
  copy(from: Uint8Array, start: number, end: number): void {
    const buffer = this.#reserve(end - start);
    let at = this.#length;
    for (let i = start; i < end; i += 1) {
      buffer[at] = from[i] ?? 0;
      at += 1;
    }
    this.#length = at;
  }

  bytes(all: Uint8Array): void {
    this.#reserve(all.length).set(all, this.#length);
    this.#length += all.length;
  }

  /** All that another has written. */
  append(other: Code): void {
    this.bytes(other.#buffer.subarray(0, other.#length));
  }

  /** An unsigned number below 2^32 in LEB128. */
  unsigned(value: number): void {
    const buffer = this.#reserve(MOST_BYTES);
    let at = this.#length;
    let rest = value;
    while (rest > 0x7f) {
      buffer[at] = (rest & 0x7f) | 0x80;
      at += 1;
      rest >>>= 7;
    }
    buffer[at] = rest;
    this.#length = at + 1;
  }

  /** A signed number of 32 bits in LEB128. */
  signed(value: number): void {
    const buffer = this.#reserve(MOST_BYTES);
    let at = this.#length;
    let rest = value;
    while (rest < -64 || rest > 63) {
      buffer[at] = (rest & 0x7f) | 0x80;
      at += 1;
      rest >>= 7;
    }
    buffer[at] = rest & 0x7f;
    this.#length = at + 1;
  }

  op(opcode: number): void {
    this.byte(opcode);
  }

  /** An instruction with the index of a local, function or label. */
  at(opcode: number, index: number): void {
    const buffer = this.#reserve(1 + MOST_BYTES);
    const at = this.#length;
    buffer[at] = opcode;
    this.#length = at + 1;
    if (index > 0x7f) {
      this.unsigned(index);
      return;
    }
    buffer[at + 1] = index;
    this.#length = at + 2;
  }

  /** A block, loop or if. */
  open(opcode: number, type: number = NO_RESULT): void {
    this.byte(opcode);
    this.byte(type);
  }

  const32(value: number): void {
    this.#constant(OP.const32, value | 0);
  }

  /** An int32 as 64 bits, sign-extended. */
  const64(value: number): void {
    this.#constant(OP.const64, value | 0);
  }

  #constant(opcode: number, value: number): void {
    const buffer = this.#reserve(1 + MOST_BYTES);
    const at = this.#length;
    buffer[at] = opcode;
    this.#length = at + 1;
    if (value < -64 || value > 63) {
      this.signed(value);
      return;
    }
    buffer[at + 1] = value & 0x7f;
    this.#length = at + 2;
  }

  /** 64 bits from two int32 halves. */
  constHalves(low: number, high: number): void {
    this.byte(OP.const64);
    let [rest, upper] = [low | 0, high | 0];
    // As long as the upper half says more than the lower one's sign.
    while (upper !== rest >> 31) {
      this.byte((rest & 0x7f) | 0x80);
      rest = (rest >>> 7) | (upper << 25);
      upper >>= 7;
    }
    this.signed(rest);
  }

  /** A load or store of `size` bytes; the address, and for a store the value, is on the stack. */
  memory(opcode: number, size: number, offset: number): void {
    const buffer = this.#reserve(2 + MOST_BYTES);
    const at = this.#length;
    buffer[at] = opcode;
    // The logarithm of the alignment.
    buffer[at + 1] = 31 - Math.clz32(size);
    this.#length = at + 2;
    this.unsigned(offset);
  }
}
