/**
 * Synchronisation of one part by itself: those of the scalar's rules that concern one width (`src/absint/scalar/exchange.ts`), at any
 * width. What a scalar's other half could add is left out.
 */
import {
  type PartRule,
  tnumToSigned,
  tnumToUnsigned,
  unsignedAndSigned,
  unsignedToTnum,
} from "../../src/absint/scalar/exchange.ts";
import type { Part } from "../../src/absint/scalar/part.ts";

/** In the order in which they occur in a pass over a scalar. */
const PASS: readonly PartRule[] = [tnumToUnsigned, tnumToSigned, unsignedAndSigned, unsignedToTnum];

/** The part as tight as two passes make it. */
export const exchanged = <N extends number>(part: Part<N>): Part<N> =>
  [...PASS, ...PASS].reduce<Part<N>>((p, rule) => rule(p), part);
