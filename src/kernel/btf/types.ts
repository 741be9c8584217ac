/** Types of BTF as the kernel reads them (Documentation/bpf/btf.rst): records of words, and what is asked of kinds of types. */

/** Kinds by their numbers. */
export const KINDS = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;
export type Kind = (typeof KINDS)[number];

/** The last id that a type may have. */
export const LAST_ID = 0xf_ffff;

export interface Type {
  readonly kind: Kind;
  /** Where its name begins among the strings. */
  readonly name: number;
  readonly flag: boolean;
  /** How many members it has, or parameters, values, variables. */
  readonly count: number;
  /** Its size in bytes, or the id of the type that it is about: by its kind. */
  readonly size: number;
  /** What follows, in words of 32 bits. */
  readonly words: readonly number[];
}

export const VOID: Type = { kind: "void", name: 0, flag: false, count: 0, size: 0, words: [] };

const among = (...kinds: readonly Kind[]): ((type: Type) => boolean) => {
  const set: ReadonlySet<Kind> = new Set(kinds);
  return ({ kind }) => set.has(kind);
};

export const isModifier = among("typedef", "volatile", "const", "restrict", "type_tag");
export const isComposite = among("struct", "union");
/** Nothing is of such a type. */
export const isNoValueType = among("var", "decl_tag", "datasec");
export const needsResolution = among(
  "typedef",
  "volatile",
  "const",
  "restrict",
  "type_tag",
  "ptr",
  "struct",
  "union",
  "array",
  "var",
  "func",
  "decl_tag",
  "datasec",
);
export const hasOwnSize = among("int", "struct", "union", "enum", "datasec", "float", "enum64");
export const isWithoutSize = among("void", "fwd", "func", "func_proto", "decl_tag");
export const isTagged = among("func", "struct", "union", "var", "typedef");

/** A type with its id and size. */
export interface Sized {
  readonly id: number;
  readonly type: Type;
  readonly size: number;
}

/** Types that have been looked at. */
export interface Resolved {
  /** The type of an id; void for 0. */
  readonly type: (id: number) => Type | undefined;
  /** The type behind a name or qualifier. */
  readonly behind: (id: number) => Type | undefined;
  /** The type that has a size, behind names and qualifiers. */
  readonly sized: (id: number) => Sized | undefined;
  /** Whether there is a string, or an end of one, at such a place. */
  readonly hasName: (at: number) => boolean;
}

/** What an integer's own word says. */
export interface Bits {
  readonly encoding: number;
  readonly offset: number;
  readonly bits: number;
}

export function bitsOf({ words: [own = 0] }: Type): Bits {
  return { encoding: (own >>> 24) & 0xf, offset: (own >>> 16) & 0xff, bits: own & 0xff };
}

const REGULAR = [1, 2, 4, 8, 16];

/** Whether an integer is of whole bytes, as processors have them. */
export function isRegular(type: Type): boolean {
  const { bits, offset } = bitsOf(type);
  return offset === 0 && bits % 8 === 0 && REGULAR.includes(bits / 8);
}

/** A member's place: in bits, with its length where that is said. */
export interface Member {
  readonly type: number;
  readonly offset: number;
  /** 0 where it is that of its type. */
  readonly bits: number;
}

const MEMBER_WORDS = 3;

export function memberOf({ flag, words }: Type, index: number): Member {
  const at = MEMBER_WORDS * index;
  const [type = 0, place = 0] = words.slice(at + 1, at + MEMBER_WORDS);
  return flag
    ? { type, offset: place & 0xff_ffff, bits: place >>> 24 }
    : { type, offset: place >>> 0, bits: 0 };
}
