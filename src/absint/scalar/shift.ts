/**
 * Abstract shifts. Counts are taken modulo the width (RFC 9669 section 4.1). For one count a shift is exact on every component; for
 * an unknown count the results of all possible counts are joined, by a loop that a known count goes through once.
 */
import {
  add,
  and,
  ashr,
  constant,
  eq,
  fold,
  ite,
  umax as larger,
  lshr,
  not,
  shl,
  umin as smaller,
  sub,
  ule,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { join, type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

type Shift = <N extends number>(a: Part<N>, count: Term<N>) => Part<N>;

/** An interval survives a left shift if the bits shifted out are the same at both ends. */
const lshBy: Shift = (a, count) => {
  const width = a.umin.width;
  const bits = constant(width, width);
  // For count 0 the shift back by the whole width gives 0: nothing is shifted out.
  const lost = (x: Term<typeof width>) => lshr(x, sub(bits, count));
  const whole = eq(lost(a.umin), lost(a.umax));
  const shift = (x: Term<typeof width>) => shl(x, count);
  // Signed order is kept if the bits shifted out and the new sign are copies of one another at each end.
  const signKept = (x: Term<typeof width>) => eq(ashr(shift(x), count), x);
  const wholeSigned = and(signKept(a.smin), signKept(a.smax));
  return {
    tnum: tnum.mapBits(a.tnum, shift),
    umin: ite(whole, shift(a.umin), constant(width, 0)),
    umax: ite(whole, shift(a.umax), constant(width, -1)),
    smin: ite(wholeSigned, shift(a.smin), signedMin(width)),
    smax: ite(wholeSigned, shift(a.smax), signedMax(width)),
  };
};

const rshBy: Shift = (a, count) => {
  const width = a.umin.width;
  const shift = (x: Term<typeof width>) => lshr(x, count);
  // By 0 the number stays as it is, sign and all; by more it is not negative, and synchronisation knows.
  const unmoved = eq(count, constant(width, 0));
  return {
    tnum: tnum.mapBits(a.tnum, shift),
    umin: shift(a.umin),
    umax: shift(a.umax),
    smin: ite(unmoved, a.smin, constant(width, 0)),
    smax: ite(unmoved, a.smax, signedMax(width)),
  };
};

const arshBy: Shift = (a, count) => {
  const width = a.umin.width;
  const shift = (x: Term<typeof width>) => ashr(x, count);
  const sameSign = eq(ashr(a.umin, constant(width, width - 1)), ashr(a.umax, constant(width, width - 1)));
  return {
    tnum: tnum.mapBits(a.tnum, shift),
    umin: ite(sameSign, shift(a.umin), constant(width, 0)),
    umax: ite(sameSign, shift(a.umax), constant(width, -1)),
    smin: shift(a.smin),
    smax: shift(a.smax),
  };
};

/** The join of `shift` over every count that `counts` may hold. */
function byUnknown<N extends number>(a: Part<N>, counts: Part<N>, shift: Shift): Part<N> {
  const width = a.umin.width;
  const low = constant(width, width - 1);
  const count = tnum.mapBits(counts.tnum, (x) => and(x, low));
  // The counts' own interval bounds the masked count only if masking changes none of them.
  const small = ule(counts.umax, low);
  const first = ite(small, larger(counts.umin, count.value), count.value);
  const last = ite(small, smaller(counts.umax, tnum.possible(count)), tnum.possible(count));
  const possible = (c: Term<N>): Term<1> => eq(and(c, not(count.mask)), count.value);
  const flatten = (p: Part<N>) => [p.tnum.value, p.tnum.mask, p.umin, p.umax, p.smin, p.smax] as const;
  const one = constant(width, 1);
  const start = shift(a, first);
  // `first` may be impossible by the bits, which only adds to the join.
  const [, value, mask, low_, high, slow, shigh] = fold({
    widths: [width, width, width, width, width, width, width],
    count: width - 1,
    init: [add(first, one), ...flatten(start)],
    condition: ([c]) => ule(c, last),
    step: ([c, value, mask, umin, umax, smin, smax]) => {
      const before: Part<N> = { tnum: { value, mask }, umin, umax, smin, smax };
      const after = flatten(join(before, shift(a, c)));
      const before_ = flatten(before);
      const [v, m, u, w, s, t] = after.map((x, i) => ite(possible(c), x, before_[i] ?? x));
      if (v && m && u && w && s && t) return [add(c, one), v, m, u, w, s, t];
      throw new Error("a part has six components");
    },
  });
  return { tnum: { value, mask }, umin: low_, umax: high, smin: slow, smax: shigh };
}

export const lsh = <N extends number>(a: Part<N>, count: Part<N>): Part<N> => byUnknown(a, count, lshBy);
export const rsh = <N extends number>(a: Part<N>, count: Part<N>): Part<N> => byUnknown(a, count, rshBy);
export const arsh = <N extends number>(a: Part<N>, count: Part<N>): Part<N> => byUnknown(a, count, arshBy);
