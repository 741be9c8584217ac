/**
 * Numbers that refute a claim, found by trial: the terms are computed by the concrete reading on operands that are few numbers wide, or say
 * little. It finds what is wrong in many places; it proves nothing.
 */
import { COMPONENTS, type Component } from "../absint/scalar/components.ts";
import { type Numbers, TOP } from "../absint/scalar/text.ts";
import { refutes } from "../proof/prove.ts";
import type { Obligation } from "../proof/theorem.ts";
import { type Environment, evaluator } from "../semantics/term/concrete.ts";
import { type Term, type Variable, variablesOf } from "../semantics/term/node.ts";
import { generator, type Random } from "./random.ts";

/** How many operands are tried for each claim: seconds for the slowest operators. */
const TRIALS = 1500;
const SEED = 1;

/** An obligation with values that refute it. */
export interface Found {
  readonly obligation: Obligation;
  readonly model: Environment;
}

/**
 * Values that refute one of some claims.
 *
 * @param near  values of some of the claims' variables, or of what is like them: every second trial starts from them
 */
export function search(claims: readonly Obligation[], near: Environment): Found | undefined {
  const random = generator(SEED);
  const subjects = claims.map(subjectOf);
  for (let trial = 0; trial < TRIALS; trial += 1)
    for (const subject of subjects) {
      const { obligation } = subject;
      const model = modelOf(subject, trial % 2 === 0 ? near : NOTHING, random);
      if (refutes(obligation, model)) return { obligation, model };
    }
  return undefined;
}

const NOTHING: Environment = new Map();

interface Subject {
  readonly obligation: Obligation;
  /** The components of abstract operands, by what the operand is called. */
  readonly scalars: ReadonlyMap<string, ReadonlyMap<Component, Variable<number>>>;
  readonly numbers: readonly Variable<number>[];
  /** The number in an operand, by what the operand is called. */
  readonly members: ReadonlyMap<string, Term>;
}

const isComponent = (name: string | undefined): name is Component => COMPONENTS.some((c) => c === name);

function subjectOf(obligation: Obligation): Subject {
  const { premises, goal, witness } = obligation;
  const operands = witness?.operands ?? [];
  const scalars = new Map<string, Map<Component, Variable<number>>>();
  const numbers: Variable<number>[] = [];
  for (const variable of variablesOf([...premises, goal, ...operands.map(({ value }) => value)])) {
    const [name, component] = variable.name.split(".");
    if (name === undefined || !isComponent(component)) numbers.push(variable);
    else scalars.set(name, (scalars.get(name) ?? new Map()).set(component, variable));
  }
  const members = operands.flatMap(({ scalar: { umin }, value }) =>
    umin.op === "var" ? [[umin.name.replace(/\.umin$/, ""), value] as const] : [],
  );
  return { obligation, scalars, numbers, members: new Map(members) };
}

/** Values for all variables of a claim: what is given stays, and where nothing of an operand is given a number is put in it. */
function modelOf({ scalars, numbers, members }: Subject, near: Environment, random: Random): Environment {
  const model = new Map<Term, bigint>();
  // A number that escapes is often an end of an operand, or like the other one.
  const given = [...near.values()];
  let last = given[random.below(given.length)] ?? 0n;
  const drawShape = (): Around => SHAPES[random.below(SHAPES.length)] ?? bitsAround;
  let around = drawShape();
  for (const variable of numbers) {
    const drawn =
      near.get(variable) ?? (given.length > 0 && random.below(2) === 0 ? last : number(random, last));
    model.set(variable, BigInt.asUintN(variable.width, drawn));
    last = drawn;
  }
  for (const [name, components] of scalars) {
    const member = members.get(name);
    const inside = member === undefined ? number(random, last) : evaluator(model)(member);
    // Operands that are alike are in the same difficulties.
    if (random.below(2) === 0) around = drawShape();
    const isGiven = [...components.values()].some((variable) => near.has(variable));
    const scalar = isGiven ? TOP : around(inside, random);
    for (const [component, variable] of components)
      model.set(variable, near.get(variable) ?? scalar[component]);
  }
  return model;
}

const any64 = (random: Random): bigint =>
  (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));

/** A number of 64 bits: small, a power of two or near one, near the last one, or any. */
function number(random: Random, last: bigint): bigint {
  const small = BigInt(random.below(16)) - 4n;
  const power = 1n << BigInt(random.below(64));
  const any = any64(random) >> BigInt(random.below(64));
  const drawn = [small, BigInt(random.below(64)), power, power, power + small, last + small, any, -any];
  return BigInt.asUintN(64, drawn[random.below(drawn.length)] ?? small);
}

const INTERVALS = [
  ["umin", "umax"],
  ["smin", "smax"],
  ["umin32", "umax32"],
  ["smin32", "smax32"],
] as const;

/** What is known of a number. */
type Around = (inside: bigint, random: Random) => Numbers;

/** All of its bits but some. */
function bitsAround(inside: bigint, random: Random): Numbers {
  const some = [1, 2, 3].reduce((bits) => bits | (1n << BigInt(random.below(64))), 0n);
  const mask = [some, (1n << BigInt(random.below(65))) - 1n, 0n][random.below(3)] ?? 0n;
  return { ...TOP, ...(mask === 0n ? exactly(inside) : { value: inside & ~mask, mask }) };
}

/** Some or all of the ends of an interval around it: few numbers are often treated one by one, many by what they have in common. */
function endsAround(inside: bigint, random: Random): Numbers {
  const most = [3n, 60n, any64(random) >> BigInt(random.below(64))][random.below(3)] ?? 0n;
  const [below, above] = [any64(random) % (most + 1n), any64(random) % (most + 1n)];
  const silent = random.below(3) === 0;
  return intervals(inside, (least, x, greatest) => {
    const ends = [x - below, x + above] as const;
    const wraps = ends[0] < least || ends[1] > greatest;
    return wraps || (silent && random.below(2) === 0) ? [least, greatest] : ends;
  });
}

/** That it is none of the last few of its type. */
const almostAll = (inside: bigint, random: Random): Numbers =>
  intervals(inside, (least, x, greatest) => {
    const [low, high] = [least + BigInt(random.below(4)), greatest - BigInt(random.below(4))];
    return low <= x && x <= high ? [low, high] : [least, greatest];
  });

const SHAPES: readonly Around[] = [bitsAround, endsAround, endsAround, almostAll];

function intervals(
  inside: bigint,
  endsOf: (least: bigint, x: bigint, greatest: bigint) => readonly [bigint, bigint],
): Numbers {
  const known = INTERVALS.flatMap(([min, max]) => {
    const bits = min.endsWith("32") ? 32 : 64;
    const as = (x: bigint): bigint =>
      min.startsWith("u") ? BigInt.asUintN(bits, x) : BigInt.asIntN(bits, x);
    const ends = endsOf(as(TOP[min]), as(inside), as(TOP[max]));
    return [min, max].map((end, i) => [end, BigInt.asUintN(bits, ends[i] ?? 0n)] as const);
  });
  return { ...TOP, ...Object.fromEntries(known) };
}

function exactly(value: bigint): Numbers {
  const half = BigInt.asUintN(32, value);
  const [whole, low] = [
    { umin: value, umax: value, smin: value, smax: value },
    { umin32: half, umax32: half, smin32: half, smax32: half },
  ];
  return { value, mask: 0n, ...whole, ...low };
}
