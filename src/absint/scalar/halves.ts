/**
 * The two halves of a part: its numbers that are not negative and those that are.
 *
 * The meet of an unsigned and a signed interval of one width is one interval in each half, [umin, smax] and [smin, umax], in which
 * signed and unsigned order agree. Operators work on halves and join what comes out, since an interval across zero, or from the greatest number to the
 * least, is no interval in one of the two orders.
 *
 * If a part has no number in a half, that half's ends mean nothing. (Once synchronised they are those of the other half.) What is made of
 * them only adds to a join: an operator is sound if it is right for the halves that the numbers are in.
 */
import { any, constant, ite, smax, smin, umax, umin } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { greatestTo, leastFrom } from "./exchange.ts";
import { type Part, signedMax, signedMin } from "./part.ts";

/** The numbers from one to another, upwards and modulo 2^N: across zero if `to` is the smaller one. */
export interface Arc<N extends number> {
  readonly from: Term<N>;
  readonly to: Term<N>;
}

export const notNegative = <N extends number>({ umin, smax }: Part<N>): Arc<N> => ({ from: umin, to: smax });
export const negative = <N extends number>({ smin, umax }: Part<N>): Arc<N> => ({ from: smin, to: umax });

type Intervals<N extends number> = Omit<Part<N>, "tnum">;

/** The limits of the results of an operator. */
export const fullRange = <N extends number>(width: N): Intervals<N> => ({
  umin: constant(width, 0),
  umax: constant(width, -1),
  smin: signedMin(width),
  smax: signedMax(width),
});

/**
 * The intervals around all of the arcs. The conditions say that some arc goes from `range.umax` to `range.umin`, or from
 * `range.smax` to `range.smin`: no interval in that order is around it but the whole range.
 */
export function around<N extends number>(
  arcs: readonly [Arc<N>, ...Arc<N>[]],
  range: Intervals<N>,
  acrossUnsigned: readonly Term<1>[] = [],
  acrossSigned: readonly Term<1>[] = [],
): Intervals<N> {
  const least = (of: typeof umin): Term<N> => arcs.map(({ from }) => from).reduce((a, b) => of(a, b));
  const greatest = (of: typeof umin): Term<N> => arcs.map(({ to }) => to).reduce((a, b) => of(a, b));
  const unless = (across: readonly Term<1>[], limit: Term<N>, end: Term<N>): Term<N> =>
    across.length === 0 ? end : ite(any(...across), limit, end);
  return {
    umin: unless(acrossUnsigned, range.umin, least(umin)),
    umax: unless(acrossUnsigned, range.umax, greatest(umax)),
    smin: unless(acrossSigned, range.smin, least(smin)),
    smax: unless(acrossSigned, range.smax, greatest(smax)),
  };
}

/**
 * The part with the ends of its signed interval moved to the nearest numbers that its tnum allows. Synchronisation does that for the
 * unsigned interval alone, where it is all that is needed if the numbers have one sign. Past the greatest unsigned number the search goes on from the
 * least, as it should: from -1 to 0.
 */
export const withSignedEndsInTnum = <N extends number>(p: Part<N>): Part<N> => ({
  ...p,
  smin: leastFrom(p.tnum, p.smin),
  smax: greatestTo(p.tnum, p.smax),
});
