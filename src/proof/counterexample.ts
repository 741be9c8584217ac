/**
 * A counterexample made small, and what a program needs to show it: numbers in abstract operands, an operation, and the bound that its
 * result escapes from. A bound without which the counterexample stays one is dropped, numbers become as small as they can.
 */
import { type Component, componentsOf, symbolic } from "../absint/scalar/components.ts";
import type { Scalar } from "../absint/scalar/product.ts";
import { synchronised } from "../absint/scalar/rules.ts";
import { type Numbers, numbersOf, TOP } from "../absint/scalar/text.ts";
import { type Environment, evaluator } from "../semantics/term/concrete.ts";
import { type Term, type Variable, variablesOf } from "../semantics/term/node.ts";
import { refutes } from "./prove.ts";
import type { Obligation, ShownInstruction, Witness } from "./theorem.ts";

/** An abstract operand and the number in it. */
export interface ShownOperand {
  /** What the claim calls the operand and the number. */
  readonly names: readonly [scalar: string, value: string];
  readonly numbers: Numbers;
  readonly value: bigint;
  /** What has to be checked of the number, so that it is known to be in the operand: the other components follow. */
  readonly checks: readonly Check[];
}

/** A component; the tnum's two count as one. */
export type Check = Exclude<Component, "mask">;

/** A number outside of what an abstract result says of it. */
export interface Escape {
  readonly value: bigint;
  /** The operand that the number is, or the instruction's result. */
  readonly of: number | "result";
  readonly component: Check;
  readonly from: Numbers;
}

export interface Shown {
  readonly instruction?: ShownInstruction<bigint>;
  readonly operands: readonly ShownOperand[];
  readonly escapes: Escape | "reached";
}

export interface Counterexample {
  readonly values: readonly { readonly name: string; readonly width: number; readonly value: bigint }[];
  readonly shown?: Shown;
}

const CHECKS: readonly Check[] = [
  "value",
  "umin",
  "umax",
  "smin",
  "smax",
  "umin32",
  "umax32",
  "smin32",
  "smax32",
];

const membersOf = (check: Check): readonly Component[] => (check === "value" ? ["value", "mask"] : [check]);

const isFree = (term: Term): term is Variable<number> => term.op === "var";

/** @param model one that refutes the obligation */
export function counterexampleOf(obligation: Obligation, model: Environment): Counterexample {
  const small = smallest(obligation, model);
  const variables = variablesOf([...obligation.premises, obligation.goal]);
  const values = variables.map((v) => ({ name: v.name, width: v.width, value: small.get(v) ?? 0n }));
  const { witness } = obligation;
  return { values, ...(witness === undefined ? {} : { shown: shownOf(witness, small) }) };
}

/** Changes that keep the counterexample, one after the other: bounds go first, then numbers shrink. */
function smallest(obligation: Obligation, model: Environment): Environment {
  let best = model;
  const attempt = (change: ReadonlyMap<Term, bigint>): void => {
    const changed = new Map([...best, ...change]);
    const differs = [...change].some(([term, value]) => best.get(term) !== value);
    if (differs && refutes(obligation, changed)) best = changed;
  };
  const { operands = [] } = obligation.witness ?? {};
  for (const { scalar } of operands) {
    for (const check of CHECKS) attempt(dropping(scalar, check, best));
    for (let bit = 0n; bit < 64n; bit += 1n) attempt(forgetting(scalar.tnum, 1n << bit, best));
  }
  for (const { scalar, value } of operands)
    if (isFree(value))
      for (const n of smaller(value, () => best)) {
        attempt(n);
        attempt(along(scalar, value, n, best));
      }
  for (const { scalar } of operands)
    for (const check of CHECKS.slice(1)) {
      const term = componentsOf(scalar)[check];
      const says = best.has(term) && best.get(term) !== TOP[check];
      if (isFree(term) && says) for (const n of smaller(term, () => best)) attempt(n);
    }
  return best;
}

/** A component that says nothing, if it is the model's to choose. */
function dropping(scalar: Scalar, check: Check, model: Environment): ReadonlyMap<Term, bigint> {
  const terms = componentsOf(scalar);
  return new Map(
    membersOf(check)
      .filter((component) => model.has(terms[component]))
      .map((component) => [terms[component], TOP[component]]),
  );
}

/** A tnum that does not know one of its bits. */
function forgetting(
  { value, mask }: Scalar["tnum"],
  bit: bigint,
  model: Environment,
): ReadonlyMap<Term, bigint> {
  const [v, m] = [model.get(value), model.get(mask)];
  return v === undefined || m === undefined
    ? new Map()
    : new Map<Term, bigint>([
        [value, v & ~bit],
        [mask, m | bit],
      ]);
}

/** Simpler numbers for a variable, simplest first, then the number that it has by now without one of its bits. */
function* smaller(variable: Variable<number>, best: () => Environment): Generator<ReadonlyMap<Term, bigint>> {
  for (const n of [0n, 1n, 2n]) if (n < (best().get(variable) ?? 0n)) yield new Map([[variable, n]]);
  for (let bit = BigInt(variable.width) - 1n; bit >= 0n; bit -= 1n) {
    const now = best().get(variable) ?? 0n;
    yield new Map([[variable, now & ~(1n << bit)]]);
  }
}

/** The change of a number, and with it of the bounds that are equal to it: a counterexample is often at an end. */
function along(
  scalar: Scalar,
  value: Term<64>,
  change: ReadonlyMap<Term, bigint>,
  model: Environment,
): ReadonlyMap<Term, bigint> {
  const now = model.get(value);
  const next = change.get(value) ?? 0n;
  const ends = Object.values(componentsOf(scalar)).filter(
    (term) => term.width === 64 && model.get(term) === now,
  );
  return new Map([...change, ...ends.map((term) => [term, next] as const)]);
}

function shownOf({ instruction, operands, escapes }: Witness, model: Environment): Shown {
  const scalars = [
    ...operands.map(({ scalar }) => scalar),
    ...(escapes === "reached" ? [] : [escapes.from]),
  ].flatMap((scalar) => Object.values(componentsOf(scalar)));
  // What the obligation does not mention says nothing.
  const silent = variablesOf([...scalars, ...operands.map((o) => o.value)]).map(
    (v) => [v, topOf(v.name.slice(v.name.lastIndexOf(".") + 1))] as const,
  );
  const value = evaluator(new Map<Term, bigint>([...silent, ...model]));
  const numbers = (scalar: Scalar): Numbers => {
    const terms = componentsOf(scalar);
    return numbersOf((component) => value(terms[component]));
  };
  const at = escapes === "reached" ? -1 : operands.findIndex((operand) => operand.value === escapes.value);
  return {
    ...(instruction === undefined ? {} : { instruction: withNumber(instruction, value) }),
    operands: operands.map((operand, i) => {
      const all = numbers(operand.scalar);
      return { names: namesOf(operand, i), numbers: all, value: value(operand.value), checks: checksOf(all) };
    }),
    escapes:
      escapes === "reached"
        ? escapes
        : {
            value: value(escapes.value),
            of: at === -1 ? "result" : at,
            component: escapes.component === "mask" ? "value" : escapes.component,
            from: numbers(escapes.from),
          },
  };
}

function withNumber(
  instruction: ShownInstruction<Term<64>>,
  value: (term: Term) => bigint,
): ShownInstruction<bigint> {
  if (instruction.kind === "load") return instruction;
  const { immediate, ...rest } = instruction;
  return immediate === undefined ? rest : { ...rest, immediate: value(immediate) };
}

/** What the variables are called, or would be if they were variables. */
function namesOf({ scalar, value }: Witness["operands"][number], i: number): ShownOperand["names"] {
  const name = (term: Term, otherwise: string): string => (isFree(term) ? term.name : otherwise);
  const [a, x] = i === 0 ? ["a.umin", "x"] : ["b.umin", "y"];
  return [name(scalar.umin, a).replace(/\.\w+$/, ""), name(value, x)];
}

const isComponent = (name: string): name is Component => name in TOP;
const topOf = (component: string): bigint => (isComponent(component) ? TOP[component] : 0n);

const S = symbolic("s");
const SYNCHRONISED = componentsOf(synchronised(S));

/** Of the components that say something, some from which the others follow by the rules of synchronisation. */
function checksOf(numbers: Numbers): readonly Check[] {
  const says = (check: Check): boolean => membersOf(check).some((c) => numbers[c] !== TOP[c]);
  let kept = CHECKS.filter(says);
  for (const check of kept) {
    const rest = kept.filter((other) => other !== check);
    if (follows(check, numbers, rest)) kept = rest;
  }
  return kept;
}

function follows(check: Check, numbers: Numbers, from: readonly Check[]): boolean {
  const given = new Set(from.flatMap(membersOf));
  const terms = componentsOf(S);
  const known = numbersOf((c) => (given.has(c) ? numbers[c] : TOP[c]));
  const environment = new Map(
    Object.entries(terms).map(([c, term]) => [term, isComponent(c) ? known[c] : 0n]),
  );
  const value = evaluator(environment);
  return membersOf(check).every((c) => value(SYNCHRONISED[c]) === numbers[c]);
}
