import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  add,
  and,
  constant,
  eq,
  extract,
  fold,
  ite,
  lshr,
  mul,
  ne,
  not,
  shl,
  TRUE,
  uge,
  ule,
  ult,
  variable,
  zext,
} from "../semantics/term/build.ts";
import type { Fold, Term } from "../semantics/term/node.ts";
import { startZ3, type Z3 } from "../semantics/term/z3.ts";
import { bits, type Claim, cases, cut, induction, integers, type Method } from "./methods.ts";
import { obligationText, premisesText } from "./theorem.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

/** The names of the obligations that do not hold, and of those whose premises are contradictory. */
async function failures(claim: Claim, by: Method): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const obligation of by(claim)) {
    const ask = async (text: string): Promise<string> =>
      (await z3.decide({ text, logic: obligation.logic, timeoutMs: 20_000, wanted: [] })).result;
    if ((await ask(obligationText(obligation))) !== "unsat") failed.push(obligation.name);
    if ((await ask(premisesText(obligation))) !== "sat") failed.push(`${obligation.name} (vacuous)`);
  }
  return failed;
}

const [x, y, z] = [variable("x", 64), variable("y", 64), variable("z", 64)];
const one = constant(64, 1);
const zero = constant(64, 0);
const claim = (goal: Term<1>, ...premises: readonly Term<1>[]): Claim => ({ name: "c", premises, goal });

describe("one question", () => {
  test("of bit-vectors", async () => {
    expect(await failures(claim(ule(and(x, y), x)), bits)).toEqual([]);
    expect(await failures(claim(ule(x, and(x, y))), bits)).toEqual(["c"]);
  });
  test("of integers", async () => {
    const product = (a: Term, b: Term): Term<128> => mul(zext(128, a), zext(128, b));
    expect(await failures(claim(ule(product(x, z), product(y, z)), ule(x, y)), integers)).toEqual([]);
    expect(await failures(claim(ult(product(x, z), product(y, z)), ult(x, y)), integers)).toEqual(["c"]);
  });
  test("contradictory premises are told", async () => {
    expect(await failures(claim(eq(x, y), ult(x, y), ult(y, x)), bits)).toEqual(["c (vacuous)"]);
  });
});

describe("lemmas", () => {
  const product = mul(zext(128, x), zext(128, y));
  const most = mul(zext(128, z), zext(128, y));
  const bounded = claim(ule(extract(64, product, 64), extract(64, most, 64)), ule(x, z));
  test("a product is bounded by an integer lemma and bits", async () => {
    const lemma = { name: "monotone", holds: ule(product, most), by: integers };
    expect(await failures(bounded, cut([lemma], [product, most]))).toEqual([]);
  });
  test("a lemma that does not hold is refuted", async () => {
    const lemma = { name: "strictly", holds: ult(product, most), by: integers };
    expect(await failures(bounded, cut([lemma], [product, most]))).toEqual(["c, strictly"]);
  });
  test("without the lemma the generalised goal does not hold", async () => {
    expect(await failures(bounded, cut([], [product, most]))).toEqual(["c"]);
  });
  test("what is generalised twice is two things", async () => {
    const inner = cut([], [mul(x, y)]);
    const both = cut([], [mul(x, z)], inner);
    // x·y and x·z are two unknowns, which are not equal for all values.
    expect(await failures(claim(eq(mul(x, y), mul(x, z))), both)).toEqual(["c"]);
  });
});

describe("cases", () => {
  const goal = claim(ule(ite(ult(x, y), x, y), y));
  test("that cover everything", async () => {
    const by = cases([
      { name: "less", when: ult(x, y), by: bits },
      { name: "not less", when: uge(x, y), by: bits },
    ]);
    expect(await failures(goal, by)).toEqual([]);
  });
  test("that leave something out", async () => {
    const by = cases([{ name: "less", when: ult(x, y), by: bits }]);
    expect(await failures(goal, by)).toEqual(["c, some case"]);
  });
});

describe("induction", () => {
  /** The number of bits set in x, by a loop; the index is not used. */
  const counting = (from: Term<64>): readonly Term<64>[] =>
    fold({
      widths: [64, 64],
      count: 64,
      init: [from, zero],
      step: ([rest, sum]) => [lshr(rest, one), add(sum, and(rest, one))],
      condition: ([rest]) => ne(rest, zero),
    });
  const foldOf = (term: Term | undefined): Fold => {
    if (term?.op !== "fold") throw new Error("no fold");
    return term.fold;
  };
  const [, count] = counting(x);
  const atMost64 = claim(ule(count!, constant(64, 64)));
  const invariant = (state: readonly Term[], index: Term<8>) => [
    { name: "as many as steps", holds: ule<number>(state[1]!, zext(64, index)) },
  ];
  test("base, step and end are checked", async () => {
    const by = induction({ fold: foldOf(count), invariant });
    expect(by(atMost64).map(({ name }) => name)).toEqual([
      "c, at the start: as many as steps",
      "c, a step keeps: as many as steps",
      "c, at the end",
    ]);
    expect(await failures(atMost64, by)).toEqual([]);
  });
  test("an invariant that does not hold at the start, or is not kept, or does not suffice", async () => {
    const by = (holds: (sum: Term, index: Term<8>) => Term<1>): Method =>
      induction({
        fold: foldOf(count),
        invariant: (state, index) => [{ name: "i", holds: holds(state[1]!, index) }],
      });
    const above = by((sum) => uge<number>(sum, one));
    expect(await failures(atMost64, above)).toContain("c, at the start: i");
    const constantly = by((sum) => eq<number>(sum, zero));
    expect(await failures(atMost64, constantly)).toContain("c, a step keeps: i");
    expect(
      await failures(
        atMost64,
        by(() => TRUE),
      ),
    ).toEqual(["c, at the end"]);
  });
  test("the loop's own condition and count are what ends it", async () => {
    const [rest] = counting(x);
    // At the end nothing is left: because the condition says so, or after 64 shifts.
    const done = claim(eq<number>(rest!, zero));
    const shifted = (state: readonly Term[], index: Term<8>) => [
      { name: "shifted", holds: eq<number>(state[0]!, lshr(x, zext(64, index))) },
    ];
    expect(await failures(done, induction({ fold: foldOf(rest), invariant: shifted }))).toEqual([]);
  });
  test("another fold of the same level inside the step is left alone", async () => {
    const [, inner] = counting(y);
    const [total] = fold({
      widths: [64],
      count: 3,
      init: [zero],
      step: ([sum]) => [add(sum, inner!)],
    });
    const outer = foldOf(total);
    const by = induction({
      fold: outer,
      invariant: (state, index) => [
        {
          name: "sum",
          holds: eq<number>(state[0]!, mul(zext(64, index), inner!)),
        },
      ],
      step: () => cut([], [inner!]),
      exit: () => cut([], [inner!]),
    });
    expect(await failures(claim(eq(total, mul(constant(64, 3), inner!))), by)).toEqual([]);
    expect(await failures(claim(eq(total, shl(inner!, one))), by)).toEqual(["c, at the end"]);
  });
  test("premises about the loop's end are no premises of its start", async () => {
    const by = induction({ fold: foldOf(count), invariant });
    const odd = claim(not(eq(count!, zero)), ne(count!, zero));
    expect(by(odd).map(({ premises }) => premises.length)).toEqual([0, 3, 4]);
  });
});
