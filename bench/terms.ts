/**
 * What the readings of terms cost, side by side in one run: generating code (terms to bytes to a bound module), calling it, and evaluating
 * the same terms on `bigint`. `node bench/run.mjs terms`
 */
import {
  add,
  and,
  constant,
  extract,
  fold,
  ite,
  lshr,
  mul,
  ne,
  not,
  or,
  shl,
  slt,
  sub,
  type Tuple,
  udiv,
  ult,
  umax,
  umin,
  variable,
  xor,
  zext,
} from "../src/semantics/term/build.ts";
import { evaluator } from "../src/semantics/term/concrete.ts";
import type { Term } from "../src/semantics/term/node.ts";
import { encodeModule, type FunctionSpec, instantiate } from "../src/semantics/term/wasm.ts";

const x = variable("x", 64);
const y = variable("y", 64);
const z = variable("z", 64);

/** An unsigned interval and a tnum, added and made to agree: the kind of term the verifier runs, in small. */
function interval(): readonly Term[] {
  const low = add(x, y);
  const high = add(or(x, z), or(y, z));
  const wraps = ult(high, or(x, z));
  const [least, most] = [ite(wraps, constant(64, 0), low), ite(wraps, constant(64, -1), high)];
  const mask = or(xor(low, high), or(z, y));
  const value = and(low, not(mask));
  return [value, mask, umax(least, value), umin(most, or(value, mask)), zext(64, slt(least, most))];
}

const product = (): Tuple<readonly [64, 64, 64]> =>
  fold({
    widths: [64, 64, 64],
    count: 64,
    init: [constant(64, 0), x, y],
    step: ([sum, a, b]) => [
      ite(extract(1, a), add(sum, b), sum),
      lshr(a, constant(64, 1)),
      shl(b, constant(64, 1)),
    ],
    condition: ([, a]) => ne(a, constant(64, 0)),
  });

/** `size` operations, each on results before. */
function straight(size: number): Term<64> {
  const made: Term<64>[] = [x, y, z];
  const pick = (n: number): Term<64> => made[n % made.length] ?? x;
  const operators = [add, xor, sub, mul, or, and, (a: Term<64>, b: Term<64>) => umin(a, b)];
  for (let i = 0; i < size; i++)
    made.push((operators[i % operators.length] ?? add)(pick(i * 7 + 3), pick(made.length - 1 - (i % 3))));
  return made.reduce((a, b) => xor(a, b));
}

const CASES: Readonly<Record<string, readonly Term[]>> = {
  "one addition": [add(x, y)],
  "a guarded division": [ite(ne(y, constant(64, 0)), udiv(x, y), constant(64, 0))],
  "an interval": interval(),
  "upper half of a product": [extract(64, mul(zext(128, x), zext(128, y)), 64)],
  "a product by shifts (fold)": product(),
  "300 operations": [straight(300)],
};

const memory = new WebAssembly.Memory({ initial: 1 });
const VARIABLES = [x, y, z];
const spec = ([name, terms]: readonly [string, readonly Term[]]): FunctionSpec => ({
  name,
  parameters: ["i32"],
  inputs: VARIABLES.map((v, i) => [v, { kind: "memory", pointer: 0, offset: 8 * i, bytes: 8 }]),
  outputs: terms.map((term, i) => [term, { pointer: 0, offset: 64 + 8 * i, bytes: 8 }]),
});

/** The best of several rounds, in nanoseconds a call. */
function measure(calls: number, run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    best = Math.min(best, ((performance.now() - start) / calls) * 1e6);
  }
  return best;
}

const inputs = [0x1234_5678_9abc_def0n, 0xfedc_ba98n, 0xff00ffn];
const view = new DataView(memory.buffer);
inputs.forEach((value, i) => view.setBigUint64(8 * i, value, true));
const environment = new Map(VARIABLES.map((v, i) => [v, inputs[i] ?? 0n]));

const cases = Object.entries(CASES);
const functions = instantiate(cases.map(spec), memory);
// V8 compiles the generator as it runs: without this the first rows would pay for all.
for (let i = 0; i < 300; i++) encodeModule(cases.map(spec));
const rows = cases.map(([name, terms]) => {
  const specs = [spec([name, terms])];
  const f = functions.get(name) ?? (() => undefined);
  const evaluate = (): void => terms.forEach(evaluator(environment));
  for (let i = 0; i < 100_000; i++) f(0);
  return {
    function: name,
    "generate µs": (measure(200, () => encodeModule(specs)) / 1000).toFixed(1),
    "generate and bind µs": (measure(50, () => instantiate(specs, memory)) / 1000).toFixed(1),
    bytes: encodeModule(specs).length,
    "WebAssembly ns": measure(300_000, () => f(0)).toFixed(1),
    "bigint ns": measure(300, evaluate).toFixed(0),
  };
});
console.table(rows);

const many = Array.from({ length: 300 }, (_, i) => spec([`f${i}`, [...interval(), straight(40 + (i % 20))]]));
const start = performance.now();
const bytes = encodeModule(many);
console.log(
  `a module of ${many.length} functions: ${(performance.now() - start).toFixed(1)} ms, ${bytes.length} bytes`,
);
