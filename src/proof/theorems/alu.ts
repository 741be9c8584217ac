/**
 * The abstract ALU: for each operation, width and group of components, that the result holds what the instruction table says of any two
 * numbers in the operands, and that it is well formed. The operands are any that are well formed, synchronised or not.
 *
 * This file has the operations that a solver decides as they stand; those with products, quotients or loops have files of their own.
 */
import { type Component, componentsOf } from "../../absint/scalar/components.ts";
import { operate } from "../../absint/scalar/operations.ts";
import type { Scalar } from "../../absint/scalar/product.ts";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { DST, SRC } from "../../semantics/isa/row.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { bits, cut, type Method } from "../methods.ts";
import type { Obligation, Theorem, Wrong } from "../theorem.ts";
import {
  A,
  B,
  exchanged,
  GROUPS,
  type Group,
  isTop,
  membership,
  membersOf,
  tightened,
  wellFormed,
  wellFormedOperands,
} from "./scalar.ts";

type Width = 32 | 64;

/** The row of an operation on registers. */
function rowOf(op: AluOp, width: Width): { readonly name: string; readonly result: Term<64> } {
  for (const { name, operation } of ROWS)
    if (
      operation.kind === "alu" &&
      operation.op === op &&
      operation.width === width &&
      operation.operand !== "imm"
    )
      return { name: name.replace(/_reg$/, ""), result: operation.result };
  throw new Error(`no row for ${op} at ${width} bits`);
}

/** What the instruction table says that `op` gives for the numbers in the operands. */
export const concreteResult = (op: AluOp, width: Width): Term<64> =>
  substitution(new Map<Term, Term>([[DST, A.value] as const, [SRC, B.value] as const]))(
    rowOf(op, width).result,
  );

/** The obligations that say that `result` holds what `op` gives, in one group of components. */
function soundness(op: AluOp, width: Width, group: Group, result: Scalar, by: Method): readonly Obligation[] {
  const z = concreteResult(op, width);
  return membership(result, z)[group].flatMap(({ name, components, holds }) =>
    by({
      name,
      premises: membersOf([A, B], holds),
      goal: holds,
      witness: witness(op, width, z, components[0] ?? "value", result),
    }),
  );
}

const witness = (
  op: AluOp,
  width: Width,
  value: Term<64>,
  component: Component,
  from: Scalar,
): NonNullable<Obligation["witness"]> => ({
  instruction: { kind: "alu", op, width },
  operands: [A, B],
  escapes: { value, component, from },
});

/** A wrong version of an operation: what is wrong, in which groups it shows, and the result. */
export interface WrongResult {
  readonly name: string;
  readonly groups: readonly Group[];
  readonly result: () => Scalar;
  /** The proof that has to fail, if the one of the right version knows nothing of what this is made of. */
  readonly by?: Method;
}

/** How the theorems about an operation are proved where one question to a solver is not enough. */
export interface Proofs {
  readonly sound?: Partial<Readonly<Record<Group, Method>>>;
  /** By default an interval is well formed because the result is in it, if soundness is not plain, and one question decides the rest. */
  readonly wellFormed?: Partial<Readonly<Record<Group, Method>>>;
  readonly wrong?: readonly WrongResult[];
}

/** All theorems about one operation at one width. */
export function aluTheorems(op: AluOp, width: Width, proofs: Proofs = {}): readonly Theorem[] {
  const result = operate(op, width, A.scalar, B.scalar);
  const subject = rowOf(op, width).name;
  return GROUPS.filter((group) => !isTop(result, group)).flatMap((group): readonly Theorem[] => {
    const by = proofs.sound?.[group] ?? bits;
    const common = { subject, width, full: true, inputs: "any" } as const;
    const wrong: readonly Wrong[] = [
      ...tightened(result, group).map(({ name, scalar }) => ({ name, scalar: () => scalar, own: by })),
      ...(proofs.wrong ?? [])
        .filter(({ groups }) => groups.includes(group))
        .map((w) => ({ name: w.name, scalar: w.result, own: w.by ?? by })),
    ].map(({ name, scalar, own }) => ({
      name,
      obligations: () => soundness(op, width, group, scalar(), own),
      whole: () => soundness(op, width, group, scalar(), bits),
    }));
    return [
      {
        ...common,
        name: `${subject}/${group}/sound`,
        says: "sound",
        obligations: () => soundness(op, width, group, result, by),
        whole: () => soundness(op, width, group, result, bits),
        wrong,
      },
      {
        ...common,
        name: `${subject}/${group}/well-formed`,
        says: "well-formed",
        obligations: () => form(op, width, group, result, proofs),
        // What is not well formed holds no number: any result escapes from it.
        whole: () => soundness(op, width, group, result, bits),
        wrong: [
          {
            name: "ends exchanged, or value and mask",
            obligations: () => form(op, width, group, exchanged(result), proofs),
            whole: () => soundness(op, width, group, exchanged(result), bits),
          },
        ],
      },
    ];
  });
}

/** The obligations that say that a group of the result is well formed if the operands are and a number is in each. */
function form(op: AluOp, width: Width, group: Group, result: Scalar, proofs: Proofs): readonly Obligation[] {
  const { name, holds, components } = wellFormed(result)[group];
  const hard = proofs.sound?.[group];
  const premises = [...wellFormedOperands([A, B], holds), ...membersOf([A, B], holds)];
  if (group === "tnum" || hard === undefined || proofs.wellFormed?.[group] !== undefined)
    return (proofs.wellFormed?.[group] ?? bits)({ name, premises, goal: holds });
  const z = concreteResult(op, width);
  const terms = componentsOf(result);
  const lemmas = membership(result, z)[group].map((part) => ({
    name: part.name,
    holds: part.holds,
    by: hard,
  }));
  return cut(lemmas, [z, ...components.map((c) => terms[c])])({ name, premises, goal: holds });
}
