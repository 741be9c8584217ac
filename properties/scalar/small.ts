/**
 * Parts of the scalar domain at 1 to 4 bits as numbers, and their concretisations as bit sets: small enough to go through all of them.
 *
 * A part is packed into six fields of N bits: value, mask, umin, umax, smin, smax, from the lowest. A set of N-bit numbers is a number
 * of 2^N bits, bit x for x.
 */
import type { Part } from "../../src/absint/scalar/part.ts";
import { concat, extract, variable } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { instantiate } from "../../src/semantics/term/wasm.ts";

export const FIELDS = ["value", "mask", "umin", "umax", "smin", "smax"] as const;
type Field = (typeof FIELDS)[number];
/** The fields of a part that a result may depend on, a bit each in the order of `FIELDS`. */
const bitOf = (field: Field): number => 1 << FIELDS.indexOf(field);
export const ALL_FIELDS = 0b111111;

/** The operands of everything that is gone through. */
export const operand = (name: "a" | "b", width: number): Term => variable(name, FIELDS.length * width);

/** The part that is packed in an operand. */
export function unpacked(packed: Term): Part<number> {
  const width = packed.width / FIELDS.length;
  const [value, mask, umin, umax, smin, smax] = FIELDS.map((_, i) => extract(width, packed, i * width));
  return { tnum: { value: value!, mask: mask! }, umin: umin!, umax: umax!, smin: smin!, smax: smax! };
}

/** A part as one term, packed. */
export const packed = ({ tnum, umin, umax, smin, smax }: Part<number>): Term =>
  [tnum.mask, umin, umax, smin, smax].reduce<Term>(
    (low, high) => concat(low.width + high.width, high, low),
    tnum.value,
  );

/** Functions of two packed operands, one for each term over them; results are zero-extended. */
export function compiled(
  terms: readonly Term[],
  width: number,
): readonly ((a: number, b: number) => number)[] {
  const inputs = (["a", "b"] as const).map(
    (name, index) => [operand(name, width), { kind: "parameter", index }] as const,
  );
  const memory = new WebAssembly.Memory({ initial: 1 });
  const functions = instantiate(
    terms.map((result, i) => ({ name: `f${i}`, parameters: ["i32", "i32"], inputs, outputs: [], result })),
    memory,
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- results of at most 32 bits are numbers
  return terms.map((_, i) => functions.get(`f${i}`) as (a: number, b: number) => number);
}

export const signed = (x: number, width: number): number => (x >= 1 << (width - 1) ? x - (1 << width) : x);

/** The sets that a field's value, or both fields of a tnum, stand for. */
export interface Sets {
  /** By `value | mask << N`; empty where the two overlap. */
  readonly tnum: readonly number[];
  readonly umin: readonly number[];
  readonly umax: readonly number[];
  readonly smin: readonly number[];
  readonly smax: readonly number[];
}

function setsOf(width: number): Sets {
  const numbers = Array.from({ length: 1 << width }, (_, x) => x);
  const where = (holds: (x: number) => boolean): number =>
    numbers.reduce((set, x) => (holds(x) ? set | (1 << x) : set), 0);
  const all = (1 << width) - 1;
  const s = (x: number): number => signed(x, width);
  return {
    tnum: Array.from({ length: 1 << (2 * width) }, (_, t) =>
      where((x) => (x & ~(t >> width) & all) === (t & all)),
    ),
    umin: numbers.map((end) => where((x) => x >= end)),
    umax: numbers.map((end) => where((x) => x <= end)),
    smin: numbers.map((end) => where((x) => s(x) >= s(end))),
    smax: numbers.map((end) => where((x) => s(x) <= s(end))),
  };
}

const SETS = new Map([1, 2, 3, 4].map((width) => [width, setsOf(width)]));
/** The sets at a width of 1 to 4. */
export const sets = (width: number): Sets => SETS.get(width)!;

/** Packed parts, and the set that each stands for. */
export interface Parts {
  readonly packed: Int32Array;
  readonly sets: Uint16Array;
}

const memo = new Map<string, Parts>();

/**
 * All parts that hold a number, but with what is not in `fields` left as loose as it can be. A part that differs from one of these
 * only in other fields holds fewer numbers: what is sound for these, if it depends on `fields` alone, is sound for all.
 */
export function partsBy(width: number, fields: number): Parts {
  const key = `${width}:${fields}`;
  const found = memo.get(key);
  if (found !== undefined) return found;
  const made = enumerate(width, fields);
  memo.set(key, made);
  return made;
}

function enumerate(width: number, fields: number): Parts {
  const gamma = sets(width);
  const all = (1 << width) - 1;
  const [signedMin, signedMax] = [1 << (width - 1), (1 << (width - 1)) - 1];
  const uses = (field: Field): boolean => (fields & bitOf(field)) !== 0;
  const numbers = Array.from({ length: 1 << width }, (_, x) => x);
  const range = (field: Field, loosest: number): readonly number[] => (uses(field) ? numbers : [loosest]);

  const tnums = numbers.flatMap((value) => {
    if (uses("mask"))
      return numbers.filter((mask) => (value & mask) === 0).map((mask) => value | (mask << width));
    if (uses("value")) return [value | ((~value & all) << width)];
    return value === 0 ? [all << width] : [];
  });
  const intervals = (lows: readonly number[], highs: readonly number[], order: (x: number) => number) =>
    lows.flatMap((low) =>
      highs.filter((high) => order(low) <= order(high)).map((high) => [low, high] as const),
    );
  const unsigned = intervals(range("umin", 0), range("umax", all), (x) => x);
  const signedOnes = intervals(range("smin", signedMin), range("smax", signedMax), (x) => signed(x, width));

  const [codes, held]: [number[], number[]] = [[], []];
  for (const t of tnums) {
    for (const [umin, umax] of unsigned) {
      const half = gamma.tnum[t]! & gamma.umin[umin]! & gamma.umax[umax]!;
      if (half === 0) continue;
      for (const [smin, smax] of signedOnes) {
        const set = half & gamma.smin[smin]! & gamma.smax[smax]!;
        if (set === 0) continue;
        codes.push(
          t | (umin << (2 * width)) | (umax << (3 * width)) | (smin << (4 * width)) | (smax << (5 * width)),
        );
        held.push(set);
      }
    }
  }
  return { packed: Int32Array.from(codes), sets: Uint16Array.from(held) };
}

/** A packed part for a reader: the tnum's bits, then the intervals. */
export function show(part: number, width: number): string {
  const field = (i: number): number => (part >> (i * width)) & ((1 << width) - 1);
  const bits = Array.from({ length: width }, (_, i) => {
    const bit = 1 << (width - 1 - i);
    return field(1) & bit ? "x" : field(0) & bit ? "1" : "0";
  });
  return `${bits.join("")} u[${field(2)},${field(3)}] s[${signed(field(4), width)},${signed(field(5), width)}]`;
}
