/** BTF that is drawn: a few types of all kinds that refer to each other, mostly in form, and often with a byte that is another one. */
import { KINDS, type Kind } from "../../src/kernel/btf/types.ts";
import { joined, words } from "./pieces.ts";

type Below = (limit: number) => number;

/** The strings, and where those begin that can be names. */
const STRINGS = "\0int\0a\0b9\0with space\0.data\0x.y\0\x019\0";
const IDENTIFIERS = [1, 5, 7, 21, 27];
const NAMES = [0, 0, ...IDENTIFIERS, 10, 31, 2, STRINGS.length - 1, STRINGS.length];

const NEVER_NAMED: ReadonlySet<Kind> = new Set([
  "ptr",
  "array",
  "volatile",
  "const",
  "restrict",
  "func_proto",
]);

class TypeDraw {
  readonly #below: Below;
  readonly #count: number;

  constructor(below: Below, count: number) {
    this.#below = below;
    this.#count = count;
  }

  #of<T>(values: readonly [T, ...T[]]): T {
    return values[this.#below(values.length)] ?? values[0];
  }

  #rarely(): boolean {
    return this.#below(24) === 0;
  }

  #id(): number {
    if (this.#below(12) === 0) return 0;
    return this.#rarely() ? this.#count + this.#below(3) : 1 + this.#below(this.#count);
  }

  #identifier(): number {
    return this.#rarely()
      ? (NAMES[this.#below(NAMES.length)] ?? 0)
      : (IDENTIFIERS[this.#below(IDENTIFIERS.length)] ?? 1);
  }

  #name(kind: Kind): number {
    if (NEVER_NAMED.has(kind)) return this.#rarely() ? 1 : 0;
    return this.#identifier();
  }

  #members(union: boolean, flag: boolean): { readonly words: number[]; readonly size: number } {
    const count = this.#below(4);
    const members: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const offset = union ? 0 : 64 * index + (this.#below(6) === 0 ? this.#of([4, 8, 16, 32, 1]) : 0);
      const bits = flag && this.#below(2) === 0 ? this.#of([1, 3, 8, 16, 31, 32, 33, 64]) << 24 : 0;
      members.push(this.#identifier(), this.#id(), (offset | bits) >>> 0);
    }
    return { words: members, size: this.#below(8) === 0 ? this.#below(20) : 8 * Math.max(1, count) };
  }

  #integer(): readonly number[] {
    const size = this.#of([4, 4, 4, 8, 1, 2, 16, 3]);
    const bits = this.#below(6) === 0 ? this.#below(8 * size + 2) : 8 * size;
    const offset = this.#rarely() ? this.#below(8) : 0;
    const encoding = this.#of([0, 1, 2, 4, 0, 1, 0, this.#rarely() ? 3 : 0]);
    return [this.#identifier(), 0x0100_0000, size, (encoding << 24) | (offset << 16) | bits];
  }

  /** The words of one type. */
  type(): readonly number[] {
    const kind = this.#below(3) === 0 ? "int" : (KINDS[1 + this.#below(KINDS.length - 1)] ?? "int");
    if (kind === "int") return this.#integer();
    const number = KINDS.indexOf(kind);
    const flag = this.#below(6) === 0;
    const head = (count: number, size: number): number[] => [
      this.#name(kind),
      ((flag && !["ptr", "const"].includes(kind) ? 0x8000_0000 : 0) | (number << 24) | count) >>> 0,
      size,
    ];
    switch (kind) {
      case "array":
        return [...head(0, 0), this.#id(), this.#id(), this.#of([0, 1, 2, 4, 0x4000_0000])];
      case "struct":
      case "union": {
        const { words: members, size } = this.#members(kind === "union", flag);
        return [...head(members.length / 3, size), ...members];
      }
      case "enum":
      case "enum64": {
        const count = this.#below(3);
        const each = (): readonly number[] => [this.#identifier(), 1, ...(kind === "enum" ? [] : [0])];
        return [
          ...head(count, this.#of([4, 4, 4, 8, 1, 2, 3, 16])),
          ...Array.from({ length: count }, each).flat(),
        ];
      }
      case "fwd":
        return head(0, this.#rarely() ? 1 : 0);
      case "func":
        return head(this.#of([0, 1, 1, this.#rarely() ? 2 : 0]), this.#id());
      case "func_proto": {
        const count = this.#below(3);
        const each = (): readonly number[] => [this.#below(4) === 0 ? 0 : this.#identifier(), this.#id()];
        return [...head(count, this.#id()), ...Array.from({ length: count }, each).flat()];
      }
      case "var":
        return [...head(0, this.#id()), this.#of([0, 1, 1, this.#rarely() ? 2 : 0])];
      case "datasec": {
        const count = this.#below(3);
        const each = (_: unknown, at: number): readonly number[] => [
          this.#id(),
          8 * at,
          this.#of([4, 8, 1, 8]),
        ];
        return [
          ...head(count, this.#below(8) === 0 ? this.#below(20) : 16),
          ...Array.from({ length: count }, each).flat(),
        ];
      }
      case "float":
        return head(0, this.#of([4, 8, 2, 12, 16, 3]));
      case "decl_tag":
        return [...head(0, this.#id()), this.#of([0xffff_ffff, 0xffff_ffff, 0, 1, 0xffff_fffe])];
      default:
        return head(0, this.#id());
    }
  }
}

/** Type 3 is a function of an integer that returns one. */
export function functionTypes(): Uint8Array {
  return withHeader(
    words([1, 0x0100_0000, 4, 32, 0, 0x0d00_0001, 1, 5, 1, 7, 0x0c00_0001, 2, 7, 0x0c00_0000, 2]),
  );
}

function withHeader(types: Uint8Array): Uint8Array {
  const header = new Uint8Array(24);
  header.set([0x9f, 0xeb, 1, 0, 24]);
  header.set(words([0, types.length, types.length, STRINGS.length]), 8);
  return joined([header, types, Buffer.from(STRINGS, "latin1")]);
}

/** The bytes of drawn BTF. */
export function drawTypes(below: Below): Uint8Array {
  const draw = new TypeDraw(below, 1 + below(7));
  const count = 1 + below(7);
  const bytes = withHeader(words(Array.from({ length: count }, () => draw.type()).flat()));
  if (below(6) === 0) bytes[below(bytes.length)] = [0, 1, 2, 3, 4, 8, 16, 128, 255][below(9)] ?? 0;
  return bytes;
}
