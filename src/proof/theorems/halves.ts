/**
 * Sums, differences and bitwise operations: that the result's intervals hold what comes of two numbers, by the halves that they are in.
 *
 * In each of four cases the result is between the ends of one arc (src/absint/scalar/halves.ts); of the others it matters only that they can do no
 * more than add to what is around all. Of `smear` it is enough to know what it makes: ones from the highest bit of its argument down.
 */
import { difference, sum } from "../../absint/scalar/alu.ts";
import { andArc, orArc, xorArc } from "../../absint/scalar/bitwise.ts";
import { type Arc, around, fullRange, negative, notNegative } from "../../absint/scalar/halves.ts";
import type { Part } from "../../absint/scalar/part.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import {
  add,
  all,
  and,
  constant,
  eq,
  extract,
  lshr,
  not,
  or,
  sge,
  sle,
  slt,
  sub,
  ule,
  ult,
  xor,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { cases, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, concreteResult } from "./alu.ts";
import { differenceInBits } from "./carries.ts";
import { type OfWidth, operandsOf } from "./operands.ts";
import { inBits } from "./pieces.ts";

type Width = 32 | 64;
type Binary<T> = (a: T, b: T) => T;
type Smear = <N extends number>(bits: Term<N>) => Term<N>;

interface Operation {
  readonly op: "add" | "sub" | "and" | "or" | "xor";
  readonly concrete: Binary<Term>;
  readonly bits: Binary<tnum.Tnum<number>>;
  readonly arc: (x: Arc<number>, y: Arc<number>, smear: Smear) => Arc<number>;
  /** The order in which an arc of two halves keeps its ends apart: of halves of like sign, of unlike sign. */
  readonly order: "both" | readonly ["unsigned", "signed"] | readonly ["signed", "unsigned"];
}

const OPERATIONS: readonly Operation[] = [
  { op: "add", concrete: add, bits: tnum.add, arc: sum, order: ["unsigned", "signed"] },
  { op: "sub", concrete: sub, bits: tnum.sub, arc: difference, order: ["signed", "unsigned"] },
  { op: "and", concrete: and, bits: tnum.and, arc: andArc, order: "both" },
  { op: "or", concrete: or, bits: tnum.or, arc: orArc, order: "both" },
  { op: "xor", concrete: xor, bits: tnum.xor, arc: xorArc, order: "both" },
];

/** 0 for the numbers that are not negative, 1 for the others. */
type Sign = 0 | 1;
export const SIGNS: readonly Sign[] = [0, 1];

const zeroOf = (x: Term): Term => constant(x.width, 0);
export const hasSign = (x: Term, sign: Sign): Term<1> => (sign === 0 ? sge(x, zeroOf(x)) : slt(x, zeroOf(x)));
export const halfOf = (p: Part<number>, sign: Sign): Arc<number> =>
  sign === 0 ? notNegative(p) : negative(p);

/** That a number of this sign is between the ends of its half, and that these have its sign. */
export function halfSteps(
  name: string,
  { part, value }: OfWidth,
  sign: Sign,
  when: Term<1>,
): readonly Step[] {
  const { from, to } = halfOf(part, sign);
  const [step, known] =
    sign === 0
      ? [{ name: `${name}: to`, holds: ule(value, to) }, sle(value, to)]
      : [{ name: `${name}: from`, holds: ule(from, value) }, sle(from, value)];
  const signs = and(hasSign(from, sign), hasSign(to, sign));
  return [
    { ...step, from: [when, known] },
    { name: `${name}: signs`, holds: signs, from: [when, ule(from, value), ule(value, to), known] },
  ];
}

/** That `smeared` is made of ones, from the highest bit of `bits` down. */
function isSmeared(smeared: Term, bits: Term): Term<1> {
  const below = lshr(smeared, constant(smeared.width, 1));
  const zero = zeroOf(smeared);
  return all(
    eq(and(below, not(smeared)), zero),
    eq(and(bits, not(smeared)), zero),
    or(eq(smeared, zero), ult(below, bits)),
  );
}

/** That the result of two numbers is in the arc of their halves. */
function arcSteps(
  { op, arc, concrete, order }: Operation,
  [a, b]: readonly [OfWidth, OfWidth],
  [s, t]: readonly [Sign, Sign],
  when: Term<1>,
): readonly Step[] {
  const smears: Step[] = [];
  const smeared: Term[] = [];
  const listening: Smear = (bits) => {
    const ones = tnum.smear(bits);
    smears.push({ name: `smear ${smears.length}`, holds: isSmeared(ones, bits), from: [], forgets: [bits] });
    smeared.push(ones);
    return ones;
  };
  const [u, v] = [halfOf(a.part, s), halfOf(b.part, t)];
  const { from, to } = arc(u, v, listening);
  const [x, y] = [a.value, b.value];
  const z = concrete(x, y);
  const inside = [ule(u.from, x), ule(x, u.to), ule(v.from, y), ule(y, v.to)];
  const signs = [u, v].map((half, i) => {
    const sign = i === 0 ? s : t;
    return and(hasSign(half.from, sign), hasSign(half.to, sign));
  });
  const forgets = [...smeared, u.from, u.to, v.from, v.to, x, y];
  if (order !== "both") {
    const le = order[s === t ? 0 : 1] === "unsigned" ? ule : sle;
    const known = [when, ...signs];
    // Less is taken away by what is less: a difference is least with the greatest subtrahend.
    const [least, greatest] = op === "sub" ? [ule(y, v.to), ule(v.from, y)] : [ule(v.from, y), ule(y, v.to)];
    // One operand after the other: from the one end to `between`, and from there to the result.
    const [lower, upper] =
      op === "sub" ? [concrete(x, v.to), concrete(x, v.from)] : [concrete(x, v.from), concrete(x, v.to)];
    return [
      { name: `${op}: from, first`, holds: le(from, lower), from: [...known, ule(u.from, x)], forgets },
      { name: `${op}: from, second`, holds: le(lower, z), from: [...known, least], forgets },
      {
        name: `${op}: from`,
        holds: le(from, z),
        from: [le(from, lower), le(lower, z)],
        forgets: [from, lower, z],
      },
      { name: `${op}: to, first`, holds: le(upper, to), from: [...known, ule(x, u.to)], forgets },
      { name: `${op}: to, second`, holds: le(z, upper), from: [...known, greatest], forgets },
      { name: `${op}: to`, holds: le(z, to), from: [le(z, upper), le(upper, to)], forgets: [z, upper, to] },
    ];
  }
  const facts = smears.map(({ holds }) => holds);
  const oneSign = eq(slt(from, zeroOf(from)), slt(to, zeroOf(to)));
  const between = [ule(from, z), ule(z, to), oneSign];
  const ends = [from, to, z];
  return [
    ...smears,
    { name: `${op}: from`, holds: ule(from, z), from: [...inside, ...facts], forgets },
    { name: `${op}: to`, holds: ule(z, to), from: [...inside, ...facts], forgets },
    { name: `${op}: one sign`, holds: oneSign, from: [...signs, ...facts], forgets },
    { name: `${op}: from, signed`, holds: sle(from, z), from: between, forgets: ends },
    { name: `${op}: to, signed`, holds: sle(z, to), from: between, forgets: ends },
  ];
}

/** For what the result of `operation` says of its part of `width` bits. */
function byHalves(operation: Operation, opWidth: Width, width: Width): Method {
  const operands = operandsOf(width);
  const [a, b] = operands;
  const [x, y] = [a.value, b.value];
  const z = operation.concrete(x, y);
  const whole = concreteResult(operation.op, opWidth);
  const link = eq<number>(extract(width, whole), z);
  const linked = opWidth !== width;
  const bits = operation.bits(a.part.tnum, b.part.tnum);
  const inside = [inBits(a.part.tnum, x), inBits(b.part.tnum, y)];
  const known = [a, b].flatMap(({ part: { tnum: t } }) => [t.value, t.mask]);
  const common: readonly Step[] = [
    ...a.steps,
    ...b.steps,
    { name: "bits", holds: inBits(bits, z), from: inside, forgets: [...known, x, y] },
    { name: "low half of the result", holds: link, from: [] },
  ];
  const arcs = SIGNS.flatMap((s) =>
    SIGNS.map((t) => operation.arc(halfOf(a.part, s), halfOf(b.part, t), tnum.smear)),
  );
  const ends = arcs.flatMap(({ from, to }) => [from, to]);
  const [pq, pm, nq, nm] = arcs;
  if (!pq || !pm || !nq || !nm) throw new Error("four cases");
  const before = around([pq, pm, nq, nm], fullRange(width));
  const signed: readonly Step[] = [
    { name: "least, signed", holds: sle(before.smin, z), from: [], forgets: [...ends, z] },
    { name: "greatest, signed", holds: sle(z, before.smax), from: [], forgets: [...ends, z] },
  ];
  return cases(
    SIGNS.flatMap((s) =>
      SIGNS.map((t) => {
        const when = and(hasSign(x, s), hasSign(y, t));
        const own = arcSteps(operation, operands, [s, t], when);
        const { from, to } = operation.arc(halfOf(a.part, s), halfOf(b.part, t), tnum.smear);
        const facts = own
          .map(({ holds }) => holds)
          .filter((fact) => [ule(from, z), ule(z, to), sle(from, z), sle(z, to)].includes(fact));
        const around_ = operation.order === "both" ? signed.map((step) => ({ ...step, from: facts })) : [];
        const steps = [
          ...common,
          ...halfSteps("destination", a, s, when),
          ...halfSteps("source", b, t, when),
          ...own,
          ...around_,
        ];
        return {
          name: `signs ${s} and ${t}`,
          when,
          by: inSteps(steps, {
            connecting: linked ? [link] : [],
            from: [...facts, ...around_.map(({ holds }) => holds), inBits(bits, z)],
            forgets: [
              ...(operation.order === "both" ? [before.smin, before.smax, bits.value, bits.mask] : []),
              ...ends,
              z,
              ...(linked ? [whole] : []),
            ],
          }),
        };
      }),
    ),
  );
}

/** The theorems about sums, differences and bitwise operations in both widths. */
export const halvesTheorems = (): readonly Theorem[] =>
  OPERATIONS.flatMap((operation) =>
    ([64, 32] as const).flatMap((width) => {
      const [whole, half] = [byHalves(operation, width, width), byHalves(operation, width, 32)];
      const tnum_ = operation.op === "sub" ? { tnum: differenceInBits(width) } : {};
      return aluTheorems(operation.op, width, {
        sound: { ...tnum_, u64: whole, s64: whole, u32: half, s32: half },
      });
    }),
  );
