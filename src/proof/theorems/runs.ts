/** Claims about one instruction on two given numbers, of which a program shows that they are wrong if they are. */
import { NEGATION } from "../../absint/scalar/branch.ts";
import { exactly } from "../../absint/scalar/product.ts";
import { eq, not } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { bits } from "../methods.ts";
import type { Obligation, Witness } from "../theorem.ts";
import { A, B, type Operand } from "./scalar.ts";

type Instruction = NonNullable<Witness["instruction"]>;

/** The operands, x and y if nothing else is said, and what is known of them. */
interface On {
  readonly premises?: readonly Term<1>[];
  readonly operands?: readonly Operand[];
}

/** A number as an operand of which nothing else is possible. */
export const only = (value: Term<64>): Operand => ({ scalar: exactly(value), value });

/** That an instruction gives one number for the operands, and what a program shows if it gives another. */
export const resultIs = (
  claimed: Term<64>,
  gives: Term<64>,
  instruction: Instruction,
  { premises = [], operands = [only(A.value), only(B.value)] }: On = {},
): readonly Obligation[] =>
  bits({
    name: "result",
    premises,
    goal: eq(gives, claimed),
    witness: { instruction, operands, escapes: { value: gives, component: "value", from: exactly(claimed) } },
  });

/** That a jump is taken exactly if something is so, and what a program shows if it is not. */
export const takenIf = (
  claimed: Term<1>,
  takes: Term<1>,
  jump: Omit<Extract<Instruction, { readonly kind: "jump" }>, "kind">,
  { premises = [], operands = [only(A.value), only(B.value)] }: On = {},
): readonly Obligation[] =>
  [jump.condition, NEGATION[jump.condition]].flatMap((condition, i) =>
    bits({
      name: i === 0 ? "never" : "always",
      premises: [...premises, i === 0 ? not(claimed) : claimed],
      goal: i === 0 ? not(takes) : takes,
      witness: { instruction: { ...jump, kind: "jump", condition }, operands, escapes: "reached" },
    }),
  );
