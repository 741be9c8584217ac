/**
 * Operands of the measurements of precision: pools of parts, each with the numbers it holds.
 */
import { chance } from "./exhaust.ts";
import { SEED } from "./settings.ts";

/** Parts and what they hold. */
export interface Pool {
  readonly width: number;
  readonly size: number;
  /** Two words a part: value, mask, umin, umax; smin, smax; one byte each. */
  readonly words: Uint32Array;
  /** The numbers held by part i are `members[starts[i]]` … `members[starts[i + 1] - 1]`. */
  readonly members: Uint8Array;
  readonly starts: Uint32Array;
}

/** What is known of an operand: one component, both intervals, or all of it. */
export type Known = "tnum" | "unsigned" | "signed" | "intervals" | "everything";

/** Numbers of one sign, in order, that an operand may hold: none, or those of a tnum between two of them. */
interface Half {
  readonly held: readonly number[];
  readonly and: number;
  readonly or: number;
}

const NOTHING: Half = { held: [], and: -1, or: 0 };

const halfOf = (held: readonly number[]): Half => ({
  held,
  and: held.reduce((bits, x) => bits & x, -1),
  or: held.reduce((bits, x) => bits | x, 0),
});

const halvesOf = (members: readonly number[]): readonly Half[] => [
  NOTHING,
  ...members.flatMap((_, i) => members.slice(i).map((_, j) => halfOf(members.slice(i, i + j + 1)))),
];

/** The tightest part around numbers that are not negative and numbers that are, if it has this tnum. */
type Gathered = { readonly words: readonly [number, number]; readonly held: readonly number[] };

function gather(
  width: number,
  value: number,
  mask: number,
  positive: Half,
  negative: Half,
): Gathered | undefined {
  const all = (1 << width) - 1;
  const held = [...positive.held, ...negative.held];
  if (held.length === 0) return undefined;
  const common = positive.and & negative.and & all;
  if (common !== value || ((positive.or | negative.or) & ~common) !== mask) return undefined;
  const ends = [...negative.held, ...positive.held];
  const unsigned = (held[0]! << 16) | (held.at(-1)! << 24);
  return { words: [value | (mask << 8) | unsigned, ends[0]! | (ends.at(-1)! << 8)], held };
}

function tnumsOf(
  width: number,
): readonly (readonly [value: number, mask: number, members: readonly number[]])[] {
  const numbers = Array.from({ length: 1 << width }, (_, x) => x);
  return numbers.flatMap((mask) =>
    numbers
      .filter((value) => (value & mask) === 0)
      .map((value) => [value, mask, numbers.filter((x) => (x & ~mask) === value)] as const),
  );
}

const bySign = (width: number, members: readonly number[]): readonly [number[], number[]] => [
  members.filter((x) => x < 1 << (width - 1)),
  members.filter((x) => x >= 1 << (width - 1)),
];

function poolOf(width: number, parts: readonly Gathered[]): Pool {
  const starts = new Uint32Array(parts.length + 1);
  parts.forEach(({ held }, i) => {
    starts[i + 1] = starts[i]! + held.length;
  });
  const words = new Uint32Array(2 * parts.length);
  const members = new Uint8Array(starts[parts.length]!);
  parts.forEach((part, i) => {
    words.set(part.words, 2 * i);
    members.set(part.held, starts[i]);
  });
  return { width, size: parts.length, words, members, starts };
}

/** Each set that a part can stand for, once, as the tightest part around it. */
function everyTightest(width: number): Pool {
  const parts = tnumsOf(width).flatMap(([value, mask, members]) => {
    const [positive, negative] = bySign(width, members).map(halvesOf);
    return positive!.flatMap((p) => negative!.flatMap((n) => gather(width, value, mask, p, n) ?? []));
  });
  return poolOf(width, parts);
}

/** `size` of them, each drawn from all with equal chance. */
function someTightest(width: number, size: number): Pool {
  const below = chance(SEED + width);
  const tnums = tnumsOf(width).map((tnum) => [tnum, ...bySign(width, tnum[2])] as const);
  const ways = (n: number): number => (n * (n + 1)) / 2 + 1;
  const weights: number[] = [];
  let total = 0;
  for (const [, positive, negative] of tnums) {
    total += ways(positive.length) * ways(negative.length);
    weights.push(total);
  }
  const draw = (members: readonly number[]): Half => {
    if (below(ways(members.length)) === 0) return NOTHING;
    // Two ends with equal chance for each pair in order: of n + 1 places two different ones.
    const [i, j] = [below(members.length + 1), below(members.length + 1)];
    return i === j ? draw(members) : halfOf(members.slice(Math.min(i, j), Math.max(i, j)));
  };
  const parts: Gathered[] = [];
  while (parts.length < size) {
    const at = (below(2 ** 30) / 2 ** 30) * total;
    const [tnum, positive, negative] = tnums[weights.findIndex((weight) => weight > at)]!;
    const part = gather(width, tnum[0], tnum[1], draw(positive), draw(negative));
    if (part !== undefined) parts.push(part);
  }
  return poolOf(width, parts);
}

/** All parts of which only so much is known, the rest as loose as it can be. */
function loosePool(width: number, known: Exclude<Known, "everything">): Pool {
  const all = (1 << width) - 1;
  const sign = 1 << (width - 1);
  const numbers = Array.from({ length: 1 << width }, (_, x) => x);
  const words = (value: number, mask: number, umin: number, umax: number, smin: number, smax: number) =>
    [value | (mask << 8) | (umin << 16) | (umax << 24), smin | (smax << 8)] as const;
  const intervals = numbers.flatMap((low) => numbers.slice(low).map((high) => [low, high] as const));
  switch (known) {
    case "tnum":
      return poolOf(
        width,
        tnumsOf(width).map(([value, mask, held]) => ({
          words: words(value, mask, 0, all, sign, sign - 1),
          held,
        })),
      );
    case "unsigned":
      return poolOf(
        width,
        intervals.map(([low, high]) => ({
          words: words(0, all, low, high, sign, sign - 1),
          held: numbers.slice(low, high + 1),
        })),
      );
    case "signed":
      return poolOf(
        width,
        intervals.map(([low, high]) => ({
          words: words(0, all, 0, all, low ^ sign, high ^ sign),
          held: numbers.slice(low, high + 1).map((x) => x ^ sign),
        })),
      );
    case "intervals": {
      const [positive, negative] = bySign(width, numbers).map(halvesOf);
      const both = positive!.flatMap((p) => negative!.map((n) => [p.held, n.held] as const)).slice(1);
      return poolOf(
        width,
        both.map(([p, n]) => {
          const [held, ends] = [
            [...p, ...n],
            [...n, ...p],
          ];
          return { words: words(0, all, held[0]!, held.at(-1)!, ends[0]!, ends.at(-1)!), held };
        }),
      );
    }
  }
}

const pools = new Map<string, Pool>();

/** The greatest width at which all tightest parts are listed; beyond, as many are drawn. */
export const LISTED = 6;
export const DRAWN = 40_000;

export function pool(width: number, known: Known): Pool {
  const key = `${known}:${width}`;
  const found = pools.get(key);
  if (found !== undefined) return found;
  const made =
    known !== "everything"
      ? loosePool(width, known)
      : width <= LISTED
        ? everyTightest(width)
        : someTightest(width, DRAWN);
  pools.set(key, made);
  return made;
}
