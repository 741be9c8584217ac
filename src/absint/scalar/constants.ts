/**
 * The abstract ALU on two constants: the result is the one number that the instruction table says. Operators give the same; this is the short way
 * for those that have loops, or a case for each pair of signs.
 */
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { DST, SRC } from "../../semantics/isa/row.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import { and, constant, eq } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { exactly, type Scalar } from "./product.ts";

/** The operations for which the short way is worth a look whether the operands are constants. */
export const WITH_SHORT_WAY: readonly AluOp[] = ["mul", "div", "mod", "sdiv", "smod", "lsh", "rsh", "arsh"];

/** What the instruction table says of two registers. */
function effect(op: AluOp, width: 32 | 64): Term<64> {
  for (const { operation } of ROWS)
    if (
      operation.kind === "alu" &&
      operation.op === op &&
      operation.width === width &&
      operation.operand === "reg"
    )
      return operation.result;
  throw new Error(`no operation ${op} on two registers of ${width} bits`);
}

/** Whether both are constants: no bit is unknown. */
export const areConstants = (a: Scalar, b: Scalar): Term<1> => {
  const zero = constant(64, 0);
  return and(eq(a.tnum.mask, zero), eq(b.tnum.mask, zero));
};

/** The result of `op` for two constants. */
export function onConstants(op: AluOp, width: 32 | 64, a: Scalar, b: Scalar): Scalar {
  const operands = new Map<Term, Term>([[DST, a.tnum.value] as const, [SRC, b.tnum.value] as const]);
  return exactly(substitution(operands)(effect(op, width)));
}
