/**
 * Operators that look at their operands' halves (src/absint/scalar/piece.ts) and nothing else. The halves are the same for all parts that
 * hold the same numbers, so that one part for each set of numbers stands for all: at 4 bits 1,732 instead of 373,828.
 */
import type { Part } from "../../src/absint/scalar/part.ts";
import { halves, type Piece } from "../../src/absint/scalar/piece.ts";
import { concat, variable } from "../../src/semantics/term/build.ts";
import { type Term, variablesOf } from "../../src/semantics/term/node.ts";
import { substitution } from "../../src/semantics/term/substitute.ts";
import { type Abstract, type Concrete, imagesOf } from "./exhaust.ts";
import { ALL_FIELDS, compiled, operand, packed, partsBy, sets, show, signed, unpacked } from "./small.ts";

export const BY_HALVES: ReadonlySet<string> = new Set([
  "mul",
  "div",
  "mod",
  "sdiv",
  "smod",
  "lsh",
  "rsh",
  "arsh",
]);

const termsOf = ({ some, least, greatest, bits }: Piece<number>): readonly Term[] => [
  some,
  least,
  greatest,
  bits.value,
  bits.mask,
];

/** The free variables of a result once the operands' halves are replaced by variables of their own. */
export function besidesHalves(abstract: Abstract, width: number): readonly string[] {
  const [a, b] = [unpacked(operand("a", width)), unpacked(operand("b", width))];
  const known = [a, b].flatMap((p) => halves(p).flatMap(termsOf));
  const replace = substitution(new Map(known.map((t, i) => [t, variable(`known ${i}`, t.width)])));
  const result = replace(packed(abstract(a, b)));
  return variablesOf([result])
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("known"));
}

/** One part for each set of numbers that a part can hold. */
function representatives(width: number): readonly (readonly [part: number, set: number])[] {
  const { packed: parts, sets: held } = partsBy(width, ALL_FIELDS);
  return [...new Map([...held].map((set, i) => [set, parts[i]!])).entries()].map(([set, part]) => [
    part,
    set,
  ]);
}

/** Goes through every pair of representatives; throws an error that shows the first where a result lacks a number. How many there were. */
export function holdsForAllSets(abstract: Abstract, concrete: Concrete, width: number): number {
  const gamma = sets(width);
  const all = (1 << width) - 1;
  const result = packed(abstract(unpacked(operand("a", width)), unpacked(operand("b", width))));
  const apply = compiled([result], width)[0]!;
  const image = imagesOf(concrete, width);
  const parts = representatives(width);
  const field = (part: number, i: number): number => (part >> (i * width)) & all;
  for (const [a, aSet] of parts) {
    for (const [b, bSet] of parts) {
      const r = apply(a, b);
      const held =
        gamma.tnum[r & ((1 << (2 * width)) - 1)]! &
        gamma.umin[field(r, 2)]! &
        gamma.umax[field(r, 3)]! &
        gamma.smin[field(r, 4)]! &
        gamma.smax[field(r, 5)]!;
      if ((image(aSet, bSet) & ~held) !== 0)
        throw new Error(
          `of ${show(a, width)} and ${show(b, width)} the result ${show(r, width)} lacks a number`,
        );
    }
  }
  return parts.length ** 2;
}

/** The ends and bits of the numbers of a set, or all zeros: what a piece of them must be. */
function tightest(set: number, width: number): readonly number[] {
  const numbers = Array.from({ length: 1 << width }, (_, x) => x).filter((x) => (set >> x) & 1);
  const [first = 0] = numbers;
  const mask = numbers.reduce((bits, x) => bits | (x ^ first), 0);
  return [Math.min(1, numbers.length), first, numbers.at(-1) ?? 0, first & ~mask, mask];
}

/** Throws an error that shows the first part whose halves are not the tightest. How many parts there were. */
export function halvesAreTightest(
  split: (p: Part<number>) => readonly [Piece<number>, Piece<number>],
  width: number,
): number {
  const functions = split(unpacked(operand("a", width))).map((half) => {
    const [some, ...rest] = termsOf(half);
    const low = rest.reduce((all, t) => concat(all.width + t.width, t, all), some!);
    return compiled([low], width)[0]!;
  });
  const { packed: parts, sets: held } = partsBy(width, ALL_FIELDS);
  const negative = Array.from({ length: 1 << width }, (_, x) => x)
    .filter((x) => signed(x, width) < 0)
    .reduce((set, x) => set | (1 << x), 0);
  parts.forEach((part, i) => {
    [held[i]! & ~negative, held[i]! & negative].forEach((set, which) => {
      const [some, ...rest] = tightest(set, width);
      const wanted = rest.reduce((all, x, j) => all | (x << (1 + j * width)), some!);
      if (functions[which]!(part, 0) !== wanted) throw new Error(`half ${which} of ${show(part, width)}`);
    });
  });
  return parts.length;
}
