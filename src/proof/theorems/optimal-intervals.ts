/**
 * The intervals of sums and differences are the best there are: each end is reached by numbers in the operands' intervals.
 *
 * The sums of numbers of two intervals, exact as with two bits more nothing wraps, run from the sum of the least to the sum of the greatest
 * without a gap. So an end is reached if the way up to it from the first sum, modulo 2^N, is not longer than the way to the last. It is one of two
 * things: the end of the arc that two of the operands' halves give, or the end of the type, where such an arc goes across it.
 */
import { add as addParts, difference, sub as subParts, sum } from "../../absint/scalar/alu.ts";
import { unsignedAndSigned } from "../../absint/scalar/exchange.ts";
import { type Arc, fullRange, negative, notNegative } from "../../absint/scalar/halves.ts";
import { type Part as AbstractPart, anything } from "../../absint/scalar/part.ts";
import {
  add,
  all,
  and,
  constant,
  eq,
  extract,
  ite,
  neg,
  sext,
  sge,
  sle,
  slt,
  smax,
  smin,
  sub,
  ule,
  ult,
  variable,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, integers, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Obligation, Theorem } from "../theorem.ts";

type Signedness = "unsigned" | "signed";
type End = "min" | "max";

interface IntervalClaim {
  readonly op: "add" | "sub";
  readonly abstract: (a: AbstractPart<number>, b: AbstractPart<number>) => AbstractPart<number>;
}

const INTERVAL_CLAIMS: readonly IntervalClaim[] = [
  { op: "add", abstract: addParts },
  { op: "sub", abstract: subParts },
];

const SIGNEDNESSES: readonly Signedness[] = ["unsigned", "signed"];
const FIELD = { unsigned: { min: "umin", max: "umax" }, signed: { min: "smin", max: "smax" } } as const;

interface Interval {
  readonly low: Term;
  readonly high: Term;
  readonly part: AbstractPart<number>;
  readonly ordered: Term<1>;
  /** How many numbers it has besides the first. */
  readonly size: Term;
}

const notAbove = (of: Signedness): ((x: Term, y: Term) => Term<1>) => (of === "unsigned" ? ule : sle);

/** An operand of which one interval is known, and what synchronisation makes of that for the other. */
function interval(name: string, width: number, of: Signedness): Interval {
  const [low, high] = [variable(`${name}.min`, width), variable(`${name}.max`, width)];
  const known: AbstractPart<number> =
    of === "unsigned"
      ? { ...anything(width), umin: low, umax: high }
      : { ...anything(width), smin: low, smax: high };
  const ordered = notAbove(of)(low, high);
  return { low, high, part: unsignedAndSigned(known), ordered, size: sub(high, low) };
}

/** How far from one end of an operand's interval the ends of its half are, the nearer first, and the steps that show that both are inside. */
interface Distances {
  readonly near: Term;
  readonly far: Term;
  readonly inOrder: Term<1>;
  readonly within: Term<1>;
  readonly steps: readonly Step[];
}

function distances(
  name: string,
  { low, high, ordered, size }: Interval,
  { from, to }: Arc<number>,
  of: Signedness,
  start: "low" | "high",
): Distances {
  const order = notAbove(of);
  const places = [order(low, from), order(from, to), order(to, high)];
  const [near, far] = start === "low" ? [sub(from, low), sub(to, low)] : [sub(high, to), sub(high, from)];
  const [inOrder, within] = [ule(near, far), ule(far, size)];
  const steps: readonly Step[] = [
    ...places.map((holds, i): Step => ({ name: `${name}: place ${i + 1}`, holds, from: [ordered] })),
    ...[inOrder, within].map(
      (holds, i): Step => ({
        name: `${name}: distance ${i + 1}`,
        holds,
        from: places,
        forgets: [low, high, from, to],
      }),
    ),
  ];
  return { near, far, inOrder, within, steps };
}

/** What the proof that one end is reached is about. */
interface Reached {
  readonly claim: IntervalClaim;
  readonly of: Signedness;
  readonly end: End;
  readonly a: Interval;
  readonly b: Interval;
  /** What is claimed to be the result's end, and that of all numbers. */
  readonly claimed: Term;
  readonly limit: Term;
  /** From the least sum to the greatest, with two bits more. */
  readonly span: Term;
  /** The least sum, modulo 2^N: of what was made with two bits more, and of the ends. */
  readonly first: Term;
  readonly base: Term;
  readonly roomy: number;
  /** Steps about these alone. */
  readonly steps: readonly Step[];
  readonly isFirst: Term<1>;
  readonly isSpan: Term<1>;
}

const halves = ({ part }: Interval): readonly Arc<number>[] => [notNegative(part), negative(part)];

function reached(
  claim: IntervalClaim,
  of: Signedness,
  width: number,
  end: End,
  change: (t: Term) => Term,
): { readonly about: Reached; readonly noGaps: readonly Obligation[] } {
  const [a, b] = [interval("a", width, of), interval("b", width, of)];
  const result = claim.abstract(a.part, b.part);
  const roomy: number = width + 2;
  const exact = (t: Term): Term => (of === "unsigned" ? zext(roomy, t) : sext(roomy, t));
  const x = [exact(a.low), exact(a.high)] as const;
  const y = [exact(b.low), exact(b.high)] as const;
  // x - y is x + (-y), and -y runs from -high to -low.
  const other = claim.op === "add" ? y : ([neg(y[1]), neg(y[0])] as const);
  const [least, greatest] = [add(x[0], other[0]), add(x[1], other[1])];
  const number = variable("sum", roomy);
  const left = smin(smax(sub(number, other[0]), x[0]), x[1]);
  const right = sub(number, left);
  const [first, span] = [extract<number>(width, least), sub(greatest, least)];
  const base = claim.op === "add" ? add(a.low, b.low) : sub(a.low, b.high);
  const isFirst = eq(first, base);
  const isSpan = eq(span, add(zext(roomy, a.size), zext(roomy, b.size)));
  const sizes = [a, b].map(
    ({ low, high, size, ordered }, i): Step => ({
      name: `size of operand ${i + 1}`,
      holds: eq(sub(exact(high), exact(low)), zext(roomy, size)),
      from: [ordered],
      forgets: [low, high],
    }),
  );
  const differences = [sub(x[1], x[0]), sub(y[1], y[0])] as const;
  const isDifference = eq(span, add(...differences));
  const steps: readonly Step[] = [
    { name: "the least sum", holds: isFirst, from: [], forgets: [a.low, a.high, b.low, b.high] },
    ...sizes,
    { name: "difference of sums", holds: isDifference, from: [], forgets: [...x, ...y] },
    {
      name: "from the least to the greatest",
      holds: isSpan,
      from: [isDifference, ...sizes.map(({ holds }) => holds)],
      forgets: [span, ...differences, zext(roomy, a.size), zext(roomy, b.size)],
    },
  ];
  const field = FIELD[of][end];
  const claimed = change(result[field]);
  const limit = fullRange(width)[field];
  return {
    about: { claim, of, end, a, b, claimed, limit, span, first, base, roomy, steps, isFirst, isSpan },
    noGaps: integers({
      name: `${end}: sums have no gaps`,
      premises: [a.ordered, b.ordered, sle(least, number), sle(number, greatest)],
      goal: all(sle(x[0], left), sle(left, x[1]), sle(other[0], right), sle(right, other[1])),
    }),
  };
}

/** The two ways in which the arc of two halves can make the end. */
function byArc(
  { claim, of, end, a, b, claimed, limit, span, first, base, roomy, ...about }: Reached,
  p: Arc<number>,
  q: Arc<number>,
  name: string,
) {
  const { from, to } = (claim.op === "add" ? sum : difference)(p, q);
  const u = distances("half of operand 1", a, p, of, "low");
  const v = distances("half of operand 2", b, q, of, claim.op === "add" ? "low" : "high");
  const wide = (t: Term): Term => zext(roomy, t);
  const together = (s: Term, t: Term): Term => add(wide(s), wide(t));
  const way = sub(claimed, first);
  const known = [...about.steps, ...u.steps, ...v.steps];
  // What the ends are made of. Between them the rest is an identity of sums.
  const parts = [p.from, p.to, q.from, q.to, a.low, a.high, b.low, b.high];
  const largest = together(a.size, b.size);
  /** That the way is `sum`, if the end is `place`: an identity, and equals in their places. */
  const waySteps = (place: Term, isPlace: Term<1>, whole: Term): readonly Step[] => {
    const identity = eq(sub(place, base), whole);
    return [
      { name: "the way, by the ends", holds: identity, from: [], forgets: parts },
      {
        name: "the way",
        holds: eq(way, whole),
        from: [isPlace, about.isFirst, identity],
        forgets: [claimed, first, place, base, whole],
      },
    ];
  };

  /** The way is that to two distances, and these are inside. */
  const atEnd = (): Method => {
    const [i, j] = end === "min" ? [u.near, v.near] : [u.far, v.far];
    const own = end === "min" ? from : to;
    const isOwn = eq(claimed, own);
    const isSum = eq(way, add(i, j));
    const atMost = ule(wide(way), together(i, j));
    const inside = [
      { near: i, distances: u, size: a.size },
      { near: j, distances: v, size: b.size },
    ].map(
      ({ near, distances: { inOrder, within }, size }, k): Step => ({
        name: `distance ${k + 1} is in the operand`,
        holds: ule(near, size),
        from: end === "min" ? [inOrder, within] : [within],
        forgets: [u.near, u.far, v.near, v.far, a.size, b.size],
      }),
    );
    const notLonger = ule(together(i, j), largest);
    return inSteps(
      [
        ...known,
        ...waySteps(own, isOwn, add(i, j)),
        { name: "the way is no longer", holds: atMost, from: [isSum], forgets: [way, i, j] },
        ...inside,
        {
          name: "the distances together",
          holds: notLonger,
          from: inside.map(({ holds }) => holds),
          forgets: [i, j, a.size, b.size],
        },
      ],
      {
        connecting: [about.isSpan, atMost, notLonger],
        from: [],
        forgets: [wide(way), together(i, j), largest, span],
      },
    );
  };

  const before = of === "unsigned" ? ult<number>(to, from) : slt<number>(to, from);
  const isLimit = eq<number>(claimed, limit);
  const acrossLimit = and(before, isLimit);
  /** The way is that to the arc's beginning, and on to the limit, which comes before the arc's end. */
  const across = (): Method => {
    const [du, dv] = [sub(u.far, u.near), sub(v.far, v.near)];
    const rest = sub(limit, from);
    const isLength = eq(to, add(from, add(du, dv)));
    const isCrossed = ule(wide(rest), together(du, dv));
    const isSum = eq(way, add(rest, add(u.near, v.near)));
    const [wayAtMost, wayByArc] = [
      add(wide(rest), together(u.near, v.near)),
      add(together(du, dv), together(u.near, v.near)),
    ];
    const farther = [u, v].map(
      ({ near, far, inOrder }, k): Step => ({
        name: `the farther distance ${k + 1}`,
        holds: eq(together(near, sub(far, near)), wide(far)),
        from: [inOrder],
        forgets: [near, far],
      }),
    );
    const sorted = [together(u.near, du), together(v.near, dv)] as const;
    const isSorted = eq(wayByArc, add(...sorted));
    const roomLeft = [together(du, dv), together(u.near, v.near)].map((t) => sge(t, constant(roomy, 0)));
    const farthest = together(u.far, v.far);
    const chain: readonly Step[] = [
      {
        name: "the way is no longer",
        holds: ule(wide(way), wayAtMost),
        from: [isSum],
        forgets: [way, rest, u.near, v.near],
      },
      {
        name: "than to the arc's end",
        holds: ule(wayAtMost, wayByArc),
        from: [isCrossed, ...roomLeft],
        forgets: [wide(rest), together(du, dv), together(u.near, v.near)],
      },
      {
        name: "which is the farther distances",
        holds: eq(wayByArc, farthest),
        from: [isSorted, ...farther.map(({ holds }) => holds)],
        forgets: [wayByArc, ...sorted, wide(u.far), wide(v.far)],
      },
      {
        name: "the distances together",
        holds: ule(farthest, largest),
        from: [u.within, v.within],
        forgets: [u.far, v.far, a.size, b.size],
      },
    ];
    return inSteps(
      [
        ...known,
        ...[before, isLimit].map(
          (holds, i): Step => ({
            name: `the case, ${i + 1}`,
            holds,
            from: [acrossLimit],
            forgets: [from, to, claimed],
          }),
        ),
        { name: "the arc's length", holds: isLength, from: [], forgets: parts },
        {
          name: "the limit is in the arc",
          holds: isCrossed,
          from: [before, isLength],
          forgets: [from, to, du, dv],
        },
        ...waySteps(limit, isLimit, add(rest, add(u.near, v.near))),
        ...farther,
        { name: "sorted", holds: isSorted, from: [], forgets: [u.near, v.near, du, dv].map(wide) },
        ...roomLeft.map(
          (holds, i): Step => ({
            name: `room, ${i + 1}`,
            holds,
            from: [],
            forgets: [u.near, v.near, du, dv],
          }),
        ),
        ...chain,
      ],
      {
        connecting: [about.isSpan, ...chain.map(({ holds }) => holds)],
        from: [],
        forgets: [wide(way), wayAtMost, wayByArc, farthest, largest, span],
      },
    );
  };

  return [
    { name: `the end of ${name}`, when: eq<number>(claimed, end === "min" ? from : to), by: atEnd() },
    { name: `${name} goes across`, when: acrossLimit, by: across() },
  ];
}

function endIsReached(...of: Parameters<typeof reached>): readonly Obligation[] {
  const { about, noGaps } = reached(...of);
  const { a, b, end, claimed, first, roomy, span } = about;
  const pairs = halves(a).flatMap((p) => halves(b).map((q) => [p, q] as const));
  const distinguished = pairs.flatMap(([p, q], i) => byArc(about, p, q, `arc ${i + 1}`));
  return [
    ...noGaps,
    ...cases(distinguished)({
      name: `${end} is reached`,
      premises: [a.ordered, b.ordered],
      goal: ule(zext(roomy, sub(claimed, first)), span),
    }),
  ];
}

function intervalTheorem(claim: IntervalClaim, of: Signedness, width: 32 | 64): Theorem {
  const kept = (t: Term): Term => t;
  // One further out, unless that is the end of the type.
  const further = (end: End) => (t: Term) => {
    const limit = fullRange<number>(width)[FIELD[of][end]];
    return ite(eq(t, limit), t, add(t, constant(width, end === "min" ? -1 : 1)));
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

/** For sums and differences of one width, in both orders. */
export const optimalIntervalTheorems = (width: 32 | 64): readonly Theorem[] =>
  INTERVAL_CLAIMS.flatMap((claim) => SIGNEDNESSES.map((of) => intervalTheorem(claim, of, width)));
