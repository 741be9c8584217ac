/**
 * Steps of proofs about remainders by numbers that are not above the dividend (src/absint/scalar/remainder.ts): the remainder is in one of the
 * three pieces. That x = q · d + r with r < d is a fact about integers, as is what it says of other quotients and divisors; the rest is sums
 * and differences of products, of which no more is known.
 */

import { signedMax } from "../../absint/scalar/part.ts";
import { between, fromOn, type Piece, upTo } from "../../absint/scalar/piece.ts";
import {
  beforeSecond,
  type Division,
  division,
  firsts,
  lasts,
  limits,
  lowBits,
  others,
} from "../../absint/scalar/remainder.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import {
  add,
  all,
  and,
  constant,
  eq,
  umax as larger,
  mul,
  ne,
  not,
  or,
  umin as smaller,
  sub,
  udiv,
  ule,
  ult,
  urem,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { integers } from "../methods.ts";
import type { Step } from "../steps.ts";
import { byDividend, byDivisor } from "./divide.ts";
import {
  betweenSteps,
  bitsBetween,
  bitsTerms,
  endOf,
  fromOnSteps,
  inBits,
  inPiece,
  signedSteps,
  upToSteps,
} from "./pieces.ts";

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
function relation(name: string, x: Term, d: Term) {
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

/** The remainder of n and d, in pieces a and b, with all divisors 1 or more and d ≤ n, is in one of three pieces. */
export function reducedSteps(
  a: P,
  b: P,
  n: Term,
  d: Term,
  kind: Quotient,
): { readonly steps: readonly Step[]; readonly piece: P } {
  const [q, r] = [udiv(n, d), urem(n, d)];
  const one = constant(n.width, 1);
  const by = division(a, b);
  const { dividends: xs, first, last, start, end, oneQuotient, isConstant } = by;
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
  const common: readonly Step[] = [
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

  /** What is known of q · d, of another product that is the same because its factors are. */
  const sameProduct = (product: Term, because: readonly Term<1>[]): readonly Step[] => {
    const same = eq(own, product);
    const forgets = [own, product, least, d, n, r];
    return [
      { name: "the product", holds: same, from: because, forgets: quotients, by: integers },
      { name: "what remains", holds: eq(r, sub(n, product)), from: [facts.remains, same], forgets },
      { name: "product", holds: ule(product, n), from: [facts.product, same], forgets },
    ];
  };
  const constantSteps = (product: Term): readonly Step[] => [
    {
      name: "the divisor itself",
      holds: eq(d, least),
      from: [when, inB.least, inB.greatest],
      forgets: quotients,
    },
    ...sameProduct(product, [eq(d, least), when]),
    {
      name: "product is not below the constant",
      holds: ule(least, product),
      from: [facts.atLeast, eq(own, product), eq(d, least)],
      forgets: [own, product, least, d],
    },
  ];

  /** r is what remains of n, in a piece p, after a product. */
  const minusSteps = (p: P, product: Term, made: P): readonly Step[] => {
    const differences = tnum.sub(p.bits, tnum.exactly(product));
    const remains = eq(r, sub(n, product));
    const inP = inPiece(p, n);
    return [
      {
        name: "minus: least",
        holds: ule(made.least, r),
        from: [ule(product, p.least), inP.least, remains],
        forgets: [product, p.least, n, r],
      },
      {
        name: "minus: greatest",
        holds: ule(r, made.greatest),
        from: [ule(product, n), inP.greatest, remains],
        forgets: [product, p.greatest, n, r],
      },
      {
        name: "minus: known bits",
        holds: inBits(differences, r),
        from: [inP.bits, remains],
        forgets: [...bitsTerms(p.bits), product, n, r],
      },
      bitsBetween("minus", differences, made.least, made.greatest, r),
    ];
  };

  const ofFirst = (): readonly Step[] => {
    const bound = beforeSecond(by);
    const p = upTo(xs, bound);
    const made = firsts(by);
    const exact = udiv(xs.least, least);
    const isExact = eq(first, exact);
    const ofLeast = relation("least dividend", xs.least, least);
    const exactProduct = mul(exact, least);
    const below = ult(r, least);
    const stop = smaller(xs.greatest, bound);
    return [
      ...constantSteps(start),
      { name: "constant", holds: isConstant, from: [when], forgets: quotients },
      { name: "below the constant", holds: below, from: [facts.below, eq(d, least)], forgets: [r, d, least] },
      {
        name: "least quotient is positive",
        holds: ule(one, exact),
        from: [notBelow, leastIsPositive],
        forgets: [xs.least, least],
        by: integers,
      },
      ...[ule(least, most), ule(most, least)].map(
        (holds, i): Step => ({
          name: `one divisor, ${i === 0 ? "upwards" : "downwards"}`,
          holds,
          from: [isConstant],
          forgets: [least, most],
        }),
      ),
      byDivisor("by the greatest", xs.least, least, most),
      byDivisor("by the least", xs.least, most, least),
      {
        name: "quotient by the constant",
        holds: eq(byMost, exact),
        from: [ule(byMost, exact), ule(exact, byMost)],
        forgets: [byMost, exact],
      },
      {
        name: "first quotient by the constant",
        holds: isExact,
        from: [eq(byMost, exact), ule(one, exact)],
        forgets: [byMost, exact],
      },
      ...ofLeast.steps,
      {
        name: "product by the constant",
        holds: eq(exactProduct, start),
        from: [isExact],
        forgets: [exact, first, least],
        by: integers,
      },
      {
        name: "product is not above the least dividend",
        holds: ule(start, xs.least),
        from: [ofLeast.facts.product, eq(exactProduct, start)],
        forgets: [exactProduct, start, xs.least],
      },
      {
        name: "before the second quotient",
        holds: ule(n, bound),
        from: [eq(r, sub(n, start)), ule(start, n), below],
        forgets: [start, n, r, least],
        by: integers,
      },
      ...upToSteps("dividends with the first quotient", xs, bound, n),
      ...minusSteps(p, start, made),
      {
        name: "sign",
        holds: endOf(made, 0),
        from: [ule(p.greatest, stop), ule(n, p.greatest), ule(start, n), ule(least, start), leastIsPositive],
        forgets: [p.greatest, xs.greatest, start, least, n],
      },
      {
        name: "applies",
        holds: made.some,
        from: [p.some, by.some, isConstant],
        forgets: [p.some, by.some, isConstant],
      },
    ];
  };

  const ofLast = (): readonly Step[] => {
    const p = fromOn(xs, end);
    const made = lasts(by);
    const { steps, facts: greatest } = ofGreatest;
    return [
      ...constantSteps(end),
      ...steps,
      ...fromOnSteps("dividends with the last quotient", xs, end, n),
      {
        name: "product is not above the dividends",
        holds: ule(end, p.least),
        from: [ule(larger(xs.least, end), p.least)],
        forgets: [xs.least, end, p.least],
      },
      ...minusSteps(p, end, made),
      {
        name: "sign",
        holds: endOf(made, 0),
        from: [ule(made.greatest, signedMax(n.width)), greatest.product],
        forgets: [made.greatest, end, xs.greatest],
      },
      {
        name: "applies",
        holds: made.some,
        from: [p.some, by.some, when],
        forgets: [p.some, by.some, ...quotients],
      },
    ];
  };

  const { bits: lows, high } = lowBits(by);
  const limit = limits(by);
  const made = others(by);
  const isDifference = and(oneQuotient, eq(first, one));
  const differences = tnum.sub(xs.bits, b.bits);
  const ifDifference = or(not(isDifference), inBits(differences, r));
  const [low, zero] = [not(high), constant(n.width, 0)];
  const [ofDivisor, ofProduct] = [eq(and(d, low), zero), eq(and(own, low), zero)];
  const isLow = eq(and(low, add(low, one)), zero);
  const most_ = signedMax(n.width);
  const byQuotient = { holds: ule(r, limit.byQuotient), ends: ule(limit.byQuotient, most_) };

  const ofOther = (before: readonly Step[]): readonly Step[] => [
    ...before,
    {
      name: "low bits of the divisor",
      holds: ofDivisor,
      from: [inB.bits],
      forgets: [...bitsTerms(b.bits), d],
    },
    { name: "low bits are low", holds: isLow, from: [], forgets: bitsTerms(b.bits) },
    { name: "low bits of the product", holds: ofProduct, from: [ofDivisor, isLow], forgets: [q, d, high] },
    {
      name: "low bits of the remainder",
      holds: inBits(lows, r),
      from: [inX.bits, facts.remains, ofProduct, isLow],
      forgets: [own, n, r, high, ...bitsTerms(xs.bits)],
    },
    {
      name: "bits of the remainder",
      holds: inBits(limit.bits, r),
      from: [inBits(lows, r), ifDifference],
      forgets: [isDifference, ...bitsTerms(lows), ...bitsTerms(differences), r],
    },
    {
      name: "below the greatest divisor",
      holds: ule(r, sub(most, one)),
      from: [facts.below, inB.greatest],
      forgets: [r, d, most],
    },
    {
      name: "greatest",
      holds: ule(r, limit.greatest),
      from: [ule(r, sub(most, one)), byQuotient.holds],
      forgets: [r, most, limit.byQuotient],
    },
    {
      name: "greatest end",
      holds: ule(limit.greatest, most_),
      from: [byQuotient.ends],
      forgets: [most, limit.byQuotient],
    },
    ...betweenSteps("remainders", limit.bits, limit.least, limit.greatest, r),
    {
      name: "sign",
      holds: endOf(made, 0),
      from: [ule(made.greatest, limit.greatest), ule(limit.greatest, most_)],
      forgets: [made.greatest, limit.greatest],
    },
    {
      name: "applies",
      holds: made.some,
      from: [between(limit.bits, limit.least, limit.greatest).some, by.some, when, fromFirst, toLast],
      forgets: [between(limit.bits, limit.least, limit.greatest).some, by.some, ...quotients],
    },
  ];

  const ofOnly = (): readonly Step[] => {
    const ofIt = mul(first, d);
    const isFirst = eq(q, first);
    const wide = (t: Term): Term<128> => zext(128, t);
    const fits = ule(mul(wide(first), wide(most)), wide(constant(n.width, -1)));
    const [toLargest, fromStart] = [ule(ofIt, limit.largest), ule(start, ofIt)];
    const [remains, inside] = [eq(r, sub(n, ofIt)), ule(ofIt, n)];
    const isNext = or(ne(first, one), eq(r, sub(n, d)));
    return ofOther([
      { name: "only", holds: oneQuotient, from: [when], forgets: quotients },
      { name: "the first", holds: isFirst, from: [oneQuotient, fromFirst, toLast], forgets: quotients },
      {
        name: "largest product",
        holds: fits,
        from: [ule(one, most)],
        forgets: [xs.least, most],
        by: integers,
      },
      {
        name: "product and the largest",
        holds: toLargest,
        from: [fits, inB.greatest],
        forgets: [first, d, most],
        by: integers,
      },
      {
        name: "product and the smallest",
        holds: fromStart,
        from: [fits, inB.least, inB.greatest],
        forgets: [first, d, most, least],
        by: integers,
      },
      ...sameProduct(ofIt, [isFirst]),
      {
        name: "least",
        holds: ule(limit.least, r),
        from: [toLargest, inX.least, remains, inside],
        forgets: [oneQuotient, limit.largest, ofIt, xs.least, n, r],
        by: integers,
      },
      {
        name: "difference to the smallest",
        holds: ule(r, sub(xs.greatest, start)),
        from: [fromStart, inX.greatest, remains, inside],
        forgets: [start, ofIt, xs.greatest, n, r],
        by: integers,
      },
      {
        name: "greatest by the quotient",
        holds: byQuotient.holds,
        from: [ule(r, sub(xs.greatest, start)), oneQuotient],
        forgets: [r, oneQuotient, sub(xs.greatest, start), limit.bySeveral],
      },
      {
        name: "the last product",
        holds: eq(start, end),
        from: [oneQuotient],
        forgets: [first, last, least],
        by: integers,
      },
      {
        name: "end of the greatest by the quotient",
        holds: byQuotient.ends,
        from: [oneQuotient, eq(start, end), ule(sub(xs.greatest, end), most_)],
        forgets: [oneQuotient, start, end, xs.greatest, limit.bySeveral],
      },
      { name: "quotient one", holds: isNext, from: [remains], forgets: [first, n, d, r] },
      {
        name: "bits of the difference",
        holds: inBits(differences, sub(n, d)),
        from: [inX.bits, inB.bits],
        forgets: [...bitsTerms(xs.bits), ...bitsTerms(b.bits), n, d],
      },
      {
        name: "bits, if it is the difference",
        holds: ifDifference,
        from: [isNext, inBits(differences, sub(n, d))],
        forgets: [oneQuotient, first, sub(n, d), r, ...bitsTerms(differences)],
      },
    ]);
  };

  const ofSeveral = (): readonly Step[] => {
    const wide = (t: Term): Term<128> => zext(128, t);
    const weight = add(mul(wide(first), add(wide(r), wide(one))), wide(r));
    const isSeveral = not(oneQuotient);
    const heavy = ule(weight, wide(n));
    const more = ult(first, last);
    const ends = ule(limit.bySeveral, most_);
    return ofOther([
      { name: "several", holds: isSeveral, from: [when], forgets: quotients },
      {
        name: "first and last",
        holds: more,
        from: [isSeveral, fromFirst, toLast],
        forgets: [first, last, q],
      },
      {
        name: "remainder and least quotient",
        holds: heavy,
        from: [fromFirst, isPositive],
        forgets: [first, n, d],
        by: integers,
      },
      {
        name: "remainder of several",
        holds: ule(r, limit.bySeveral),
        from: [heavy, inX.greatest, more],
        forgets: [first, last, n, r, xs.greatest],
        by: integers,
      },
      {
        name: "end of several",
        holds: ends,
        from: [heavy, inX.greatest, more, ule(one, first)],
        forgets: [first, last, n, r, xs.greatest],
        by: integers,
      },
      {
        name: "least",
        holds: ule(limit.least, r),
        from: [isSeveral],
        forgets: [oneQuotient, limit.largest, xs.least, r],
      },
      {
        name: "greatest by the quotient",
        holds: byQuotient.holds,
        from: [ule(r, limit.bySeveral), isSeveral],
        forgets: [r, oneQuotient, sub(xs.greatest, start), limit.bySeveral],
      },
      {
        name: "end of the greatest by the quotient",
        holds: byQuotient.ends,
        from: [ends, isSeveral],
        forgets: [oneQuotient, sub(xs.greatest, start), limit.bySeveral],
      },
      {
        name: "no difference",
        holds: ifDifference,
        from: [isSeveral],
        forgets: [oneQuotient, first, ...bitsTerms(differences), r],
      },
    ]);
  };

  const [piece, special] = ((): readonly [P, readonly Step[]] => {
    switch (kind) {
      case "first of a constant":
        return [firsts(by), ofFirst()];
      case "last of a constant":
        return [lasts(by), ofLast()];
      case "only":
        return [made, ofOnly()];
      case "one of several":
        return [made, ofSeveral()];
    }
  })();
  return { steps: [...common, ...special, ...signedSteps("remainders", piece, r, 0)], piece };
}
