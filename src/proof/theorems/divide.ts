/**
 * Abstract division: that the result holds every quotient, by the case that the divisor is in. The order of quotients is a fact about
 * integers; all else is about the ends of pieces.
 */
import { divisionCases, divisorsOf, quotients } from "../../absint/scalar/divide.ts";
import { type Case, fromOn, halves, type Piece, whole } from "../../absint/scalar/piece.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import { and, constant, eq, sge, slt, udiv, ule, umax } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, integers, type Method } from "../methods.ts";
import { eachOnce, inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems } from "./alu.ts";
import { type OfWidth, operandsOf, resultOf } from "./operands.ts";
import {
  endOf,
  formEnd,
  formStep,
  fromOnSteps,
  halfSteps,
  hasSign,
  inPiece,
  joinedSteps,
  keptFormSteps,
  type Sign,
  signedSteps,
  termsOf,
  tightSteps,
  unitedStep,
} from "./pieces.ts";

type P = Piece<number>;

/** A greater dividend has no smaller quotient. The divisor is not 0. */
export const byDividend = (name: string, x: Term, greater: Term, y: Term): Step => ({
  name,
  holds: ule(udiv(x, y), udiv(greater, y)),
  from: [ule(x, greater), ule(constant(x.width, 1), y)],
  forgets: [x, greater, y],
  by: integers,
});

/** A greater divisor has no greater quotient. Neither divisor is 0. */
export const byDivisor = (name: string, x: Term, y: Term, greater: Term): Step => ({
  name,
  holds: ule(udiv(x, greater), udiv(x, y)),
  from: [ule(y, greater), ule(constant(x.width, 1), y)],
  forgets: [x, y, greater],
  by: integers,
});

/** That `x / y`, for x and y in two pieces and y at least two, is in their quotients. */
export function quotientSteps(name: string, a: P, b: P, x: Term, y: Term): readonly Step[] {
  const q = quotients(a, b);
  const z = udiv(x, y);
  const [one, two] = [constant(x.width, 1), constant(x.width, 2)];
  const [inA, inB] = [inPiece(a, x), inPiece(b, y)];
  const atLeastTwo = ule(two, y);
  const forgets = [...termsOf(a), ...termsOf(b), x, y];
  // One end at a time: the quotients of x, then those by y.
  const [low, high] = [udiv(x, b.greatest), udiv(x, b.least)];
  const two_ = ule(two, b.least);
  return [
    { name: `${name}: some`, holds: q.some, from: [inA.some, inB.some], forgets },
    { name: `${name}: divisor is not 0`, holds: ule(one, y), from: [atLeastTwo], forgets: [y] },
    {
      name: `${name}: divisor's greatest is not 0`,
      holds: ule(one, b.greatest),
      from: [inB.greatest, ule(one, y)],
      forgets: [b.greatest, y],
    },
    { name: `${name}: divisor's least is not 0`, holds: ule(one, b.least), from: [two_], forgets: [b.least] },
    byDividend(`${name}: least dividend`, a.least, x, b.greatest),
    byDivisor(`${name}: greatest divisor`, x, y, b.greatest),
    {
      name: `${name}: least`,
      holds: ule(q.least, z),
      from: [ule(q.least, low), ule(low, z)],
      forgets: [q.least, low, z],
    },
    byDividend(`${name}: greatest dividend`, x, a.greatest, b.least),
    byDivisor(`${name}: least divisor`, x, b.least, y),
    {
      name: `${name}: greatest`,
      holds: ule(z, q.greatest),
      from: [ule(z, high), ule(high, q.greatest)],
      forgets: [q.greatest, high, z],
    },
    { name: `${name}: sign`, holds: endOf(q, 0), from: [two_], forgets, by: integers },
    ...tightSteps(name, tnum.unknown(x.width), q.least, q.greatest, z),
    ...signedSteps(name, q, z, 0),
  ];
}

/** y, in the half of a divisor that is not negative, is in the class of divisors that it belongs to. */
export function divisorSteps(name: string, p: P, y: Term, kind: "zero" | "one" | "more"): readonly Step[] {
  const number = (n: number): Term => constant(y.width, n);
  const divisors = divisorsOf(p);
  const { some, least } = inPiece(p, y);
  if (kind === "zero")
    return [
      {
        name: `${name}: zero`,
        holds: divisors.zero,
        from: [some, least, eq(y, number(0))],
        forgets: [some, p.least, y],
      },
    ];
  if (kind === "more") return fromOnSteps(`${name} from two`, p, number(2), y);
  const positive = fromOn(p, number(1));
  const at: Step = {
    name: `${name}: one or more`,
    holds: ule(number(1), y),
    from: [eq(y, number(1))],
    forgets: [y],
  };
  const steps = fromOnSteps(`${name} from one`, p, number(1), y);
  const notBefore = steps.find(({ name: n }) => n.endsWith("not before"));
  if (notBefore === undefined) throw new Error("no such step");
  return [
    at,
    ...steps,
    {
      name: `${name}: one`,
      holds: divisors.one,
      from: [positive.some, notBefore.holds, ule(positive.least, y), eq(y, number(1))],
      forgets: [positive.some, positive.least, p.least, y],
    },
  ];
}

/** A divisor and what is to be known of it. */
const CLASSES = ["zero", "one", "more", "negative"] as const;

const classOf = (y: Term, kind: (typeof CLASSES)[number]): Term<1> => {
  const [zero, one, two] = [constant(y.width, 0), constant(y.width, 1), constant(y.width, 2)];
  if (kind === "zero") return eq(y, zero);
  if (kind === "one") return eq(y, one);
  return kind === "more" ? and(sge(y, zero), ule(two, y)) : slt(y, zero);
};

const SIGNS: readonly Sign[] = [0, 1];

function dividing(a: OfWidth, b: OfWidth): Method {
  const [x, y] = [a.value, b.value];
  const number = (n: number): Term => constant(x.width, n);
  const z = resultOf("div", a.width);
  const dividends = halves(a.part);
  const [clear, set] = halves(b.part);
  const [byZero, byOne0, byOne1, byMore, byNegative] = divisionCases(a.part, b.part);
  const united = [byZero, byOne0, byOne1, byMore, byNegative];
  const both = whole(dividends);

  /** The end of a proof that finds the result to be `value`, in one of the cases. */
  const ending = (steps: readonly Step[], which: Case<number>, value: Term, when: Term<1>): Method => {
    const same: Step = {
      name: "the result",
      holds: eq(z, value),
      from: [when],
      forgets: value === x ? [] : [value],
    };
    const last = unitedStep(united, which, value);
    return inSteps([...a.steps, ...b.steps, ...steps, same], {
      connecting: [eq(z, value), which.some],
      from: last.from,
      forgets: [...last.forgets, z],
    });
  };

  const bySign = (kind: (typeof CLASSES)[number], sign: Sign): Method => {
    const when = classOf(y, kind);
    const half = dividends[sign];
    const signOfY: Step = {
      name: "sign of the divisor",
      holds: hasSign(y, kind === "negative" ? 1 : 0),
      from: [when],
      forgets: [y],
    };
    const ofX = [...halfSteps("dividend", a.part, x, sign), ...signedSteps("dividend", half, x, sign)];
    const ofY = [signOfY, ...halfSteps("divisor", b.part, y, kind === "negative" ? 1 : 0)];
    if (kind === "one") {
      const which = sign === 0 ? byOne0 : byOne1;
      const applies: Step = {
        name: "applies",
        holds: which.some,
        from: [divisorsOf(clear).one, half.some],
        forgets: [divisorsOf(clear).one, half.some],
      };
      return ending([...ofX, ...ofY, ...divisorSteps("divisor", clear, y, "one"), applies], which, x, when);
    }
    const divisor = kind === "more" ? fromOn(clear, number(2)) : set;
    const start = umax(clear.least, number(2));
    const atLeastTwo: Step = {
      name: "divisor is two or more",
      holds: ule(number(2), y),
      from: [when],
      forgets: [y],
    };
    const leastIsTwo: Step = {
      name: "divisors are two or more",
      holds: ule(number(2), divisor.least),
      from: kind === "more" ? [ule(start, divisor.least)] : [endOf(set, 1)],
      forgets: [clear.least, divisor.least],
    };
    const steps = [
      ...ofX,
      ...ofY,
      atLeastTwo,
      ...(kind === "more" ? divisorSteps("divisor", clear, y, "more") : []),
      leastIsTwo,
      ...joinedSteps("dividends", dividends[0], dividends[1], x, sign),
      ...quotientSteps("quotient", both, divisor, x, y),
    ];
    return ending(steps, kind === "more" ? byMore : byNegative, udiv(x, y), atLeastTwo.holds);
  };

  const zero: Method = (claim) => {
    const when = classOf(y, "zero");
    const signOfY: Step = { name: "sign of the divisor", holds: hasSign(y, 0), from: [when], forgets: [y] };
    const steps = [
      signOfY,
      ...halfSteps("divisor", b.part, y, 0),
      ...divisorSteps("divisor", clear, y, "zero"),
    ];
    const last = unitedStep(united, byZero, number(0));
    const same: Step = { name: "the result", holds: eq(z, number(0)), from: [when] };
    return inSteps([...b.steps, ...steps, same], {
      connecting: [eq(z, number(0)), byZero.some],
      from: [],
      forgets: [...last.forgets, z],
    })(claim);
  };

  return eachOnce(
    cases(
      CLASSES.map((kind) => ({
        name: `divisor ${kind}`,
        when: classOf(y, kind),
        by:
          kind === "zero"
            ? zero
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

/** The bits of each case are well formed, and so those of the union are. */
function wellFormed(a: OfWidth, b: OfWidth): Method {
  const united = divisionCases(a.part, b.part);
  const [, , , byMore, byNegative] = united;
  const steps = [
    ...SIGNS.flatMap((sign) => keptFormSteps(sign === 0 ? "dividend" : "negative dividend", a.part, sign)),
    ...[byMore, byNegative].map((c) =>
      formStep(c === byMore ? "quotient" : "quotient by a negative", c.part.tnum, [c.part.umin, c.part.umax]),
    ),
  ];
  return inSteps(steps, formEnd(united));
}

export const divideTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) => {
    const [a, b] = operandsOf(width);
    const by = dividing(a, b);
    return aluTheorems("div", width, {
      sound: { tnum: by, u64: by, s64: by, u32: by, s32: by },
      wellFormed: { tnum: wellFormed(a, b) },
    });
  });
