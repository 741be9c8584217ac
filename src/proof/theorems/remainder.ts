/**
 * Abstract remainders: that the result holds every remainder, by what the divisor is and the sign of the dividend. Those of dividends that are
 * not below the divisor are in remainder-steps.ts, and operands that are few numbers in few.ts.
 */

import { divisorsOf } from "../../absint/scalar/divide.ts";
import { type Case, fromOn, halves, type Piece } from "../../absint/scalar/piece.ts";
import { fromWide, low, wide, zeroExtended } from "../../absint/scalar/product.ts";
import {
  type Bounds,
  division,
  limits,
  manyRemainders,
  mod,
  remainder,
  remainders,
  unchanged,
} from "../../absint/scalar/remainder.ts";
import {
  all,
  and,
  constant,
  eq,
  ite,
  umax as larger,
  not,
  umin as smaller,
  sub,
  udiv,
  ule,
  ult,
  urem,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, type Case as Distinguished, integers, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, type WrongResult } from "./alu.ts";
import { divisorSteps } from "./divide.ts";
import { endSteps, proofsThroughPairs, signsOf } from "./few.ts";
import { type OfWidth, operandsOf } from "./operands.ts";
import {
  endOf,
  fromOnSteps,
  halfSteps,
  hasSign,
  type Sign,
  signedSteps,
  uniteSteps,
  upToSteps,
} from "./pieces.ts";
import { QUOTIENTS, type Quotient, quotientIs } from "./remainder-quotient.ts";
import { reducedSteps } from "./remainder-steps.ts";
import { A, B } from "./scalar.ts";

export const SIGNS: readonly Sign[] = [0, 1];
export const ofSign = (what: string, sign: Sign): string =>
  `${what} ${sign === 0 ? "not negative" : "negative"}`;

/** The signs of a dividend and a divisor that is not above it, in unsigned order. */
const DIVIDED: readonly (readonly [Sign, Sign])[] = [
  [0, 0],
  [1, 0],
  [1, 1],
];

/** Which of the three pieces a quotient's remainders are in. */
export const pieceOf = (kind: Quotient): 0 | 1 | 2 => {
  if (kind === "first of a constant") return 0;
  return kind === "last of a constant" ? 1 : 2;
};

/** By the kind of quotient that n and d have; one of them it always is. */
export const byQuotient =
  (
    a: Piece<number>,
    b: Piece<number>,
    n: Term,
    d: Term,
    by: (kind: Quotient, when: Term<1>) => Method,
  ): Method =>
  (claim) => {
    const q = udiv(n, d);
    const of = division(a, b);
    const forgets = [q, of.first, of.last, b.least, b.greatest];
    const always = inSteps([], { from: [], forgets });
    const distinguished = QUOTIENTS.map((kind): Distinguished => {
      const when = quotientIs(kind, of, q);
      return { name: `quotient ${kind}`, when, by: by(kind, when) };
    });
    return cases(distinguished, always)(claim);
  };

/** x, below a number that is at most `greatest`, in a half, is in what is left of it. */
function unchangedSteps(half: Piece<number>, x: Term, y: Term, greatest: Term, sign: Sign): readonly Step[] {
  const same = unchanged(half, greatest);
  const to = sub(greatest, constant(x.width, 1));
  const within = ule(same.greatest, half.greatest);
  return [
    {
      name: "below the greatest",
      holds: ule(x, to),
      from: [ult(x, y), ule(y, greatest)],
      forgets: [x, y, greatest],
    },
    ...upToSteps("unchanged", half, to, x),
    ...(sign === 1
      ? []
      : [
          {
            name: "unchanged: not past the half",
            holds: within,
            from: [ule(same.greatest, smaller(half.greatest, to))],
            forgets: [same.greatest, half.greatest, to],
          },
          {
            name: "unchanged: sign",
            holds: endOf(same, 0),
            from: [within, endOf(half, 0)],
            forgets: [same.greatest, half.greatest],
          },
        ]),
    ...signedSteps("unchanged", same, x, sign),
  ];
}

/** For a claim that the remainder of x and y is in a component of that of many numbers. */
function remaining(a: OfWidth, b: OfWidth, bounds: Bounds): Method {
  const [x, y] = [a.value, b.value];
  const [zero, one] = [constant(x.width, 0), constant(x.width, 1)];
  const z = remainder(x, y);
  const dividends = halves(a.part);
  const divisors = halves(b.part);
  const [clear, set] = divisors;
  const of = remainders(a.part, b.part, bounds);
  const united: readonly [Case<number>, ...Case<number>[]] = [
    of.byZero[0],
    of.byZero[1],
    ...of.unchanged,
    ...of.byClear[0],
    ...of.byClear[1],
    ...of.bySet,
  ];

  const ending = (steps: readonly Step[], which: Case<number>, value: Term, same: Step): Method => {
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
    const steps: readonly Step[] = [
      { name: "sign of the divisor", holds: hasSign(y, 0), from: [eq(y, zero)], forgets: [y] },
      ...halfSteps("divisor", b.part, y, 0),
      ...divisorSteps("divisor", clear, y, "zero"),
      ...halfSteps("dividend", a.part, x, sign),
      ...signedSteps("dividend", half, x, sign),
      { name: "applies", holds: which.some, from: [isZero, half.some], forgets: [isZero, half.some] },
    ];
    return ending(steps, which, x, {
      name: "the result",
      holds: eq(z, x),
      from: [eq(y, zero)],
      forgets: [x, y],
      by: integers,
    });
  };

  /** What a case says, one by one. */
  const saying = (when: Term<1>, facts: readonly Term<1>[]): readonly Step[] =>
    facts.map((holds, i) => ({ name: `the case, fact ${i}`, holds, from: [when], forgets: [x, y] }));
  const whenBelow = (ofDivisor: Sign): Term<1> => and(ult(x, y), hasSign(y, ofDivisor));
  const whenNotBelow = (sign: Sign, ofDivisor: Sign): Term<1> =>
    all(not(eq(y, zero)), not(ult(x, y)), hasSign(x, sign), hasSign(y, ofDivisor));

  const below = (sign: Sign, ofDivisor: Sign): Method => {
    const half = dividends[sign];
    const greatest = ite(set.some, set.greatest, clear.greatest);
    const own = divisors[ofDivisor];
    const steps: readonly Step[] = [
      ...saying(whenBelow(ofDivisor), [ult(x, y), hasSign(y, ofDivisor)]),
      ...halfSteps("dividend", a.part, x, sign),
      ...halfSteps("divisor", b.part, y, ofDivisor),
      ...endSteps("negative divisor", b.part, y, 1),
      {
        name: "greatest divisor",
        holds: ule(y, greatest),
        from: [own.some, ule(y, own.greatest), hasSign(y, ofDivisor), signsOf(set, 1)],
        forgets: [clear.some, set.some, clear.greatest, set.least, set.greatest, y],
      },
      ...unchangedSteps(half, x, y, greatest, sign),
    ];
    const same: Step = {
      name: "the result",
      holds: eq(z, x),
      from: [ult(x, y)],
      forgets: [x, y],
      by: integers,
    };
    return ending(steps, of.unchanged[sign], x, same);
  };

  /** By divisors of a sign, which are not above the dividend. */
  const notBelow = (sign: Sign, ofDivisor: Sign): Method => {
    const half = dividends[sign];
    const by = ofDivisor === 0 ? fromOn(clear, one) : set;
    const isPositive = ule(one, y);
    const signs = [hasSign(x, sign), hasSign(y, ofDivisor)];
    const known: readonly Step[] = [
      ...saying(whenNotBelow(sign, ofDivisor), [...signs, isPositive, ule(y, x)]),
      ...halfSteps("dividend", a.part, x, sign),
      ...halfSteps("divisor", b.part, y, ofDivisor),
      ...(ofDivisor === 0 ? fromOnSteps("divisor from one", clear, one, y) : []),
      {
        name: "divisors are positive",
        holds: ule(one, by.least),
        from: ofDivisor === 0 ? [ule(larger(clear.least, one), by.least)] : [endOf(set, 1)],
        forgets: [clear.least, by.least],
      },
    ];
    const these = ofDivisor === 0 ? of.byClear[sign] : of.bySet;
    const r = urem(x, y);
    const same: Step = { name: "the result", holds: eq(z, r), from: [isPositive], forgets: [r, x, y] };
    return byQuotient(half, by, x, y, (kind) =>
      ending([...known, ...reducedSteps(half, by, x, y, kind, bounds).steps], these[pieceOf(kind)], r, same),
    );
  };

  const overSigns = (by: (sign: Sign) => Method): Method =>
    cases(SIGNS.map((sign) => ({ name: ofSign("dividend", sign), when: hasSign(x, sign), by: by(sign) })));
  return cases([
    { name: "divisor zero", when: eq(y, zero), by: overSigns(byZero) },
    ...SIGNS.map((other) => ({
      name: ofSign("dividend below a divisor", other),
      when: whenBelow(other),
      by: overSigns((sign) => below(sign, other)),
    })),
    ...DIVIDED.map(([sign, other]) => ({
      name: `${ofSign("dividend", sign)}, not below a divisor ${other === 0 ? "not negative" : "negative"}`,
      when: whenNotBelow(sign, other),
      by: notBelow(sign, other),
    })),
  ]);
}

function proofsOf(width: 32 | 64, bounds: Bounds) {
  const [a, b] = operandsOf(width);
  const by = remaining(a, b, bounds);
  const otherwise = manyRemainders(a.part, b.part, bounds);
  return proofsThroughPairs("mod", width, { a, b, apply: remainder, otherwise, by: () => by });
}

/** A wrong least remainder: of the least dividend by the least divisor, and not by the greatest. */
const byLeast: Bounds = (d) => ({
  ...limits(d),
  least: ite(d.oneQuotient, sub(d.dividends.least, d.start), constant(d.first.width, 0)),
});

const wrongResult = (width: 32 | 64): WrongResult => {
  const { sound } = proofsOf(width, byLeast);
  return {
    name: "remainders of like ends",
    groups: width === 64 ? ["u64"] : ["u32"],
    result: () =>
      width === 64
        ? fromWide(mod(wide(A.scalar), wide(B.scalar), byLeast))
        : zeroExtended(mod(low(A.scalar), low(B.scalar), byLeast)),
    ...(sound?.u64 === undefined ? {} : { by: sound.u64 }),
  };
};

export const remainderTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) =>
    aluTheorems("mod", width, { ...proofsOf(width, limits), wrong: [wrongResult(width)] }),
  );
