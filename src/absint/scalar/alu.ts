/**
 * Abstract arithmetic on one part (64 or 32 bits): for each operation the best that each component can say by itself.
 * Synchronisation (rules.ts) then lets the components learn from each other. Every function is sound for all well-formed inputs,
 * synchronised or not; multiplication, division and shifts have files of their own.
 */
import {
  add as addTerm,
  all,
  and,
  constant,
  eq,
  extract,
  ite,
  not,
  or,
  sext,
  sge,
  sle,
  sub as subTerm,
  ule,
  ult,
  umax,
  umin,
  xor,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { anything, exactly, type Part, signedMax, signedMin } from "./part.ts";
import * as tnum from "./tnum.ts";

const signOf = <N extends number>(x: Term<N>): Term<1> => extract(1, x, x.width - 1);

/** A result of which only the bits are known; synchronisation derives the intervals. */
export const fromBits = <N extends number>(bits: tnum.Tnum<N>): Part<N> => ({
  ...anything(bits.value.width),
  tnum: bits,
});

interface Sum<N extends number> {
  readonly tnum: tnum.Tnum<N>;
  /** The ends of the intervals modulo 2^N, and whether each left the range of its type. */
  readonly unsigned: readonly [
    least: Term<N>,
    greatest: Term<N>,
    leastWraps: Term<1>,
    greatestWraps: Term<1>,
  ];
  readonly signed: readonly [least: Term<N>, greatest: Term<N>, leastWraps: Term<1>, greatestWraps: Term<1>];
}

/**
 * An interval survives if neither end wraps, or both do the same way: then all values between wrap with them. Two signed ends that
 * both wrap did so the same way if their signs agree.
 */
function unlessTorn<N extends number>(sum: Sum<N>): Part<N> {
  const width = sum.tnum.value.width;
  const [ulow, uhigh, ulowWraps, uhighWraps] = sum.unsigned;
  const [slow, shigh, slowWraps, shighWraps] = sum.signed;
  const whole = eq(ulowWraps, uhighWraps);
  const wholeSigned = or(
    not(or(slowWraps, shighWraps)),
    all(slowWraps, shighWraps, eq(signOf(slow), signOf(shigh))),
  );
  return {
    tnum: sum.tnum,
    umin: ite(whole, ulow, constant(width, 0)),
    umax: ite(whole, uhigh, constant(width, -1)),
    smin: ite(wholeSigned, slow, signedMin(width)),
    smax: ite(wholeSigned, shigh, signedMax(width)),
  };
}

export function add<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const wraps = (x: Term<N>, y: Term<N>): Term<1> => ult(addTerm(x, y), x);
  const signedWraps = (x: Term<N>, y: Term<N>): Term<1> => {
    const sum = addTerm(x, y);
    return signOf(and(xor(x, sum), xor(y, sum)));
  };
  return unlessTorn({
    tnum: tnum.add(a.tnum, b.tnum),
    unsigned: [
      addTerm(a.umin, b.umin),
      addTerm(a.umax, b.umax),
      wraps(a.umin, b.umin),
      wraps(a.umax, b.umax),
    ],
    signed: [
      addTerm(a.smin, b.smin),
      addTerm(a.smax, b.smax),
      signedWraps(a.smin, b.smin),
      signedWraps(a.smax, b.smax),
    ],
  });
}

export function sub<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const signedWraps = (x: Term<N>, y: Term<N>): Term<1> => signOf(and(xor(x, y), xor(x, subTerm(x, y))));
  return unlessTorn({
    tnum: tnum.sub(a.tnum, b.tnum),
    unsigned: [subTerm(a.umin, b.umax), subTerm(a.umax, b.umin), ult(a.umin, b.umax), ult(a.umax, b.umin)],
    signed: [
      subTerm(a.smin, b.smax),
      subTerm(a.smax, b.smin),
      signedWraps(a.smin, b.smax),
      signedWraps(a.smax, b.smin),
    ],
  });
}

export const neg = <N extends number>(a: Part<N>): Part<N> => sub(exactly(constant(a.umin.width, 0)), a);

export function and_<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const bits = tnum.and(a.tnum, b.tnum);
  return { ...fromBits(bits), umin: bits.value, umax: umin(umin(a.umax, b.umax), tnum.possible(bits)) };
}

export function or_<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const bits = tnum.or(a.tnum, b.tnum);
  return { ...fromBits(bits), umin: umax(umax(a.umin, b.umin), bits.value), umax: tnum.possible(bits) };
}

export const xor_ = <N extends number>(a: Part<N>, b: Part<N>): Part<N> => fromBits(tnum.xor(a.tnum, b.tnum));

/** Sign extension of the low `from` bits. An interval survives if it spans less than 2^from and its image does not wrap. */
export function signExtendLow<N extends number>(a: Part<N>, from: number): Part<N> {
  const width = a.umin.width;
  const image = (x: Term<N>): Term<N> => sext(width, extract(from, x));
  const [least, greatest] = [image(a.smin), image(a.smax)];
  const span = subTerm(a.smax, a.smin);
  const narrow = ult(span, constant(width, 1n << BigInt(from)));
  const inOrder = and(narrow, sle(least, greatest));
  return {
    ...fromBits(tnum.signExtend(width, tnum.truncate(from, a.tnum))),
    smin: ite(inOrder, least, sext(width, signedMin(from))),
    smax: ite(inOrder, greatest, sext(width, signedMax(from))),
  };
}

/** The low `bits` bits, the rest cleared. An interval survives if it spans less than 2^bits and its image does not wrap. */
export function keepLow<N extends number>(a: Part<N>, bits: number): Part<N> {
  const width = a.umin.width;
  if (bits === width) return a;
  const ones = constant(width, (1n << BigInt(bits)) - 1n);
  const image = (x: Term<N>): Term<N> => and(x, ones);
  const [least, greatest] = [image(a.umin), image(a.umax)];
  const inOrder = and(ule(subTerm(a.umax, a.umin), ones), ule(least, greatest));
  return {
    ...fromBits(tnum.mapBits(a.tnum, image)),
    umin: ite(inOrder, least, constant(width, 0)),
    umax: ite(inOrder, greatest, ones),
  };
}

/** Whether all values have a clear sign, so that signed and unsigned order agree. */
export const isNonNegative = <N extends number>(a: Part<N>): Term<1> =>
  sge(a.smin, constant(a.smin.width, 0));
