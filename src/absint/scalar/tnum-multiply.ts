/**
 * Multiplication of tnums by shift and add: a sum is kept to which each certain bit of one factor adds the other, shifted. At an unknown
 * bit it is joined with what the addition would give.
 *
 * The invariant of the loop: before step i the sum holds (x mod 2^i) · y, for all x and y in the factors.
 */
import { and, constant, fold, ite, lshr, ne, or, shl } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { add, exactly, join, type Tnum } from "./tnum.ts";

export const multiply = <N extends number>(a: Tnum<N>, b: Tnum<N>): Tnum<N> => multiplyWith(join, a, b);

/** The same, where `either` holds what two tnums hold. */
export function multiplyWith<N extends number>(either: typeof join, a: Tnum<N>, b: Tnum<N>): Tnum<N> {
  const { width } = a.value;
  const [zero, one] = [constant(width, 0), constant(width, 1)];
  const none = exactly(zero);
  const isOdd = (x: Term<N>): Term<1> => ne(and(x, one), zero);
  const [, , , , value, mask] = fold({
    widths: [width, width, width, width, width, width],
    count: width,
    init: [a.value, a.mask, b.value, b.mask, none.value, none.mask],
    // What a's remaining bits multiply has been shifted out, or a has none left.
    condition: ([av, am, bv, bm]) => and(ne(or(av, am), zero), ne(or(bv, bm), zero)),
    step: ([av, am, bv, bm, sv, sm]) => {
      const before = { value: sv, mask: sm };
      const added = add(before, { value: bv, mask: bm });
      const joined = either(before, added);
      const choose = (x: Term<N>, y: Term<N>, z: Term<N>): Term<N> => ite(isOdd(am), z, ite(isOdd(av), y, x));
      return [
        lshr(av, one),
        lshr(am, one),
        shl(bv, one),
        shl(bm, one),
        choose(sv, added.value, joined.value),
        choose(sm, added.mask, joined.mask),
      ];
    },
  });
  return { value, mask };
}
