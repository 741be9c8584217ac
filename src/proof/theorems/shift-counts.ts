/**
 * The counts of abstract shifts (src/absint/scalar/shift.ts): a count that is possible is one of those that its half has in its low bits, so that no
 * other stands for it.
 */
import { halves } from "../../absint/scalar/piece.ts";
import { countsOf, lowBitsOf } from "../../absint/scalar/shift.ts";
import { and, constant, eq, ne, or, sub, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Step } from "../steps.ts";
import type { OfWidth } from "./operands.ts";
import { inPiece, type Sign, termsOf } from "./pieces.ts";

/** That the count of y, whose sign is known, stands for itself; and the same of what the loop is at, if that is the count. */
export function insteadSteps(b: OfWidth, signOfY: Sign, count: Term) {
  const y = b.value;
  const low = constant(y.width, y.width - 1);
  const all = halves(b.part);
  const own = all[signOfY];
  const { second, span, has } = lowBitsOf(own);
  const { bits: inOwn, least, greatest } = inPiece(own, y);
  const { instead } = countsOf(b.part);
  const notBetween = or(ule(y, or(own.least, low)), ule(second, y));
  const near = ule(and(sub(count, own.least), low), span);
  const itself = eq(instead(count), count);
  const forgets = [...termsOf(own), y];
  const steps: readonly Step[] = [
    { name: "count: not before the second window", holds: notBetween, from: [inOwn], forgets },
    {
      name: "count: in a window",
      holds: near,
      from: [least, greatest, notBetween],
      forgets: [own.least, own.greatest, second, y],
    },
    {
      name: "count: possible",
      holds: has(count),
      from: [own.some, inOwn, near],
      forgets: [...forgets, span],
    },
    {
      name: "count: itself",
      holds: itself,
      from: [has(count)],
      forgets: [...all.map((p) => lowBitsOf(p).has(count)), count],
    },
  ];
  /** That what stands instead of `at` is the count if `at` is. */
  const sameAt = (at: Term) => {
    const holds = or(ne(at, count), eq(instead(at), count));
    const known = all.flatMap((p) => [...termsOf(p), lowBitsOf(p).span]);
    const step: Step = {
      name: "the count stands for itself",
      holds,
      from: [itself],
      forgets: [...known, at, count],
    };
    return { holds, step };
  };
  return { steps, sameAt };
}
