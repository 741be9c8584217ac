/**
 * What low bits of factors say of the ends of their products (src/absint/scalar/product-ends.ts): that no product is before the least or past
 * the greatest.
 *
 * That a product is not 0 if that of the lowest bits is not is a question that a solver decides at full width.
 */
import type { Means } from "../../absint/scalar/multiply.ts";
import { signedMin } from "../../absint/scalar/part.ts";
import type { Piece } from "../../absint/scalar/piece.ts";
import {
  below,
  greatestByLowBits,
  leastByLowest,
  lowestOfProducts,
  roundest,
} from "../../absint/scalar/product-ends.ts";
import type { Tnum } from "../../absint/scalar/tnum.ts";
import {
  add,
  and,
  any,
  constant,
  eq,
  mul,
  ne,
  neg,
  not,
  or,
  sle,
  sub,
  ule,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Step } from "../steps.ts";
import { allOf, bitsTerms, inBits, inPiece, type Sign, termsOf } from "./pieces.ts";

type Halves = readonly [Piece<number>, Piece<number>];

const zero = ({ width }: Term): Term => constant(width, 0);
const one = ({ width }: Term): Term => constant(width, 1);

/** That there is no bit in `x` that is not in `all`. */
const within = (x: Term, all: Term): Term<1> => eq(and(x, not(all)), zero(x));

/** That what is below the lowest bit of x, in a half, is in what is below the lowest bits of all, and that this is all bits up to some place. */
function belowSteps(name: string, means: Means, halves: Halves, x: Term, sign: Sign) {
  const [clear, set] = halves.map((p) => means.belowAll(p));
  if (!clear || !set) throw new Error("two halves");
  const own = sign === 0 ? clear : set;
  const half = halves[sign];
  const both = or(clear, set);
  const isWithin = within(below(x), both);
  const isLow = (mask: Term): Term<1> => eq(and(mask, add(mask, one(mask))), zero(mask));
  const steps: readonly Step[] = [
    {
      name: `${name}: below the lowest bit`,
      holds: within(below(x), own),
      from: allOf(inPiece(half, x)),
      forgets: [...termsOf(half), x],
    },
    {
      name: `${name}: below the lowest bits of both halves`,
      holds: isWithin,
      from: [within(below(x), own)],
      forgets: [clear, set, below(x)],
    },
    ...halves.map((p, i): Step => {
      const mask = means.belowAll(p);
      return {
        name: `${name}: low bits, half ${i}`,
        holds: isLow(mask),
        from: [],
        forgets: [p.some, p.least, roundest(p)],
      };
    }),
    {
      name: `${name}: low bits`,
      holds: isLow(both),
      from: [isLow(clear), isLow(set)],
      forgets: [clear, set],
    },
  ];
  return { steps, both, facts: [isWithin, isLow(both)] };
}

/** The lowest bit of a number. */
const lowestOf = (x: Term): Term => and(x, neg(x));
const isOneBit = (x: Term): Term<1> => eq(and(x, sub(x, one(x))), zero(x));

/**
 * That if the product of the highest lowest bits is not 0, nor is the product of x and y: the numbers' lowest bits take the place of the operands'
 * one after the other. The same of twice the products, which are 0 where the products are 0 or the sign alone.
 */
function notZeroSteps(
  [a, b]: readonly [ReturnType<typeof belowSteps>, ReturnType<typeof belowSteps>],
  [x, y]: readonly [Term, Term],
) {
  const [highA, highB] = [a, b].map(({ both }) => add(both, one(both)));
  if (!highA || !highB) throw new Error("two operands");
  const [lowX, lowY] = [lowestOf(x), lowestOf(y)];
  const products = [mul(highA, highB), mul(highA, lowY), mul(lowX, lowY), mul(x, y)] as const;
  const follows = (p: Term, q: Term): Term<1> => any(eq(p, zero(p)), ne(q, zero(q)));
  const versions = [
    { name: "not 0", of: (p: Term): Term => p },
    { name: "twice not 0", of: (p: Term): Term => add(p, p) },
  ].map(({ name, of }) => {
    const [first, second, third, last] = products.map(of);
    if (!first || !second || !third || !last) throw new Error("four products");
    const facts = [follows(first, second), follows(second, third), follows(third, last)] as const;
    const steps: readonly Step[] = [
      {
        name: `${name}: lowest bit of the second`,
        holds: facts[0],
        from: [isOneBit(highA), ...b.facts],
        forgets: [highA, b.both, y],
      },
      {
        name: `${name}: lowest bit of the first`,
        holds: facts[1],
        from: [isOneBit(lowY), ...a.facts],
        forgets: [lowY, a.both, x],
      },
      { name: `${name}: numbers`, holds: facts[2], from: [], forgets: [x, y] },
      { name, holds: follows(first, last), from: facts, forgets: products },
    ];
    return { steps, holds: follows(first, last) };
  });
  const steps: readonly Step[] = [
    { name: "highest lowest bit", holds: isOneBit(highA), from: a.facts.slice(1), forgets: [a.both] },
    { name: "lowest bit", holds: isOneBit(lowY), from: [], forgets: [y] },
    ...versions.flatMap((version) => version.steps),
  ];
  return { steps, holds: versions.map(({ holds }) => holds) };
}

/** That z, the product of x and y, is between the ends that low bits give. `bits` are the products', in which z is known to be. */
export function lowBitsSteps(
  means: Means,
  [as, bs]: readonly [Halves, Halves],
  [a, b, bits]: readonly [Tnum<number>, Tnum<number>, Tnum<number>],
  [x, y]: readonly [Term, Term],
  [s, t]: readonly [Sign, Sign],
) {
  const z = mul(x, y);
  const lowest = lowestOfProducts(as, bs, means.belowAll);
  const lows = leastByLowest(lowest, bits);
  const highs = greatestByLowBits(a, b, bits);
  const [first, second] = [belowSteps("first", means, as, x, s), belowSteps("second", means, bs, y, t)];
  const sign = signedMin(z.width);
  const isZero = any(eq(lowest, zero(z)), ne(z, zero(z)));
  const isSign = any(eq(lowest, zero(z)), eq(lowest, sign), ne(z, sign));
  const notZero = notZeroSteps([first, second], [x, y]);
  const byLowest = { from: notZero.holds, forgets: [lowest, z] };
  const inAll = inBits(bits, z);
  const seven = constant(z.width, 7);
  const endsInOnes = any(eq(highs.umax, constant(z.width, -1)), ne(and(z, seven), seven));
  const least = { from: [inAll, isZero, isSign], forgets: [...bitsTerms(bits), lowest, z] };
  const factors = [...bitsTerms(a), ...bitsTerms(b), ...bitsTerms(bits)];
  const greatest = { from: [inAll, endsInOnes], forgets: [...factors, z] };
  const [umin, smin] = [ule(lows.umin, z), sle(lows.smin, z)];
  const [umax, smax] = [ule(z, highs.umax), sle(z, highs.smax)];
  const steps: readonly Step[] = [
    ...first.steps,
    ...second.steps,
    ...notZero.steps,
    { name: "lowest bits: not 0", holds: isZero, ...byLowest },
    { name: "lowest bits: not the sign alone", holds: isSign, ...byLowest },
    { name: "lowest bits: umin", holds: umin, ...least },
    { name: "lowest bits: smin", holds: smin, ...least },
    {
      name: "low bits: not three 1s",
      holds: endsInOnes,
      from: [inBits(a, x), inBits(b, y)],
      forgets: [...factors, x, y],
    },
    { name: "low bits: umax", holds: umax, ...greatest },
    { name: "low bits: smax", holds: smax, ...greatest },
  ];
  return { steps, holds: [umin, smin, umax, smax], terms: [...Object.values(lows), ...Object.values(highs)] };
}
