/** Operators on whole scalars that are not the verifier's own, compiled as those are; for wrong versions and single rules. */
import { memory } from "../../src/absint/arena.ts";
import { COMPONENTS, type Component, componentsOf, symbolic } from "../../src/absint/scalar/components.ts";
import { LAYOUT } from "../../src/absint/scalar/operators.ts";
import type { Scalar } from "../../src/absint/scalar/product.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { instantiate, type Sink, type Source } from "../../src/semantics/term/wasm.ts";
import { widthOf } from "./scalars.ts";

export const A: Scalar = symbolic("a");
export const B: Scalar = symbolic("b");

const placed = (component: Component, pointer: number): Sink => ({
  pointer,
  offset: LAYOUT[component],
  bytes: widthOf(component) === 64 ? 8 : 4,
});

const inputs = [A, B].flatMap((scalar, pointer) =>
  COMPONENTS.map((c): readonly [Term, Source] => [
    componentsOf(scalar)[c],
    { kind: "memory", ...placed(c, pointer) },
  ]),
);

const outputs = (scalar: Scalar, pointer: number): readonly (readonly [Term, Sink])[] =>
  COMPONENTS.map((c) => [componentsOf(scalar)[c], placed(c, pointer)]);

/** `f(a, b, out)` for a result over `A` and `B`. */
export function binary(result: Scalar): (a: number, b: number, out: number) => void {
  const spec = { name: "f", parameters: ["i32", "i32", "i32"], inputs, outputs: outputs(result, 2) } as const;
  return instantiate([spec], memory).get("f")!;
}

/** `f(a, b)` that replaces both by results over `A` and `B`. */
export function inPlace([a, b]: readonly [Scalar, Scalar]): (a: number, b: number) => void {
  const both = [...outputs(a, 0), ...outputs(b, 1)];
  const spec = { name: "f", parameters: ["i32", "i32"], inputs, outputs: both } as const;
  return instantiate([spec], memory).get("f")!;
}
