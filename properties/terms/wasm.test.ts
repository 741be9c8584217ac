/** The WebAssembly reading of a term gives what the concrete reading gives. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { extract } from "../../src/semantics/term/build.ts";
import { evaluator } from "../../src/semantics/term/concrete.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { type FunctionSpec, instantiate } from "../../src/semantics/term/wasm.ts";
import { type Sample, sample } from "./arbitrary.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);

/** Terms that fit into a word, for those that do not their halves. */
const words = (term: Term): Term[] =>
  term.width <= 64 ? [term] : [extract(64, term), extract(term.width - 64, term, 64)];

/** Compares both readings; variables and outputs share memory, so that an early store would spoil a late load. */
function agree({ variables, terms, inputs }: Sample): void {
  const outputs = terms.flatMap(words);
  const result = outputs.at(-1);
  const specs: FunctionSpec[] = [
    {
      name: "all",
      parameters: ["i32"],
      inputs: variables.map((v, i) => [v, { kind: "memory", pointer: 0, offset: 8 * i, bytes: 8 }]),
      outputs: outputs.map((term, i) => [term, { pointer: 0, offset: 8 * i, bytes: 8 }]),
    },
    {
      name: "last",
      parameters: variables.map((v) => (v.width <= 32 ? "i32" : "i64")),
      inputs: variables.map((v, index) => [v, { kind: "parameter", index }]),
      outputs: [],
      ...(result && { result }),
    },
  ];
  const functions = instantiate(specs, memory);
  for (const environment of inputs) {
    const value = evaluator(environment);
    const expected = outputs.map((term) => value(term));
    // Bits of the memory above a variable's are arbitrary.
    variables.forEach((v, i) => {
      view.setBigUint64(8 * i, (-1n << BigInt(v.width)) | (environment.get(v) ?? 0n), true);
    });
    functions.get("all")?.(0);
    expect(outputs.map((_, i) => view.getBigUint64(8 * i, true))).toEqual(expected);
    const last = functions.get("last")?.(
      ...variables.map((v) => (v.width <= 32 ? Number(environment.get(v)) : (environment.get(v) ?? 0n))),
    );
    expect(
      last === undefined ? undefined : BigInt.asUintN(typeof last === "number" ? 32 : 64, BigInt(last)),
    ).toBe(expected.at(-1));
  }
}

const runs = (numRuns: number): fc.Parameters<[Sample]> => ({ numRuns, seed: 20240601 });

test("straight terms of 1 to 64 bits", () => {
  fc.assert(fc.property(sample({ folds: 0, size: 30 }), agree), runs(1000));
});
test("terms of 65 to 128 bits among them", () => {
  fc.assert(fc.property(sample({ folds: 0, size: 20, wide: true }), agree), runs(1000));
});
test("folds, nested and with conditions", () => {
  fc.assert(fc.property(sample({ wide: true }), agree), runs(1000));
});
