/**
 * Abstract signed division: that the result holds every quotient, by the divisor and the sign of the dividend. That a signed quotient is one
 * of magnitudes, with a sign, is its definition; the rest is what holds of quotients, and of negatives.
 */
import { divisorsOf, quotients } from "../../absint/scalar/divide.ts";
import { asPart, type Case, fromOn, halves, type Piece } from "../../absint/scalar/piece.ts";
import { fromWide, low, wide, zeroExtended } from "../../absint/scalar/product.ts";
import {
  magnitudes,
  negated,
  type SignedQuotients,
  type Signing,
  sdiv,
  signedQuotients,
} from "../../absint/scalar/signed-division.ts";
import {
  and,
  constant,
  eq,
  umax as larger,
  neg as minus,
  sge,
  sle,
  slt,
  udiv,
  ule,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, integers, type Method } from "../methods.ts";
import { eachOnce, inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, type Proofs, type WrongResult } from "./alu.ts";
import { divisorSteps, quotientSteps } from "./divide.ts";
import { magnitudeSteps, negatedSteps } from "./negated.ts";
import { type OfWidth, operandsOf, resultOf } from "./operands.ts";
import {
  bitsTerms,
  formEnd,
  formStep,
  halfSteps,
  hasSign,
  inPart,
  keptFormSteps,
  type Sign,
  signedSteps,
  uniteSteps,
} from "./pieces.ts";
import { SIGNS } from "./remainder.ts";
import { A, B } from "./scalar.ts";

/** A divisor and what is to be known of it. */
const CLASSES = ["zero", "one", "more", "minus one", "less"] as const;
type Class = (typeof CLASSES)[number];

function classOf(y: Term, kind: Class): Term<1> {
  const number = (n: number): Term => constant(y.width, n);
  switch (kind) {
    case "zero":
      return eq(y, number(0));
    case "one":
      return eq(y, number(1));
    case "more":
      return and(sge(y, number(0)), ule(number(2), y));
    case "minus one":
      return eq(y, number(-1));
    case "less":
      return and(slt(y, number(0)), sle(y, number(-2)));
  }
}

const united = ({
  byZero,
  byOne,
  byMinusOne,
  byMore,
  byLess,
}: SignedQuotients<number>): readonly [Case<number>, ...Case<number>[]] => [
  byZero,
  ...byOne,
  ...byMinusOne,
  ...byMore,
  ...byLess,
];

function dividing(a: OfWidth, b: OfWidth, signing: Signing): Method {
  const [x, y] = [a.value, b.value];
  const number = (n: number): Term => constant(x.width, n);
  const z = resultOf("sdiv", a.width);
  const dividends = halves(a.part);
  const divisors = halves(b.part);
  const quotientCases = signedQuotients(a.part, b.part, signing);
  const all = united(quotientCases);

  /** The end of a proof that finds the result to be `value`, in one of the cases. */
  const ending = (
    steps: readonly Step[],
    which: Case<number>,
    value: Term,
    when: readonly Term<1>[],
  ): Method => {
    const same: Step = { name: "the result", holds: eq(z, value), from: when, forgets: [x, y], by: integers };
    const { steps: uniting, last } = uniteSteps(all, which, value);
    return inSteps([...a.steps, ...b.steps, ...steps, same, ...uniting], {
      ...last,
      connecting: [eq(z, value), ...(last.connecting ?? [])],
      forgets: [...last.forgets, z],
    });
  };

  const bySign = (kind: Exclude<Class, "zero">, sign: Sign): Method => {
    const when = classOf(y, kind);
    const isOne = kind === "one" || kind === "minus one";
    const signOfY: Sign = kind === "one" || kind === "more" ? 0 : 1;
    const [half, other] = [dividends[sign], divisors[signOfY]];
    // What divides: the divisor's magnitude, and the piece that it is in.
    const d = signOfY === 0 ? y : minus(y);
    const ds: Piece<number> = signOfY === 0 ? other : magnitudes(other);
    const known: readonly Step[] = [
      ...halfSteps("dividend", a.part, x, sign),
      { name: "sign of the divisor", holds: hasSign(y, signOfY), from: [when], forgets: [y] },
      ...halfSteps("divisor", b.part, y, signOfY),
      ...(signOfY === 0 ? [] : magnitudeSteps("divisor", other, y)),
      {
        name: "magnitude of the divisor",
        holds: isOne ? eq(d, number(1)) : ule(number(2), d),
        from: [when],
        forgets: [y],
      },
      ...divisorSteps("divisor", ds, d, isOne ? "one" : "more"),
    ];
    const given = [when, hasSign(x, sign)];
    if (isOne) {
      const which = (kind === "one" ? quotientCases.byOne : quotientCases.byMinusOne)[sign];
      const { one } = divisorsOf(ds);
      const steps: readonly Step[] = [
        ...known,
        ...signedSteps("dividend", half, x, sign),
        { name: "applies", holds: which.some, from: [one, half.some], forgets: [one, half.some] },
        ...(kind === "one" ? [] : negatedSteps("dividend", asPart(half), which.part, x)),
      ];
      return ending(steps, which, kind === "one" ? x : minus(x), given);
    }
    const which = (kind === "more" ? quotientCases.byMore : quotientCases.byLess)[sign];
    const [n, ns] = sign === 0 ? [x, half] : [minus(x), magnitudes(half)];
    const more = fromOn(ds, number(2));
    const q = quotients(ns, more);
    const steps: readonly Step[] = [
      ...known,
      ...(sign === 0 ? [] : magnitudeSteps("dividend", half, x)),
      {
        name: "divisors are two or more",
        holds: ule(number(2), more.least),
        from: [ule(larger(ds.least, number(2)), more.least)],
        forgets: [ds.least, more.least],
      },
      ...quotientSteps("quotient", ns, more, n, d),
      ...(sign === signOfY ? [] : negatedSteps("quotient", asPart(q), which.part, udiv(n, d))),
    ];
    return ending(steps, which, sign === signOfY ? udiv(n, d) : minus(udiv(n, d)), given);
  };

  const zero = (): Method => {
    const when = classOf(y, "zero");
    const steps: readonly Step[] = [
      { name: "sign of the divisor", holds: hasSign(y, 0), from: [when], forgets: [y] },
      ...halfSteps("divisor", b.part, y, 0),
      ...divisorSteps("divisor", divisors[0], y, "zero"),
      ...Object.entries(inPart(quotientCases.byZero.part, number(0))).map(
        ([what, holds]): Step => ({ name: `${what} of zero`, holds, from: [] }),
      ),
    ];
    return ending(steps, quotientCases.byZero, number(0), [when]);
  };

  return eachOnce(
    cases(
      CLASSES.map((kind) => ({
        name: `divisor ${kind}`,
        when: classOf(y, kind),
        by:
          kind === "zero"
            ? zero()
            : cases(
                SIGNS.map((sign) => ({
                  name: sign === 0 ? "dividend not negative" : "dividend negative",
                  when: hasSign(x, sign),
                  by: bySign(kind, sign),
                })),
              ),
      })),
    ),
  );
}

/** The bits of each case are well formed, and so those of the union are: a negative's are, whatever they are made of. */
function wellFormed(a: OfWidth, b: OfWidth): Method {
  const quotientCases = signedQuotients(a.part, b.part);
  const [positive, below] = halves(a.part);
  const [clear, set] = halves(b.part);
  const byMore = (dividend: Piece<number>, divisor: Piece<number>): Piece<number> =>
    quotients(dividend, divisorsOf(divisor).more);
  const own = (name: string, p: Piece<number>): Step => formStep(name, p.bits, [p.least, p.greatest]);
  const ofNegative = (name: string, { part }: Case<number>, p: Piece<number>): Step =>
    formStep(name, part.tnum, bitsTerms(p.bits));
  const steps: readonly Step[] = [
    ...keptFormSteps("dividend", a.part, 0),
    ...keptFormSteps("negative dividend", a.part, 1),
    ofNegative("negative of a dividend", quotientCases.byMinusOne[0], positive),
    ofNegative("negative of a negative dividend", quotientCases.byMinusOne[1], below),
    own("quotient", byMore(positive, clear)),
    own("quotient of magnitudes", byMore(magnitudes(below), magnitudes(set))),
    ofNegative("negative of a quotient", quotientCases.byMore[1], byMore(magnitudes(below), clear)),
    ofNegative("quotient by a negative", quotientCases.byLess[0], byMore(positive, magnitudes(set))),
  ];
  return inSteps(steps, formEnd(united(quotientCases)));
}

function proofsOf(width: 32 | 64, signing: Signing): Proofs {
  const [a, b] = operandsOf(width);
  const by = dividing(a, b, signing);
  return {
    sound: { tnum: by, u64: by, s64: by, u32: by, s32: by },
    wellFormed: { tnum: wellFormed(a, b) },
  };
}

/** A wrong sign: none. */
const unsigned: Signing = (made) => made;

const wrongResult = (width: 32 | 64): WrongResult => {
  const { sound } = proofsOf(width, unsigned);
  return {
    name: "quotients of magnitudes, without a sign",
    groups: width === 64 ? ["s64"] : ["s32"],
    result: () =>
      width === 64
        ? fromWide(sdiv(wide(A.scalar), wide(B.scalar), unsigned))
        : zeroExtended(sdiv(low(A.scalar), low(B.scalar), unsigned)),
    ...(sound?.s64 === undefined ? {} : { by: sound.s64 }),
  };
};

export const signedDivisionTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) =>
    aluTheorems("sdiv", width, { ...proofsOf(width, negated), wrong: [wrongResult(width)] }),
  );
