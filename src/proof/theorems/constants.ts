/** The abstract ALU on two constants (src/absint/scalar/constants.ts): the result is what the instruction table says of the numbers that they are. */
import { areConstants, onConstants, WITH_SHORT_WAY } from "../../absint/scalar/constants.ts";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { constant, eq } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { inSteps, type Step } from "../steps.ts";
import type { Obligation, Theorem } from "../theorem.ts";
import { concreteResult } from "./alu.ts";
import { inBits } from "./pieces.ts";
import { A, B, GROUPS, membership } from "./scalar.ts";

/** The result of the numbers is in that of the constants, if `given`. */
function obligations(op: AluOp, width: 32 | 64, given: Term<1>): readonly Obligation[] {
  const result = onConstants(op, width, A.scalar, B.scalar);
  const z = concreteResult(op, width);
  const numbers = [A, B].map(({ scalar, value }, i): Step => {
    const from = [given, inBits(scalar.tnum, value)];
    return { name: `number ${i}`, holds: eq(scalar.tnum.value, value), from };
  });
  const same: Step = {
    name: "the result",
    holds: eq(result.tnum.value, z),
    from: numbers.map(({ holds }) => holds),
  };
  const premises = [given, ...[A, B].map(({ scalar, value }) => inBits(scalar.tnum, value))];
  const by = inSteps([...numbers, same], {
    connecting: [same.holds],
    from: [],
    forgets: [result.tnum.value, z],
  });
  return GROUPS.flatMap((group) =>
    membership(result, z)[group].flatMap(({ name, holds }) =>
      by({ name: `${group}, ${name}`, premises, goal: holds }),
    ),
  );
}

export const constantsTheorems = (): readonly Theorem[] =>
  WITH_SHORT_WAY.flatMap((op) =>
    ([64, 32] as const).map(
      (width): Theorem => ({
        name: `${op}${width}/constants/sound`,
        subject: `${op}${width}`,
        says: "sound",
        width,
        full: true,
        inputs: "any",
        obligations: () => obligations(op, width, areConstants(A.scalar, B.scalar)),
        wrong: [
          {
            name: "one operand is a constant",
            obligations: () => obligations(op, width, eq(A.scalar.tnum.mask, constant(64, 0))),
          },
        ],
      }),
    ),
  );
