/** Steps of proofs about magnitudes (src/absint/scalar/signed-division.ts): what is known of a number, carried over to its negative. */
import type { Part } from "../../absint/scalar/part.ts";
import type { Piece } from "../../absint/scalar/piece.ts";
import { magnitudes } from "../../absint/scalar/signed-division.ts";
import * as tnum from "../../absint/scalar/tnum.ts";
import { constant, neg as minus, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Step } from "../steps.ts";
import {
  allOf,
  bitsBetween,
  bitsTerms,
  endOf,
  hasSign,
  inBits,
  inPart,
  inPiece,
  partTerms,
} from "./pieces.ts";

/** The negative of z, which is in a part, is in what is made of the part for it. */
export const negatedSteps = (name: string, p: Part<number>, made: Part<number>, z: Term): readonly Step[] =>
  Object.entries(inPart(made, minus(z))).map(([what, holds]) => ({
    name: `${name}: ${what} of the negative`,
    holds,
    from: allOf(inPart(p, z)),
    forgets: [...partTerms(p), z],
  }));

/** The magnitude of x, negative and in a half of such numbers, is in the magnitudes. */
export function magnitudeSteps(name: string, p: Piece<number>, x: Term): readonly Step[] {
  const { bits, greatest } = inPiece(p, x);
  const m = magnitudes(p);
  const n = minus(x);
  const negatives = tnum.sub(tnum.exactly(constant(x.width, 0)), p.bits);
  return [
    {
      name: `${name}: least magnitude`,
      holds: ule(m.least, n),
      from: [greatest, hasSign(x, 1)],
      forgets: [p.greatest, x],
    },
    {
      name: `${name}: greatest magnitude`,
      holds: ule(n, m.greatest),
      from: [ule(p.least, x), endOf(p, 1)],
      forgets: [p.least, x],
    },
    {
      name: `${name}: bits of negatives`,
      holds: inBits(negatives, n),
      from: [bits],
      forgets: [...bitsTerms(p.bits), x],
    },
    bitsBetween(`${name} as a magnitude`, negatives, m.least, m.greatest, n),
  ];
}
