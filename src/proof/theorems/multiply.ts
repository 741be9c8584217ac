/**
 * Abstract multiplication: that the result holds every product. The order of products, of numbers whose signs are known, is that of the products of
 * their magnitudes, which is a fact about integers; the bits are proved by induction (multiply-bits.ts), and few numbers by few.ts.
 */

import {
  mul as abstractMul,
  lowHalves,
  MEANS,
  type Means,
  productOfHalves,
  products,
  signedProduct,
  unsignedProduct,
  unsignedRange,
} from "../../absint/scalar/multiply.ts";
import { signedMin } from "../../absint/scalar/part.ts";
import { halves, type Piece, whole } from "../../absint/scalar/piece.ts";
import { combine, low, wide, zeroExtended } from "../../absint/scalar/product.ts";
import { below } from "../../absint/scalar/product-ends.ts";
import { multiplyWith } from "../../absint/scalar/tnum-multiply.ts";
import { add, constant, eq, extract, mul, neg, sle, sub, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, integers, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, type WrongResult } from "./alu.ts";
import { type ByPairs, proofsThroughPairs } from "./few.ts";
import { multiplying } from "./multiply-bits.ts";
import { lowBitsSteps } from "./multiply-ends.ts";
import { type OfWidth, operandsOf } from "./operands.ts";
import {
  endOf,
  halfSteps,
  hasSign,
  inBits,
  inPiece,
  joinedSteps,
  type Sign,
  termsOf,
  unitedStep,
} from "./pieces.ts";
import { A, B, type Group } from "./scalar.ts";

const SIGNS: readonly Sign[] = [0, 1];

/** The magnitude of a number of this sign. */
const magnitude = (x: Term, sign: Sign): Term => (sign === 0 ? x : neg(x));

/** A fact about the product of `less` and `other`, and of `more` and `other`, in this order of the factors or the other. */
interface Growing {
  readonly less: Term;
  readonly more: Term;
  readonly other: Term;
  readonly place: "left" | "right";
}

const placed = ({ other, place }: Growing, x: Term): Term =>
  place === "left" ? unsignedProduct(x, other) : unsignedProduct(other, x);

const isGreater = (growing: Growing): Term<1> =>
  ule(placed(growing, growing.less), placed(growing, growing.more));

/** That a product does not fall where a factor grows: it grows by the product with the difference. */
function growingSteps(name: string, growing: Growing): readonly Step[] {
  const { less, more, other } = growing;
  const order = ule(less, more);
  const grows = eq(placed(growing, more), add(placed(growing, less), placed(growing, sub(more, less))));
  const forgets = [less, more, other];
  return [
    { name: `${name}: grows by`, holds: grows, from: [order], forgets, by: integers },
    { name: `${name}: grows`, holds: isGreater(growing), from: [order, grows], forgets, by: integers },
  ];
}

/** That the product of one pair of factors is at most that of another, of which neither factor is less. */
function orderSteps(name: string, [x, y]: readonly [Term, Term], [u, v]: readonly [Term, Term]) {
  const first: Growing = { less: x, more: u, other: y, place: "left" };
  const second: Growing = { less: y, more: v, other: u, place: "right" };
  const [least, between, greatest] = [unsignedProduct(x, y), unsignedProduct(u, y), unsignedProduct(u, v)];
  const holds = ule(least, greatest);
  const steps: readonly Step[] = [
    ...growingSteps(`${name}, first factor`, first),
    ...growingSteps(`${name}, second factor`, second),
    {
      name,
      holds,
      from: [isGreater(first), isGreater(second)],
      forgets: [least, between, greatest],
    },
  ];
  return { steps, holds };
}

/** The magnitude of the product of the two least signed numbers of a width. */
const largestSize = (width: number): Term => constant(2 * width, 1n << BigInt(2 * width - 2));

/** Numbers of known signs, their product and that of their magnitudes. */
function signedFactors(name: string, x: Term, y: Term, s: Sign, t: Sign) {
  const { width } = x;
  const [m, n] = [magnitude(x, s), magnitude(y, t)];
  const [product, size] = [signedProduct(x, y), unsignedProduct(m, n)];
  const isSize = eq(product, s === t ? size : neg(size));
  const limit = signedMin(width);
  const small = ule(size, largestSize(width));
  const steps: readonly Step[] = [
    {
      name: `${name}: of magnitudes`,
      holds: isSize,
      from: [hasSign(x, s), hasSign(y, t)],
      forgets: [x, y],
      by: integers,
    },
    { name: `${name}: first magnitude`, holds: ule(m, limit), from: [hasSign(x, s)], forgets: [x] },
    { name: `${name}: second magnitude`, holds: ule(n, limit), from: [hasSign(y, t)], forgets: [y] },
    {
      name: `${name}: size`,
      holds: small,
      from: [ule(m, limit), ule(n, limit)],
      forgets: [m, n],
      by: integers,
    },
  ];
  return { factors: [x, y], magnitudes: [m, n] as const, product, size, isSize, small, steps };
}

type Pieces = readonly [Piece<number>, Piece<number>];
type Numbers = readonly [Term, Term];

/** That the product of x and y, in two pieces of a sign each, is between the products of their corners, at twice the width. */
function cornerSteps(means: Means, [p, q]: Pieces, [x, y]: Numbers, [s, t]: readonly [Sign, Sign]) {
  const of = signedFactors("product", x, y, s, t);
  const ends = means
    .corners(p, q)
    .map(([u, v], i) => signedFactors(i === 0 ? "least product" : "greatest product", u, v, s, t));
  const [least, greatest] = ends;
  if (!least || !greatest) throw new Error("two ends");
  const [inP, inQ] = [inPiece(p, x), inPiece(q, y)];
  const from = [inP.least, inP.greatest, endOf(p, s), inQ.least, inQ.greatest, endOf(q, t)];
  const forgets = [...termsOf(p), ...termsOf(q), x, y];
  // Products of like signs grow with the magnitudes; those of unlike signs fall.
  const rising = s === t ? [least, of, greatest] : [greatest, of, least];
  const places: readonly Step[] = ends.flatMap(({ factors, magnitudes: [m, n] }, i) => {
    const isLess = (i === 0) === (s === t);
    const [first, second] = of.magnitudes;
    return [
      ...factors.map((f, j) => ({
        name: `sign of end ${i}, factor ${j}`,
        holds: hasSign(f, j === 0 ? s : t),
        from,
        forgets,
      })),
      {
        name: `magnitude of end ${i}, factor 0`,
        holds: isLess ? ule(m, first) : ule(first, m),
        from,
        forgets,
      },
      {
        name: `magnitude of end ${i}, factor 1`,
        holds: isLess ? ule(n, second) : ule(second, n),
        from,
        forgets,
      },
    ];
  });
  const orders = rising.slice(1).map((above, i) => {
    const below = rising[i] ?? above;
    return orderSteps(`magnitudes ${i}`, below.magnitudes, above.magnitudes);
  });
  const [notBelow, notAbove] = [sle(least.product, of.product), sle(of.product, greatest.product)];
  const all = [least, of, greatest];
  const facts = [...all.flatMap(({ isSize, small }) => [isSize, small]), ...orders.map(({ holds }) => holds)];
  const compared = {
    from: facts,
    forgets: all.flatMap(({ product, size }) => [product, size]),
  };
  const notNearTop = sle(greatest.product, largestSize(x.width));
  const steps: readonly Step[] = [
    ...places,
    ...all.flatMap((factors) => factors.steps),
    ...orders.flatMap((order) => order.steps),
    { name: "not below the least product", holds: notBelow, ...compared },
    { name: "not above the greatest product", holds: notAbove, ...compared },
    {
      name: "the greatest product is not near the top",
      holds: notNearTop,
      from: [greatest.isSize, greatest.small],
      forgets: [greatest.product, greatest.size],
    },
  ];
  return {
    steps,
    inside: [notBelow, notAbove, notNearTop],
    product: of.product,
    least: least.product,
    greatest: greatest.product,
  };
}

/** That the low half of a number between two ends is between what `lowHalves` makes of those. */
function lowSteps(
  name: string,
  z: Term,
  { product, least, greatest }: { readonly product: Term; readonly least: Term; readonly greatest: Term },
  [x, y]: Numbers,
  inside: readonly Term<1>[],
): readonly Step[] {
  const isLow = eq<number>(extract(z.width, product), z);
  const { umin, umax, smin, smax } = lowHalves(z.width, least, greatest);
  const step = (what: string, holds: Term<1>): Step => ({
    name: `${name}: ${what}`,
    holds,
    from: [isLow, ...inside],
    forgets: [product, least, greatest, z],
  });
  return [
    { name: `${name}: low half`, holds: isLow, from: [], forgets: [x, y] },
    step("umin", ule(umin, z)),
    step("umax", ule(z, umax)),
    step("smin", sle(smin, z)),
    step("smax", sle(z, smax)),
  ];
}

/** That x·y is between the low halves of the products of the unsigned ends. */
function unsignedSteps([p, q]: Pieces, [x, y]: Numbers, z: Term): readonly Step[] {
  const below = orderSteps("unsigned, from below", [p.least, q.least], [x, y]);
  const above = orderSteps("unsigned, from above", [x, y], [p.greatest, q.greatest]);
  const product = unsignedProduct(x, y);
  const ends = {
    product,
    least: unsignedProduct(p.least, q.least),
    greatest: unsignedProduct(p.greatest, q.greatest),
  };
  return [
    ...below.steps,
    ...above.steps,
    ...lowSteps("unsigned", z, ends, [x, y], [below.holds, above.holds]),
  ];
}

/** A product is in what is said of many pairs, for each bound. */
function multiplyingMany(a: OfWidth, b: OfWidth, means: Means): Method {
  const [x, y] = [a.value, b.value];
  const z = mul(x, y);
  const [as, bs] = [halves(a.part), halves(b.part)];
  const [p, q] = [whole(as), whole(bs)];
  const bits = means.bits(p.bits, q.bits);
  const united = as.flatMap((u) => bs.map((v) => productOfHalves(bits, u, v, means)));
  const range = unsignedRange(p, q);
  const bySigns = (s: Sign, t: Sign): Method => {
    const [u, v] = [as[s], bs[t]];
    const own = productOfHalves(bits, u, v, means);
    const isIn = inBits(bits, z);
    const corner = cornerSteps(means, [u, v], [x, y], [s, t]);
    const ends = lowBitsSteps(means, [as, bs], [p.bits, q.bits, bits], [x, y], [s, t]);
    const operands: readonly Step[] = [
      ...a.steps,
      ...b.steps,
      ...halfSteps("first", a.part, x, s),
      ...halfSteps("second", b.part, y, t),
      ...joinedSteps("first", as[0], as[1], x, s),
      ...joinedSteps("second", bs[0], bs[1], y, t),
    ];
    const steps: readonly Step[] = [
      ...operands,
      {
        name: "some",
        holds: own.some,
        from: [u.some, v.some],
        forgets: [u.some, v.some],
      },
      {
        name: "bits",
        holds: isIn,
        from: [inBits(p.bits, x), inBits(q.bits, y)],
        by: multiplying(p.bits, q.bits, x, y),
      },
      ...corner.steps,
      ...lowSteps("signs", z, corner, [x, y], corner.inside),
      ...unsignedSteps([p, q], [x, y], z),
      ...ends.steps,
    ];
    const last = unitedStep(united, own, z);
    return inSteps(steps, {
      connecting: [own.some],
      from: [...last.from, ule(range[0], z), ule(z, range[1]), ...ends.holds],
      forgets: [...last.forgets, ...range, ...ends.terms],
    });
  };
  const named = (what: string, sign: Sign): string => `${what} ${sign === 0 ? "not negative" : "negative"}`;
  return cases(
    SIGNS.map((s) => ({
      name: named("first", s),
      when: hasSign(x, s),
      by: cases(SIGNS.map((t) => ({ name: named("second", t), when: hasSign(y, t), by: bySigns(s, t) }))),
    })),
  );
}

function byPairsAt(width: 32 | 64, means: Means): ByPairs {
  const [a, b] = operandsOf(width);
  const by = multiplyingMany(a, b, means);
  return { a, b, apply: mul, otherwise: products(a.part, b.part, means), by: () => by };
}

/** The proofs about an instruction's result; at 64 bits it is made of the products of the low halves, too. */
const proofsAt = (width: 32 | 64, means: Means) =>
  proofsThroughPairs(
    "mul",
    width,
    ...(width === 64 ? ([64, 32] as const) : ([32] as const)).map((w) => byPairsAt(w, means)),
  );

/** A wrong way to multiply, and the proof for the right one with it. */
function wrongResult(
  name: string,
  groups: readonly [Group, ...Group[]],
  width: 32 | 64,
  means: Means,
): WrongResult {
  const half = abstractMul(low(A.scalar), low(B.scalar), means);
  return {
    name,
    groups,
    result: () =>
      width === 64 ? combine(abstractMul(wide(A.scalar), wide(B.scalar), means), half) : zeroExtended(half),
    by: (claim) => proofsAt(width, means).sound[groups[0]](claim),
  };
}

const wrongResults = (width: 32 | 64): readonly WrongResult[] => [
  wrongResult("each unknown bit of a factor is taken for 1", ["tnum"], width, {
    ...MEANS,
    bits: (a, b) => multiplyWith((_, added) => added, a, b),
  }),
  wrongResult("products of like ends, whatever their signs", ["s64", "s32"], width, {
    ...MEANS,
    corners: (a, b) => [
      [a.least, b.least],
      [a.greatest, b.greatest],
    ],
  }),
  wrongResult("the lowest bit of the least number for that of all", ["u64", "s64", "u32", "s32"], width, {
    ...MEANS,
    belowAll: (p) => below(p.least),
  }),
];

export const multiplyTheorems = (): readonly Theorem[] =>
  ([64, 32] as const).flatMap((width) =>
    aluTheorems("mul", width, { ...proofsAt(width, MEANS), wrong: wrongResults(width) }),
  );
