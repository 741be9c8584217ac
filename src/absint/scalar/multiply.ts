/**
 * Abstract multiplication. An unsigned product is monotone in each factor, a signed one in each factor for a fixed sign of the
 * other: its extremes are at corners. Products are taken at twice the width, where they are exact; they bound the low half as
 * long as the upper half is the same at both ends.
 */
import {
  constant,
  eq,
  extract,
  ite,
  mul as mulTerm,
  sext,
  smax,
  smin,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

export function mul<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const width = a.umin.width;
  const double: number = width * 2;
  const upper = (x: Term): Term<N> => extract(width, x, width);
  const lower = (x: Term): Term<N> => extract(width, x);
  const unsigned = (x: Term<N>, y: Term<N>): Term => mulTerm(zext(double, x), zext(double, y));
  const signed = (x: Term<N>, y: Term<N>): Term => mulTerm(sext(double, x), sext(double, y));

  const [least, greatest] = [unsigned(a.umin, b.umin), unsigned(a.umax, b.umax)];
  const whole = eq(upper(least), upper(greatest));

  const corners = [
    signed(a.smin, b.smin),
    signed(a.smin, b.smax),
    signed(a.smax, b.smin),
    signed(a.smax, b.smax),
  ] as const;
  const [c0, c1, c2, c3] = corners;
  const [slow, shigh] = [smin(smin(c0, c1), smin(c2, c3)), smax(smax(c0, c1), smax(c2, c3))];
  // The window of 2^N products that an upper half stands for is cut in two by the sign of the lower half.
  const window = (x: Term): Term => extract(width + 1, x, width - 1);
  const wholeSigned = eq(window(slow), window(shigh));
  const fits = (x: Term): Term<1> => eq(sext(double, lower(x)), x);
  const representable = ite(fits(slow), fits(shigh), wholeSigned);
  return {
    tnum: tnum.mul(a.tnum, b.tnum),
    umin: ite(whole, lower(least), constant(width, 0)),
    umax: ite(whole, lower(greatest), constant(width, -1)),
    smin: ite(representable, lower(slow), signedMin(width)),
    smax: ite(representable, lower(shigh), signedMax(width)),
  };
}
