/**
 * Steps of proofs about remainders by numbers that are not above the dividend (src/absint/scalar/remainder.ts): the remainder is in one of the
 * three pieces. The facts about integers apart, all is sums and differences of products, of which no more is known.
 */
import { signedMax } from "../../absint/scalar/part.ts";
import { between, type Piece } from "../../absint/scalar/piece.ts";
import { type Bounds, firsts, lasts, limits, lowBits, others } from "../../absint/scalar/remainder.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import { add, and, constant, eq, mul, ne, not, or, sub, ule, ult, zext } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { integers } from "../methods.ts";
import type { Step } from "../steps.ts";
import { betweenSteps, bitsTerms, endOf, inBits, signedSteps } from "./pieces.ts";
import { firstSteps, lastSteps } from "./remainder-constant.ts";
import { type Quotient, type QuotientOf, quotientOf } from "./remainder-quotient.ts";

type P = Piece<number>;

/** The remainders of one quotient or of several, by any divisors, are in `others`. */
function otherSteps(known: QuotientOf, kind: "only" | "one of several", bounds: Bounds): readonly Step[] {
  const {
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
    quotients,
    own,
    sameProduct,
    least,
    most,
    isPositive,
    fromFirst,
    toLast,
  } = known;
  const { dividends: xs, first, last, start, end, oneQuotient } = by;
  const { bits: lows, high } = lowBits(by);
  const limit = bounds(by);
  const made = others(by, bounds);
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
        forgets: [oneQuotient, limit.largest, ofIt, xs.least, n, r, start],
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
        forgets: [oneQuotient, limit.largest, xs.least, r, start],
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

  return kind === "only" ? ofOnly() : ofSeveral();
}

/** The remainder of n and d, in pieces a and b, with all divisors 1 or more and d ≤ n, is in one of three pieces. */
export function reducedSteps(
  a: P,
  b: P,
  n: Term,
  d: Term,
  kind: Quotient,
  bounds: Bounds = limits,
): { readonly steps: readonly Step[]; readonly piece: P } {
  const known = quotientOf(a, b, n, d, kind);
  const { by, r } = known;
  const [piece, special] = ((): readonly [P, readonly Step[]] => {
    switch (kind) {
      case "first of a constant":
        return [firsts(by), firstSteps(known)];
      case "last of a constant":
        return [lasts(by), lastSteps(known)];
      default:
        return [others(by, bounds), otherSteps(known, kind, bounds)];
    }
  })();
  return { steps: [...known.steps, ...special, ...signedSteps("remainders", piece, r, 0)], piece };
}
