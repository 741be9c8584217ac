/**
 * Synchronisation of one part by itself: those of the scalar's rules (`src/absint/scalar/rules.ts`) that concern one width, at any
 * width. What a scalar's other half could add is left out.
 */
import type { Part } from "../../src/absint/scalar/part.ts";
import {
  oneSideOfZero,
  signedBounds,
  signedFromUnsigned,
  unsignedFromSigned,
} from "../../src/absint/scalar/rules.ts";
import * as tnum from "../../src/absint/scalar/tnum.ts";
import { smax, smin, umax, umin } from "../../src/semantics/term/build.ts";

type Rule = <N extends number>(p: Part<N>) => Part<N>;

const tnumToUnsigned: Rule = (p) => ({
  ...p,
  umin: umax(p.umin, p.tnum.value),
  umax: umin(p.umax, tnum.possible(p.tnum)),
});

const tnumToSigned: Rule = (p) => {
  const [least, greatest] = signedBounds(p.tnum);
  return { ...p, smin: smax(p.smin, least), smax: smin(p.smax, greatest) };
};

const signedToUnsigned: Rule = (p) => ({ ...p, ...unsignedFromSigned(p) });
const unsignedToSigned: Rule = (p) => ({ ...p, ...signedFromUnsigned(p) });
const oneSide: Rule = (p) => ({ ...p, ...oneSideOfZero(p) });
const unsignedToTnum: Rule = (p) => ({
  ...p,
  tnum: tnum.intersect(p.tnum, tnum.fromRange(p.umin, p.umax)),
});

/** In the order in which they occur in a pass over a scalar. */
const PASS: readonly Rule[] = [
  tnumToUnsigned,
  tnumToSigned,
  signedToUnsigned,
  unsignedToSigned,
  oneSide,
  unsignedToSigned,
  signedToUnsigned,
  unsignedToTnum,
];

/** The part as tight as two passes make it. */
export const exchanged = <N extends number>(part: Part<N>): Part<N> =>
  [...PASS, ...PASS].reduce<Part<N>>((p, rule) => rule(p), part);
