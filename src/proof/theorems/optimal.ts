/**
 * What is claimed to be the best there is: the tnums of sums, differences and bitwise operations, and the intervals of sums and differences
 * (optimal-intervals.ts).
 *
 * A claim that nothing tighter would be sound says that numbers exist; the theorems name them. For an unknown bit of a tnum: two pairs of
 * numbers in the operands whose results differ in it. For the end of an interval: numbers in the operands' intervals that give it.
 */
import * as tnum from "../../absint/scalar/tnum.ts";
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  ne,
  not,
  or,
  sub,
  TRUE,
  variable,
  xor,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits, type Method } from "../methods.ts";
import { inSteps } from "../steps.ts";
import type { Obligation, Theorem } from "../theorem.ts";
import { extremeSteps } from "./carries.ts";
import { optimalIntervalTheorems } from "./optimal-intervals.ts";

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

const isFormed = ({ value, mask }: Tnum): Term<1> => eq(and(value, mask), constant(value.width, 0));

/** Both operands with their unknown bits all 0, and all 1. */
const least = (a: Tnum, b: Tnum): Pair => [a.value, b.value];
const greatest = (a: Tnum, b: Tnum): Pair => [tnum.possible(a), tnum.possible(b)];

/** By what the operator makes of the masks: the sum or the differences that are looked at. */
const byExtremes =
  (op: "add" | "sub", a: Tnum, b: Tnum): Method =>
  (claim) => {
    const { steps, links, terms } = extremeSteps(op, a, b, [a, b].map(isFormed));
    const last = { connecting: [...claim.premises, ...links], from: [], forgets: terms };
    return inSteps(steps, last)(claim);
  };

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
        by: byExtremes("add", a, b),
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
        by: byExtremes("sub", a, b),
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
  const premises = [...[a, b].map(isFormed), ne(e, zero), eq(and(e, sub(e, constant(width, 1))), zero)];
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

export const optimalTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) => [
    ...TNUM_CLAIMS.map((claim) => tnumTheorem(claim, width)),
    ...optimalIntervalTheorems(width),
  ]);
