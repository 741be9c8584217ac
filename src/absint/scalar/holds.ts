/** Whether a number is one of those that a scalar stands for: the definition itself (`contains` in product.ts), as WebAssembly on a scalar in memory and the halves of a number. */
import { concat, variable, zext } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { instantiateOnAddresses, type Source } from "../../semantics/term/wasm.ts";
import { memory } from "../arena.ts";
import { COMPONENTS, componentsOf, symbolic } from "./components.ts";
import { LAYOUT } from "./operators.ts";
import { contains } from "./product.ts";

const A = symbolic("a");
const LOW = variable("low", 32);
const HIGH = variable("high", 32);

function inputs(): readonly (readonly [Term, Source])[] {
  const terms = componentsOf(A);
  const scalar = COMPONENTS.map((component): readonly [Term, Source] => {
    const offset = LAYOUT[component];
    return [terms[component], { kind: "memory", pointer: 0, offset, bytes: offset < LAYOUT.umin32 ? 8 : 4 }];
  });
  return [...scalar, [LOW, { kind: "parameter", index: 1 }], [HIGH, { kind: "parameter", index: 2 }]];
}

const [made] = instantiateOnAddresses(
  [
    {
      name: "holds",
      parameters: ["i32", "i32", "i32"],
      inputs: inputs(),
      outputs: [],
      result: zext(32, contains(A, concat(64, HIGH, LOW))),
    },
  ],
  memory,
).values();
if (made === undefined) throw new Error("no abstract operator holds");

/** 1 if the number with these 32-bit halves is one of those that the scalar at `at` stands for. */
export const scalarHolds: (at: number, low: number, high: number) => number = made;
