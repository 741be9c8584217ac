/**
 * WebAssembly code as a list of instructions, by the binary format alone (core specification 2.0, section 5.4). Written apart from what encodes it, so that an error of
 * that does not go unseen here.
 */

export type WordType = "i32" | "i64";

export type WasmInstruction =
  | { readonly kind: "block" | "loop" | "if"; readonly result: WordType | undefined; readonly end: number }
  | { readonly kind: "else" | "end" | "select" | "drop" | "return" | "unreachable" }
  | { readonly kind: "br" | "br_if"; readonly depth: number }
  | { readonly kind: "br_table"; readonly depths: readonly number[]; readonly otherwise: number }
  | { readonly kind: "get" | "set" | "tee"; readonly local: number }
  | { readonly kind: "constant"; readonly type: WordType; readonly value: bigint }
  | { readonly kind: "load" | "store"; readonly opcode: number; readonly offset: number }
  | { readonly kind: "numeric"; readonly opcode: number };

export interface DecodedFunction {
  /** Of the declared locals; parameters come before them. */
  readonly locals: readonly WordType[];
  readonly code: readonly WasmInstruction[];
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new Error("the code ends early");
    this.at += 1;
    return byte;
  }

  unsigned(): number {
    return Number(this.#leb().value);
  }

  signed(): bigint {
    const { value, bits } = this.#leb();
    return BigInt.asIntN(bits, value);
  }

  /** A number in groups of seven bits, lowest first; a set top bit says that there are more. */
  #leb(): { readonly value: bigint; readonly bits: number } {
    let value = 0n;
    let bits = 0;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(bits);
      bits += 7;
      if (byte < 0x80) return { value, bits };
    }
  }

  type(): WordType {
    const byte = this.byte();
    if (byte === 0x7f) return "i32";
    if (byte === 0x7e) return "i64";
    throw new Error(`a value of type 0x${byte.toString(16)}`);
  }

  /** The type of a block: nothing, or one result. */
  blockType(): WordType | undefined {
    if (this.#bytes[this.at] === 0x40) {
      this.at += 1;
      return undefined;
    }
    return this.type();
  }
}

/** The instructions of a body, of which the last need not be `end`. */
export function decodeBody(bytes: Uint8Array): readonly WasmInstruction[] {
  const reader = new Reader(bytes);
  const code: WasmInstruction[] = [];
  const open: number[] = [];
  while (!reader.done) {
    const opcode = reader.byte();
    if (opcode >= 0x02 && opcode <= 0x04) open.push(code.length);
    if (opcode === 0x0b) {
      const start = open.pop();
      const block = start === undefined ? undefined : code[start];
      if (start !== undefined && block !== undefined && "end" in block)
        code[start] = { ...block, end: code.length };
    }
    code.push(decodeOne(reader, opcode));
  }
  return code;
}

function decodeOne(reader: Reader, opcode: number): WasmInstruction {
  switch (opcode) {
    case 0x00:
      return { kind: "unreachable" };
    case 0x02:
      return { kind: "block", result: reader.blockType(), end: -1 };
    case 0x03:
      return { kind: "loop", result: reader.blockType(), end: -1 };
    case 0x04:
      return { kind: "if", result: reader.blockType(), end: -1 };
    case 0x05:
      return { kind: "else" };
    case 0x0b:
      return { kind: "end" };
    case 0x0c:
      return { kind: "br", depth: reader.unsigned() };
    case 0x0d:
      return { kind: "br_if", depth: reader.unsigned() };
    case 0x0e: {
      const depths = Array.from({ length: reader.unsigned() }, () => reader.unsigned());
      return { kind: "br_table", depths, otherwise: reader.unsigned() };
    }
    case 0x0f:
      return { kind: "return" };
    case 0x1a:
      return { kind: "drop" };
    case 0x1b:
      return { kind: "select" };
    case 0x20:
      return { kind: "get", local: reader.unsigned() };
    case 0x21:
      return { kind: "set", local: reader.unsigned() };
    case 0x22:
      return { kind: "tee", local: reader.unsigned() };
    case 0x41:
      return { kind: "constant", type: "i32", value: reader.signed() };
    case 0x42:
      return { kind: "constant", type: "i64", value: reader.signed() };
    default:
      if (opcode >= 0x28 && opcode <= 0x3e) {
        reader.unsigned(); // The alignment is a hint.
        return { kind: opcode < 0x36 ? "load" : "store", opcode, offset: reader.unsigned() };
      }
      if (opcode >= 0x45 && opcode <= 0xc4) return { kind: "numeric", opcode };
      throw new Error(`the opcode 0x${opcode.toString(16)} is not one of those that are read`);
  }
}

/** An entry of the code section without its size: the declarations of locals, and the body. */
function decodeFunction(bytes: Uint8Array): DecodedFunction {
  const reader = new Reader(bytes);
  const locals: WordType[] = [];
  for (let runs = reader.unsigned(); runs > 0; runs -= 1) {
    const count = reader.unsigned();
    const type = reader.type();
    for (let i = 0; i < count; i += 1) locals.push(type);
  }
  return { locals, code: decodeBody(bytes.subarray(reader.at)) };
}

const MAGIC_SIZE = 8;
const CODE_SECTION = 10;

/** The functions that a module defines, in order. */
export function decodeModule(bytes: Uint8Array): readonly DecodedFunction[] {
  const reader = new Reader(bytes);
  reader.at = MAGIC_SIZE;
  while (!reader.done) {
    const section = reader.byte();
    const end = reader.unsigned() + reader.at;
    if (section !== CODE_SECTION) {
      reader.at = end;
      continue;
    }
    return Array.from({ length: reader.unsigned() }, () => {
      const size = reader.unsigned();
      reader.at += size;
      return decodeFunction(bytes.subarray(reader.at - size, reader.at));
    });
  }
  return [];
}
