/**
 * Abstract bitwise operations. On tnums they are exact; on intervals the least and the greatest result for x in [a, b] and y in [c, d]
 * have a closed form, which is exact too, half by half (halves.ts).
 *
 * The idea behind all of them: above the highest bit h at which a and b differ, x is what a is. At a bit m up to h at which a is 0, x may
 * have a 1 instead, and its bits below m then are free, up to those of b if m is h. "Up to h" is `smear(a ^ b)`.
 */
import { and, constant, ite, lshr, not, or, ugt, ult, xor } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { type Arc, around, fullRange, negative, notNegative, withSignedEndsInTnum } from "./halves.ts";
import type { Part } from "./part.ts";
import * as tnum from "./tnum.ts";

const half = <N extends number>(x: Term<N>): Term<N> => lshr(x, constant(x.width, 1));

/** `tnum.smear`; proofs listen in, since what they need of it is little. */
type Smear = <N extends number>(bits: Term<N>) => Term<N>;

/**
 * x & y: the least is a & c, without what is below the highest bit that is 0 in both and which one of the two can raise. The greatest is
 * b & d, but at the highest bit that one has, can give up and the other lacks, the one takes every bit below it, so that the other's remain.
 */
export function andArc<N extends number>(x: Arc<N>, y: Arc<N>, smear: Smear = tnum.smear): Arc<N> {
  const [a, b, c, d] = [x.from, x.to, y.from, y.to];
  const [freeX, freeY] = [smear(xor(a, b)), smear(xor(c, d))];
  const raised = smear(and(not(or(a, c)), or(freeX, freeY)));
  const [loweredX, loweredY] = [and(and(b, not(d)), freeX), and(and(d, not(b)), freeY)];
  const below = half(smear(or(loweredX, loweredY)));
  const gained = and(below, ite(ult(loweredY, loweredX), d, b));
  return { from: and(and(a, c), not(raised)), to: or(and(b, d), gained) };
}

/**
 * The least x ^ y: a ^ c, but at the highest bit m at which they differ and the one that has a 0 can raise it, they agree. Below m the one
 * raised has every choice if m was not the highest bit that varies, and can agree with the other. If it was, it has the choice of the numbers up to its
 * upper end (b, say): below the highest bit at which b has a 1 and c a 0 it can agree with c, above it lacks what b lacks.
 */
function leastXor<N extends number>(x: Arc<N>, y: Arc<N>, smear: Smear): Term<N> {
  const [a, b, c, d] = [x.from, x.to, y.from, y.to];
  const [freeX, freeY] = [smear(xor(a, b)), smear(xor(c, d))];
  const [raisedX, raisedY] = [and(and(c, not(a)), freeX), and(and(a, not(c)), freeY)];
  const upToRaised = smear(or(raisedX, raisedY));
  const byX = ult(raisedY, raisedX);
  // What the one not raised has, what the one raised may have at most, and the bits that the latter is free to choose.
  const [fixed, most, free] = [ite(byX, c, a), ite(byX, b, d), ite(byX, freeX, freeY)];
  // Bits below m differ only if m is the highest bit that varies.
  const below = and(
    half(upToRaised),
    ite(ugt(free, upToRaised), constant(a.width, 0), constant(a.width, -1)),
  );
  const lacking = and(and(fixed, not(most)), below);
  const agree = smear(and(and(most, not(fixed)), below));
  return or(and(xor(a, c), not(upToRaised)), and(lacking, not(agree)));
}

const complement = <N extends number>({ from, to }: Arc<N>): Arc<N> => ({ from: not(to), to: not(from) });

/** x | y = ~(~x & ~y). */
export const orArc = <N extends number>(x: Arc<N>, y: Arc<N>, smear: Smear = tnum.smear): Arc<N> =>
  complement(andArc(complement(x), complement(y), smear));

/** The greatest x ^ y is the complement of the least ~x ^ y. */
export const xorArc = <N extends number>(x: Arc<N>, y: Arc<N>, smear: Smear = tnum.smear): Arc<N> => ({
  from: leastXor(x, y, smear),
  to: not(leastXor(complement(x), y, smear)),
});

function byHalves<N extends number>(
  a: Part<N>,
  b: Part<N>,
  bits: tnum.Tnum<N>,
  arc: (x: Arc<N>, y: Arc<N>) => Arc<N>,
): Part<N> {
  const [p, n] = [notNegative(a), negative(a)];
  const [q, m] = [notNegative(b), negative(b)];
  const arcs = [arc(p, q), arc(p, m), arc(n, q), arc(n, m)] as const;
  return withSignedEndsInTnum({ tnum: bits, ...around(arcs, fullRange(a.umin.width)) });
}

export const and_ = <N extends number>(a: Part<N>, b: Part<N>): Part<N> =>
  byHalves(a, b, tnum.and(a.tnum, b.tnum), andArc);

export const or_ = <N extends number>(a: Part<N>, b: Part<N>): Part<N> =>
  byHalves(a, b, tnum.or(a.tnum, b.tnum), orArc);

export const xor_ = <N extends number>(a: Part<N>, b: Part<N>): Part<N> =>
  byHalves(a, b, tnum.xor(a.tnum, b.tnum), xorArc);
