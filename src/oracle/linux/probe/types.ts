/** Types for the maps and functions of the small programs, as raw BTF (Documentation/bpf/btf.rst). */

const MAGIC = 0x0001_eb9f;
const HEADER = 24;

/** Of words and strings; the first string is the empty one, and words name strings by their offset. */
function rawBtf(words: readonly number[], text: string): Uint8Array {
  const strings = new TextEncoder().encode(text);
  const size = words.length * 4;
  const header = [MAGIC, HEADER, 0, size, size, strings.length];
  const bytes = new Uint8Array(HEADER + size + strings.length);
  const view = new DataView(bytes.buffer);
  [...header, ...words].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  bytes.set(strings, HEADER + size);
  return bytes;
}

const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  func: 12,
  funcProto: 13,
  declTag: 17,
  typeTag: 18,
} as const;
const GLOBAL = 1;

class Types {
  readonly #words: number[] = [];
  #text = "\0";
  #count = 0;

  /** Adds a type and returns its id. @param name  empty for none @param last  its size, or the type that it refers to */
  add(kind: keyof typeof KIND, name: string, length: number, last: number, more: readonly number[]): number {
    this.#words.push(this.string(name), (KIND[kind] << 24) | length, last, ...more);
    this.#count += 1;
    return this.#count;
  }

  string(text: string): number {
    if (text === "") return 0;
    const at = this.#text.length;
    this.#text += `${text}\0`;
    return at;
  }

  int(name: string, size: number): number {
    return this.add("int", name, 0, size, [8 * size]);
  }

  /** @param members  name, type and offset in bytes */
  struct(name: string, size: number, members: readonly (readonly [string, number, number])[]): number {
    const words = members.flatMap(([member, type, offset]) => [this.string(member), type, 8 * offset]);
    return this.add("struct", name, members.length, size, words);
  }

  /** A function: what it returns (0 for nothing), and its parameters. */
  func(name: string, returns: number, parameters: readonly number[], global: boolean): number {
    const words = parameters.flatMap((type, index) => [this.string(`a${index}`), type]);
    const prototype = this.add("funcProto", "", parameters.length, returns, words);
    return this.add("func", name, global ? GLOBAL : 0, prototype, []);
  }

  /** A tag of a function's first parameter. */
  tag(name: string, func: number): number {
    return this.add("declTag", name, 0, func, [0]);
  }

  get bytes(): Uint8Array {
    return rawBtf(this.#words, this.#text);
  }
}

const types = new Types();

/** Ids of types in `TYPES`. */
export const KEY_TYPE = types.int("int", 4);
export const VALUE_TYPE = types.int("long", 8);
const pointer = types.add("ptr", "", 0, 0, []);
const opaque = types.add("array", "", 0, 0, [VALUE_TYPE, KEY_TYPE, 2]);
const timer = types.struct("bpf_timer", 16, [["opaque", opaque, 0]]);
const work = types.struct("bpf_wq", 16, [["opaque", opaque, 0]]);
/** Values of 24 bytes with a timer, or with a work queue, from byte 8 on. */
export const TIMER_VALUE = types.struct("timers", 24, [
  ["x", VALUE_TYPE, 0],
  ["t", timer, 8],
]);
export const WORK_VALUE = types.struct("works", 24, [
  ["x", VALUE_TYPE, 0],
  ["w", work, 8],
]);
/** A program's first function; one of a number that gives nothing, for all to call; one that is called back with two pointers. */
export const MAIN = types.func("main", KEY_TYPE, [pointer], true);
export const NOTHING = types.func("nothing", 0, [KEY_TYPE], true);
export const CALLED_BACK = types.func("back", VALUE_TYPE, [pointer, pointer], false);
const toNumber = types.add("ptr", "", 0, KEY_TYPE, []);
/** For all to call, of a pointer to a number that is tagged as one that is not null. */
export const TAGGED = types.func("tagged", KEY_TYPE, [toNumber], true);
types.tag("arg:nonnull", TAGGED);

const lock = types.struct("bpf_spin_lock", 4, [["val", KEY_TYPE, 0]]);
/** A value of 16 bytes with a spin lock in its bytes 8 to 11. */
export const LOCK_VALUE = types.struct("locks", 16, [
  ["x", VALUE_TYPE, 0],
  ["l", lock, 8],
  ["y", KEY_TYPE, 12],
]);

export const TYPES = types.bytes;

const chains = new Types();
const number = chains.int("long", 8);
/** What follows is the type's tag and the type. */
const next = chains.add("ptr", "", 0, number + 2, []);
/** A type of its own: objects that hold a pointer to the next of their type. */
export const CHAIN = chains.add("typeTag", "kptr", 0, next + 2, []) + 1;
chains.struct("chain", 16, [
  ["x", number, 0],
  ["next", next, 8],
]);
/** A program's first function among these types. */
export const CHAIN_MAIN = chains.func("main", chains.int("int", 4), [], true);
export const CHAIN_TYPES = chains.bytes;
