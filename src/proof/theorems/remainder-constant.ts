/** Steps of proofs about remainders by a constant (src/absint/scalar/remainder.ts): of dividends with the first quotient, and with the last. */
import { signedMax } from "../../absint/scalar/part.ts";
import { fromOn, type Piece, upTo } from "../../absint/scalar/piece.ts";
import { beforeSecond, firsts, lasts } from "../../absint/scalar/remainder.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import { eq, umax as larger, mul, umin as smaller, sub, udiv, ule, ult } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { integers } from "../methods.ts";
import type { Step } from "../steps.ts";
import { byDivisor } from "./divide.ts";
import { bitsBetween, bitsTerms, endOf, fromOnSteps, inBits, inPiece, upToSteps } from "./pieces.ts";
import { type QuotientOf, relation } from "./remainder-quotient.ts";

type P = Piece<number>;

/** What is known of the product of the divisor, a constant, and a quotient. */
function constantSteps(known: QuotientOf, product: Term): readonly Step[] {
  const { d, when, inB, facts, quotients, own, sameProduct, least } = known;
  return [
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
}

/** The remainder is what remains of the dividend, in a piece p, after a product. */
function minusSteps(known: QuotientOf, p: P, product: Term, made: P): readonly Step[] {
  const { n, r } = known;
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
}

/** The remainder of a dividend with the first quotient is in `firsts`. */
export function firstSteps(known: QuotientOf): readonly Step[] {
  const { n, d, r, one, by, when, facts, quotients, least, most, leastIsPositive, notBelow, byMost } = known;
  const { dividends: xs, first, start, isConstant } = by;
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
    ...constantSteps(known, start),
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
    ...minusSteps(known, p, start, made),
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
}

/** The remainder of a dividend with the last quotient is in `lasts`. */
export function lastSteps(known: QuotientOf): readonly Step[] {
  const { n, by, when, ofGreatest, quotients } = known;
  const { dividends: xs, end } = by;
  const p = fromOn(xs, end);
  const made = lasts(by);
  const { steps, facts: greatest } = ofGreatest;
  return [
    ...constantSteps(known, end),
    ...steps,
    ...fromOnSteps("dividends with the last quotient", xs, end, n),
    {
      name: "product is not above the dividends",
      holds: ule(end, p.least),
      from: [ule(larger(xs.least, end), p.least)],
      forgets: [xs.least, end, p.least],
    },
    ...minusSteps(known, p, end, made),
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
}
