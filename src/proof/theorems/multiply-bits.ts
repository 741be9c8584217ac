/**
 * Multiplication of tnums by shift and add (src/absint/scalar/tnum-multiply.ts), by induction on its loop: before step i the sum holds what is
 * missing from x·y if the rest of x, x >> i, is multiplied by y << i.
 */
import { add as addTnums, join, type Tnum } from "../../absint/scalar/tnum.ts";
import { add, and, any, constant, eq, lshr, mul, ne, shl, sub, zext } from "../../semantics/term/build.ts";
import { type INDEX_WIDTH, type Term, termsIn } from "../../semantics/term/node.ts";
import { type Invariant, induction, integers, loopIn, type Method } from "../methods.ts";
import { inSteps, type Step } from "../steps.ts";
import { bitsTerms, inBits } from "./pieces.ts";

/** The factors' tnums and the sum's. */
function stateOf([av, am, bv, bm, sv, sm]: readonly Term[]) {
  if (!av || !am || !bv || !bm || !sv || !sm) throw new Error("not the state of a multiplication");
  return { a: { value: av, mask: am }, b: { value: bv, mask: bm }, sum: { value: sv, mask: sm } };
}

/** What is left of the factors before a step, its product, and what of x·y is in the sum. */
function restOf(x: Term, y: Term, index: Term) {
  const count = zext(x.width, index);
  const [rest, shifted] = [lshr(x, count), shl(y, count)];
  const missing = mul(rest, shifted);
  return { rest, shifted, missing, done: sub(mul(x, y), missing) };
}

/** That a step takes the lowest bit of the rest, and what that adds to the sum. */
function stepSteps(x: Term, y: Term, index: Term<typeof INDEX_WIDTH>, notLast: Term<1>) {
  const one = constant(x.width, 1);
  const zero = constant(x.width, 0);
  const z = mul(x, y);
  const now = restOf(x, y, index);
  const next = restOf(x, y, add(index, constant(index.width, 1)));
  const bit = and(now.rest, one);
  const halved = eq(next.rest, lshr(now.rest, one));
  const moved = eq(next.shifted, shl(now.shifted, one));
  const doubled = eq(next.shifted, add(now.shifted, now.shifted));
  const parts = eq(now.rest, add(add(next.rest, next.rest), bit));
  const isClear = any(ne(bit, zero), eq(now.missing, next.missing));
  const isSet = any(ne(bit, one), eq(now.missing, add(next.missing, now.shifted)));
  const nothing = any(ne(bit, zero), eq(next.done, now.done));
  const added = any(ne(bit, one), eq(next.done, add(now.done, now.shifted)));
  const ring = {
    from: [doubled, parts],
    forgets: [now.rest, next.rest, now.shifted, next.shifted, bit],
    by: integers,
  };
  const sums = { forgets: [z, now.missing, next.missing, now.shifted, bit] };
  const steps: readonly Step[] = [
    { name: "the rest is halved", holds: halved, from: [notLast], forgets: [x] },
    { name: "the other moves up", holds: moved, from: [notLast], forgets: [y] },
    { name: "the other is doubled", holds: doubled, from: [moved], forgets: [now.shifted, next.shifted] },
    { name: "the rest and its bit", holds: parts, from: [halved], forgets: [now.rest, next.rest] },
    { name: "product, bit 0", holds: isClear, ...ring },
    { name: "product, bit 1", holds: isSet, ...ring },
    { name: "sum, bit 0", holds: nothing, from: [isClear], ...sums },
    { name: "sum, bit 1", holds: added, from: [isSet], ...sums },
  ];
  return { steps, now, next, halved, moved, nothing, added };
}

/** For the claim that x·y is in the product of tnums `a` and `b`: from premises that x and y are in those. */
export const multiplying =
  (a: Tnum<number>, b: Tnum<number>, x: Term, y: Term): Method =>
  (claim) => {
    const fold = loopIn(claim);
    const z = mul(x, y);
    const zero = constant(x.width, 0);
    const invariant = (state: readonly Term[], index: Term): readonly Invariant[] => {
      const tnums = stateOf(state);
      const { rest, shifted, done } = restOf(x, y, index);
      return [
        { name: "rest of the one", holds: inBits(tnums.a, rest) },
        { name: "the other, moved up", holds: inBits(tnums.b, shifted) },
        { name: "sum", holds: inBits(tnums.sum, done) },
      ];
    };
    const base = inSteps([], {
      from: [inBits(a, x), inBits(b, y)],
      forgets: [...bitsTerms(a), ...bitsTerms(b), x, y],
    });
    const step = (state: readonly Term[], index: Term<typeof INDEX_WIDTH>): Method => {
      const { b: other, sum } = stateOf(state);
      const [inOne, inOther, inSum] = invariant(state, index).map(({ holds }) => holds);
      if (!inOne || !inOther || !inSum) throw new Error("three parts of an invariant");
      return (step_) => {
        const notLast = step_.premises.at(-1);
        if (!notLast) throw new Error("no end of the loop");
        const { steps, now, next, halved, moved, nothing, added } = stepSteps(x, y, index, notLast);
        const more = addTnums(sum, other);
        const both = join(sum, more);
        const moreIn = inBits(more, add(now.done, now.shifted));
        const sums = [...bitsTerms(sum), ...bitsTerms(more), now.done, now.shifted];
        const own: readonly Step[] = [
          {
            name: "addition",
            holds: moreIn,
            from: [inSum, inOther],
            forgets: [...bitsTerms(sum), ...bitsTerms(other), now.done, now.shifted],
          },
          { name: "join, not added", holds: inBits(both, now.done), from: [inSum], forgets: sums },
          {
            name: "join, added",
            holds: inBits(both, add(now.done, now.shifted)),
            from: [moreIn],
            forgets: sums,
          },
        ];
        const facts = [
          inOne,
          inSum,
          moreIn,
          inBits(both, now.done),
          inBits(both, add(now.done, now.shifted)),
          nothing,
          added,
        ];
        const about = termsIn([step_.goal]);
        return inSteps([...steps, ...own], {
          connecting: about.has(next.done)
            ? facts
            : about.has(next.rest)
              ? [inOne, halved]
              : [inOther, moved],
          from: [],
          forgets: [
            ...bitsTerms(more),
            ...bitsTerms(both),
            now.done,
            next.done,
            now.rest,
            next.rest,
            now.shifted,
            next.shifted,
          ],
        })(step_);
      };
    };
    const exit = (state: readonly Term[], index: Term<typeof INDEX_WIDTH>): Method => {
      const held = invariant(state, index).map(({ holds }) => holds);
      const { rest, shifted, missing } = restOf(x, y, index);
      return (end) => {
        const ends = end.premises.slice(-1);
        const allTaken = any(ne(index, constant(index.width, fold.count)), eq(rest, zero));
        const [noRest, noOther] = [rest, shifted].map((t) => any(ne(t, zero), eq(missing, zero)));
        if (!noRest || !noOther) throw new Error("two factors");
        const steps: readonly Step[] = [
          { name: "all bits are taken", holds: allTaken, from: [], forgets: [x] },
          { name: "nothing is left", holds: noRest, from: [], forgets: [rest, shifted] },
          { name: "nothing is left to add", holds: noOther, from: [], forgets: [rest, shifted] },
        ];
        return inSteps(steps, {
          connecting: [...held, ...ends, allTaken, noRest, noOther],
          from: [],
          forgets: [rest, shifted, missing, z],
        })(end);
      };
    };
    return induction({ fold, invariant, base, step, exit })(claim);
  };
