/** Raw BTF, written type by type. The format is that of the kernel's Documentation/bpf/btf.rst. */

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  func: 12,
  prototype: 13,
  declTag: 17,
  typeTag: 18,
} as const;
const GLOBAL = 1;
const SIGNED = 1 << 24;

export class BtfWords {
  readonly #words: number[] = [];
  #text = "\0";
  #count = 0;

  #string(text: string): number {
    if (text === "") return 0;
    const at = this.#text.length;
    this.#text += `${text}\0`;
    return at;
  }

  /** @param last  the type's size, or the type that it refers to */
  #add(
    kind: keyof typeof KIND,
    name: string,
    info: number,
    last: number,
    more: readonly number[] = [],
  ): number {
    this.#words.push(this.#string(name), (KIND[kind] << 24) | info, last, ...more);
    this.#count += 1;
    return this.#count;
  }

  int(name: string, size: number, signed: boolean): number {
    return this.#add("int", name, 0, size, [(signed ? SIGNED : 0) | (8 * size)]);
  }

  /** To a type, or to anything for 0. */
  pointer(to: number): number {
    return this.#add("pointer", "", 0, to);
  }

  array(element: number, index: number, count: number): number {
    return this.#add("array", "", 0, 0, [element, index, count]);
  }

  /** @param members  name, type and offset in bytes */
  struct(name: string, size: number, members: readonly (readonly [string, number, number])[]): number {
    const words = members.flatMap(([member, type, offset]) => [this.#string(member), type, 8 * offset]);
    return this.#add("struct", name, members.length, size, words);
  }

  /** A function and its prototype: what it returns, and its parameters. */
  func(name: string, returns: number, parameters: readonly number[], global = false): number {
    const words = parameters.flatMap((type, index) => [this.#string(`a${index}`), type]);
    const prototype = this.#add("prototype", "", parameters.length, returns, words);
    return this.#add("func", name, global ? GLOBAL : 0, prototype);
  }

  /** A tag of a structure's member. */
  memberTag(text: string, struct: number, member: number): number {
    return this.#add("declTag", text, 0, struct, [member]);
  }

  /** A tag in front of a type. */
  typeTag(text: string, type: number): number {
    return this.#add("typeTag", text, 0, type);
  }

  /** All of it, as BPF_BTF_LOAD takes it. */
  bytes(): Uint8Array {
    const strings = new TextEncoder().encode(this.#text);
    const size = 4 * this.#words.length;
    const words = [(1 << 16) | MAGIC, HEADER_BYTES, 0, size, size, strings.length, ...this.#words];
    const bytes = new Uint8Array(4 * words.length + strings.length);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word >>> 0, true);
    bytes.set(strings, 4 * words.length);
    return bytes;
  }
}
