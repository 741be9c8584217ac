/**
 * What is claimed to be the best there is: the tnums of sums, differences and bitwise operations, and the intervals of sums and differences.
 *
 * A claim that nothing tighter would be sound says that numbers exist; the theorems name them. For an unknown bit of a tnum: two pairs of
 * numbers in the operands whose results differ in it. For the end of an interval: numbers in the operands' intervals that give it.
 */
import { add as addParts, difference, sub as subParts, sum } from "../../absint/scalar/alu.ts";
import { unsignedAndSigned } from "../../absint/scalar/exchange.ts";
import { fullRange, negative, notNegative } from "../../absint/scalar/halves.ts";
import { type Part as AbstractPart, anything } from "../../absint/scalar/part.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  extract,
  ite,
  ne,
  neg,
  not,
  or,
  sext,
  sle,
  slt,
  smax,
  smin,
  sub,
  TRUE,
  ule,
  ult,
  variable,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits, cases, cut, integers, type Method } from "../methods.ts";
import type { Obligation, Theorem } from "../theorem.ts";

type Tnum = tnum.Tnum<number>;
type Pair = readonly [Term, Term];
type Binary = (x: Term, y: Term) => Term;

/** Where `when` holds of the bit in question, the results of two pairs of numbers differ in it. */
interface Varies {
  readonly name: string;
  readonly when: Term<1>;
  readonly pairs: readonly [Pair, Pair];
  /** How it is shown that the results differ. */
  readonly by?: Method;
}

interface BitwiseClaim {
  readonly op: string;
  readonly abstract: (a: Tnum, b: Tnum) => Tnum;
  readonly concrete: Binary;
  /** Why bit `e` varies, if it is unknown in the result. */
  readonly reasons: (a: Tnum, b: Tnum, e: Term) => readonly Varies[];
}

const has = (bits_: Term, e: Term): Term<1> => ne(and(bits_, e), constant(e.width, 0));

/** Both operands with their unknown bits all 0, and all 1. */
const least = (a: Tnum, b: Tnum): Pair => [a.value, b.value];
const greatest = (a: Tnum, b: Tnum): Pair => [tnum.possible(a), tnum.possible(b)];

/** Value and mask have no bit in common, so that their union is their sum: then a solver need not reason about carries. */
const unionIsSum = (a: Tnum, b: Tnum): Method =>
  cut(
    [a, b].map((t, i) => ({
      name: `union ${i + 1} is a sum`,
      holds: eq(tnum.possible(t), add(t.value, t.mask)),
      by: bits,
    })),
    [tnum.possible(a), tnum.possible(b)],
  );

/** A bit that is unknown in an operand turns the same bit of a sum, a difference or an exclusive or. */
const turned = (a: Tnum, b: Tnum, e: Term): readonly Varies[] => [
  {
    name: "unknown in the first",
    when: has(a.mask, e),
    pairs: [least(a, b), [or(a.value, and(a.mask, e)), b.value]],
  },
  {
    name: "unknown in the second",
    when: has(b.mask, e),
    pairs: [least(a, b), [a.value, or(b.value, and(b.mask, e))]],
  },
];
const inNeither = (a: Tnum, b: Tnum, e: Term): Term<1> => not(has(or(a.mask, b.mask), e));

const extremesDiffer = (a: Tnum, b: Tnum): readonly Varies[] => [
  { name: "all 0 or all 1", when: TRUE, pairs: [least(a, b), greatest(a, b)] },
];

const TNUM_CLAIMS: readonly BitwiseClaim[] = [
  {
    op: "add",
    abstract: tnum.add,
    concrete: add,
    reasons: (a, b, e) => [
      ...turned(a, b, e),
      {
        name: "by a carry",
        when: inNeither(a, b, e),
        pairs: [least(a, b), greatest(a, b)],
        by: unionIsSum(a, b),
      },
    ],
  },
  {
    op: "sub",
    abstract: tnum.sub,
    concrete: sub,
    // The difference is greatest where the subtrahend is least.
    reasons: (a, b, e) => [
      ...turned(a, b, e),
      {
        name: "by a borrow",
        when: inNeither(a, b, e),
        pairs: [
          [tnum.possible(a), b.value],
          [a.value, tnum.possible(b)],
        ],
        by: unionIsSum(a, b),
      },
    ],
  },
  { op: "and", abstract: tnum.and, concrete: and, reasons: extremesDiffer },
  { op: "or", abstract: tnum.or, concrete: or, reasons: extremesDiffer },
  { op: "xor", abstract: tnum.xor, concrete: xor, reasons: turned },
];

const isMember = (t: Tnum, x: Term): Term<1> => eq(and(x, not(t.mask)), t.value);

function unknownBitsVary(
  { abstract, concrete, reasons }: BitwiseClaim,
  width: number,
  change: (t: Tnum) => Tnum = (t) => t,
): readonly Obligation[] {
  const operand = (name: string): Tnum => ({
    value: variable(`${name}.value`, width),
    mask: variable(`${name}.mask`, width),
  });
  const [a, b, e] = [operand("a"), operand("b"), variable("bit", width)];
  const zero = constant(width, 0);
  const result = change(abstract(a, b));
  const premises = [
    ...[a, b].map((t) => eq(and(t.value, t.mask), zero)),
    ne(e, zero),
    eq(and(e, sub(e, constant(width, 1))), zero),
  ];
  const isUnknown = has(result.mask, e);
  const why = reasons(a, b, e);
  return [
    ...why.flatMap(({ name, when, pairs: [p, q], by = bits }) => [
      ...bits({
        name: `${name}: the numbers are in the operands`,
        premises,
        goal: all(...[p, q].map(([x, y]) => and(isMember(a, x), isMember(b, y)))),
      }),
      ...by({
        name: `${name}: the results differ`,
        premises: [...premises, isUnknown, when],
        goal: ne(and(concrete(...p), e), and(concrete(...q), e)),
      }),
    ]),
    ...bits({
      name: "some reason",
      premises: [...premises, isUnknown],
      goal: any(...why.map(({ when }) => when)),
    }),
  ];
}

/** One bit more unknown than need be: the lowest known one. */
function forgetful({ value, mask }: Tnum): Tnum {
  const bit = and(not(mask), add(mask, constant(mask.width, 1)));
  return { value: and(value, not(bit)), mask: or(mask, bit) };
}

const tnumTheorem = (claim: BitwiseClaim, width: 32 | 64): Theorem => ({
  name: `${claim.op}${width}/tnum/optimal`,
  subject: `${claim.op}${width}`,
  says: "optimal",
  width,
  full: true,
  inputs: "any",
  obligations: () => unknownBitsVary(claim, width),
  wrong: [{ name: "a known bit is forgotten", obligations: () => unknownBitsVary(claim, width, forgetful) }],
});

// --- Intervals

type Signedness = "unsigned" | "signed";

interface IntervalClaim {
  readonly op: "add" | "sub";
  readonly abstract: (a: AbstractPart<number>, b: AbstractPart<number>) => AbstractPart<number>;
}

const INTERVAL_CLAIMS: readonly IntervalClaim[] = [
  { op: "add", abstract: addParts },
  { op: "sub", abstract: subParts },
];

const SIGNEDNESSES: readonly Signedness[] = ["unsigned", "signed"];

/** An operand of which one interval is known, and what synchronisation makes of that for the other. */
function interval(name: string, width: number, of: Signedness) {
  const [low, high] = [variable(`${name}.min`, width), variable(`${name}.max`, width)];
  const known: AbstractPart<number> =
    of === "unsigned"
      ? { ...anything(width), umin: low, umax: high }
      : { ...anything(width), smin: low, smax: high };
  return {
    low,
    high,
    part: unsignedAndSigned(known),
    ordered: of === "unsigned" ? ule(low, high) : sle(low, high),
  };
}

/**
 * The sums of numbers of two intervals, exact as with two bits more nothing wraps, run from the sum of the least to the sum of the greatest
 * without a gap: for each of them x as near as can be to what the least y wants. The first that is congruent to `end` is among them: it is
 * the end of one of the arcs that the operands' halves give, or an arc goes across the end of the type.
 */
function endIsReached(
  { op, abstract }: IntervalClaim,
  of: Signedness,
  width: number,
  end: "min" | "max",
  change: (t: Term) => Term,
): readonly Obligation[] {
  const [a, b] = [interval("a", width, of), interval("b", width, of)];
  const result = abstract(a.part, b.part);
  const field = { unsigned: { min: "umin", max: "umax" }, signed: { min: "smin", max: "smax" } } as const;
  const claimed = change(result[field[of][end]]);
  const limit = fullRange(width)[field[of][end]];
  const roomy: number = width + 2;
  const exact = (t: Term): Term => (of === "unsigned" ? zext(roomy, t) : sext(roomy, t));
  const x: Pair = [exact(a.low), exact(a.high)];
  const y: Pair = [exact(b.low), exact(b.high)];
  // x - y is x + (-y), and -y runs from -high to -low.
  const other: Pair = op === "add" ? y : [neg(y[1]), neg(y[0])];
  const [first, last] = [add(x[0], other[0]), add(x[1], other[1])];
  const number = variable("sum", roomy);
  const left = smin(smax(sub(number, other[0]), x[0]), x[1]);
  const right = sub(number, left);
  const steps = sub(claimed, extract<number>(width, first));
  const premises = [a.ordered, b.ordered];

  const combine = op === "add" ? sum : difference;
  const arcs = [notNegative(a.part), negative(a.part)].flatMap((p) =>
    [notNegative(b.part), negative(b.part)].map((q) => combine(p, q)),
  );
  const ends = [a.part, b.part].flatMap(({ umin, umax, smin: s, smax: t }) => [umin, umax, s, t]);
  const facts = [a, b].flatMap((operand, i) =>
    inOrder(operand, of).map((holds, j) => ({
      name: `ends of the halves of operand ${i + 1}: ${j + 1}`,
      premises: [operand.ordered],
      goal: holds,
    })),
  );
  // The facts are shown once, below, and not again in each case.
  const shown = facts.map(({ name, goal }) => ({ name, holds: goal, by: () => [] }));
  const byFacts = cut(shown, [claimed, ...ends], integers);
  const reasons = arcs.flatMap(({ from, to }, i) => [
    {
      name: `the end of arc ${i + 1}`,
      when: eq<number>(claimed, end === "min" ? from : to),
      by: byFacts,
    },
    {
      name: `arc ${i + 1} goes across`,
      when: and(
        of === "unsigned" ? ult<number>(to, from) : slt<number>(to, from),
        eq<number>(claimed, limit),
      ),
      by: byFacts,
    },
  ]);
  return [
    ...facts.flatMap((fact) => integers({ ...fact, name: `${end}: ${fact.name}` })),
    ...integers({
      name: `${end}: sums have no gaps`,
      premises: [...premises, sle(first, number), sle(number, last)],
      goal: all(sle(x[0], left), sle(left, x[1]), sle(other[0], right), sle(right, other[1])),
    }),
    ...cases(reasons)({
      name: `${end} is reached`,
      premises,
      goal: ule(zext(roomy, steps), sub(last, first)),
    }),
  ];
}

/** The ends of an operand's halves are in its interval. */
function inOrder({ low, high, part }: ReturnType<typeof interval>, of: Signedness): readonly Term<1>[] {
  const within = (t: Term): Term<1> =>
    of === "unsigned" ? and(ule(low, t), ule(t, high)) : and(sle(low, t), sle(t, high));
  const { umin, umax, smin: s, smax: t } = part;
  return of === "unsigned"
    ? [eq(umin, low), eq(umax, high), within(s), within(t)]
    : [eq(s, low), eq(t, high), within(umin), within(umax)];
}

function intervalTheorem(claim: IntervalClaim, of: Signedness, width: 32 | 64): Theorem {
  const kept = (t: Term): Term => t;
  // One further out, unless that is the end of the type.
  const further = (end: "min" | "max") => (t: Term) => {
    const limit =
      of === "unsigned"
        ? end === "min"
          ? 0n
          : -1n
        : end === "min"
          ? 1n << BigInt(width - 1)
          : (1n << BigInt(width - 1)) - 1n;
    const step = constant(width, end === "min" ? -1 : 1);
    return ite(eq(t, constant(width, limit)), t, add(t, step));
  };
  const group = `${of === "unsigned" ? "u" : "s"}${width}`;
  return {
    name: `${claim.op}${width}/${group}/optimal`,
    subject: `${claim.op}${width}`,
    says: "optimal",
    width,
    full: true,
    inputs: "synchronised",
    obligations: () => [
      ...endIsReached(claim, of, width, "min", kept),
      ...endIsReached(claim, of, width, "max", kept),
    ],
    wrong: (["min", "max"] as const).map((end) => ({
      name: `${end} one further out`,
      obligations: () => endIsReached(claim, of, width, end, further(end)),
    })),
  };
}

export const optimalTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) => [
    ...TNUM_CLAIMS.map((claim) => tnumTheorem(claim, width)),
    ...INTERVAL_CLAIMS.flatMap((claim) => SIGNEDNESSES.map((of) => intervalTheorem(claim, of, width))),
  ]);
