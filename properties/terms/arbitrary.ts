/**
 * Random well-typed terms. A recipe is a list of steps, each of which makes a term from terms made before; so sharing is common, and
 * fast-check shrinks a failing recipe to the steps that matter.
 */
import * as fc from "fast-check";
import * as t from "../../src/semantics/term/build.ts";
import { MAX_DIVISION_WIDTH, type Term } from "../../src/semantics/term/node.ts";

/** The constructors by name. */
const operators: typeof t = t;

const UNARY = ["not", "neg"] as const;
const BINARY = ["add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr"] as const;
const DIVISION = ["udiv", "urem", "sdiv", "srem"] as const;
const COMPARE = ["eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge"] as const;
const OPS = [
  ...UNARY,
  ...BINARY,
  ...DIVISION,
  ...COMPARE,
  ...(["bswap", "ite", "ite", "extract", "zext", "sext", "concat", "constant", "fold"] as const),
];

/** Widths that matter are drawn more often than others. */
const width = fc.oneof(
  fc.constantFrom(1, 8, 16, 31, 32, 33, 63, 64),
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 1, max: 8 }),
);
const wideWidth = fc.oneof({ weight: 6, arbitrary: width }, fc.integer({ min: 65, max: 128 }));

interface Step {
  readonly op: (typeof OPS)[number];
  readonly width: number;
  /** Which terms made before, counted from the newest, and how they are brought to the width. */
  readonly picks: readonly number[];
  readonly number: bigint;
  /** Fold: the components' widths, how many steps at most, whether there is a condition, and the recipe of the step. */
  readonly loop?: { widths: readonly number[]; count: number; stops: boolean; body: readonly Step[] };
}

/** Numbers with all their structure at the edges: small, powers of two and their neighbours, all ones, and anything. */
const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc
    .tuple(fc.nat(64), fc.bigInt({ min: -1n, max: 1n }))
    .map(([n, d]) => BigInt.asUintN(64, (1n << BigInt(n)) + d)),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

function steps(
  ops: readonly Step["op"][],
  widths: fc.Arbitrary<number>,
  size: number,
  depth: number,
): fc.Arbitrary<readonly Step[]> {
  const usable = depth === 0 ? ops.filter((op) => op !== "fold") : ops;
  const common = {
    op: fc.constantFrom(...usable),
    width: widths,
    picks: fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }),
    number,
  };
  if (depth === 0) return fc.array(fc.record(common), { minLength: 1, maxLength: size });
  const loop = fc.record({
    widths: fc.array(widths, { minLength: 1, maxLength: 3 }),
    count: fc.oneof(fc.nat(4), fc.constant(9)),
    stops: fc.boolean(),
    body: steps(ops, widths, Math.max(2, size >> 1), depth - 1),
  });
  return fc.array(fc.record({ ...common, loop }), { minLength: 1, maxLength: size });
}

/** The term that is picked, from the newest back; early ones come round again. */
const pick = (pool: readonly Term[], n: number): Term => pool[pool.length - 1 - (n % pool.length)]!;

/** `term` brought to a width. */
function fit<N extends number>(width: N, term: Term, how: number): Term<N> {
  if (term.width > width) return t.extract(width, term, how % (term.width - width + 1));
  return how % 2 === 0 ? t.zext(width, term) : t.sext(width, term);
}

function make(step: Step, pool: readonly Term[]): Term[] {
  const { op, picks } = step;
  const at = (i: number): number => picks[i] ?? 0;
  const operand = (i: number, width = step.width): Term => fit(width, pick(pool, at(i)), at(i + 3));
  switch (op) {
    case "not":
    case "neg":
      return [operators[op](operand(0))];
    case "bswap":
      return [t.bswap(operand(0, 8 * (1 + (step.width % 8))))];
    case "constant":
      return [t.constant(step.width, step.number)];
    case "ite":
      return [t.ite(fit(1, pick(pool, at(2)), at(5)), operand(0), operand(1))];
    case "extract":
    case "zext":
    case "sext": {
      const from = pick(pool, at(0));
      if (op !== "extract") return [operators[op](Math.max(step.width, from.width), from)];
      return [fit(Math.min(step.width, from.width), from, at(3))];
    }
    case "concat": {
      if (step.width < 2) return [operand(0)];
      const low = 1 + (at(2) % (step.width - 1));
      return [t.concat(step.width, operand(0, step.width - low), operand(1, low))];
    }
    case "fold":
      return makeFold(step, pool);
    case "udiv":
    case "urem":
    case "sdiv":
    case "srem": {
      const width = Math.min(step.width, MAX_DIVISION_WIDTH);
      return [operators[op](operand(0, width), operand(1, width))];
    }
    default:
      return [operators[op](operand(0), operand(1))];
  }
}

function makeFold({ loop, picks }: Step, pool: readonly Term[]): Term[] {
  if (loop === undefined) return [];
  const { widths, count, stops, body } = loop;
  return [
    ...t.fold({
      widths,
      count,
      init: widths.map((w, i) => fit(w, pick(pool, picks[i] ?? 0), i)),
      step: (state, index) => {
        const made = grow([...pool, index, ...state], body);
        return widths.map((w, i) => fit(w, pick(made, (picks[i + 3] ?? 0) % 4), i));
      },
      ...(stops && { condition: (state) => fit(1, pick(grow(state, body), 0), 0) }),
    }),
  ];
}

function grow(pool: readonly Term[], recipe: readonly Step[]): readonly Term[] {
  const all = [...pool];
  for (const step of recipe) all.push(...make(step, all));
  return all;
}

export interface Sample {
  readonly variables: readonly Term[];
  /** Made in this order, each from the variables and those before. */
  readonly terms: readonly Term[];
  /** Some values for all variables. */
  readonly inputs: readonly ReadonlyMap<Term, bigint>[];
}

export interface Options {
  /** Whether terms of 65 to 128 bits occur. */
  readonly wide?: boolean;
  /** How deep folds nest; 0 for none. */
  readonly folds?: number;
  /** Most terms made. */
  readonly size?: number;
  /** Sets of inputs. */
  readonly inputs?: number;
}

/** Terms over up to four variables of up to 64 bits, with values for them. */
export function sample({
  wide = false,
  folds = 2,
  size = 12,
  inputs = 6,
}: Options = {}): fc.Arbitrary<Sample> {
  return fc
    .record({
      widths: fc.array(width, { minLength: 1, maxLength: 4 }),
      recipe: steps(OPS, wide ? wideWidth : width, size, folds),
      values: fc.array(fc.array(number, { minLength: 4, maxLength: 4 }), {
        minLength: inputs,
        maxLength: inputs,
      }),
    })
    .map(({ widths, recipe, values }) => {
      const variables = widths.map((w, i) => t.variable(`v${i}`, w));
      return {
        variables,
        terms: grow(variables, recipe).slice(variables.length),
        inputs: values.map(
          (row) => new Map(variables.map((v, i) => [v, BigInt.asUintN(v.width, row[i] ?? 0n)])),
        ),
      };
    });
}
