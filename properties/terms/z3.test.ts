/** Z3, given the SMT reading of a term, computes what the concrete reading does. */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as t from "../../src/semantics/term/build.ts";
import { evaluate, evaluator } from "../../src/semantics/term/concrete.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { type Options, type Sample, sample } from "./arbitrary.ts";
import { BINARY, DIVISION, edges } from "./operators.ts";

const operators: typeof t = t;

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

/** Asks Z3 for variables equal to the terms where the terms' own variables have given values. */
async function agree({ terms, inputs }: Sample): Promise<void> {
  const names = terms.map((term, i) => t.variable(`result${i}`, term.width));
  const defined = terms.map((term, i) => t.eq<number>(term, names[i]!));
  for (const environment of inputs) {
    const given = [...environment].map(([v, value]) => t.eq<number>(v, t.constant(v.width, value)));
    const answer = await z3.solve([...given, ...defined]);
    if (answer.result !== "sat") throw new Error(`Z3 answers ${answer.result}`);
    const value = evaluator(environment);
    expect(names.map((name) => answer.model.get(name))).toEqual(terms.map((term) => value(term)));
  }
}

const holds = (options: Options, numRuns: number) => async (): Promise<void> =>
  fc.assert(fc.asyncProperty(sample({ ...options, inputs: 2 }), agree), { numRuns, seed: 20240601 });

test("straight terms of 1 to 128 bits", holds({ folds: 0, size: 20, wide: true }, 150));
test("folds, nested and with conditions", holds({ wide: true, size: 8 }, 100));

test.each([1, 2, 8, 31, 32, 64, 65, 128])("each operator on edge values of %d bits", async (width) => {
  const values = edges(width).map((value) => t.constant(width, value));
  const binary = width <= 64 ? [...BINARY, ...DIVISION] : BINARY;
  const terms = values.flatMap((a) => [
    ...values.flatMap((b) => binary.map((op) => operators[op](a, b))),
    t.not(a),
    t.neg(a),
    t.sext(128, a),
    t.zext(128, a),
    t.extract(1, a, width - 1),
    ...(width % 8 === 0 && width <= 64 ? [t.bswap(a)] : []),
  ]);
  const none = new Map<Term, bigint>();
  const differ = terms.map((term) => t.ne<number>(term, t.constant(term.width, evaluate(term, none))));
  expect(await z3.solve([t.any(...differ)])).toEqual({ result: "unsat" });
});
