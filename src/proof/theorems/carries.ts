/**
 * Differences of tnums, by what they borrow.
 *
 * Of bits that are known in both operands, a difference's depends on what is borrowed from them alone. Numbers with more bits set borrow less, and by
 * numbers with more bits set more is borrowed: so what two members borrow lies between what the operator compares, the greatest less the least and the
 * least less the greatest.
 */
import * as tnum from "../../absint/scalar/tnum.ts";
import { add, and, constant, eq, extract, not, sub, xor } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits, cut, type Lemma, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import { type OfWidth, operandsOf } from "./operands.ts";
import { inBits } from "./pieces.ts";
import { A, B } from "./scalar.ts";

type Tnum = tnum.Tnum<number>;

const isZero = (t: Term): Term<1> => eq(t, constant(t.width, 0));
const isSubset = (s: Term, t: Term): Term<1> => isZero(and(s, not(t)));
const borrowed = (x: Term, y: Term): Term => xor(sub(x, y), xor(x, y));

/**
 * That what the operators on tnums add to a sum of the least, or take from a difference of them, makes the sum of the greatest, or the differences that are furthest
 * apart, if no operand has a bit in both value and mask.
 */
export function extremeSteps(op: "add" | "sub", a: Tnum, b: Tnum, disjoint: readonly Term<1>[]) {
  const [p, q] = [tnum.possible(a), tnum.possible(b)];
  const sums = [a, b].map(({ value, mask }) => add(value, mask));
  const [sumA = p, sumB = q] = sums;
  const unions = [a, b].map(
    ({ value, mask }, i): Step => ({
      name: `union ${i + 1} is a sum`,
      holds: eq<number>([p, q][i] ?? p, add(value, mask)),
      from: disjoint.slice(i, i + 1),
      forgets: [value, mask],
    }),
  );
  const parts = [a.value, a.mask, b.value, b.mask];
  const linked = (name: string, made: Term, bySums: Term, byUnions: Term): readonly Step[] => [
    { name: `${name}: in another order`, holds: eq<number>(made, bySums), from: [], forgets: parts },
    {
      name: `${name}: unions in the place of sums`,
      holds: eq<number>(made, byUnions),
      from: [eq<number>(made, bySums), ...unions.map(({ holds }) => holds)],
      forgets: [made, ...sums, p, q, a.value, b.value],
    },
  ];
  if (op === "add") {
    const made = add(add(a.mask, b.mask), add(a.value, b.value));
    const both = add(p, q);
    return {
      steps: [...unions, ...linked("sum", made, add(sumA, sumB), both)],
      links: [eq<number>(made, both)],
      terms: [made, both],
    };
  }
  const values = sub(a.value, b.value);
  const [most, least] = [add(values, a.mask), sub(values, b.mask)];
  const [greatest, smallest] = [sub(p, b.value), sub(a.value, q)];
  return {
    steps: [
      ...unions,
      ...linked("greatest", most, sub(sumA, b.value), greatest),
      ...linked("least", least, sub(a.value, sumB), smallest),
    ],
    links: [eq<number>(most, greatest), eq<number>(least, smallest)],
    terms: [most, greatest, least, smallest],
  };
}

/** That the difference of two numbers of one width is in that of their tnums. */
function differenceLemma(name: string, a: OfWidth, b: OfWidth): Lemma & { readonly terms: readonly Term[] } {
  const [s, t] = [a.part.tnum, b.part.tnum];
  const [x, y] = [a.value, b.value];
  const inside = [inBits(s, x), inBits(t, y)];
  const disjoint = [s, t].map(({ value, mask }) => isZero(and(value, mask)));
  const { steps: extremes, links, terms } = extremeSteps("sub", s, t, disjoint);
  const [p, q] = [tnum.possible(s), tnum.possible(t)];
  const subsets: Step[] = [
    { of: s, n: x, member: inside.slice(0, 1) },
    { of: t, n: y, member: inside.slice(1) },
  ].flatMap(({ of, n, member }, i) => {
    const most = tnum.possible(of);
    return [
      isZero(and(of.value, of.mask)),
      isSubset(of.value, n),
      isSubset(n, most),
      isSubset(of.value, most),
    ].map(
      (holds, j): Step => ({
        name: `bits of operand ${i + 1}, ${j + 1}`,
        holds,
        from: member,
        forgets: [of.value, of.mask, n],
      }),
    );
  });
  /** Pairs of which the second borrows what the first does, by one operand that grows or shrinks. */
  const chain: readonly (readonly [readonly [Term, Term], readonly [Term, Term]])[] = [
    [
      [p, t.value],
      [x, t.value],
    ],
    [
      [x, t.value],
      [x, y],
    ],
    [
      [x, y],
      [x, q],
    ],
    [
      [x, q],
      [s.value, q],
    ],
    [
      [p, t.value],
      [s.value, t.value],
    ],
    [
      [s.value, t.value],
      [s.value, q],
    ],
  ];
  const borrows = chain.map(([[i, j], [k, l]], n): Step => {
    const isLeft = j === l;
    return {
      name: `borrowed, ${n + 1}`,
      holds: isSubset(borrowed(i, j), borrowed(k, l)),
      from: [isLeft ? isSubset(k, i) : isSubset(j, l)],
      forgets: isLeft ? [i, k, j] : [j, l, i],
    };
  });
  const differences = chain.flat().map(([i, j]) => sub(i, j));
  const result = tnum.sub(s, t);
  const by = inSteps([...a.steps, ...b.steps, ...subsets, ...extremes, ...borrows], {
    connecting: [...inside, ...disjoint, ...links, ...borrows.map(({ holds }) => holds)],
    from: [],
    forgets: [...differences, ...terms],
  });
  return { name, holds: inBits(result, sub(x, y)), by, terms: [result.value, result.mask, sub(x, y)] };
}

/** For the claim that the result of a subtraction is in its tnum: at 64 bits the operator subtracts the low halves for themselves, too. */
export function differenceInBits(width: 32 | 64): Method {
  const half = differenceLemma("the low half", ...operandsOf(32));
  if (width === 32) return cut([half], half.terms);
  const whole = differenceLemma("the whole", ...operandsOf(64));
  const [x, y] = [A.value, B.value];
  const low = sub(extract(32, x), extract(32, y));
  const link: Lemma = {
    name: "the half of the whole",
    holds: eq<number>(extract(32, sub(x, y)), low),
    by: (claim) => bits({ ...claim, premises: [] }),
  };
  return cut([whole, half, link], [...whole.terms, ...half.terms]);
}
