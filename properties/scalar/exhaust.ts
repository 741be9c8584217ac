/**
 * One harness for every abstract operator at small widths: all parts, all numbers in them.
 *
 * Soundness is claimed component by component: a part holds what all its components hold. A component's result depends on few of the
 * operands' fields, which `fieldsUsed` reads off its term, so only those are varied and the rest left as loose as can be. That
 * covers every pair of parts (`partsBy` says why) with far fewer cases: 4-bit addition has 10^12 pairs of parts, and this goes
 * through 10^4 to 10^5 for each component.
 */
import { type Condition, decide, refine } from "../../src/absint/scalar/branch.ts";
import type { Part } from "../../src/absint/scalar/part.ts";
import { concat } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { fieldsUsed } from "./dependence.ts";
import { EFFORT, SEED } from "./settings.ts";
import { ALL_FIELDS, compiled, operand, type Parts, partsBy, sets, show, unpacked } from "./small.ts";

/** `term`'s value, for operands that stand for the sets `a` and `b`, must be one whose set has everything in `required(a, b)`. */
interface Claim {
  readonly about: string;
  readonly term: Term;
  readonly within: readonly number[];
  readonly required: (a: number, b: number) => number;
}

const showSet = (set: number): string =>
  `{${Array.from({ length: 16 }, (_, x) => x)
    .filter((x) => (set >> x) & 1)
    .join(",")}}`;

/** A repeatable sequence of indices (xorshift32). */
export function chance(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export interface Coverage {
  readonly cases: number;
  /** Claims of which a sample was taken, since all would be more than the limit. */
  readonly sampled: readonly string[];
}

interface Limits {
  /** Most pairs of operands that are all gone through for one claim. */
  readonly limit: number;
  /** How many are drawn where there are more. */
  readonly sample: number;
  readonly seed: number;
}

/** Whether to vary only what a result depends on, or everything: far more cases, to see that it comes to the same. */
type Variation = "relevant" | "all";

const DEFAULTS: Limits = { limit: 12_000_000 * EFFORT, sample: 500_000 * EFFORT, seed: SEED };

/** Goes through all operands, or a sample of them where there are too many; throws an error that shows the first that fails. */
function goThrough(
  name: string,
  width: number,
  claims: readonly Claim[],
  limits: Limits,
  variation: Variation = "relevant",
): Coverage {
  const functions = compiled(
    claims.map((claim) => claim.term),
    width,
  );
  const sampled: string[] = [];
  let cases = 0;
  claims.forEach(({ about, term, within, required }, index) => {
    const apply = functions[index]!;
    const parts = (operand: "a" | "b"): Parts =>
      partsBy(width, variation === "all" ? ALL_FIELDS : fieldsUsed(term, operand));
    const [as, bs] = [parts("a"), parts("b")];
    const check = (i: number, j: number): void => {
      const [a, b] = [as.packed[i]!, bs.packed[j]!];
      const wanted = required(as.sets[i]!, bs.sets[j]!);
      const result = apply(a, b);
      const missing = wanted & ~within[result]!;
      if (missing === 0) return;
      const operands = `${show(a, width)} = ${showSet(as.sets[i]!)} and ${show(b, width)} = ${showSet(bs.sets[j]!)}`;
      throw new Error(
        `${name} at ${width} bits, ${about}: of ${operands} the result ${result} = ${showSet(within[result]!)} lacks ${showSet(missing)}`,
      );
    };
    cases += pairs(as.sets.length, bs.sets.length, check, limits);
    if (as.sets.length * bs.sets.length > limits.limit) sampled.push(about);
  });
  return { cases, sampled };
}

/** Checks all pairs of indices, or a sample of them; how many that were. */
function pairs(m: number, n: number, check: (i: number, j: number) => void, limits: Limits): number {
  const { limit, sample, seed } = limits;
  if (m * n <= limit) {
    for (let i = 0; i < m; i += 1) for (let j = 0; j < n; j += 1) check(i, j);
    return m * n;
  }
  const below = chance(seed);
  for (let k = 0; k < sample; k += 1) check(below(m), below(n));
  return sample;
}

/** What each component of `part` must hold, if the whole is to hold `required`. */
function componentClaims(part: Part<number>, prefix: string, required: Claim["required"]): readonly Claim[] {
  const { width } = part.umin;
  const gamma = sets(width);
  const ends = (["umin", "umax", "smin", "smax"] as const).map(
    (end): Claim => ({ about: `${prefix}${end}`, term: part[end], within: gamma[end], required }),
  );
  const tnum = concat(2 * width, part.tnum.mask, part.tnum.value);
  return [{ about: `${prefix}tnum`, term: tnum, within: gamma.tnum, required }, ...ends];
}

/** For sets of up to 16 numbers, the union of `row(element)`. */
function union(set: number, row: (element: number) => number): number {
  let result = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) result |= row(31 - Math.clz32(rest & -rest));
  return result;
}

/** An abstract operation on parts, for any width; its second operand is unused if it is unary. */
export type Abstract = (a: Part<number>, b: Part<number>) => Part<number>;
/** What it does to numbers in [0, 2^width); the result counts modulo 2^width. */
export type Concrete = (x: number, y: number, width: number) => number;

/** The images of all sets of numbers: `image(a, b) = { f(x, y) : x ∈ a, y ∈ b }`. */
export function imagesOf(concrete: Concrete, width: number): (a: number, b: number) => number {
  const size = 1 << width;
  /** By the first set and the second number. */
  const table = new Uint16Array(2 ** size * size);
  for (let set = 1; set < 2 ** size; set += 1) {
    const rest = set & (set - 1);
    const x = 31 - Math.clz32(set & -set);
    for (let y = 0; y < size; y += 1) {
      const one = rest === 0 ? 1 << (concrete(x, y, width) & (size - 1)) : table[(set ^ rest) * size + y]!;
      table[set * size + y] = table[rest * size + y]! | one;
    }
  }
  return (a, b) => union(b, (y) => table[a * size + y]!);
}

/** `f(x, y)` is in the result for all x and y in the operands. */
export function operatorHolds(
  name: string,
  abstract: Abstract,
  concrete: Concrete,
  width: number,
  variation: Variation = "relevant",
): Coverage {
  return resultHolds(name, abstract, imagesOf(concrete, width), width, variation);
}

/** The result holds the set that `required` makes of those of the operands. */
export function resultHolds(
  name: string,
  abstract: Abstract,
  required: (a: number, b: number) => number,
  width: number,
  variation: Variation = "relevant",
): Coverage {
  const result = abstract(unpacked(operand("a", width)), unpacked(operand("b", width)));
  return goThrough(name, width, componentClaims(result, "", required), DEFAULTS, variation);
}

/** The answer is yes only if the second operand's set is part of the first's. */
export function inclusionHolds(
  name: string,
  includes: (outer: Part<number>, inner: Part<number>) => Term<1>,
  width: number,
): Coverage {
  const term = includes(unpacked(operand("a", width)), unpacked(operand("b", width)));
  const required = (a: number, b: number): number => ((b & ~a) === 0 ? 0 : FALSE);
  const within = [FALSE | TRUE, TRUE];
  return goThrough(name, width, [{ about: "inclusion", term, within, required }], DEFAULTS);
}

type Truth = (x: number, y: number, width: number) => boolean;
export type Decide = (condition: Condition, a: Part<number>, b: Part<number>) => Term<2>;
export type Refine = (
  condition: Condition,
  a: Part<number>,
  b: Part<number>,
) => readonly [Part<number>, Part<number>];

/** By one number, the set of those to which it is in relation. */
function relation(width: number, holds: (x: number, y: number) => boolean): readonly number[] {
  const numbers = Array.from({ length: 1 << width }, (_, x) => x);
  return numbers.map((y) => numbers.reduce((set, x) => (holds(x, y) ? set | (1 << x) : set), 0));
}

const disjuncts = (term: Term): readonly Term[] =>
  term.op === "or" ? [...disjuncts(term.left), ...disjuncts(term.right)] : [term];

/**
 * An answer that is a chain of `ite` is right if each link is: whenever one of the conditions' disjuncts holds, the answer it leads to.
 * Each depends on less than the chain.
 */
function links(answer: Term, required: Claim["required"]): readonly Claim[] {
  if (answer.op !== "ite" || answer.ifTrue.op !== "const")
    return [{ about: "decision", term: answer, within: OUTCOMES, required }];
  const given = Number(answer.ifTrue.value);
  const reasons = disjuncts(answer.condition).map((term, i): Claim => {
    return {
      about: `reason ${i + 1} for ${given}`,
      term,
      within: [FALSE | TRUE, OUTCOMES[given]!],
      required,
    };
  });
  return [...reasons, ...links(answer.ifFalse, required)];
}

/** The sets of truth values: 0 and 1, and for each decision those that it allows. */
const [FALSE, TRUE] = [0b01, 0b10];
const OUTCOMES = [FALSE, TRUE, FALSE | TRUE, 0];

/** The answer "never" or "always" is given only where it is so. */
export function decisionHolds(
  condition: Condition,
  truth: Truth,
  width: number,
  operator: Decide = decide,
): Coverage {
  const answer = operator(condition, unpacked(operand("a", width)), unpacked(operand("b", width)));
  const trues = relation(width, (x, y) => truth(x, y, width));
  const required = (a: number, b: number): number =>
    union(b, (y) => ((a & trues[y]!) !== 0 ? TRUE : 0) | ((a & ~trues[y]!) !== 0 ? FALSE : 0));
  return goThrough(condition, width, links(answer, required), DEFAULTS);
}

/** Every pair for which the condition is true stays. */
export function refinementHolds(
  condition: Condition,
  truth: Truth,
  width: number,
  operator: Refine = refine,
): Coverage {
  const [a, b] = operator(condition, unpacked(operand("a", width)), unpacked(operand("b", width)));
  const byRight = relation(width, (x, y) => truth(x, y, width));
  const byLeft = relation(width, (y, x) => truth(x, y, width));
  const claims = [
    ...componentClaims(a, "left ", (as, bs) => as & union(bs, (y) => byRight[y]!)),
    ...componentClaims(b, "right ", (as, bs) => bs & union(as, (x) => byLeft[x]!)),
  ];
  return goThrough(condition, width, claims, DEFAULTS);
}
