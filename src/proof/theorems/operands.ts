/** The operands of theorems at one width: the part, the number in it, and how it is known to be in it. */
import type { Part } from "../../absint/scalar/part.ts";
import { low, wide } from "../../absint/scalar/product.ts";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { extract } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Step } from "../steps.ts";
import { concreteResult } from "./alu.ts";
import { inBits } from "./pieces.ts";
import { A, B, type Operand } from "./scalar.ts";

export interface OfWidth {
  readonly width: 32 | 64;
  readonly part: Part<number>;
  readonly value: Term;
  /** From the membership of the whole number to that of its low half. */
  readonly steps: readonly Step[];
  /** If the number is another than the operand's: premises from which the operation does the same to both. */
  readonly standsIn?: readonly Term<1>[];
}

function ofWidth(name: string, { scalar, value }: Operand, width: 32 | 64): OfWidth {
  if (width === 64) return { width, part: wide(scalar), value, steps: [] };
  const [part, half] = [low(scalar), extract(32, value)];
  const holds = inBits(part.tnum, half);
  return {
    width,
    part,
    value: half,
    steps: [{ name: `low half of the ${name}`, holds, from: [inBits(scalar.tnum, value)] }],
  };
}

export const operandsOf = (width: 32 | 64): readonly [OfWidth, OfWidth] => [
  ofWidth("destination", A, width),
  ofWidth("source", B, width),
];

/** What the instruction table says that an operation gives, at its width. */
export function resultOf(op: AluOp, width: 32 | 64): Term {
  const result = concreteResult(op, width);
  return width === 32 && result.op === "zext" ? result.arg : result;
}
