/**
 * BTF, the type information of BPF objects and of the kernel. A `Btf` holds the raw bytes and where each type begins; types are decoded
 * when asked for, as the kernel's BTF has 150,000 of them. Reading checks the form of every type and that what it refers to exists;
 * cycles are met by depth limits where types are followed.
 * Source: Documentation/bpf/btf.rst.
 */
import { InputError } from "../semantics/errors.ts";
import { checkReferences, decodeType, typeOffsets } from "./btf-decode.ts";
import { type BtfKind, type BtfType, essentialName, isModifier, kindLayout } from "./btf-types.ts";
import { hex, Window } from "./window.ts";

const HEADER_SIZE = 24;
const MAGIC = 0xeb9f;

/** The deepest chain of typedefs, qualifiers and pointers that is followed; the kernel's own limit is 32. */
export const DEEPEST = 64;

const UTF8 = new TextDecoder("utf-8");

export class Btf {
  /** The bytes it was read from. */
  readonly raw: Uint8Array;
  /** The number of types, `void` (id 0) included, and those of the base. */
  readonly count: number;
  readonly base: Btf | undefined;
  readonly #types: Window;
  readonly #strings: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #firstId: number;
  readonly #firstString: number;
  readonly #decoded = new Map<number, BtfType>();
  #index: ReadonlyMap<string, number[]> | undefined;

  constructor(raw: Uint8Array, types: Window, strings: Uint8Array, offsets: Uint32Array, base?: Btf) {
    this.raw = raw;
    this.base = base;
    this.#types = types;
    this.#strings = strings;
    this.#offsets = offsets;
    this.#firstId = base === undefined ? 1 : base.count;
    this.#firstString = base === undefined ? 0 : base.stringsEnd;
    this.count = this.#firstId + offsets.length;
  }

  get stringsEnd(): number {
    return this.#firstString + this.#strings.length;
  }

  /** The text at an offset of the string section. */
  text(offset: number): string {
    const found = this.#stringAt(offset);
    return found === undefined ? "" : UTF8.decode(found);
  }

  /** The type with an id; `InputError` if there is none. */
  type(id: number): BtfType {
    if (id === 0) return { kind: "void" };
    if (this.base !== undefined && id < this.#firstId) return this.base.type(id);
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const decoded = decodeType(this.#types, this.#offsetOf(id), (offset) => this.text(offset));
    this.#decoded.set(id, decoded);
    return decoded;
  }

  /** The kind of a type, without decoding the rest. */
  kind(id: number): BtfKind {
    if (id === 0) return "void";
    if (this.base !== undefined && id < this.#firstId) return this.base.kind(id);
    return kindLayout(this.#types.u32(this.#offsetOf(id) + 4))?.kind ?? "void";
  }

  /** The name of a type; empty if it has none. */
  name(id: number): string {
    if (id === 0) return "void";
    if (this.base !== undefined && id < this.#firstId) return this.base.name(id);
    return this.text(this.#types.u32(this.#offsetOf(id)));
  }

  /** Where a type's header begins in `raw`, in bytes. */
  position(id: number): number {
    return this.#types.bytes.byteOffset - this.raw.byteOffset + this.#offsetOf(id);
  }

  /**
   * The ids of the types called `name`, or with `flavors` also `name___anything`, as CO-RE treats them. The first call makes an index of all
   * names (a tenth of a second for the kernel's BTF).
   */
  find(name: string, flavors = false): readonly number[] {
    const own = this.#names().get(essentialName(name)) ?? [];
    const found = [...(this.base?.find(name, true) ?? []), ...own];
    return flavors ? found : found.filter((id) => this.name(id) === name);
  }

  /** The first type called `name` of one of the kinds. */
  findKind(name: string, ...kinds: readonly BtfKind[]): number | undefined {
    return this.find(name).find((id) => kinds.some((kind) => kind === this.kind(id)));
  }

  /** Follows typedefs, qualifiers and type tags to what they stand for. */
  resolve(id: number): { readonly id: number; readonly type: BtfType } {
    let at = id;
    for (let depth = 0; depth < DEEPEST; depth++) {
      const type = this.type(at);
      if (!isModifier(type)) return { id: at, type };
      at = type.type;
    }
    throw new InputError(`BTF type ${id}: a chain of more than ${DEEPEST} typedefs and qualifiers`);
  }

  /** The size in bytes of a value of the type; `InputError` if values of it have none (functions, forward declarations). */
  size(id: number): number {
    let elements = 1;
    let at = id;
    for (let depth = 0; depth < DEEPEST; depth++) {
      const { type } = this.resolve(at);
      switch (type.kind) {
        case "int":
        case "struct":
        case "union":
        case "enum":
        case "enum64":
        case "float":
        case "datasec":
          return elements * type.size;
        case "ptr":
          return elements * 8;
        case "var":
          at = type.type;
          break;
        case "array":
          elements *= type.length;
          at = type.type;
          break;
        case "void":
        case "fwd":
        case "func":
        case "func_proto":
        case "decl_tag":
        case "typedef":
        case "volatile":
        case "const":
        case "restrict":
        case "type_tag":
          throw new InputError(`BTF type ${id}: a ${type.kind} has no size`);
      }
    }
    throw new InputError(`BTF type ${id}: arrays nested more than ${DEEPEST} deep`);
  }

  #offsetOf(id: number): number {
    const offset = this.#offsets[id - this.#firstId];
    if (offset === undefined)
      throw new InputError(`BTF: type ${id} does not exist (there are ${this.count})`);
    return offset;
  }

  #stringAt(offset: number): Uint8Array | undefined {
    if (this.base !== undefined && offset < this.#firstString) return this.base.#stringAt(offset);
    const start = offset - this.#firstString;
    if (start >= this.#strings.length) {
      throw new InputError(`BTF strings, offset ${hex(offset)}: outside the string section`);
    }
    return this.#strings.subarray(start, this.#strings.indexOf(0, start));
  }

  /** The ids of this BTF's own types by essential name. */
  #names(): ReadonlyMap<string, number[]> {
    if (this.#index !== undefined) return this.#index;
    const index = new Map<string, number[]>();
    for (let at = 0; at < this.#offsets.length; at++) {
      const name = this.text(this.#types.u32(this.#offsets[at] ?? 0));
      if (name === "") continue;
      const known = index.get(essentialName(name));
      if (known === undefined) index.set(essentialName(name), [this.#firstId + at]);
      else known.push(this.#firstId + at);
    }
    this.#index = index;
    return index;
  }
}

/** Reads and checks a `.BTF` section or file; split BTF (of a kernel module) needs its base. */
export function readBtf(bytes: Uint8Array, place = "section .BTF", base?: Btf): Btf {
  const bigEndian = bytes[0] === 0xeb;
  const all = new Window(bytes, place, bigEndian);
  const magic = all.u16(0);
  if (magic !== MAGIC) all.fail(0, `not BTF (the magic is ${hex(magic)})`);
  if (all.u8(2) !== 1) all.fail(2, `BTF of version ${all.u8(2)}`);
  const header = all.u32(4);
  if (header < HEADER_SIZE) all.fail(4, `a header of ${header} bytes`);
  const types = all.part(header + all.u32(8), all.u32(12), `${place} types`);
  const text = all.part(header + all.u32(16), all.u32(20), `${place} strings`);
  const strings = text.bytes;
  if (base === undefined && strings[0] !== 0) text.fail(0, "the first string is not empty");
  if (strings.length > 0 && strings.at(-1) !== 0) text.fail(strings.length - 1, "the last string has no NUL");
  const offsets = typeOffsets(types);
  const btf = new Btf(all.bytes, types, strings, offsets, base);
  checkReferences(types, offsets, btf);
  return btf;
}
