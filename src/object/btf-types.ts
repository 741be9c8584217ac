/**
 * What BTF types are once decoded, and how each kind is laid out in bytes.
 * Source: Documentation/bpf/btf.rst and linux/btf.h.
 */

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Bits from the start of the structure. */
  readonly bitOffset: number;
  /** Bits of a bitfield; 0 for any other member. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export type BtfLinkage = "static" | "global" | "extern";

export type BtfType =
  | { readonly kind: "void" }
  /** `size` in bytes; `bits` of it are the value, from bit `bitOffset`. */
  | {
      readonly kind: "int";
      readonly name: string;
      readonly size: number;
      readonly bits: number;
      readonly bitOffset: number;
      readonly signed: boolean;
      readonly char: boolean;
      readonly bool: boolean;
    }
  | {
      readonly kind: "struct" | "union";
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | {
      readonly kind: "enum" | "enum64";
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumerator[];
    }
  | { readonly kind: "fwd"; readonly name: string; readonly union: boolean }
  | { readonly kind: "ptr" | "volatile" | "const" | "restrict"; readonly type: number }
  | { readonly kind: "typedef" | "type_tag"; readonly name: string; readonly type: number }
  | { readonly kind: "array"; readonly type: number; readonly indexType: number; readonly length: number }
  | { readonly kind: "func"; readonly name: string; readonly type: number; readonly linkage: BtfLinkage }
  | {
      readonly kind: "func_proto";
      readonly type: number;
      readonly params: readonly { readonly name: string; readonly type: number }[];
    }
  | { readonly kind: "var"; readonly name: string; readonly type: number; readonly linkage: BtfLinkage }
  | {
      readonly kind: "datasec";
      readonly name: string;
      readonly size: number;
      readonly vars: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
    }
  | { readonly kind: "float"; readonly name: string; readonly size: number }
  /** `component`: the member or parameter that is tagged, or -1 for the whole. */
  | { readonly kind: "decl_tag"; readonly name: string; readonly type: number; readonly component: number };

export type BtfKind = BtfType["kind"];
export type BtfOf<K extends BtfKind> = Extract<BtfType, { readonly kind: K }>;

/** How the words after a type's header are laid out, and which header words refer to a type. */
export interface KindLayout {
  readonly kind: BtfKind;
  /** Bytes after the header: `fixed`, and `each` for every one of `vlen`. */
  readonly fixed: number;
  readonly each: number;
  /** Whether the header's third word is a type id (it is a size otherwise, or unused). */
  readonly refers: boolean;
  /** Byte offsets of type ids in the fixed part or in each element. */
  readonly ids: readonly number[];
  /** Byte offsets of names in each element. */
  readonly names: readonly number[];
}

function layout(
  kind: BtfKind,
  refers: boolean,
  fixed = 0,
  each = 0,
  ids: readonly number[] = [],
  names: readonly number[] = [],
): KindLayout {
  return { kind, fixed, each, refers, ids, names };
}

/** By `kind` number (linux/btf.h, BTF_KIND_*). */
const KINDS: readonly KindLayout[] = [
  layout("void", false),
  layout("int", false, 4),
  layout("ptr", true),
  layout("array", false, 12, 0, [0, 4]),
  layout("struct", false, 0, 12, [4], [0]),
  layout("union", false, 0, 12, [4], [0]),
  layout("enum", false, 0, 8, [], [0]),
  layout("fwd", false),
  layout("typedef", true),
  layout("volatile", true),
  layout("const", true),
  layout("restrict", true),
  layout("func", true),
  layout("func_proto", true, 0, 8, [4], [0]),
  layout("var", true, 4),
  layout("datasec", false, 0, 12, [0]),
  layout("float", false),
  layout("decl_tag", true, 4),
  layout("type_tag", true),
  layout("enum64", false, 0, 12, [], [0]),
];

/** Bytes of a type's header: name, info, and size or type. */
export const TYPE_HEADER = 12;

/** The row of an info word's kind; `undefined` if there is no such kind. */
export function kindLayout(info: number): KindLayout | undefined {
  return KINDS[(info >>> 24) & 0x1f];
}

const MODIFIERS: ReadonlySet<BtfKind> = new Set(["typedef", "volatile", "const", "restrict", "type_tag"]);

/** Whether a type only wraps another without changing its layout. */
export function isModifier(
  type: BtfType,
): type is BtfOf<"typedef" | "volatile" | "const" | "restrict" | "type_tag"> {
  return MODIFIERS.has(type.kind);
}

/** A name without its flavor: `task_struct___old` means `task_struct`. */
export function essentialName(name: string): string {
  const at = name.indexOf("___", 1);
  return at < 0 || at + 3 >= name.length ? name : name.slice(0, at);
}
