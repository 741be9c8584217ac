/** Each operator by itself, at every width, on all pairs of edge values: the WebAssembly reading gives what the concrete reading gives. */
import { describe, expect, test } from "vitest";
import * as t from "../../src/semantics/term/build.ts";
import { evaluator } from "../../src/semantics/term/concrete.ts";
import { MAX_DIVISION_WIDTH, type Term } from "../../src/semantics/term/node.ts";
import { instantiate } from "../../src/semantics/term/wasm.ts";
import { BINARY, DIVISION, edges } from "./operators.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);

const operators: typeof t = t;
/** Terms of two variables of up to 64 bits, on all pairs of `values`. */
function check(a: Term, b: Term, terms: readonly Term[], values: readonly bigint[]): void {
  const compute = instantiate(
    [
      {
        name: "compute",
        parameters: ["i32"],
        inputs: [a, b].map((v, i) => [v, { kind: "memory", pointer: 0, offset: 8 * i, bytes: 8 }]),
        outputs: terms.map((term, i) => [term, { pointer: 0, offset: 16 + 8 * i, bytes: 8 }]),
      },
    ],
    memory,
  ).get("compute");
  for (const x of values) {
    for (const y of values) {
      view.setBigUint64(0, x, true);
      view.setBigUint64(8, y, true);
      compute?.(0);
      const value = evaluator(
        new Map([
          [a, x],
          [b, y],
        ]),
      );
      const actual = terms.map((_, i) => view.getBigUint64(16 + 8 * i, true));
      expect(actual, `${x}, ${y}`).toEqual(terms.map(value));
    }
  }
}

const narrow = (a: Term, b: Term): Term[] => [
  ...[...BINARY, ...DIVISION].map((op) => operators[op](a, b)),
  t.not(a),
  t.neg(a),
  t.ite(t.eq(a, b), a, t.not(b)),
  t.zext(64, a),
  t.sext(64, a),
  ...(a.width % 8 === 0 ? [t.bswap(a)] : []),
  ...(a.width <= 32 ? [t.concat(2 * a.width, a, b)] : []),
  ...[0, a.width >> 1, a.width - 1].map((low) => t.extract(a.width - low, a, low)),
];

test.each(Array.from({ length: MAX_DIVISION_WIDTH }, (_, i) => i + 1))("width %d", (width) => {
  const [a, b] = [t.variable("a", width), t.variable("b", width)];
  check(a, b, narrow(a, b), edges(width));
});

const halves = (term: Term): Term[] =>
  term.width <= 64 ? [term] : [t.extract(64, term), t.extract(term.width - 64, term, 64)];

test.each([65, 66, 71, 96, 100, 127, 128])("width %d", (width) => {
  const [a, b] = [t.variable("a", 64), t.variable("b", 64)];
  const wide = [
    [t.zext(width, a), t.zext(width, b)],
    [t.sext(width, a), t.sext(width, b)],
    [t.concat(width, t.extract(width - 64, a), b), t.zext(width, b)],
    [t.concat(width, t.extract(width - 64, a), b), t.concat(width, t.extract(width - 64, b), a)],
  ] as const;
  const terms = wide.flatMap(([x, y]) => [
    ...BINARY.map((op) => operators[op](x, y)),
    t.not(x),
    t.neg(x),
    t.ite(t.ult(x, y), x, y),
    t.sext(128, x),
    t.zext(128, x),
    t.extract(65, y),
    ...[1, 63, 64].map((low) => t.extract(width - low, x, low)),
  ]);
  check(a, b, terms.flatMap(halves), [
    ...edges(64),
    63n,
    BigInt(width - 1),
    BigInt(width),
    BigInt(width + 1),
  ]);
});

describe("tests of signs and zeros, two together", () => {
  test.each([8, 32, 64])("of width %d", (width) => {
    const [a, b] = [t.variable("a", width), t.variable("b", width)];
    const zero = t.constant(width, 0);
    const tests = (x: Term): Term<1>[] => [
      t.slt<number>(x, zero),
      t.sge<number>(x, zero),
      t.eq<number>(x, zero),
      t.ne<number>(x, zero),
      t.extract(1, x, width - 1),
    ];
    const joined = tests(a).flatMap((p) =>
      tests(b).flatMap((q) => (["and", "or", "xor", "eq", "ne"] as const).map((op) => operators[op](p, q))),
    );
    check(a, b, joined, edges(width));
  });
});

test("folds that share the terms of their steps keep their own", () => {
  const [a, b] = [t.variable("a", 64), t.variable("b", 64)];
  const grown = (init: Term<64>, count: number): Term<64> =>
    t.fold({ widths: [64], count, init: [init], step: ([s], i) => [t.add(t.mul(s, s), t.zext(64, i))] })[0];
  const nested = (init: Term<64>): Term<64> =>
    t.fold({
      widths: [64],
      count: 3,
      init: [init],
      step: ([s]) => [t.xor(grown(s, 2), grown(t.not(s), 3))],
    })[0];
  check(
    a,
    b,
    [grown(a, 3), grown(b, 3), grown(a, 4), grown(grown(b, 2), 2), nested(a), nested(b)],
    edges(64),
  );
});
