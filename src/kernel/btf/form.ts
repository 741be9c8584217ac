/** The form of type information, one type after the other, before anything is looked up: BPF_BTF_LOAD's first look. */
import { EINVAL, ENOTSUPP } from "../../vm/errno.ts";
import { bitsOf, KINDS, type Kind, LAST_ID, memberOf, type Type } from "./types.ts";

const WORD = 4;
const HEAD_WORDS = 3;
/** Bits of a type's `info` that mean something, and of an integer's own word. */
const INFO_MASK = 0x9f00_ffff;
const INT_MASK = 0x0fff_ffff;
const MOST_BITS = 128;
/** An integer is plain, or signed, or a character, or a truth value. */
const ENCODINGS = [0, 1, 2, 4];
const FLOATS = [2, 4, 8, 12, 16];
const ENUMS = [1, 2, 4, 8];
/** What a name may be long. */
const NAME_LIMIT = 512;

/** To the kernel bytes are characters of Latin-1, whose letters are letters. */
const IDENTIFIER = /^[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff_.][A-Za-z0-9\xc0-\xd6\xd8-\xf6\xf8-\xff_.]*$/;

/** Strings by where they begin. */
export class Names {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  exists(at: number): boolean {
    return at < this.#bytes.length;
  }

  at(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    return Buffer.from(this.#bytes.subarray(at, end)).toString("latin1");
  }

  isIdentifier(at: number): boolean {
    const name = this.at(at);
    return name.length <= NAME_LIMIT && IDENTIFIER.test(name);
  }

  /** Names of sections have all that can be printed. */
  isSection(at: number): boolean {
    const name = this.at(at);
    return name.length <= NAME_LIMIT && /^[ -~\xa0-\xff]+$/.test(name);
  }
}

/** Words behind a type's first three: so many, and so many for each member. */
const WORDS: Readonly<Partial<Record<Kind, readonly [own: number, each: number]>>> = {
  int: [1, 0],
  array: [3, 0],
  struct: [0, 3],
  union: [0, 3],
  enum: [0, 2],
  func_proto: [0, 2],
  var: [1, 0],
  datasec: [0, 3],
  decl_tag: [1, 0],
  enum64: [0, 3],
};

/** Kinds whose `vlen` says something, and whose flag does. */
const COUNTED: ReadonlySet<Kind> = new Set([
  "struct",
  "union",
  "enum",
  "enum64",
  "func",
  "func_proto",
  "datasec",
]);
const FLAGGED: ReadonlySet<Kind> = new Set([
  "struct",
  "union",
  "enum",
  "enum64",
  "fwd",
  "type_tag",
  "decl_tag",
]);

const isId = (id: number): boolean => id <= LAST_ID;
const isSomeId = (id: number): boolean => id !== 0 && isId(id);

/**
 * Reads the types of a section.
 * @param told  is given a line of the log for each
 * @returns them by their ids from 1 on, or a negative error number
 */
export function readTypes(
  bytes: Uint8Array,
  names: Names,
  told: (line: string) => void,
): readonly Type[] | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const types: Type[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + HEAD_WORDS * WORD > bytes.length) return EINVAL;
    const word = (index: number): number => view.getUint32(at + WORD * index, true);
    const [name, info, size] = [word(0), word(1), word(2)];
    if ((info & ~INFO_MASK) !== 0) return EINVAL;
    const kind = KINDS[(info >>> 24) & 0x1f];
    if (kind === undefined || kind === "void" || !names.exists(name)) return EINVAL;
    const count = info & 0xffff;
    const [own, each] = WORDS[kind] ?? [0, 0];
    const further = own + each * count;
    const end = at + WORD * (HEAD_WORDS + further);
    // How much there is of a kind with members is not asked where it must have none.
    if (end > bytes.length) return EINVAL;
    const words = Array.from({ length: further }, (_, index) => word(HEAD_WORDS + index));
    const type: Type = { kind, name, flag: info >>> 31 === 1, count, size, words };
    const text = name === 0 ? "(anon)" : names.at(name);
    told(`[${types.length + 1}] ${kind.toUpperCase()} ${text} size=${size}`);
    const problem = formProblem(type, names);
    if (problem !== 0) {
      told(`[${types.length + 1}] ${kind.toUpperCase()} ${text} Invalid`);
      return problem;
    }
    types.push(type);
    at = end;
  }
  return types;
}

/** What is wrong with a type by itself: 0 or a negative error number. */
function formProblem(type: Type, names: Names): number {
  const { kind, count, flag } = type;
  if (count !== 0 && !COUNTED.has(kind)) return EINVAL;
  if (flag && !FLAGGED.has(kind)) return EINVAL;
  if (kind === "int") return integerProblem(type);
  return isNamedRightly(type, names) && isInForm(type, names) ? 0 : EINVAL;
}

function integerProblem(type: Type): number {
  if (((type.words[0] ?? 0) & ~INT_MASK) !== 0) return EINVAL;
  const { bits, offset, encoding } = bitsOf(type);
  if (bits + offset > MOST_BITS || Math.ceil((bits + offset) / 8) > type.size) return EINVAL;
  return ENCODINGS.includes(encoding) ? 0 : ENOTSUPP;
}

function isNamedRightly({ kind, name }: Type, names: Names): boolean {
  switch (kind) {
    case "typedef":
    case "fwd":
    case "func":
    case "var":
      return name !== 0 && names.isIdentifier(name);
    case "struct":
    case "union":
    case "enum":
    case "enum64":
      return name === 0 || names.isIdentifier(name);
    case "datasec":
      return name !== 0 && names.isSection(name);
    case "type_tag":
    case "decl_tag":
      return names.at(name) !== "";
    case "float":
    case "int":
      return true;
    default:
      return name === 0;
  }
}

function isInForm(type: Type, names: Names): boolean {
  const { kind, size, words, count } = type;
  switch (kind) {
    case "array":
      return size === 0 && isSomeId(words[0] ?? 0) && isSomeId(words[1] ?? 0);
    case "struct":
    case "union":
      return membersInForm(type, names);
    case "enum":
    case "enum64": {
      if (!ENUMS.includes(size)) return false;
      const each = kind === "enum" ? 2 : 3;
      return Array.from({ length: count }, (_, index) => words[each * index] ?? 0).every(
        (name) => name !== 0 && names.exists(name) && names.isIdentifier(name),
      );
    }
    case "fwd":
      return size === 0;
    case "func":
      return count <= 1 && isId(size);
    case "var":
      return isSomeId(size) && (words[0] ?? 0) <= 1;
    case "datasec":
      return variablesInForm(type);
    case "float":
      return FLOATS.includes(size);
    case "decl_tag":
      return (words[0] ?? 0) <= 0x7fff_ffff || words[0] === 0xffff_ffff;
    case "func_proto":
      return true;
    default:
      return isId(size);
  }
}

function membersInForm(type: Type, names: Names): boolean {
  let last = 0;
  for (let index = 0; index < type.count; index += 1) {
    const name = type.words[3 * index] ?? 0;
    if (!names.exists(name) || (name !== 0 && !names.isIdentifier(name))) return false;
    const { type: id, offset } = memberOf(type, index);
    if (!isSomeId(id) || (type.kind === "union" && offset !== 0) || offset < last) return false;
    if (Math.ceil(offset / 8) > type.size) return false;
    last = offset;
  }
  return true;
}

function variablesInForm({ size, count, words }: Type): boolean {
  if (size === 0) return false;
  let end = 0;
  for (let index = 0; index < count; index += 1) {
    const [id = 0, offset = 0, length = 0] = words.slice(3 * index, 3 * index + 3);
    if (!isSomeId(id) || offset < end || offset >= size || length === 0 || length > size) return false;
    end = offset + length;
    if (end > size) return false;
  }
  return true;
}
