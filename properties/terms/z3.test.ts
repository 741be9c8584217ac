/** Z3, given the SMT reading of a term, computes what the concrete reading does. */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { constant, eq, variable } from "../../src/semantics/term/build.ts";
import { evaluator } from "../../src/semantics/term/concrete.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { type Options, type Sample, sample } from "./arbitrary.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

/** Asks Z3 for variables equal to the terms where the terms' own variables have given values. */
async function agree({ terms, inputs }: Sample): Promise<void> {
  const names = terms.map((term, i) => variable(`result${i}`, term.width));
  const defined = terms.map((term, i) => eq<number>(term, names[i]!));
  for (const environment of inputs) {
    const given = [...environment].map(([v, value]) => eq<number>(v, constant(v.width, value)));
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
