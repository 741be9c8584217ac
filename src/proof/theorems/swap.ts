/**
 * Byte swaps: that the intervals hold the swapped number.
 *
 * Let `first` be the least number of the tnum in the order of bytes from the lowest on, and j as many low bytes as x has of it. The operator
 * looks for the least number with k of them, for each k (src/absint/scalar/swap.ts, `agreeingFrom`). x is one with j, and x with one byte more of
 * `first` would be one with j + 1: what is known of these two numbers is enough.
 */

import type { Arc } from "../../absint/scalar/halves.ts";
import { lowest } from "../../absint/scalar/narrow.ts";
import type { Part } from "../../absint/scalar/part.ts";
import { low, wide } from "../../absint/scalar/product.ts";
import { agreeingFrom, complement, inverse, leastByLowBytes, leastOf } from "../../absint/scalar/swap.ts";
import type { Tnum } from "../../absint/scalar/tnum.ts";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import {
  and,
  bswap,
  constant,
  eq,
  extract,
  ne,
  not,
  or,
  sle,
  ule,
  zext,
} from "../../semantics/term/build.ts";
import { type Term, termsIn } from "../../semantics/term/node.ts";
import { cases, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems, concreteResult } from "./alu.ts";
import { halfOf, halfSteps, hasSign, SIGNS } from "./halves.ts";
import { inBits, inPart } from "./pieces.ts";
import { A } from "./scalar.ts";

const BYTE = 8;
type Order = typeof ule;

/** What is known of a number: the arc and the tnum that it is in. */
interface Known {
  readonly arc: Arc<number>;
  readonly bits: Tnum<number>;
  readonly x: Term;
}

/** That what the operator finds, swapped, is at most the number, swapped; the facts `inside` say that the number is in the arc and the tnum. */
function leastSteps(
  name: string,
  { arc: { from, to }, bits, x }: Known,
  sign: Term,
  order: Order,
): {
  /** Of which one holds: how many bytes agree with the least number. */
  readonly cases: readonly Term<1>[];
  readonly steps: (j: number) => readonly Step[];
  /** What the steps show. */
  readonly holds: Term<1>;
  /** What the operator finds. */
  readonly result: Term;
} {
  const { width } = x;
  const first = leastOf(bits, sign);
  const levels = Array.from({ length: width / BYTE + 1 }, (_, k) => k);
  const ones = (k: number): Term => constant(width, (1n << BigInt(BYTE * k)) - 1n);
  /** A number with k low bytes of `first` in the place of its own. */
  const turn = (t: Term, k: number): Term => or(and(t, not(ones(k))), and(first, ones(k)));
  const turned = levels.map((k) => turn(x, k));
  // As `agreeingFrom` makes them.
  const free = levels.map((k) => and(bits.mask, constant(width, -1n << BigInt(BYTE * k))));
  const tnums = free.map((mask) => ({ value: and(first, not(mask)), mask }));
  const found = levels.slice(0, -1).map((k) => agreeingFrom(from, bits.mask, first, BYTE * k));
  const result = leastByLowBytes({ from, to }, bits, BYTE, first);
  const holds = order(bswap(result), bswap(x));
  const at = <T>(list: readonly T[], k: number): T => {
    const item = list[k];
    if (item === undefined) throw new Error(`no level ${k}`);
    return item;
  };
  const last = levels.length - 2;
  const agrees = (j: number): Term<1> => {
    const own = eq<number>(at(turned, j), x);
    return j === last ? own : and(own, ne<number>(at(turned, j + 1), x));
  };
  const inTnum = (k: number): Term<1> => inBits(at(tnums, k), at(turned, k));
  const member = (k: number): Term<1> => inBits(at(tnums, k), at(found, k));
  const nearest = (k: number, t: Term): Term<1> =>
    or(not(ule(from, t)), and(ule(from, at(found, k)), ule(at(found, k), t)));
  const terms = (k: number, t: Term): readonly Term[] => [at(tnums, k).value, at(tnums, k).mask, t, from];
  const nearestStep = (k: number, t: Term, of: string): Step => ({
    name: `${name}: the nearest with ${k} bytes, up to ${of}`,
    holds: nearest(k, t),
    from: [inBits(at(tnums, k), t)],
    forgets: terms(k, t),
  });
  // In signed order a low byte without the sign is greater than that of `first`, but less in the arc. What is found with no byte takes the number's place.
  const other = turn(at(found, 0), 1);
  const otherSteps: readonly Step[] = [
    {
      name: `${name}: found with no byte, one byte changed`,
      holds: inBits(at(tnums, 1), other),
      from: [member(0)],
      forgets: [bits.value, bits.mask, at(found, 0)],
    },
    nearestStep(1, other, "what is found with none"),
  ];
  const steps = (j: number): readonly Step[] => {
    const near = j === last ? [j] : [j, j + 1];
    const all = levels.slice(j, -1);
    const isOther = order === sle && j === 0;
    return [
      ...all.flatMap((k): readonly Step[] => [
        {
          name: `${name}: ${k} bytes changed`,
          holds: inTnum(k),
          from: [inBits(bits, x)],
          forgets: [bits.value, bits.mask, x],
        },
        {
          name: `${name}: ${k} bytes, in the tnum`,
          holds: member(k),
          from: [inTnum(k)],
          forgets: terms(k, at(turned, k)),
        },
      ]),
      ...near.map((k) => nearestStep(k, at(turned, k), "the number")),
      ...(isOther ? otherSteps : []),
      {
        name: `${name}: found`,
        holds,
        from: [
          agrees(j),
          ule(from, x),
          ule(x, to),
          inBits(bits, x),
          ...all.map(member),
          ...near.map((k) => nearest(k, at(turned, k))),
          ...(isOther ? [nearest(1, other)] : []),
        ],
        forgets: [...found, from, to, bits.value, bits.mask, x],
      },
    ];
  };
  return { cases: levels.slice(0, -1).map(agrees), steps, holds, result };
}

type Bits = 16 | 32 | 64;

/** The part whose bytes are swapped, the number in it, and the steps to that. */
function operand(bits: Bits): {
  readonly part: Part<number>;
  readonly x: Term;
  readonly steps: readonly Step[];
} {
  if (bits === 64) return { part: wide(A.scalar), x: A.value, steps: [] };
  const [half, value] = [low(A.scalar), extract(32, A.value)];
  const { bits: _, ...intervals } = inPart<number>(half, value);
  const known = inBits(A.scalar.tnum, A.value);
  const lowHalf: Step = { name: "low half", holds: inBits(half.tnum, value), from: [known] };
  if (bits === 32) return { part: half, x: value, steps: [lowHalf] };
  const [part, x] = [lowest(16, half), extract(16, A.value)];
  const of = inPart<number>(part, x);
  const steps: readonly Step[] = [
    lowHalf,
    { name: "low bits", holds: of.bits, from: [known] },
    ...([of.umin, of.umax, of.smin, of.smax] as const).map((holds, i) => ({
      name: `low bits, end ${i + 1}`,
      holds,
      from: [lowHalf.holds, ...Object.values(intervals)],
    })),
  ];
  return { part, x, steps };
}

interface End {
  readonly order: Order;
  readonly end: "least" | "greatest";
  /** Of what each half gives. */
  readonly ends: readonly Term[];
}

const signOf = (order: Order, width: number): Term => constant(width, order === ule ? 0 : 1 << (BYTE - 1));

function endsOf(part: Part<number>): readonly End[] {
  const { width } = part.umin;
  return [ule, sle].flatMap((order) => {
    const sign = signOf(order, width);
    const least = (arc: Arc<number>, t: Tnum<number>): Term =>
      bswap(leastByLowBytes(arc, t, BYTE, leastOf(t, sign)));
    const arcs = SIGNS.map((s) => halfOf(part, s));
    return [
      { order, end: "least", ends: arcs.map((arc) => least(arc, part.tnum)) },
      {
        order,
        end: "greatest",
        ends: arcs.map((arc) => not(least(complement(arc), inverse(part.tnum)))),
      },
    ] as const;
  });
}

/** From a number to its complement, which the greatest end is about. */
function complementSteps(
  { part, x }: Pick<ReturnType<typeof operand>, "part" | "x">,
  arc: Arc<number>,
): readonly Step[] {
  const [bits, opposite, other] = [part.tnum, inverse(part.tnum), complement(arc)];
  return [
    {
      name: "complement: bits",
      holds: inBits(opposite, not(x)),
      from: [inBits(bits, x)],
      forgets: [bits.value, bits.mask, x],
    },
    {
      name: "complement: from",
      holds: ule(other.from, not(x)),
      from: [ule(x, arc.to)],
      forgets: [arc.to, x],
    },
    {
      name: "complement: to",
      holds: ule(not(x), other.to),
      from: [ule(arc.from, x)],
      forgets: [arc.from, x],
    },
  ];
}

function byBytes(op: AluOp, bits: Bits, opWidth: 32 | 64, { order, end, ends }: End): Method {
  const { part, x, steps } = operand(bits);
  const z: Term = bswap(x);
  const whole = concreteResult(op, opWidth);
  const extended = zext(64, z);
  const link = whole === extended ? [] : [eq<number>(whole, extended)];
  return cases(
    SIGNS.map((s) => {
      const when = hasSign(x, s);
      const arc = halfOf(part, s);
      const isLeast = end === "least";
      const known: Known = isLeast
        ? { arc, bits: part.tnum, x }
        : { arc: complement(arc), bits: inverse(part.tnum), x: not(x) };
      const least = leastSteps(end, known, signOf(order, x.width), order);
      const own = ends[s];
      if (own === undefined) throw new Error("two halves");
      const held = isLeast ? order(own, z) : order(z, own);
      const back: Step = { name: "back", holds: held, from: [least.holds], forgets: [least.result, x] };
      const given = [
        ...steps,
        ...halfSteps("number", { width: opWidth, part, value: x, steps: [] }, s, when),
        ...(isLeast ? [] : complementSteps({ part, x }, arc)),
        ...link.map((holds): Step => ({ name: "swapped", holds, from: [] })),
      ];
      return {
        name: s === 0 ? "not negative" : "negative",
        when,
        by: cases(
          least.cases.map((agrees, j) => ({
            name: `${j} bytes agree`,
            when: agrees,
            by: inSteps([...given, ...least.steps(j), ...(isLeast ? [] : [back])], {
              connecting: link,
              from: [held],
              forgets: [...ends, z, ...(link.length === 0 ? [] : [whole])],
            }),
          })),
        ),
      };
    }),
  );
}

/** The theorems about byte swaps. */
export const swapTheorems = (): readonly Theorem[] =>
  (["be", "bswap"] as const).flatMap((name) =>
    ([16, 32, 64] as const).flatMap((bits) => {
      const op: AluOp = `${name}${bits}`;
      const width = bits === 64 ? 64 : 32;
      const ends = endsOf(operand(bits).part);
      const by: Method = (claim) => {
        const inside = termsIn([claim.goal]);
        const about = ends.find((end) => end.ends.some((t) => inside.has(t)));
        if (about === undefined) throw new Error(`${op}: ${claim.name} is about no end`);
        return byBytes(op, bits, width, about)(claim);
      };
      return aluTheorems(op, width, { sound: { u64: by, s64: by, u32: by, s32: by } });
    }),
  );
