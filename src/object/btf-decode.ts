/** Decodes one BTF type, and checks the form of a whole section of them. */
import { InputError } from "../semantics/errors.ts";
import { type BtfKind, type BtfLinkage, type BtfType, kindLayout, TYPE_HEADER } from "./btf-types.ts";
import { hex, type Window } from "./window.ts";

const LINKAGES: readonly BtfLinkage[] = ["static", "global", "extern"];

/** The parts of a type that decoding one kind needs. */
interface Encoded {
  readonly types: Window;
  readonly name: string;
  /** The third word: a size or a type id. */
  readonly word: number;
  /** The low half of the info word. */
  readonly count: number;
  readonly flag: boolean;
  /** Where the part after the header begins. */
  readonly rest: number;
  text(offset: number): string;
}

const DECODERS: { readonly [K in BtfKind]: (from: Encoded) => BtfType } = {
  void: () => ({ kind: "void" }),
  int: ({ types, name, word, rest }) => {
    const bits = types.u32(rest);
    const encoding = (bits >>> 24) & 0xf;
    return {
      kind: "int",
      name,
      size: word,
      bits: bits & 0xff,
      bitOffset: (bits >>> 16) & 0xff,
      signed: (encoding & 1) !== 0,
      char: (encoding & 2) !== 0,
      bool: (encoding & 4) !== 0,
    };
  },
  struct: (from) => ({ kind: "struct", ...composite(from) }),
  union: (from) => ({ kind: "union", ...composite(from) }),
  enum: (from) => ({
    kind: "enum",
    name: from.name,
    size: from.word,
    signed: from.flag,
    values: elements(from, 8, (at) => ({
      name: from.text(from.types.u32(at)),
      value: BigInt(from.flag ? from.types.i32(at + 4) : from.types.u32(at + 4)),
    })),
  }),
  enum64: (from) => ({
    kind: "enum64",
    name: from.name,
    size: from.word,
    signed: from.flag,
    values: elements(from, 12, (at) => {
      const bits = (BigInt(from.types.u32(at + 8)) << 32n) | BigInt(from.types.u32(at + 4));
      return { name: from.text(from.types.u32(at)), value: from.flag ? BigInt.asIntN(64, bits) : bits };
    }),
  }),
  fwd: ({ name, flag }) => ({ kind: "fwd", name, union: flag }),
  ptr: ({ word }) => ({ kind: "ptr", type: word }),
  volatile: ({ word }) => ({ kind: "volatile", type: word }),
  const: ({ word }) => ({ kind: "const", type: word }),
  restrict: ({ word }) => ({ kind: "restrict", type: word }),
  typedef: ({ name, word }) => ({ kind: "typedef", name, type: word }),
  type_tag: ({ name, word }) => ({ kind: "type_tag", name, type: word }),
  array: ({ types, rest }) => ({
    kind: "array",
    type: types.u32(rest),
    indexType: types.u32(rest + 4),
    length: types.u32(rest + 8),
  }),
  func: ({ name, word, count }) => ({ kind: "func", name, type: word, linkage: linkageOf(count) }),
  func_proto: (from) => ({
    kind: "func_proto",
    type: from.word,
    params: elements(from, 8, (at) => ({
      name: from.text(from.types.u32(at)),
      type: from.types.u32(at + 4),
    })),
  }),
  var: ({ types, name, word, rest }) => ({
    kind: "var",
    name,
    type: word,
    linkage: linkageOf(types.u32(rest)),
  }),
  datasec: (from) => ({
    kind: "datasec",
    name: from.name,
    size: from.word,
    vars: elements(from, 12, (at) => ({
      type: from.types.u32(at),
      offset: from.types.u32(at + 4),
      size: from.types.u32(at + 8),
    })),
  }),
  float: ({ name, word }) => ({ kind: "float", name, size: word }),
  decl_tag: ({ types, name, word, rest }) => ({
    kind: "decl_tag",
    name,
    type: word,
    component: types.i32(rest),
  }),
};

/** The type whose header begins at `at`; `text` reads the string section. */
export function decodeType(types: Window, at: number, text: (offset: number) => string): BtfType {
  const info = types.u32(at + 4);
  const kind = kindLayout(info)?.kind ?? types.fail(at + 4, "unknown kind");
  return DECODERS[kind]({
    types,
    name: text(types.u32(at)),
    word: types.u32(at + 8),
    count: info & 0xffff,
    flag: info >>> 31 === 1,
    rest: at + TYPE_HEADER,
    text,
  });
}

function elements<T>({ count, rest }: Encoded, each: number, read: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => read(rest + index * each));
}

function composite(from: Encoded) {
  const { types, name, word, flag } = from;
  const members = elements(from, 12, (at) => {
    const offset = types.u32(at + 8);
    return {
      name: from.text(types.u32(at)),
      type: types.u32(at + 4),
      bitOffset: flag ? offset & 0xffffff : offset,
      bitSize: flag ? offset >>> 24 : 0,
    };
  });
  return { name, size: word, members };
}

function linkageOf(value: number): BtfLinkage {
  const linkage = LINKAGES[value];
  if (linkage === undefined) throw new InputError(`BTF: unknown linkage ${value}`);
  return linkage;
}

/** Where each type begins; checks kinds and lengths. */
export function typeOffsets(types: Window): Uint32Array {
  const found = new Uint32Array(Math.floor(types.size / TYPE_HEADER));
  let count = 0;
  let at = 0;
  while (at < types.size) {
    types.check(at, TYPE_HEADER);
    const info = types.u32(at + 4);
    const row = kindLayout(info);
    if (row === undefined || row.kind === "void") types.fail(at + 4, `unknown kind ${(info >>> 24) & 0x1f}`);
    const length = TYPE_HEADER + row.fixed + row.each * (info & 0xffff);
    types.check(at, length);
    found[count++] = at;
    at += length;
  }
  return found.slice(0, count);
}

/** Checks that every type id and every name lies inside; `count` and `stringsEnd` are the ends. */
export function checkReferences(
  types: Window,
  offsets: Uint32Array,
  { count, stringsEnd }: { readonly count: number; readonly stringsEnd: number },
): void {
  const id = (at: number): void => {
    const value = types.u32(at);
    if (value >= count) types.fail(at, `type ${value} does not exist (there are ${count})`);
  };
  const name = (at: number): void => {
    const value = types.u32(at);
    if (value >= stringsEnd && value !== 0) types.fail(at, `the name ${hex(value)} lies outside the strings`);
  };
  for (const at of offsets) {
    const info = types.u32(at + 4);
    const row = kindLayout(info);
    if (row === undefined) throw new Error(`a kind that typeOffsets let through: ${hex(info)}`);
    name(at);
    if (row.refers) id(at + 8);
    const rest = at + TYPE_HEADER;
    if (row.each === 0) {
      for (const offset of row.ids) id(rest + offset);
      continue;
    }
    for (let element = rest, left = info & 0xffff; left > 0; left--, element += row.each) {
      for (const offset of row.ids) id(element + offset);
      for (const offset of row.names) name(element + offset);
    }
  }
}
