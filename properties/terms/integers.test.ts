/** Z3, given a term as integers, computes what the concrete reading does; what has no such reading says so. */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as t from "../../src/semantics/term/build.ts";
import { evaluate, evaluator } from "../../src/semantics/term/concrete.ts";
import { toIntegers } from "../../src/semantics/term/integers.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { sample } from "./arbitrary.ts";
import { edges } from "./operators.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

const decide = async (assertions: readonly Term<1>[]): Promise<string> =>
  (await z3.decide({ text: toIntegers(assertions), logic: "integers", timeoutMs: 60_000, wanted: [] }))
    .result;

function hasReading(term: Term): boolean {
  try {
    toIntegers([t.eq<number>(term, t.constant(term.width, 0))]);
    return true;
  } catch (error) {
    if (error instanceof t.TermError) return false;
    throw error;
  }
}

test("terms of 1 to 128 bits", { timeout: 120_000 }, async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(sample({ folds: 0, size: 12, wide: true, inputs: 1 }), async ({ terms, inputs }) => {
      const known = terms.filter(hasReading);
      read += known.length;
      for (const environment of inputs) {
        const value = evaluator(environment);
        const given = [...environment].map(([v, x]) => t.eq<number>(v, t.constant(v.width, x)));
        const equal = known.map((term) => t.eq<number>(term, t.constant(term.width, value(term))));
        expect(await decide([...given, ...equal])).toBe("sat");
        expect(await decide([...given, t.not(t.all(...equal))])).toBe("unsat");
      }
    }),
    { numRuns: 80, seed: 20240601 },
  );
  expect(read).toBeGreaterThan(200);
});

const OPERATORS = {
  add: t.add,
  sub: t.sub,
  mul: t.mul,
  udiv: t.udiv,
  urem: t.urem,
  sdiv: t.sdiv,
  srem: t.srem,
  eq: t.eq,
  ult: t.ult,
  ule: t.ule,
  slt: t.slt,
  sle: t.sle,
} as const;

test.each([1, 2, 8, 64])("each operator on edge values of %d bits", async (width) => {
  const values = edges(width).map((value) => t.constant(width, value));
  const ones = t.constant(width, (1n << BigInt(Math.ceil(width / 2))) - 1n);
  const terms = values.flatMap((a): readonly Term[] => [
    ...values.flatMap((b) => Object.values(OPERATORS).map((op): Term => op<number>(a, b))),
    t.not(a),
    t.neg(a),
    t.sext(128, a),
    t.zext(128, a),
    t.extract(1, a, width - 1),
    t.concat(width + 3, t.constant(3, 5), a),
    t.and<number>(a, ones),
    ...[0, 1, width - 1, width, width + 1].flatMap((count) => [
      t.shl<number>(a, t.constant(width, count)),
      t.lshr<number>(a, t.constant(width, count)),
    ]),
  ]);
  const none = new Map<Term, bigint>();
  const differ = terms.map((term) => t.ne<number>(term, t.constant(term.width, evaluate(term, none))));
  for (let i = 0; i < differ.length; i += 200)
    expect(await decide([t.any(...differ.slice(i, i + 200))])).toBe("unsat");
});

test("what is not arithmetic has no reading", () => {
  const [x, y] = [t.variable("x", 8), t.variable("y", 8)];
  for (const term of [t.or(x, y), t.xor(x, y), t.shl(x, y), t.ashr(x, y), t.and(x, t.constant(8, 5))])
    expect(() => toIntegers([t.eq(term, x)])).toThrow("as integers");
});

test("a product that is not reduced is found by its parts", async () => {
  // Monotonicity of the product in one factor, at 64 bits: the kind of lemma that this reading is for.
  const [x, y, z] = [t.variable("x", 64), t.variable("y", 64), t.variable("z", 64)];
  const wide = (a: Term): Term<128> => t.zext(128, a);
  const product = (a: Term, b: Term): Term<128> => t.mul(wide(a), wide(b));
  const lemma = t.ule(product(x, z), product(y, z));
  expect(await decide([t.ule(x, y), t.not(lemma)])).toBe("unsat");
  expect(await decide([t.not(lemma)])).toBe("sat");
});
