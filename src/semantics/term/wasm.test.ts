import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import {
  add,
  constant,
  eq,
  extract,
  fold,
  ite,
  lshr,
  mul,
  or,
  sub,
  udiv,
  variable,
  xor,
  zext,
} from "./build.ts";
import type { Term } from "./node.ts";
import {
  encodeModule,
  type FunctionSpec,
  instantiate,
  instantiateOnAddresses,
  type Sink,
  type Source,
} from "./wasm.ts";

const x = variable("x", 64);
const y = variable("y", 64);
const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);

const word = (offset: number): Source & Sink => ({ kind: "memory", pointer: 0, offset, bytes: 8 });
const returning = (result: Term): FunctionSpec => ({
  name: "f",
  parameters: ["i64", "i64"],
  inputs: [
    [x, { kind: "parameter", index: 0 }],
    [y, { kind: "parameter", index: 1 }],
  ],
  outputs: [],
  result,
});

describe("memory", () => {
  const spec = (outputs: FunctionSpec["outputs"]): FunctionSpec => ({
    name: "f",
    parameters: ["i32"],
    inputs: [
      [x, word(0)],
      [y, word(8)],
    ],
    outputs,
  });
  const run = (outputs: FunctionSpec["outputs"]): bigint[] => {
    view.setBigUint64(64, 10n, true);
    view.setBigUint64(72, 3n, true);
    instantiate([spec(outputs)], memory).get("f")?.(64);
    return [64, 72, 80].map((at) => view.getBigUint64(at, true));
  };

  test("inputs are read before outputs are written over them", () => {
    const outputs: FunctionSpec["outputs"] = [
      [y, word(0)],
      [x, word(8)],
      [sub(x, y), word(16)],
    ];
    expect(run(outputs)).toEqual([3n, 10n, 7n]);
    expect(run(outputs.toReversed())).toEqual([3n, 10n, 7n]);
  });

  test("a narrow term is zero-extended to its bytes and leaves others alone", () => {
    view.setBigUint64(80, -1n, true);
    const difference = extract(5, sub(y, x));
    expect(
      run([
        [difference, word(8)],
        [difference, { pointer: 0, offset: 17, bytes: 1 }],
      ]),
    ).toEqual([10n, 25n, 0xffff_ffff_ffff_19ffn]);
  });
});

test("results are signed numbers of JavaScript, extended from the term's width with zeros", () => {
  const call = (result: Term, ...args: bigint[]): unknown =>
    instantiate([returning(result)], memory).get("f")?.(...args);
  expect(call(add(x, y), 1n, -3n)).toBe(-2n);
  expect(call(extract(32, add(x, y)), 1n, -3n)).toBe(-2);
  expect(call(extract(31, add(x, y)), 1n, -3n)).toBe(0x7ffffffe);
  expect(call(extract(40, add(x, y)), 1n, -3n)).toBe(0xfffffffffen);
});

test("functions of addresses return numbers", () => {
  const spec: FunctionSpec = {
    name: "f",
    parameters: ["i32"],
    inputs: [[x, word(0)]],
    outputs: [[x, word(8)]],
  };
  view.setBigUint64(0, 9n, true);
  expect(instantiateOnAddresses([spec], memory).get("f")?.(0)).toBe(0);
  expect(view.getBigUint64(8, true)).toBe(9n);
  expect(instantiateOnAddresses([{ ...spec, result: extract(8, x) }], memory).get("f")?.(0)).toBe(9);
  expect(() => instantiateOnAddresses([{ ...spec, result: x }], memory)).toThrow(/f: not a function of/);
});

test("a spec that does not fit is an error", () => {
  const spec = returning(x);
  expect(() => encodeModule([{ ...spec, inputs: [] }])).toThrow(/f: no source for x/);
  expect(() => encodeModule([{ ...spec, outputs: [[x, word(0)]] }])).toThrow(/parameter 0 is no pointer/);
  expect(() => encodeModule([{ ...spec, parameters: ["i64"], result: y }])).toThrow(/no local 1/);
  const short: Sink = { pointer: 0, offset: 0, bytes: 4 };
  expect(() => encodeModule([{ ...spec, parameters: ["i32"], outputs: [[x, short]] }])).toThrow(/64 bits/);
});

describe("the code's shape", () => {
  /** As binaryen reads it: the depth of nesting says what is inside what. */
  const text = (result: Term): string => {
    const module = binaryen.readBinary(encodeModule([returning(result)]));
    expect(module.validate()).toBe(1);
    const lines = module.emitText();
    module.dispose();
    return lines;
  };
  /** The operators between the start of the first `from` and the start of the first `to` after it. */
  const between = (code: string, from: string, to: string): string =>
    code.slice(code.indexOf(from), code.indexOf(to, code.indexOf(from)));

  const repeated = (step: (s: Term<64>) => Term<64>): Term<64> =>
    fold({ widths: [64], count: 9, init: [x], step: ([s]) => [step(s)] })[0];

  test("what is shared is computed once", () => {
    const product = mul(x, y);
    expect(text(xor(add(product, x), sub(product, y))).match(/i64\.mul/g)).toHaveLength(1);
  });

  test("a division or a loop is gone round where a choice does not need it", () => {
    const chosen = text(
      ite(
        eq(x, y),
        udiv(x, y),
        repeated((s) => mul(s, s)),
      ),
    );
    expect(chosen).toMatch(/\(if/);
    expect(chosen.indexOf("i64.div_u")).toBeGreaterThan(chosen.indexOf("(then"));
    expect(chosen.indexOf("(loop")).toBeGreaterThan(chosen.indexOf("(else"));
    expect(text(ite(eq(x, y), add(x, y), sub(x, y)))).not.toMatch(/\(if/);
  });

  test("but not where it is needed elsewhere", () => {
    const quotient = udiv(x, constant(64, 7));
    expect(text(xor(ite(eq(x, y), quotient, x), quotient))).not.toMatch(/\(if/);
  });

  test("what a loop does not change is computed before it", () => {
    const code = text(repeated((s) => xor(s, mul(x, y))));
    expect(code.indexOf("i64.mul")).toBeLessThan(code.indexOf("(loop"));
    const nested = text(
      repeated(
        (s) => fold({ widths: [64], count: 5, init: [s], step: ([r]) => [xor(r, mul(s, udiv(x, y)))] })[0],
      ),
    );
    // The quotient before both loops, the product between them.
    expect(nested.indexOf("i64.div_u")).toBeLessThan(nested.indexOf("(loop"));
    expect(between(nested, "(loop", "i64.mul").match(/\(loop/g)).toHaveLength(1);
  });

  test("narrow sums are masked once, where it matters", () => {
    const [a, b] = [extract(8, x), extract(8, y)];
    const code = text(zext(64, add(add(a, b), mul(a, add(b, constant(8, 200))))));
    expect(code.match(/i32\.and/g)).toHaveLength(1);
  });
});

describe("all bits below the highest one set, by doublings", () => {
  const WIDTHS = Array.from({ length: 63 }, (_, i) => i + 2);
  const doubled = (value: Term, distances: readonly number[]): Term =>
    distances.reduce((v, distance) => or(v, lshr(v, constant(v.width, distance))), value);
  const distancesTo = (width: number): readonly number[] =>
    [1, 2, 4, 8, 16, 32].filter((distance) => distance < width);
  const outputs = (of: (width: number) => Term): FunctionSpec => ({
    name: "f",
    parameters: ["i32"],
    inputs: [[x, word(0)]],
    outputs: WIDTHS.map((width, i) => [of(width), word(8 + 8 * i)]),
  });
  const numbers = [0n, 1n, 0x5a5a_5a5a_a5a5_a5a5n, ...Array.from({ length: 64 }, (_, i) => 1n << BigInt(i))];
  const results = (spec: FunctionSpec, value: bigint): bigint[] => {
    view.setBigUint64(0, value, true);
    instantiate([spec], memory).get("f")?.(0);
    return WIDTHS.map((_, i) => view.getBigUint64(8 + 8 * i, true));
  };
  const smeared = (value: bigint): bigint =>
    value === 0n ? 0n : 2n ** BigInt(value.toString(2).length) - 1n;

  test.each(numbers)("of %i at every width", (value) => {
    const spec = outputs((width) => doubled(extract(width, x), distancesTo(width)));
    expect(results(spec, value)).toEqual(WIDTHS.map((width) => smeared(BigInt.asUintN(width, value))));
  });

  test("what only looks like it is computed as it stands", () => {
    const value = 1n << 63n;
    const low = extract(8, x, 56);
    const cases: readonly (readonly [Term, bigint])[] = [
      [doubled(low, [1, 2]), 0xf0n],
      [doubled(low, [2, 4]), 0xaan],
      [doubled(low, [4, 2, 1]), 0xffn],
      [or(doubled(low, [1, 2]), lshr(low, constant(8, 4))), 0xf8n],
    ];
    for (const [term, expected] of cases)
      expect(
        results(
          outputs(() => zext(64, term)),
          value,
        )[0],
      ).toBe(expected);
  });
});
