/**
 * The order on scalars, and joins: inclusion as it is computed implies inclusion of what the scalars stand for, it is a partial order on
 * well-formed scalars, a join is an upper bound. Pruning and the certificate checker rest on the first.
 */
import { COMPONENTS, componentsOf, symbolic } from "../../absint/scalar/components.ts";
import { includes, isEmpty, join, type Scalar } from "../../absint/scalar/product.ts";
import { widen } from "../../absint/scalar/widen.ts";
import { all, eq, not, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits } from "../methods.ts";
import type { Obligation, Theorem, Witness } from "../theorem.ts";
import {
  A,
  B,
  disjuncts,
  GROUPS,
  membership,
  membersOf,
  type Part,
  tightened,
  wellFormed,
} from "./scalar.ts";

type Includes = (outer: Scalar, inner: Scalar) => Term<1>;

const C = symbolic("c");

const members = (s: Scalar, x: Term<64>): readonly Part[] => Object.values(membership(s, x)).flat();
const formed = (s: Scalar): readonly Term<1>[] => Object.values(wellFormed(s)).map(({ holds }) => holds);

/** A number of the inner scalar is in the outer one. */
const respected = (order: Includes): readonly Obligation[] =>
  members(A.scalar, A.value).flatMap(({ name, components, holds }) =>
    bits({
      name,
      premises: [order(A.scalar, B.scalar), ...members(B.scalar, A.value).map((p) => p.holds)],
      goal: holds,
      witness: escaping(B.scalar, components, A.scalar),
    }),
  );

/** x in one scalar and not in another that should hold it. */
const escaping = (inner: Scalar, [component = "value"]: Part["components"], from: Scalar): Witness => ({
  operands: [{ scalar: inner, value: A.value }],
  escapes: { value: A.value, component, from },
});

const reflexive = (order: Includes): readonly Obligation[] =>
  bits({ name: "reflexive", premises: formed(A.scalar), goal: order(A.scalar, A.scalar) });

const transitive = (order: Includes): readonly Obligation[] =>
  bits({
    name: "transitive",
    premises: [order(A.scalar, B.scalar), order(B.scalar, C)],
    goal: order(A.scalar, C),
  });

function antisymmetric(order: Includes): readonly Obligation[] {
  const [a, b] = [componentsOf(A.scalar), componentsOf(B.scalar)];
  return bits({
    name: "antisymmetric",
    premises: [
      order(A.scalar, B.scalar),
      order(B.scalar, A.scalar),
      ...formed(A.scalar),
      ...formed(B.scalar),
    ],
    goal: all(...COMPONENTS.map((c) => eq(a[c], b[c]))),
  });
}

const upper = (made: (a: Scalar, b: Scalar) => Scalar): readonly Obligation[] =>
  [A.scalar, B.scalar].flatMap((operand, i) =>
    bits({
      name: i === 0 ? "of the first" : "of the second",
      premises: [...formed(A.scalar), ...formed(B.scalar)],
      goal: includes(made(A.scalar, B.scalar), operand),
    }),
  );

/** That a number of either is in what is made of both: what an upper bound is for. */
const holdsBoth = (made: (a: Scalar, b: Scalar) => Scalar): readonly Obligation[] =>
  [A.scalar, B.scalar].flatMap((operand, i) => {
    const upperBound = made(A.scalar, B.scalar);
    return members(upperBound, A.value).flatMap(({ name, components, holds }) =>
      bits({
        name: `${name}, of the ${i === 0 ? "first" : "second"}`,
        premises: members(operand, A.value).map((p) => p.holds),
        goal: holds,
        witness: escaping(operand, components, upperBound),
      }),
    );
  });

const common = { width: 64, full: true, inputs: "any", says: "order" } as const;

/** Theorems that an operation on two scalars gives an upper bound of both. */
const upperBound = (name: string, made: (a: Scalar, b: Scalar) => Scalar): Theorem => ({
  ...common,
  name: `${name}/upper-bound`,
  subject: name,
  obligations: () => upper(made),
  whole: () => holdsBoth(made),
  wrong: GROUPS.flatMap((group) =>
    tightened(made(A.scalar, B.scalar), group).map((w) => ({
      name: w.name,
      obligations: () => upper(() => w.scalar),
      whole: () => holdsBoth(() => w.scalar),
    })),
  ),
});

const reversed: Includes = (outer, inner) => includes(inner, outer);
/** Inclusion that looks at 64 bits alone. */
const careless: Includes = (outer, inner) =>
  includes(
    { ...outer, umin32: inner.umin32, umax32: inner.umax32, smin32: inner.smin32, smax32: inner.smax32 },
    inner,
  );
/** Inclusion that wants something strictly greater. */
const strict: Includes = (outer, inner) =>
  all(includes(outer, inner), eq(includes(inner, outer), eq(outer.umin, inner.umax)));
/** Inclusion of the two unsigned intervals' ends in no order. */
const touching: Includes = (outer, inner) => all(eq(outer.umin, inner.umax));

/** What is said to be empty holds nothing: each reason for which it is said denies what membership says of the components that it is about. */
const holdsNothing = (empty: (s: Scalar) => Term<1>): readonly Obligation[] => {
  const reasons = disjuncts(empty(A.scalar));
  return reasons.flatMap((when, i) =>
    bits({
      name: `reason ${i + 1}`,
      premises: [when],
      goal: not(all(...membersOf([A], when))),
      witness: { operands: [A], escapes: "reached" },
    }),
  );
};

/** Widening ends: what is included changes nothing. */
function stays(widening: (older: Scalar, newer: Scalar) => Scalar): readonly Obligation[] {
  const [before, after] = [componentsOf(A.scalar), componentsOf(widening(A.scalar, B.scalar))];
  return COMPONENTS.flatMap((c) =>
    bits({
      name: c,
      premises: [includes(A.scalar, B.scalar), ...formed(A.scalar), ...formed(B.scalar)],
      goal: eq(after[c], before[c]),
    }),
  );
}

export const orderTheorems = (): readonly Theorem[] => [
  {
    ...common,
    name: "includes/respects-concretisation",
    subject: "includes",
    obligations: () => respected(includes),
    wrong: [
      { name: "the wrong way round", obligations: () => respected(reversed) },
      { name: "the low halves are not compared", obligations: () => respected(careless) },
    ],
  },
  {
    ...common,
    name: "includes/reflexive",
    subject: "includes",
    obligations: () => reflexive(includes),
    wrong: [{ name: "strictly", obligations: () => reflexive(strict) }],
  },
  {
    ...common,
    name: "includes/transitive",
    subject: "includes",
    obligations: () => transitive(includes),
    wrong: [{ name: "intervals that touch", obligations: () => transitive(touching) }],
  },
  {
    ...common,
    name: "includes/antisymmetric",
    subject: "includes",
    obligations: () => antisymmetric(includes),
    wrong: [{ name: "the low halves are not compared", obligations: () => antisymmetric(careless) }],
  },
  upperBound("join", join),
  upperBound("widen", widen),
  {
    ...common,
    name: "widen/stays",
    subject: "widen",
    obligations: () => stays(widen),
    wrong: [{ name: "the newer is taken", obligations: () => stays((_, newer) => newer) }],
  },
  {
    ...common,
    name: "empty/holds-nothing",
    subject: "empty",
    obligations: () => holdsNothing(isEmpty),
    wrong: [
      {
        name: "a single number is taken for none",
        obligations: () => holdsNothing((s) => ule(s.umax, s.umin)),
      },
    ],
  },
];
