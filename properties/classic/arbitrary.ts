/** Random classic filters that the checker passes, for tests that run them. */
import * as fc from "fast-check";
import { type ClassicUse, checkFilter } from "../../src/semantics/classic/check.ts";
import { EXTENSIONS, type ExtensionName, SKF_AD_OFF } from "../../src/semantics/classic/extensions.ts";
import type { ClassicInstruction, ClassicRow, Filter } from "../../src/semantics/classic/instruction.ts";
import { CLASSIC_ROWS } from "../../src/semantics/classic/table.ts";

export interface FilterOptions {
  readonly use: ClassicUse;
  /** Instructions at most, without the two at the end. */
  readonly longest: number;
  /** Which extensions are used. */
  readonly extensions: readonly ExtensionName[];
  /** Offsets up to this are loaded often. */
  readonly reach: number;
  /** Whether far negative offsets (SKF_NET_OFF, SKF_LL_OFF) are used. */
  readonly negative: boolean;
}

const number32 = fc.oneof(
  fc.integer({ min: 0, max: 80 }),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff, 0x800, 0x86dd, 255, 256),
  fc.nat({ max: 0xffff_ffff }),
);

function offset({ reach, negative }: FilterOptions): fc.Arbitrary<number> {
  const near = fc.integer({ min: 0, max: reach });
  const far = negative
    ? [
        fc
          .tuple(fc.constantFrom(-0x100000, -0x200000), near)
          .map(([from, distance]) => (from + distance) >>> 0),
        fc.constantFrom(0x7fff_ffff, 0x8000_0000, -0x1000 >>> 0, -0x300000 >>> 0),
      ]
    : [];
  return fc.oneof({ arbitrary: near, weight: 40 }, ...far);
}

function operand(row: ClassicRow, options: FilterOptions, left: number): fc.Arbitrary<number> {
  switch (row.k) {
    case "none":
      return fc.constant(0);
    case "divisor":
      return number32.map((value) => (value === 0 ? 3 : value));
    case "shift":
      return fc.integer({ min: 0, max: 31 });
    case "scratch":
      return fc.constantFrom(0, 1, 15);
    case "distance":
      return fc.integer({ min: 0, max: Math.min(left - 1, 6) });
    case "offset":
      if (options.use === "seccomp") return fc.integer({ min: 0, max: 15 }).map((word) => 4 * word);
      return offset(options).filter((k) => row.operand !== "absolute" || k < SKF_AD_OFF);
    default:
      return number32;
  }
}

function instruction(
  rows: readonly ClassicRow[],
  options: FilterOptions,
  left: number,
): fc.Arbitrary<ClassicInstruction> {
  const jump = fc.integer({ min: 0, max: Math.min(left - 1, 5) });
  const plain = fc.constantFrom(...rows).chain((row) => {
    const { code, operation } = row;
    const jumps = operation.kind === "jump" ? jump : fc.constant(0);
    return fc.record({ code: fc.constant(code), jt: jumps, jf: jumps, k: operand(row, options, left) });
  });
  const extensions = EXTENSIONS.filter(({ name }) => options.extensions.includes(name));
  if (extensions.length === 0) return plain;
  const extended = fc.constantFrom(...extensions).map((extension) => ({
    code: 0x20,
    jt: 0,
    jf: 0,
    k: SKF_AD_OFF + extension.offset,
  }));
  return fc.oneof({ arbitrary: plain, weight: 8 }, { arbitrary: extended, weight: 1 });
}

const RETURN_A: ClassicInstruction = { code: 0x16, jt: 0, jf: 0, k: 0 };
/** Before the last return: a filter that comes so far seldom returns 0, as one does that ends early. */
const MARKED: ClassicInstruction = { code: 0xa4, jt: 0, jf: 0, k: 0x5a00_5a00 };

/** Filters that end with a return of A, and seldom return before. */
export function filters(options: FilterOptions): fc.Arbitrary<Filter> {
  const rows = CLASSIC_ROWS.filter(({ operation }) => operation.kind !== "return");
  const usual = (row: ClassicRow): number =>
    row.operation.kind === "packet" ? 4 : row.k === "scratch" ? 3 : 1;
  const weighted = rows.flatMap((row) => Array.from({ length: usual(row) }, () => row));
  return fc
    .integer({ min: 1, max: options.longest })
    .chain((length) =>
      fc.tuple(
        ...Array.from({ length }, (_, index) =>
          fc.oneof(
            { arbitrary: instruction(weighted, options, length - index), weight: 30 },
            { arbitrary: fc.constantFrom(RETURN_A, { code: 0x06, jt: 0, jf: 0, k: 77 }), weight: 1 },
          ),
        ),
      ),
    )
    .map((body): Filter => [...body, MARKED, RETURN_A])
    .filter((filter) => checkFilter(filter, options.use) === undefined);
}
