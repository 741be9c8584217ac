/**
 * Abstract signed remainders: that the result holds every remainder, by the signs of both numbers. That a signed remainder is one of magnitudes,
 * with the sign of the dividend, is its definition.
 */
import { divisorsOf } from "../../absint/scalar/divide.ts";
import type { Part } from "../../absint/scalar/part.ts";
import { signedMin } from "../../absint/scalar/part.ts";
import { asPart, between, type Case, fromOn, halves, type Piece, ranges } from "../../absint/scalar/piece.ts";
import { fromWide, low, wide, zeroExtended } from "../../absint/scalar/product.ts";
import { unchanged } from "../../absint/scalar/remainder.ts";
import {
  magnitudes,
  manySignedRemainders,
  negated,
  type Signing,
  signedRemainder,
  signedRemainders,
  smod,
  unchangedNegative,
} from "../../absint/scalar/signed-division.ts";
import {
  all,
  and,
  constant,
  eq,
  umax as larger,
  neg as minus,
  not,
  umin as smaller,
  sub,
  ule,
  ult,
  urem,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, integers, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, type Proofs, type WrongResult } from "./alu.ts";
import { divisorSteps } from "./divide.ts";
import { endSteps, implies, proofsThroughPairs, signsOf } from "./few.ts";
import { magnitudeSteps, negatedSteps } from "./negated.ts";
import { type OfWidth, operandsOf } from "./operands.ts";
import {
  bitsTerms,
  endOf,
  formSteps,
  fromOnSteps,
  halfSteps,
  hasSign,
  inBits,
  isFormed,
  joinedSteps,
  type Sign,
  signedSteps,
  termsOf,
  uniteSteps,
  upToSteps,
} from "./pieces.ts";
import { byQuotient, ofSign, pieceOf, SIGNS } from "./remainder.ts";
import { reducedSteps } from "./remainder-steps.ts";
import { A, B } from "./scalar.ts";

/** That the greatest number of a half, if it has any, is in its bits and not before the least. */
function greatestSteps(
  name: string,
  p: Part<number>,
  x: Term,
  sign: Sign,
): { readonly steps: readonly Step[]; readonly holds: Term<1> } {
  const { bits, from, to, may } = ranges(p)[sign];
  const half = halves(p)[sign];
  const inside = between(bits, from, to);
  const isLast = (q: Piece<number>): Term<1> =>
    implies(q.some, and(inBits(q.bits, q.greatest), ule(q.least, q.greatest)));
  return {
    holds: isLast(half),
    steps: [
      ...formSteps(name, p, bits, x),
      {
        name: `${name}: greatest is possible`,
        holds: inBits(bits, inside.greatest),
        from: [isFormed(bits)],
        forgets: [...bitsTerms(bits), to],
      },
      {
        name: `${name}: greatest is between the ends`,
        holds: isLast(inside),
        from: [inBits(bits, inside.greatest)],
        forgets: [...bitsTerms(bits), inside.least, inside.greatest, from, to],
      },
      {
        name: `${name}: greatest is in the half`,
        holds: isLast(half),
        from: [isLast(inside)],
        forgets: [may, ...termsOf(inside)],
      },
    ],
  };
}

/** For a claim that the remainder of x and y is in a component of that of many numbers. */
function remaining(a: OfWidth, b: OfWidth, signing: Signing): Method {
  const [x, y] = [a.value, b.value];
  const [zero, one] = [constant(x.width, 0), constant(x.width, 1)];
  const z = signedRemainder(x, y);
  const dividends = halves(a.part);
  const [clear, set] = halves(b.part);
  const of = signedRemainders(a.part, b.part, signing);
  const { divisor } = of;
  const united: readonly [Case<number>, ...Case<number>[]] = [
    of.byZero[0],
    of.byZero[1],
    ...of.others.flatMap((half) => [half.unchanged, ...half.reduced]),
  ];

  const ending = (
    steps: readonly Step[],
    which: Case<number>,
    value: Term,
    from: readonly Term<1>[],
  ): Method => {
    const same: Step = { name: "the result", holds: eq(z, value), from, forgets: [x, y], by: integers };
    const { steps: uniting, last } = uniteSteps(united, which, value);
    return inSteps([...a.steps, ...b.steps, ...steps, same, ...uniting], {
      ...last,
      connecting: [eq(z, value), ...(last.connecting ?? [])],
      forgets: [...last.forgets, z],
    });
  };

  const byZero = (sign: Sign): Method => {
    const half = dividends[sign];
    const which = of.byZero[sign];
    const isZero = divisorsOf(clear).zero;
    const when = and(eq(y, zero), hasSign(x, sign));
    const facts = [eq(y, zero), hasSign(y, 0), hasSign(x, sign)];
    const steps: readonly Step[] = [
      ...facts.map(
        (holds, i): Step => ({ name: `the case, fact ${i}`, holds, from: [when], forgets: [x, y] }),
      ),
      ...halfSteps("divisor", b.part, y, 0),
      ...divisorSteps("divisor", clear, y, "zero"),
      ...halfSteps("dividend", a.part, x, sign),
      ...signedSteps("dividend", half, x, sign),
      { name: "applies", holds: which.some, from: [isZero, half.some], forgets: [isZero, half.some] },
    ];
    return ending(steps, which, x, [eq(y, zero)]);
  };

  /** What is known of both magnitudes, and of the divisors. */
  const operands = (sign: Sign, ofDivisor: Sign, when: Term<1>) => {
    const half = dividends[sign];
    const [n, ns] = sign === 0 ? [x, half] : [minus(x), magnitudes(half)];
    const positive = fromOn(clear, one);
    const d = ofDivisor === 0 ? y : minus(y);
    const last = greatestSteps("divisor not negative", b.part, y, 0);
    const fromOne = implies(positive.some, ule(one, positive.least));
    const facts = [hasSign(x, sign), hasSign(y, ofDivisor), not(eq(y, zero))];
    const divisorTerms = [...termsOf(clear), ...termsOf(set)];
    const steps: readonly Step[] = [
      ...facts.map(
        (holds, i): Step => ({ name: `the case, fact ${i}`, holds, from: [when], forgets: [x, y] }),
      ),
      ...halfSteps("dividend", a.part, x, sign),
      ...(sign === 0 ? [] : magnitudeSteps("dividend", half, x)),
      ...halfSteps("divisor", b.part, y, ofDivisor),
      { name: "divisor is not zero", holds: ule(one, y), from: [not(eq(y, zero))], forgets: [y] },
      ...(ofDivisor === 0
        ? fromOnSteps("divisor from one", clear, one, y)
        : magnitudeSteps("divisor", set, y)),
      ...joinedSteps("divisors", positive, magnitudes(set), d, ofDivisor),
      ...SIGNS.flatMap((s) => endSteps(ofSign("divisor", s), b.part, y, s)),
      ...last.steps,
      { name: "divisors from one", holds: fromOne, from: [last.holds], forgets: divisorTerms },
      {
        name: "divisors are positive",
        holds: ule(one, divisor.least),
        from: [fromOne, signsOf(set, 1), divisor.some],
        forgets: [...termsOf(positive), ...termsOf(set)],
      },
      {
        name: "divisors are magnitudes",
        holds: ule(divisor.greatest, signedMin(x.width)),
        from: [signsOf(clear, 0), signsOf(set, 1), divisor.some],
        forgets: divisorTerms,
      },
    ];
    return { n, ns, d, facts, steps };
  };

  const whenBelow = (sign: Sign, ofDivisor: Sign): Term<1> => whenSigns(sign, ofDivisor, (n, d) => ult(n, d));
  const whenNotBelow = (sign: Sign, ofDivisor: Sign): Term<1> =>
    whenSigns(sign, ofDivisor, (n, d) => ule(d, n));
  const whenSigns = (sign: Sign, ofDivisor: Sign, order: (n: Term, d: Term) => Term<1>): Term<1> =>
    all(
      not(eq(y, zero)),
      hasSign(x, sign),
      hasSign(y, ofDivisor),
      order(sign === 0 ? x : minus(x), ofDivisor === 0 ? y : minus(y)),
    );

  /** From what is known of a remainder of magnitudes, r in `piece`, to the end. */
  const signed = (sign: Sign, piece: Piece<number>, which: Case<number>) => {
    const applies: Step = {
      name: "applies, signed",
      holds: which.some,
      from: [piece.some, divisor.some],
      forgets: [piece.some, divisor.some],
    };
    return (r: Term): readonly Step[] => [
      applies,
      ...(sign === 0 ? [] : negatedSteps("remainder", asPart(piece), which.part, r)),
    ];
  };

  const below = (sign: Sign, ofDivisor: Sign): Method => {
    const when = whenBelow(sign, ofDivisor);
    const { n, d, facts, steps } = operands(sign, ofDivisor, when);
    const half = dividends[sign];
    const to = sub(divisor.greatest, one);
    const from = minus(to);
    const same = sign === 0 ? unchanged(half, divisor.greatest) : unchangedNegative(half, divisor.greatest);
    const lower = ult(n, d);
    const which = of.others[sign].unchanged;
    const known = [lower, ule(d, divisor.greatest), hasSign(x, sign)];
    const ends = [n, d, x, divisor.greatest];
    const isMore = ult(one, divisor.greatest);
    const cut: readonly Step[] =
      sign === 0
        ? [
            { name: "below the greatest", holds: ule(n, to), from: known, forgets: ends },
            ...upToSteps("unchanged", half, to, n),
            {
              name: "unchanged: sign",
              holds: endOf(same, 0),
              from: [
                ule(same.greatest, smaller(half.greatest, to)),
                ule(divisor.greatest, signedMin(x.width)),
                ...known,
              ],
              forgets: [same.greatest, half.greatest, ...ends],
            },
          ]
        : [
            {
              name: "above the least",
              holds: ule(from, x),
              from: [...known, ...facts],
              forgets: [d, x, y, divisor.greatest],
            },
            ...fromOnSteps("unchanged", half, from, x),
            {
              name: "divisors are more than one",
              holds: isMore,
              from: [...known, ...facts],
              forgets: [d, x, y, divisor.greatest],
            },
            {
              name: "unchanged: some of all",
              holds: same.some,
              from: [fromOn(half, from).some, isMore],
              forgets: [fromOn(half, from).some, divisor.greatest],
            },
            {
              name: "unchanged: sign",
              holds: endOf(same, 1),
              from: [ule(larger(half.least, from), same.least), endOf(half, 1)],
              forgets: [same.least, half.least, from],
            },
          ];
    return ending(
      [
        ...steps,
        { name: "below", holds: lower, from: [when], forgets: [x, y] },
        ...cut,
        ...signedSteps("unchanged", same, x, sign),
        {
          name: "applies",
          holds: which.some,
          from: [same.some, divisor.some],
          forgets: [same.some, divisor.some],
        },
      ],
      which,
      x,
      [lower, ...facts],
    );
  };

  const notBelow = (sign: Sign, ofDivisor: Sign): Method => {
    const when = whenNotBelow(sign, ofDivisor);
    const { n, ns, d, facts, steps } = operands(sign, ofDivisor, when);
    const r = urem(n, d);
    return byQuotient(ns, divisor, n, d, (kind) => {
      const which = of.others[sign].reduced[pieceOf(kind)];
      const { steps: reducing, piece } = reducedSteps(ns, divisor, n, d, kind);
      return ending(
        [
          ...steps,
          { name: "not below", holds: ule(d, n), from: [when], forgets: [x, y] },
          ...reducing,
          ...signed(sign, piece, which)(r),
        ],
        which,
        sign === 0 ? r : minus(r),
        facts,
      );
    });
  };

  return cases([
    ...SIGNS.map((sign) => ({
      name: ofSign("divisor zero, dividend", sign),
      when: and(eq(y, zero), hasSign(x, sign)),
      by: byZero(sign),
    })),
    ...SIGNS.flatMap((sign) =>
      SIGNS.flatMap((other) => {
        const name = `${ofSign("dividend", sign)}, ${ofSign("divisor", other)}`;
        return [
          { name: `${name}, below`, when: whenBelow(sign, other), by: below(sign, other) },
          { name: `${name}, not below`, when: whenNotBelow(sign, other), by: notBelow(sign, other) },
        ];
      }),
    ),
  ]);
}

function proofsOf(width: 32 | 64, signing: Signing): Proofs {
  const [a, b] = operandsOf(width);
  const by = remaining(a, b, signing);
  const otherwise = manySignedRemainders(a.part, b.part, signing);
  return proofsThroughPairs("smod", width, { a, b, apply: signedRemainder, otherwise, by: () => by });
}

/** A wrong sign: none. */
const unsigned: Signing = (made) => made;

const wrongResult = (width: 32 | 64): WrongResult => {
  const { sound } = proofsOf(width, unsigned);
  return {
    name: "remainders of magnitudes, without a sign",
    groups: width === 64 ? ["s64"] : ["s32"],
    result: () =>
      width === 64
        ? fromWide(smod(wide(A.scalar), wide(B.scalar), unsigned))
        : zeroExtended(smod(low(A.scalar), low(B.scalar), unsigned)),
    ...(sound?.s64 === undefined ? {} : { by: sound.s64 }),
  };
};

export const signedRemainderTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) =>
    aluTheorems("smod", width, { ...proofsOf(width, negated), wrong: [wrongResult(width)] }),
  );
