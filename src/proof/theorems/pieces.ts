/**
 * Steps of proofs about pieces (src/absint/scalar/piece.ts): that what is made of pieces which hold a number holds it, or what comes of it.
 */
import { greatestTo, leastFrom } from "../../absint/scalar/exchange.ts";
import { type Part, signedMax, signedMin } from "../../absint/scalar/part.ts";
import {
  between,
  type Case,
  fromOn,
  halves,
  joined,
  type Piece,
  ranges,
  tightBetween,
  unite,
  upTo,
} from "../../absint/scalar/piece.ts";
import type { Tnum } from "../../absint/scalar/tnum.ts";
import {
  and,
  constant,
  eq,
  umax as larger,
  not,
  sge,
  sle,
  slt,
  umin as smaller,
  ule,
} from "../../semantics/term/build.ts";
import { type Term, variablesOf } from "../../semantics/term/node.ts";
import type { End, Step } from "../steps.ts";

export const inBits = <N extends number>({ value, mask }: Tnum<N>, x: Term<N>): Term<1> =>
  eq(and(x, not(mask)), value);

/** That `x` is in a piece, in parts. */
export const inPiece = <N extends number>(p: Piece<N>, x: Term<N>) => ({
  some: p.some,
  bits: inBits(p.bits, x),
  least: ule(p.least, x),
  greatest: ule(x, p.greatest),
});

export const allOf = (facts: Readonly<Record<string, Term<1>>>): readonly Term<1>[] => Object.values(facts);

export const bitsTerms = <N extends number>({ value, mask }: Tnum<N>): readonly Term<N>[] => [value, mask];

/** The terms that a piece consists of. */
export const termsOf = <N extends number>(p: Piece<N>): readonly Term[] => [
  p.some,
  p.least,
  p.greatest,
  ...bitsTerms(p.bits),
];

export const partTerms = <N extends number>(p: Part<N>): readonly Term[] => [
  ...bitsTerms(p.tnum),
  p.umin,
  p.umax,
  p.smin,
  p.smax,
];

/** That `x` is in a part, in parts. */
export const inPart = <N extends number>(p: Part<N>, x: Term<N>) => ({
  bits: inBits(p.tnum, x),
  umin: ule(p.umin, x),
  umax: ule(x, p.umax),
  smin: sle(p.smin, x),
  smax: sle(x, p.smax),
});

/** The bits of a piece that is tight between its ends, from those that it was made of. */
export const bitsBetween = <N extends number>(
  name: string,
  bits: Tnum<N>,
  least: Term<N>,
  greatest: Term<N>,
  x: Term<N>,
): Step => ({
  name: `${name}: bits`,
  holds: inBits(tightBetween(constant(1, 1), bits, least, greatest).bits, x),
  from: [inBits(bits, x), ule(least, x), ule(x, greatest)],
  forgets: [...bitsTerms(bits), least, greatest, x],
});

export const leastOf = <N extends number>(
  name: string,
  bits: Tnum<N>,
  from: Term<N>,
  x: Term<N>,
): readonly Step[] => {
  const given = { from: [inBits(bits, x), ule(from, x)], forgets: [...bitsTerms(bits), from, x] };
  return [
    { name: `${name}: least`, holds: ule(leastFrom(bits, from), x), ...given },
    { name: `${name}: not before`, holds: ule(from, leastFrom(bits, from)), ...given },
  ];
};

export const greatestOf = <N extends number>(
  name: string,
  bits: Tnum<N>,
  to: Term<N>,
  x: Term<N>,
): readonly Step[] => {
  const given = { from: [inBits(bits, x), ule(x, to)], forgets: [...bitsTerms(bits), to, x] };
  return [
    { name: `${name}: greatest`, holds: ule(x, greatestTo(bits, to)), ...given },
    { name: `${name}: not past`, holds: ule(greatestTo(bits, to), to), ...given },
  ];
};

/** x is in `between(bits, from, to)` if it is in the bits and between the ends. */
export function betweenSteps<N extends number>(
  name: string,
  bits: Tnum<N>,
  from: Term<N>,
  to: Term<N>,
  x: Term<N>,
): readonly Step[] {
  const p = between(bits, from, to);
  return [
    ...leastOf(name, bits, from, x),
    ...greatestOf(name, bits, to, x),
    {
      name: `${name}: some`,
      holds: p.some,
      from: [ule(from, p.least), ule(p.least, x), ule(x, p.greatest), ule(p.greatest, to)],
      forgets: [p.least, p.greatest, from, to, x],
    },
    bitsBetween(name, bits, p.least, p.greatest, x),
  ];
}

/** The sign of a number: 0 or more, or less. */
export type Sign = 0 | 1;
export const hasSign = <N extends number>(x: Term<N>, sign: Sign): Term<1> =>
  sign === 0 ? sge(x, constant(x.width, 0)) : slt(x, constant(x.width, 0));

/** That a half's numbers have their sign. */
export const endOf = <N extends number>(p: Piece<N>, sign: Sign): Term<1> =>
  sign === 0 ? ule(p.greatest, signedMax(p.least.width)) : ule(signedMin(p.least.width), p.least);

/** x, in a part and of a sign, is in that half, the ends of which have the sign. */
export function halfSteps<N extends number>(
  name: string,
  p: Part<N>,
  x: Term<N>,
  sign: Sign,
): readonly Step[] {
  const { bits, from, to, may } = ranges(p)[sign];
  const h = halves(p)[sign];
  const inside = between(bits, from, to);
  const { width } = x;
  const given = [...allOf(inPart(p, x)), hasSign(x, sign)];
  const forgets = [...partTerms(p), x];
  const fact = (what: string, holds: Term<1>): Step => ({
    name: `${name}: ${what}`,
    holds,
    from: given,
    forgets,
  });
  const end = sign === 0 ? ule(to, signedMax(width)) : ule(signedMin(width), from);
  const insideEnd = sign === 0 ? ule(inside.greatest, to) : ule(from, inside.least);
  const [was, is] = [inPiece(inside, x), inPiece(h, x)];
  const kept = (what: string, holds: Term<1>, of: Term<1>): Step => ({
    name: `${name}: ${what} of the half`,
    holds,
    from: [h.some, of],
    forgets: [h.some, ...termsOf(inside), x],
  });
  return [
    fact("bits of the sign", inBits(bits, x)),
    fact("from", ule(from, x)),
    fact("to", ule(x, to)),
    fact("may be", may),
    { name: `${name}: sign of the end`, holds: end, from: [], forgets: partTerms(p) },
    ...betweenSteps(name, bits, from, to, x),
    {
      name: `${name}: some of the half`,
      holds: is.some,
      from: [inside.some, may],
      forgets: [inside.some, may],
    },
    kept("bits", is.bits, was.bits),
    kept("least", is.least, was.least),
    kept("greatest", is.greatest, was.greatest),
    {
      name: `${name}: sign of the half`,
      holds: endOf(h, sign),
      from: [h.some, end, insideEnd],
      forgets: [h.some, ...termsOf(inside), from, to],
    },
  ];
}

/** x, in a piece, is in what of it is `from` or more. */
export function fromOnSteps<N extends number>(
  name: string,
  p: Piece<N>,
  from: Term<N>,
  x: Term<N>,
): readonly Step[] {
  const q = fromOn(p, from);
  const start = larger(p.least, from);
  const { some, least, greatest } = inPiece(p, x);
  return [
    {
      name: `${name}: start`,
      holds: ule(start, x),
      from: [least, ule(from, x)],
      forgets: [p.least, from, x],
    },
    ...leastOf(name, p.bits, start, x),
    {
      name: `${name}: some`,
      holds: q.some,
      from: [some, greatest, ule(from, x)],
      forgets: [p.some, p.greatest, from, x],
    },
    bitsBetween(name, p.bits, q.least, q.greatest, x),
  ];
}

/** x, in a piece, is in what of it is `to` or less. */
export function upToSteps<N extends number>(
  name: string,
  p: Piece<N>,
  to: Term<N>,
  x: Term<N>,
): readonly Step[] {
  const q = upTo(p, to);
  const stop = smaller(p.greatest, to);
  const { some, least, greatest } = inPiece(p, x);
  return [
    {
      name: `${name}: stop`,
      holds: ule(x, stop),
      from: [greatest, ule(x, to)],
      forgets: [p.greatest, to, x],
    },
    ...greatestOf(name, p.bits, stop, x),
    {
      name: `${name}: some`,
      holds: q.some,
      from: [some, least, ule(x, to)],
      forgets: [p.some, p.least, to, x],
    },
    bitsBetween(name, p.bits, q.least, q.greatest, x),
  ];
}

/** x, in one of two pieces, is in both joined. */
export function joinedSteps<N extends number>(
  name: string,
  p: Piece<N>,
  q: Piece<N>,
  x: Term<N>,
  which: 0 | 1,
): readonly Step[] {
  const from = allOf(inPiece(which === 0 ? p : q, x));
  return Object.entries(inPiece(joined(p, q), x)).map(([what, holds]) => ({
    name: `${name}: ${what} of both`,
    holds,
    from,
    forgets: [...termsOf(p), ...termsOf(q), x],
  }));
}

/** z, between two ends and in some bits, is in the piece that is tight between them. */
export const tightSteps = <N extends number>(
  name: string,
  bits: Tnum<N>,
  least: Term<N>,
  greatest: Term<N>,
  z: Term<N>,
): readonly Step[] => [
  { name: `${name}: known bits`, holds: inBits(bits, z), from: [], forgets: [z] },
  bitsBetween(name, bits, least, greatest, z),
];

/** z, in a piece of one sign, is between its ends in signed order. */
export const signedSteps = <N extends number>(
  name: string,
  p: Piece<N>,
  z: Term<N>,
  sign: Sign,
): readonly Step[] => {
  const { least, greatest } = inPiece(p, z);
  const given = { from: [least, greatest, endOf(p, sign)], forgets: [p.least, p.greatest, z] };
  return [
    { name: `${name}: signed least`, holds: sle(p.least, z), ...given },
    { name: `${name}: signed greatest`, holds: sle(z, p.greatest), ...given },
  ];
};

/** The last step: z, in one of several cases that are united, is in the result. */
export const unitedStep = <N extends number>(
  cases: readonly Case<N>[],
  which: Case<N>,
  z: Term<N>,
): Omit<End, "connecting"> => ({
  from: allOf(inPart(which.part, z)),
  forgets: [...cases.flatMap(({ some, part }) => [some, ...partTerms(part)]), z],
});

/**
 * z, in one of several cases, is in their union, one case after the other; and the end of a proof about what of it `orAnything` makes. The questions
 * are the same for all numbers of cases.
 */
export function uniteSteps<N extends number>(
  cases: readonly [Case<N>, ...Case<N>[]],
  which: Case<N>,
  z: Term<N>,
): { readonly steps: readonly Step[]; readonly last: End } {
  const [first, ...rest] = cases;
  const steps: Step[] = [];
  let before = first;
  let inside = first === which;
  for (const [i, next] of rest.entries()) {
    const both = unite(before, next);
    const own = next === which;
    if (own || inside) {
      const holder = own ? next : before;
      const was = inPart(holder.part, z);
      const forgets = [before.some, next.some, ...partTerms(before.part), ...partTerms(next.part), z];
      const step = (name: string, holds: Term<1>, facts: readonly Term<1>[]): Step => ({
        name: own ? `united: ${name}` : `united with case ${i + 1}: ${name}`,
        holds,
        from: [holder.some, ...facts],
        forgets,
      });
      const is = inPart(both.part, z);
      steps.push(
        step("some", both.some, []),
        step("bits", is.bits, [was.bits]),
        step("umin", is.umin, [was.umin]),
        step("umax", is.umax, [was.umax]),
        step("smin", is.smin, [was.smin]),
        step("smax", is.smax, [was.smax]),
      );
      inside = true;
    }
    before = both;
  }
  return {
    steps,
    last: {
      connecting: [before.some],
      from: allOf(inPart(before.part, z)),
      forgets: [before.some, ...partTerms(before.part), z],
    },
  };
}

/** That no bit is both known and unknown. */
export const isFormed = ({ value, mask }: Tnum<number>): Term<1> =>
  eq(and(value, mask), constant(value.width, 0));

/** Bits are well formed however those are that they were made of: `forgets` are the terms up to which to look. */
export const formStep = (name: string, bits: Tnum<number>, forgets: readonly Term[]): Step => ({
  name: `${name}: form`,
  holds: isFormed(bits),
  from: [],
  forgets,
});

/** The bits of a half are well formed: they are those between its ends, or none. */
export function keptFormSteps(name: string, p: Part<number>, sign: Sign): readonly Step[] {
  const { bits, from, to } = ranges(p)[sign];
  const inside = between(bits, from, to);
  const h = halves(p)[sign];
  return [
    formStep(`${name} between ends`, inside.bits, [...bitsTerms(bits), inside.least, inside.greatest]),
    {
      name: `${name}: form of the half`,
      holds: isFormed(h.bits),
      from: [isFormed(inside.bits)],
      forgets: [h.some, ...bitsTerms(inside.bits)],
    },
  ];
}

/** That a part which holds a number is well formed, and so are the bits of its half. */
export const formSteps = (name: string, p: Part<number>, bits: Tnum<number>, x: Term): readonly Step[] => [
  {
    name: `${name}: form of the operand`,
    holds: isFormed(p.tnum),
    from: [inBits(p.tnum, x)],
    forgets: [...bitsTerms(p.tnum), x],
  },
  {
    name: `${name}: form of the bits of the sign`,
    holds: isFormed(bits),
    from: [isFormed(p.tnum)],
    forgets: bitsTerms(p.tnum),
  },
];

/** The last step: bits of united cases are well formed if those of each are. */
export const formEnd = (cases: readonly Case<number>[]): Omit<End, "connecting"> => ({
  from: cases.map(({ part }) => isFormed(part.tnum)).filter((fact) => variablesOf([fact]).length > 0),
  forgets: cases.flatMap(({ some, part }) => [some, ...partTerms(part)]),
});
