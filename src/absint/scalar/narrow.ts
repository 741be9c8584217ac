/**
 * Abstract operations on the low bits of a part: keeping them, extending their sign.
 */
import { and, constant, extract, sext, slt, sub, ugt, ult } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { type Arc, around, fullRange, negative, notNegative, withSignedEndsInTnum } from "./halves.ts";
import { type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

/** More than 2^bits - 1 steps from one end to the other: the low bits go through all their values. */
const goesRound = <N extends number>({ from, to }: Arc<N>, bits: number): Term<1> =>
  ugt(sub(to, from), constant(from.width, (1n << BigInt(bits)) - 1n));

/** Sign extension of the low `from` bits. */
export function signExtendLow<N extends number>(a: Part<N>, from: number): Part<N> {
  const width = a.umin.width;
  const image = (x: Term<N>): Term<N> => sext(width, extract(from, x));
  const halves = [notNegative(a), negative(a)] as const;
  const [p, n] = [mapped(halves[0], image), mapped(halves[1], image)];
  const round = halves.map((half) => goesRound(half, from));
  const limits = {
    ...fullRange(width),
    smin: sext(width, signedMin(from)),
    smax: sext(width, signedMax(from)),
  };
  return withSignedEndsInTnum({
    tnum: tnum.signExtend(width, tnum.truncate(from, a.tnum)),
    ...around(
      [p, n],
      limits,
      [...round, ult(p.to, p.from), ult(n.to, n.from)],
      [...round, slt(p.to, p.from), slt(n.to, n.from)],
    ),
  });
}

const mapped = <N extends number>({ from, to }: Arc<N>, image: (x: Term<N>) => Term<N>): Arc<N> => ({
  from: image(from),
  to: image(to),
});

/** The low `bits` bits, the rest cleared. */
export function keepLow<N extends number>(a: Part<N>, bits: number): Part<N> {
  const width = a.umin.width;
  if (bits === width) return a;
  const ones = constant(width, (1n << BigInt(bits)) - 1n);
  const image = (x: Term<N>): Term<N> => and(x, ones);
  const halves = [notNegative(a), negative(a)] as const;
  const [p, n] = [mapped(halves[0], image), mapped(halves[1], image)];
  const round = halves.map((half) => goesRound(half, bits));
  const { umin, umax } = around([p, n], { ...fullRange(width), umax: ones }, [
    ...round,
    ult(p.to, p.from),
    ult(n.to, n.from),
  ]);
  return { tnum: tnum.mapBits(a.tnum, image), umin, umax, smin: umin, smax: umax };
}

/** The low `bits` bits as a part of their own. */
export function lowest<M extends number>(bits: M, a: Part<number>): Part<M> {
  const [kept, extended] = [keepLow(a, bits), signExtendLow(a, bits)];
  const cut = (x: Term): Term<M> => extract(bits, x);
  return {
    tnum: tnum.mapBits(a.tnum, cut),
    umin: cut(kept.umin),
    umax: cut(kept.umax),
    smin: cut(extended.smin),
    smax: cut(extended.smax),
  };
}
