/**
 * What the abstract operators cost in each reading of their terms, side by side in one run: WebAssembly called from JavaScript, generated
 * JavaScript on `bigint`, and the evaluator. Nanoseconds a call on operands such as programs have; the least of many short rounds.
 * `node bench/run.mjs scalar`
 */
import { allocate, arena } from "../src/absint/arena.ts";
import { decideScalars, refineScalars } from "../src/absint/scalar/branch.ts";
import { COMPONENTS, componentsOf, symbolic } from "../src/absint/scalar/components.ts";
import { operate } from "../src/absint/scalar/operations.ts";
import {
  aluOperator,
  branchOperators,
  constantScalar,
  copyScalar,
  joinScalars,
  LAYOUT,
  SCALAR_BYTES,
  scalarIncludes,
  synchronise,
  tightAluOperator,
  unknownScalarAt,
  widenScalars,
} from "../src/absint/scalar/operators.ts";
import { includes, join, type Scalar } from "../src/absint/scalar/product.ts";
import { synchronised } from "../src/absint/scalar/rules.ts";
import { widen } from "../src/absint/scalar/widen.ts";
import type { AluOp, JumpOp } from "../src/semantics/isa/instruction.ts";
import { ROWS } from "../src/semantics/isa/table.ts";
import { evaluator } from "../src/semantics/term/concrete.ts";
import type { Term } from "../src/semantics/term/node.ts";
import { imported, javascriptOf } from "./javascript.ts";

const CALLS = 1024;
const EVALUATIONS = 16;
/** Milliseconds in which to look for the fastest round. */
const SHORT = 100;
const LONG = 2000;
/** A power of two. */
const OPERANDS = 64;

// --- Operands

const A = symbolic("a");
const B = symbolic("b");
const block = (): number => allocate(SCALAR_BYTES);
const OUT = block();

/** Bytes, half words, ints, counts, indices times a size, flags, differences, constants: what registers hold. */
const MAKERS: readonly ((at: number, n: number) => void)[] = [
  (at, n) => constantScalar(at, n * 0x9e37, n & 1 ? -1 : 0),
  (at, n) => unknownScalarAt(at, 8 + (n & 24)),
  (at, n) => unknownScalarAt(at, 1 + n),
  (at) => unknownScalarAt(at),
  (at, n) => made("and", at, 15 + n),
  (at, n) => made("lsh", at, n & 7),
  (at, n) => made("add", at, -n),
  (at, n) => made("arsh", at, n),
  (at, n) => made("or", at, 1 << (n & 30)),
];

/** An operation on what is at the place and a constant. */
function made(op: AluOp, at: number, constant: number): void {
  constantScalar(OUT, constant, constant >> 31);
  unknownScalarAt(at, op === "lsh" || op === "add" ? 16 : 64);
  tightAluOperator(op, 64)(at, OUT, at);
}

function operands(first: number): readonly number[] {
  return Array.from({ length: OPERANDS }, (_, i) => {
    const at = block();
    MAKERS[(first + i * 5) % MAKERS.length]?.(at, (first + i * 7) % 60);
    return at;
  });
}

const LEFT = operands(1);
const RIGHT = operands(4);
const copied = (list: readonly number[]): readonly number[] =>
  list.map((from) => {
    const at = block();
    copyScalar(from, at);
    return at;
  });

// --- Measuring

/** Nanoseconds of one of `calls` calls that `run` makes: the least of as many rounds as there is time for, and at least two. */
function fastest(calls: number, milliseconds: number, run: () => void): number {
  const end = performance.now() + milliseconds;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 2 || performance.now() < end; round += 1) {
    const start = performance.now();
    run();
    best = Math.min(best, ((performance.now() - start) / calls) * 1e6);
  }
  return best;
}

type Operator = (a: number, b: number, out: number) => unknown;

/** On all operands in turn. */
function webAssembly(operator: Operator, left = LEFT, right = RIGHT, milliseconds = SHORT): number {
  return fastest(CALLS, milliseconds, () => {
    for (let i = 0; i < CALLS; i += 1)
      operator(left[i & (OPERANDS - 1)] ?? 0, right[(i * 5) & (OPERANDS - 1)] ?? 0, OUT);
  });
}

const termsOf = (...scalars: readonly Scalar[]): readonly Term[] =>
  scalars.flatMap((s) => Object.values(componentsOf(s)));

function numbersAt(at: number): readonly bigint[] {
  const view = new DataView(arena.u8.buffer);
  return COMPONENTS.map((c) =>
    c.endsWith("32") ? BigInt(view.getUint32(at + LAYOUT[c], true)) : view.getBigUint64(at + LAYOUT[c], true),
  );
}

const VARIABLES = [A, B].flatMap((s) => COMPONENTS.map((c) => componentsOf(s)[c]));
/** The variables' values in some pairs of operands. */
const VALUES = Array.from({ length: EVALUATIONS }, (_, i) => [
  ...numbersAt(LEFT[i] ?? 0),
  ...numbersAt(RIGHT[(i * 5) & (OPERANDS - 1)] ?? 0),
]);
const ENVIRONMENTS = VALUES.map((values) => new Map(VARIABLES.map((v, i) => [v, values[i] ?? 0n])));

function evaluation(terms: readonly Term[]): number {
  return fastest(EVALUATIONS, 0, () => {
    for (const environment of ENVIRONMENTS) terms.forEach(evaluator(environment));
  });
}

async function javascript(terms: readonly Term[], milliseconds: number): Promise<number> {
  const run = await imported(javascriptOf(VARIABLES, terms));
  const expected = ENVIRONMENTS.flatMap((environment) => terms.map(evaluator(environment)));
  if (VALUES.flatMap(run).join() !== expected.join()) throw new Error("the readings disagree");
  return fastest(EVALUATIONS, milliseconds, () => {
    for (const values of VALUES) run(values);
  });
}

async function row(
  operator: string,
  wasm: number,
  terms: readonly Term[],
  milliseconds = SHORT,
): Promise<object> {
  const generated = await javascript(terms, 3 * milliseconds);
  return {
    operator,
    "WebAssembly ns": Number(wasm.toFixed(1)),
    "JavaScript ns": Math.round(generated),
    "evaluator ns": Math.round(evaluation(terms)),
    "of JavaScript": `${((100 * wasm) / generated).toFixed(1)} %`,
  };
}

// --- The tables

async function aluRow(op: AluOp, width: 32 | 64, milliseconds = SHORT): Promise<object> {
  const wasm = webAssembly(tightAluOperator(op, width), LEFT, RIGHT, milliseconds);
  const terms = termsOf(synchronised(operate(op, width, A, B)));
  return {
    ...(await row(`${op} ${width}, synchronised`, wasm, terms, milliseconds)),
    "not synchronised ns": Number(webAssembly(aluOperator(op, width)).toFixed(1)),
  };
}

async function jumpRows(op: JumpOp, width: 32 | 64): Promise<readonly object[]> {
  const { decide, taken } = branchOperators(op, width);
  return [
    await row(`decide ${op} ${width}`, webAssembly(decide), [decideScalars(op, width, A, B)]),
    // In place: from the second round on nothing is left to narrow, which takes as long.
    await row(
      `refine ${op} ${width}`,
      webAssembly(taken, copied(LEFT), copied(RIGHT)),
      termsOf(...refineScalars(op, width, A, B)),
    ),
  ];
}

console.table([await aluRow("add", 64, LONG)]);
console.table([
  await row("synchronise", webAssembly(synchronise, copied(LEFT)), termsOf(synchronised(A))),
  await row("includes", webAssembly(scalarIncludes), [includes(A, B)]),
  await row("join", webAssembly(joinScalars), termsOf(join(A, B))),
  await row("widen", webAssembly(widenScalars), termsOf(widen(A, B))),
]);
const alu: object[] = [];
const jumps: object[] = [];
for (const { operation } of ROWS) {
  if (operation.kind === "alu" && operation.operand !== "imm")
    alu.push(await aluRow(operation.op, operation.width));
  if (operation.kind === "jump" && operation.operand === "reg")
    jumps.push(...(await jumpRows(operation.op, operation.width)));
}
console.table(alu);
console.table(jumps);
