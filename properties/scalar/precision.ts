/**
 * How near an abstract operator comes to the best there is, at 4 to 8 bits.
 *
 * Operands are pools of parts, each with the numbers it holds. The best result for two parts is the tightest part around the numbers
 * that can come out; what an operator gives, once its components have told each other what they know, is compared with that, field by field.
 *
 * In memory a part is a record of 8 bytes: its six fields in the order of `FIELDS`, one byte each, and two that are zero.
 */
import type { Part } from "../../src/absint/scalar/part.ts";
import { variable } from "../../src/semantics/term/build.ts";
import {
  type FunctionSpec,
  instantiateOnAddresses,
  type OnAddresses,
} from "../../src/semantics/term/wasm.ts";
import { exchanged } from "./exchange.ts";
import { type Abstract, chance } from "./exhaust.ts";
import type { Operator } from "./operators.ts";
import { SEED } from "./settings.ts";
import { FIELDS } from "./small.ts";

const RECORD = 8;
/** The results' record comes first in memory, the left operands' follow. */
const FIRST = RECORD;

/** Parts and what they hold. */
export interface Pool {
  readonly width: number;
  readonly size: number;
  /** Two words a part: value, mask, umin, umax; smin, smax. */
  readonly words: Uint32Array;
  /** The numbers held by part i are `members[starts[i]]` … `members[starts[i + 1] - 1]`. */
  readonly members: Uint8Array;
  readonly starts: Uint32Array;
}

/** What is known of an operand: one component, both intervals, or all of it. */
export type Known = "tnum" | "unsigned" | "signed" | "intervals" | "everything";

const symbolic = (name: string, width: number): Part<number> => {
  const [value, mask, umin, umax, smin, smax] = FIELDS.map((field) => variable(`${name}.${field}`, width));
  return { tnum: { value: value!, mask: mask! }, umin: umin!, umax: umax!, smin: smin!, smax: smax! };
};

function compile(memory: WebAssembly.Memory, width: number, result: Abstract): OnAddresses {
  const [a, b] = [symbolic("a", width), symbolic("b", width)];
  const fields = (p: Part<number>) => [p.tnum.value, p.tnum.mask, p.umin, p.umax, p.smin, p.smax];
  const place = (pointer: number, offset: number) => ({ pointer, offset, bytes: 1 }) as const;
  const spec: FunctionSpec = {
    name: "f",
    parameters: ["i32", "i32", "i32"],
    inputs: [a, b].flatMap((p, pointer) =>
      fields(p).map((term, i) => [term, { kind: "memory", ...place(pointer, i) }] as const),
    ),
    outputs: fields(result(a, b)).map((term, i) => [term, place(2, i)] as const),
  };
  return instantiateOnAddresses([spec], memory).get("f")!;
}

// --- Pools

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
  return {
    width,
    size: parts.length,
    words: Uint32Array.from(parts.flatMap(({ words }) => words)),
    members: Uint8Array.from(parts.flatMap(({ held }) => held)),
    starts,
  };
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

/** The widths at which all tightest parts are listed; beyond, as many are drawn. */
const LISTED = 5;
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

// --- Measuring

export interface Limits {
  /** Pairs of operands that are all gone through. */
  readonly all: number;
  /** How many are drawn where there are more. */
  readonly sample: number;
}

/** Counts of pairs of operands. */
export interface Tally {
  readonly pairs: number;
  readonly exhaustive: boolean;
  /** With the best tnum, the best unsigned and signed interval, both intervals, all of them. */
  readonly tnum: number;
  readonly unsigned: number;
  readonly signed: number;
  readonly intervals: number;
  readonly everything: number;
  /** Results whose numbers are those of the best: all fields would be the best if the components told each other all they know. */
  readonly complete: number;
  /** How many numbers the results and the best results hold, in all; counted where all is known of operands. */
  readonly held: number;
  readonly needed: number;
}

/** By each number on the right, the tightest part around what comes of it and of a set on the left. */
interface Rows {
  readonly and: Uint8Array;
  readonly or: Uint8Array;
  readonly umin: Uint8Array;
  readonly umax: Uint8Array;
  /** With the sign bit flipped, so that unsigned order is the signed one. */
  readonly smin: Uint8Array;
  readonly smax: Uint8Array;
}

function fillRows(rows: Rows, table: Uint8Array, width: number, left: Uint8Array): void {
  const sign = 1 << (width - 1);
  for (let y = 0; y < rows.and.length; y += 1) {
    let [and, or, umin, umax, smin, smax] = [255, 0, 255, 0, 255, 0];
    for (const x of left) {
      const z = table[(x << width) | y]!;
      const s = z ^ sign;
      and &= z;
      or |= z;
      if (z < umin) umin = z;
      if (z > umax) umax = z;
      if (s < smin) smin = s;
      if (s > smax) smax = s;
    }
    rows.and[y] = and;
    rows.or[y] = or;
    rows.umin[y] = umin;
    rows.umax[y] = umax;
    rows.smin[y] = smin;
    rows.smax[y] = smax;
  }
}

const byteArray = (length: number) => (): Uint8Array => new Uint8Array(length);

/** How many numbers a record's part holds, and the tightest part around them as words. */
function heldBy(width: number, first: number, second: number): readonly [number, number, number] {
  const sign = 1 << (width - 1);
  const all = (1 << width) - 1;
  const [value, mask, low, high] = [first & 255, (first >>> 8) & 255, (first >>> 16) & 255, first >>> 24];
  const [slow, shigh] = [(second & 255) ^ sign, (second >>> 8) ^ sign];
  let [count, and, or, umin, umax, smin, smax] = [0, all, 0, all, 0, all, 0];
  for (let x = low; x <= high; x += 1) {
    const s = x ^ sign;
    if ((x & ~mask) !== value || s < slow || s > shigh) continue;
    count += 1;
    and &= x;
    or |= x;
    if (x < umin) umin = x;
    umax = x;
    if (s < smin) smin = s;
    if (s > smax) smax = s;
  }
  const words = [
    and | ((or & ~and) << 8) | (umin << 16) | (umax << 24),
    (smin ^ sign) | ((smax ^ sign) << 8),
  ];
  return [count, words[0]! >>> 0, words[1]!];
}

type Words = readonly [number, number];

/** Whether the first part says no more than the second, component by component. */
function encloses(width: number, [first, second]: Words, [inner0, inner1]: Words): boolean {
  const sign = 1 << (width - 1);
  const at = (word: number, byte: number): number => (word >>> (8 * byte)) & 255;
  const known = ~at(first, 1);
  return (
    (at(inner0, 1) & known) === 0 &&
    (at(inner0, 0) & known) === at(first, 0) &&
    at(first, 2) <= at(inner0, 2) &&
    at(inner0, 3) <= at(first, 3) &&
    (at(second, 0) ^ sign) <= (at(inner1, 0) ^ sign) &&
    (at(inner1, 1) ^ sign) <= (at(second, 1) ^ sign)
  );
}

/**
 * How often `operator` gives the best result for operands of which so much is known. With `exchange` the operands' components tell each other what
 * they know first, and the result's afterwards, as in the verifier; without, what an operator says by itself is measured. Throws if the operator is unsound.
 */
export function measure(
  operator: Operator,
  width: number,
  known: Known,
  limits: Limits,
  exchange = true,
): Tally {
  const operands = pool(width, known);
  const unary = operator.operands === 1;
  const { size, starts, members } = operands;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((FIRST + RECORD * size) / 65536) });
  const words = new Uint32Array(memory.buffer);
  words.set(operands.words, FIRST / 4);
  const address = (i: number): number => FIRST + RECORD * i;
  if (exchange && known !== "everything") {
    const tighten = compile(memory, width, (a) => exchanged(a));
    for (let i = 0; i < size; i += 1) tighten(address(i), address(i), address(i));
  }
  const apply = compile(memory, width, (a, b) => {
    const result = operator.abstract(a, b);
    return exchange ? exchanged(result) : result;
  });

  const modulus = (1 << width) - 1;
  const table = Uint8Array.from(
    { length: 1 << (2 * width) },
    (_, at) => operator.concrete(at >> width, at & modulus, width) & modulus,
  );
  const make = byteArray(unary ? 1 : 1 << width);
  const rows: Rows = { and: make(), or: make(), umin: make(), umax: make(), smin: make(), smax: make() };
  const sign = 1 << (width - 1);
  const tally = {
    tnum: 0,
    unsigned: 0,
    signed: 0,
    intervals: 0,
    everything: 0,
    complete: 0,
    held: 0,
    needed: 0,
  };

  const compare = (i: number, j: number): void => {
    let [and, or, umin, umax, smin, smax] = [255, 0, 255, 0, 255, 0];
    const [from, to] = unary ? [0, 1] : [starts[j]!, starts[j + 1]!];
    for (let k = from; k < to; k += 1) {
      const y = unary ? 0 : members[k]!;
      and &= rows.and[y]!;
      or |= rows.or[y]!;
      if (rows.umin[y]! < umin) umin = rows.umin[y]!;
      if (rows.umax[y]! > umax) umax = rows.umax[y]!;
      if (rows.smin[y]! < smin) smin = rows.smin[y]!;
      if (rows.smax[y]! > smax) smax = rows.smax[y]!;
    }
    const best0 = (and | ((or & ~and) << 8) | (umin << 16) | (umax << 24)) >>> 0;
    const best1 = (smin ^ sign) | ((smax ^ sign) << 8);
    apply(address(i), address(j), 0);
    const [is0, is1] = [words[0]!, words[1]!];
    const differ = is0 ^ best0;
    const signedBest = is1 === best1;
    if ((differ & 0xffff) === 0) tally.tnum += 1;
    if (differ >>> 16 === 0) tally.unsigned += 1;
    if (signedBest) tally.signed += 1;
    if (differ >>> 16 === 0 && signedBest) tally.intervals += 1;
    const same = differ === 0 && signedBest;
    if (same) tally.everything += 1;
    if (!same && !encloses(width, [is0, is1], [best0, best1]))
      throw new Error(`${operator.name} at ${width} bits is unsound`);
    if (known !== "everything") return;
    const [needed] = heldBy(width, best0, best1);
    tally.needed += needed;
    if (same) {
      tally.complete += 1;
      tally.held += needed;
      return;
    }
    const [held, tight0, tight1] = heldBy(width, is0, is1);
    tally.held += held;
    if (tight0 === best0 && tight1 === best1) tally.complete += 1;
  };

  const fill = (i: number): void => fillRows(rows, table, width, members.subarray(starts[i], starts[i + 1]));
  const rights = unary ? 1 : size;
  if (size * rights <= limits.all) {
    for (let i = 0; i < size; i += 1) {
      fill(i);
      for (let j = 0; j < rights; j += 1) compare(i, j);
    }
    return { pairs: size * rights, exhaustive: known !== "everything" || width <= LISTED, ...tally };
  }
  const below = chance(SEED);
  const beside = unary ? 1 : BESIDE;
  const lefts = Math.ceil(limits.sample / beside);
  for (let n = 0; n < lefts; n += 1) {
    const i = below(size);
    fill(i);
    for (let k = 0; k < beside; k += 1) compare(i, unary ? 0 : below(size));
  }
  return { pairs: lefts * beside, exhaustive: false, ...tally };
}

/** Each left operand that is drawn meets so many right ones: what comes of it is listed once for all. */
const BESIDE = 32;
