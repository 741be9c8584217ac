/**
 * Recipes: what a generated program is made from. A recipe is a list of small independent steps, and `program.ts` makes of any list a program that keeps to
 * what verifiers ask for as far as it can. So a part of a recipe is a recipe too, and what is found is shrunk by leaving steps out and making numbers smaller.
 */
import fc from "fast-check";
import { generator } from "../random.ts";

/** One step: which kind, by its place in the table (`steps.ts`) modulo the table's length, and three numbers that it draws its details from. */
export interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Recipe {
  /** Type of program and how it begins. */
  readonly shape: number;
  readonly main: readonly Step[];
  /** A function that the program may call, and one that helpers may call back. */
  readonly callee: readonly Step[];
  readonly callback: readonly Step[];
}

/** Numbers of steps draw from these many. */
const NUMBERS = 2 ** 16;

const SHORTEST = 2;
const LONGEST = 12;

/** The recipe of a seed: programs of about 30 instructions, some far longer. */
export function recipeOf(seed: number): Recipe {
  const random = generator(seed);
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 8; i += 1) random.below(2);
  const step = (): Step => ({
    kind: random.below(NUMBERS),
    a: random.below(NUMBERS),
    b: random.below(NUMBERS),
    c: random.below(NUMBERS),
  });
  const steps = (count: number): readonly Step[] => {
    const drawn: Step[] = [];
    while (drawn.length < count) drawn.push(step());
    return drawn;
  };
  const length = SHORTEST + random.below(LONGEST - SHORTEST) * (random.below(16) === 0 ? 4 : 1);
  return {
    shape: random.below(NUMBERS),
    main: steps(length),
    callee: steps(random.below(5)),
    callback: steps(random.below(4)),
  };
}

const number = fc.nat(NUMBERS - 1);
const steps = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.record({ kind: number, a: number, b: number, c: number }), { maxLength });

/** Recipes for properties: they shrink to few steps with small numbers. */
export function recipes(): fc.Arbitrary<Recipe> {
  return fc.record({ shape: number, main: steps(LONGEST), callee: steps(5), callback: steps(4) });
}
