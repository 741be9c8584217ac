/** One harness for every rule of synchronisation, by the concrete reading. */
import * as fc from "fast-check";
import { COMPONENTS, componentsOf } from "../../src/absint/scalar/components.ts";
import type { Scalar } from "../../src/absint/scalar/product.ts";
import { evaluator } from "../../src/semantics/term/concrete.ts";
import { A } from "./compile.ts";
import { contains, members, number, type Plain, scalarAround, shape, show, within } from "./scalars.ts";

/** What a function of scalars makes of `s`. */
export function applied(rule: (s: Scalar) => Scalar, s: Plain): Plain {
  const variables = componentsOf(A);
  const value = evaluator(new Map(COMPONENTS.map((c) => [variables[c], s[c]])));
  const results = componentsOf(rule(A));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every component is there
  return Object.fromEntries(COMPONENTS.map((c) => [c, value(results[c])])) as Plain;
}

/** Every number in the scalar stays, and no component gets looser. */
export const ruleHolds = (rule: (s: Scalar) => Scalar) =>
  fc.property(number, shape, (x, form) => {
    const before = scalarAround(x, form);
    const after = applied(rule, before);
    for (const held of members(before, x, form.picks, 8))
      if (!contains(after, held)) throw new Error(`${held} is in ${show(before)} but not in ${show(after)}`);
    if (!within(before, after)) throw new Error(`${show(before)} is loosened to ${show(after)}`);
  });
