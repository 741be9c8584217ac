/**
 * Methods of proof: from a claim to the obligations that prove it. Each is sound by a short argument, given with it, that does not
 * depend on what is claimed; all the rest is the solver's.
 */
import { add, any, constant, eq, not, ult, variable } from "../semantics/term/build.ts";
import { type Fold, INDEX_WIDTH, type Term, termsIn, variablesOf } from "../semantics/term/node.ts";
import { substitution, unfold } from "../semantics/term/substitute.ts";
import type { Obligation, Witness } from "./theorem.ts";

/** For all values of the variables: if the premises are 1, the goal is. */
export interface Claim {
  readonly name: string;
  readonly premises: readonly Term<1>[];
  readonly goal: Term<1>;
  readonly witness?: Witness;
}

export type Method = (claim: Claim) => readonly Obligation[];

const directly =
  (logic: Obligation["logic"]): Method =>
  (claim) => [{ ...claim, logic }];

/** One question about bit-vectors. */
export const bits: Method = directly("bits");
/** One question about integers: for products and quotients. */
export const integers: Method = directly("integers");

/** A maker of variables that occur in none of the terms, and of which no two are the same. */
function freshFor(terms: readonly Term[]): <N extends number>(name: string, width: N) => Term<N> {
  const taken = new Set(variablesOf(terms).map(({ name }) => name));
  let count = 0;
  return (name, width) => {
    while (taken.has(`${name} ${count}`)) count += 1;
    taken.add(`${name} ${count}`);
    return variable(`${name} ${count}`, width);
  };
}

export interface Lemma {
  readonly name: string;
  readonly holds: Term<1>;
  /** How the lemma follows from the premises. */
  readonly by: Method;
}

/**
 * By lemmas: each follows from the premises, and the goal from premises and lemmas. For the latter, `generalised` terms (products, quotients)
 * become new variables, of which nothing is known but what premises and lemmas say: what holds for all values holds for theirs.
 */
export const cut =
  (lemmas: readonly Lemma[], generalised: readonly Term[] = [], by: Method = bits): Method =>
  (claim) => {
    const fresh = freshFor([...claim.premises, claim.goal, ...lemmas.map(({ holds }) => holds)]);
    const replace = substitution(new Map(generalised.map((t) => [t, fresh("term", t.width)])));
    const { witness: _, ...rest } = claim;
    return [
      ...lemmas.flatMap((lemma) =>
        lemma.by({ name: `${claim.name}, ${lemma.name}`, premises: claim.premises, goal: lemma.holds }),
      ),
      ...by({
        ...(generalised.length === 0 ? claim : rest),
        premises: [...claim.premises, ...lemmas.map(({ holds }) => holds)].map((t) => replace(t)),
        goal: replace(claim.goal),
      }),
    ];
  };

export interface Case {
  readonly name: string;
  readonly when: Term<1>;
  readonly by: Method;
}

/** By cases: the goal follows in each, and there is always one of them, as `always` shows. */
export const cases =
  (distinguished: readonly Case[], always: Method = bits): Method =>
  (claim) => [
    ...distinguished.flatMap(({ name, when, by }) =>
      by({ ...claim, name: `${claim.name}, ${name}`, premises: [...claim.premises, when] }),
    ),
    ...always({
      name: `${claim.name}, some case`,
      premises: claim.premises,
      goal: any(...distinguished.map(({ when }) => when)),
    }),
  ];

/** One part of a loop's invariant, at a state and the number of steps before it. */
export interface Invariant {
  readonly name: string;
  readonly holds: Term<1>;
}

/** The first loop that a claim's goal mentions. */
export function loopIn({ goal }: Claim): Fold {
  for (const t of termsIn([goal])) if (t.op === "fold") return t.fold;
  throw new Error(`${goal.op}: no loop`);
}

export interface Induction {
  readonly fold: Fold;
  /** What holds before each step, from the state and the number of steps taken so far (of the index's width). */
  readonly invariant: (state: readonly Term[], index: Term<typeof INDEX_WIDTH>) => readonly Invariant[];
  readonly base?: Method;
  /** From a state to the next one. */
  readonly step?: AtState;
  /** From the invariant at the loop's end to the goal. */
  readonly exit?: AtState;
}

/** A method that may speak of the loop's state, new variables, and the number of steps before it. */
type AtState = (state: readonly Term[], index: Term<typeof INDEX_WIDTH>) => Method;

/**
 * By induction on the steps of a fold that the goal mentions. The invariant holds at the start; a step keeps it; where the loop ends,
 * by its condition or its count, it implies the goal with the fold's components in the place of the fold. Start, step, condition and count
 * are those of the fold itself.
 */
export const induction =
  ({ fold, invariant, base = bits, step = () => bits, exit = () => bits }: Induction): Method =>
  (claim) => {
    const at = (i: number): Term<typeof INDEX_WIDTH> => constant(INDEX_WIDTH, i);
    const fresh = freshFor([...claim.premises, claim.goal]);
    const state = fold.init.map((t) => fresh("state", t.width));
    const index = fresh("index", INDEX_WIDTH);
    const { goesOn, next } = unfold(fold, state, index);
    const within = not(ult(at(fold.count), index));
    const held = invariant(state, index).map(({ holds }) => holds);
    const ends = new Map<Term, Term>();
    for (const t of termsIn([claim.goal, ...claim.premises]))
      if (t.op === "fold" && t.fold === fold) ends.set(t, state[t.position] ?? t);
    const replace = substitution(ends);
    // What is said of the loop's end is of no use before it.
    const premises = claim.premises.filter((premise) => replace(premise) === premise);
    const { witness: _, ...rest } = claim;
    return [
      ...invariant(fold.init, at(0)).flatMap(({ name, holds }) =>
        base({ name: `${claim.name}, at the start: ${name}`, premises, goal: holds }),
      ),
      ...invariant(next, add(index, at(1))).flatMap(({ name, holds }) =>
        step(
          state,
          index,
        )({
          name: `${claim.name}, a step keeps: ${name}`,
          premises: [...premises, ...held, goesOn, ult(index, at(fold.count))],
          goal: holds,
        }),
      ),
      ...exit(
        state,
        index,
      )({
        ...rest,
        name: `${claim.name}, at the end`,
        premises: [...claim.premises, ...held, within, any(not(goesOn), eq(index, at(fold.count)))].map((t) =>
          replace(t),
        ),
        goal: replace(claim.goal),
      }),
    ];
  };
