/**
 * What a quotient and a remainder are, for proofs about remainders by numbers that are not above the dividend (src/absint/scalar/remainder.ts). That
 * x = q · d + r with r < d is a fact about integers, as is what it says of other quotients and divisors.
 */
import { signedMax } from "../../absint/scalar/part.ts";
import type { Piece } from "../../absint/scalar/piece.ts";
import { type Division, division } from "../../absint/scalar/remainder.ts";
import {
  all,
  and,
  constant,
  eq,
  umax as larger,
  mul,
  ne,
  not,
  sub,
  udiv,
  ule,
  ult,
  urem,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { integers } from "../methods.ts";
import type { Step } from "../steps.ts";
import { byDividend, byDivisor } from "./divide.ts";
import { fromOnSteps, inPiece } from "./pieces.ts";

type P = Piece<number>;

/** Which quotient a remainder belongs to, by what the pieces distinguish. */
export const QUOTIENTS = ["first of a constant", "last of a constant", "only", "one of several"] as const;
export type Quotient = (typeof QUOTIENTS)[number];

/** When the quotient of n and d, from two pieces, is of a kind. One of the kinds it always is. */
export function quotientIs(
  kind: Quotient,
  { isConstant, first, last, oneQuotient }: Division<number>,
  q: Term,
): Term<1> {
  const isFirst = and(isConstant, eq(q, first));
  const isLast = all(isConstant, ne(q, first), eq(q, last));
  switch (kind) {
    case "first of a constant":
      return isFirst;
    case "last of a constant":
      return isLast;
    case "only":
      return and(oneQuotient, not(isFirst));
    case "one of several":
      return all(not(oneQuotient), not(isFirst), not(isLast));
  }
}

/** What makes q and r the quotient and the remainder of x and d, as facts about numbers that are taken modulo 2^N. */
export function relation(name: string, x: Term, d: Term) {
  const [q, r] = [udiv(x, d), urem(x, d)];
  const one = constant(x.width, 1);
  const product = mul(q, d);
  const facts = {
    remains: eq(r, sub(x, product)),
    product: ule(product, x),
    below: ult(r, d),
    atLeast: ule(d, product),
  };
  const given = { from: [ule(one, d)], forgets: [x, d], by: integers };
  const steps: readonly Step[] = [
    { name: `${name}: what remains`, holds: facts.remains, ...given },
    { name: `${name}: product`, holds: facts.product, ...given },
    { name: `${name}: below the divisor`, holds: facts.below, ...given },
    {
      name: `${name}: product is not below the divisor`,
      holds: facts.atLeast,
      ...given,
      from: [ule(one, d), ule(d, x)],
    },
  ];
  return { facts, steps };
}

/** Numbers n and d in pieces a and b, their quotient q and remainder r, what they are compared with, and the steps that show what is known of them. */
export interface QuotientOf {
  readonly a: P;
  readonly b: P;
  readonly n: Term;
  readonly d: Term;
  readonly q: Term;
  readonly r: Term;
  readonly one: Term;
  readonly by: Division<number>;
  /** That the quotient is of the kind in question. */
  readonly when: Term<1>;
  readonly inB: ReturnType<typeof inPiece<number>>;
  readonly inX: ReturnType<typeof inPiece<number>>;
  readonly facts: ReturnType<typeof relation>["facts"];
  readonly ofGreatest: ReturnType<typeof relation>;
  /** Terms that steps about quotients forget. */
  readonly quotients: readonly Term[];
  /** q · d. */
  readonly own: Term;
  readonly steps: readonly Step[];
  /** What is known of q · d, of another product that is the same because its factors are. */
  readonly sameProduct: (product: Term, because: readonly Term<1>[]) => readonly Step[];
  readonly least: Term;
  readonly most: Term;
  readonly isPositive: Term<1>;
  readonly leastIsPositive: Term<1>;
  readonly notBelow: Term<1>;
  readonly fromFirst: Term<1>;
  readonly toLast: Term<1>;
  readonly byMost: Term;
}

/** What is known of the quotient and the remainder of n and d, in pieces a and b, with all divisors 1 or more and d ≤ n. */
export function quotientOf(a: P, b: P, n: Term, d: Term, kind: Quotient): QuotientOf {
  const [q, r] = [udiv(n, d), urem(n, d)];
  const one = constant(n.width, 1);
  const by = division(a, b);
  const { dividends: xs, first, last, end } = by;
  const [least, most] = [b.least, b.greatest];
  const when = quotientIs(kind, by, q);
  const [inB, inX] = [inPiece(b, d), inPiece(xs, n)];
  const { facts, steps: ofN } = relation("remainder", n, d);
  const ofGreatest = relation("greatest dividend", xs.greatest, least);
  const quotients = [first, last, q, least, most, d];
  const own = mul(q, d);
  const [isPositive, leastIsPositive] = [ule(one, d), ule(one, least)];
  const notBelow = ule(least, xs.least);
  const [fromFirst, toLast] = [ule(first, q), ule(q, last)];
  const [byMost, ownByMost, byLeast] = [udiv(xs.least, most), udiv(n, most), udiv(n, least)];
  const steps: readonly Step[] = [
    {
      name: "divisor is positive",
      holds: isPositive,
      from: [leastIsPositive, inB.least],
      forgets: [least, d],
    },
    {
      name: "greatest divisor is positive",
      holds: ule(one, most),
      from: [isPositive, inB.greatest],
      forgets: [most, d],
    },
    {
      name: "not below the least divisor",
      holds: ule(least, n),
      from: [inB.least, ule(d, n)],
      forgets: [least, d, n],
    },
    ...fromOnSteps("dividends", a, least, n),
    {
      name: "dividends are not below the least divisor",
      holds: notBelow,
      from: [ule(larger(a.least, least), xs.least)],
      forgets: [a.least, least, xs.least],
    },
    {
      name: "greatest dividend is not below the least divisor",
      holds: ule(least, xs.greatest),
      from: [ule(least, n), inX.greatest],
      forgets: [least, n, xs.greatest],
    },
    { name: "some", holds: by.some, from: [xs.some, b.some], forgets: [xs.some, b.some] },
    byDividend("least dividend", xs.least, n, most),
    byDivisor("greatest divisor", n, d, most),
    {
      name: "quotient is positive",
      holds: ule(one, q),
      from: [ule(d, n), isPositive],
      forgets: [d, n],
      by: integers,
    },
    {
      name: "first quotient",
      holds: fromFirst,
      from: [ule(byMost, ownByMost), ule(ownByMost, q), ule(one, q)],
      forgets: [byMost, ownByMost, q],
    },
    { name: "first quotient is positive", holds: ule(one, first), from: [], forgets: [byMost] },
    byDivisor("least divisor", n, least, d),
    byDividend("greatest dividend", n, xs.greatest, least),
    {
      name: "last quotient",
      holds: toLast,
      from: [ule(q, byLeast), ule(byLeast, last)],
      forgets: [q, byLeast, last],
    },
    ...ofN,
    ...ofGreatest.steps,
    {
      name: "greatest remainder",
      holds: ule(sub(xs.greatest, end), signedMax(n.width)),
      from: [
        ofGreatest.facts.remains,
        ofGreatest.facts.below,
        ofGreatest.facts.product,
        ofGreatest.facts.atLeast,
      ],
      forgets: [urem(xs.greatest, least), end, xs.greatest, least],
    },
  ];

  const sameProduct = (product: Term, because: readonly Term<1>[]): readonly Step[] => {
    const same = eq(own, product);
    const forgets = [own, product, least, d, n, r];
    return [
      { name: "the product", holds: same, from: because, forgets: quotients, by: integers },
      { name: "what remains", holds: eq(r, sub(n, product)), from: [facts.remains, same], forgets },
      { name: "product", holds: ule(product, n), from: [facts.product, same], forgets },
    ];
  };
  return {
    a,
    b,
    n,
    d,
    q,
    r,
    one,
    by,
    when,
    inB,
    inX,
    facts,
    ofGreatest,
    quotients,
    own,
    steps,
    sameProduct,
    least,
    most,
    isPositive,
    leastIsPositive,
    notBelow,
    fromFirst,
    toLast,
    byMost,
  };
}
