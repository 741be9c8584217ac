/**
 * Abstract sums and differences on one part (64 or 32 bits): for each component the best that it can say by itself.
 * Synchronisation (rules.ts) then lets the components learn from each other. Every function is sound for all well-formed inputs,
 * synchronised or not; other operations have files of their own.
 *
 * The sum of an arc of one half and an arc of one half is an arc of less than 2^N numbers (halves.ts), modulo 2^N. Of two halves of like sign it
 * keeps unsigned order and may go from the greatest signed number to the least; of unlike sign it keeps signed order and may go across zero. For
 * differences it is the other way round.
 */
import { add as addTerm, constant, slt, sub as subTerm, ult } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { type Arc, around, fullRange, negative, notNegative } from "./halves.ts";
import { anything, exactly, type Part } from "./part.ts";
import * as tnum from "./tnum.ts";

/** A result of which only the bits are known; synchronisation derives the intervals. */
export const fromBits = <N extends number>(bits: tnum.Tnum<N>): Part<N> => ({
  ...anything(bits.value.width),
  tnum: bits,
});

const acrossUnsigned = <N extends number>({ from, to }: Arc<N>): Term<1> => ult(to, from);
const acrossSigned = <N extends number>({ from, to }: Arc<N>): Term<1> => slt(to, from);

export const sum = <N extends number>(x: Arc<N>, y: Arc<N>): Arc<N> => ({
  from: addTerm(x.from, y.from),
  to: addTerm(x.to, y.to),
});

export const difference = <N extends number>(x: Arc<N>, y: Arc<N>): Arc<N> => ({
  from: subTerm(x.from, y.to),
  to: subTerm(x.to, y.from),
});

export function add<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const [p, n] = [notNegative(a), negative(a)];
  const [q, m] = [notNegative(b), negative(b)];
  const like = [sum(p, q), sum(n, m)] as const;
  const unlike = [sum(p, m), sum(n, q)];
  return {
    tnum: tnum.add(a.tnum, b.tnum),
    ...around(
      [...like, ...unlike],
      fullRange(a.umin.width),
      unlike.map(acrossUnsigned),
      like.map(acrossSigned),
    ),
  };
}

export function sub<N extends number>(a: Part<N>, b: Part<N>): Part<N> {
  const [p, n] = [notNegative(a), negative(a)];
  const [q, m] = [notNegative(b), negative(b)];
  const like = [difference(p, q), difference(n, m)] as const;
  const unlike = [difference(p, m), difference(n, q)];
  return {
    tnum: tnum.sub(a.tnum, b.tnum),
    ...around(
      [...like, ...unlike],
      fullRange(a.umin.width),
      like.map(acrossUnsigned),
      unlike.map(acrossSigned),
    ),
  };
}

export const neg = <N extends number>(a: Part<N>): Part<N> => sub(exactly(constant(a.umin.width, 0)), a);
