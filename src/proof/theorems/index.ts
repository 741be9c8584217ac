/** Every theorem there is. */
import type { AluOp } from "../../semantics/isa/instruction.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems } from "./alu.ts";
import { branchTheorems } from "./branch.ts";
import { constantsTheorems } from "./constants.ts";
import { divideTheorems } from "./divide.ts";
import { halvesTheorems } from "./halves.ts";
import { multiplyTheorems } from "./multiply.ts";
import { optimalTheorems } from "./optimal.ts";
import { orderTheorems } from "./order.ts";
import { remainderTheorems } from "./remainder.ts";
import { rfcTheorems } from "./rfc.ts";
import { ruleTheorems } from "./rules.ts";
import { shiftTheorems } from "./shift.ts";
import { signedDivisionTheorems } from "./signed-division.ts";
import { signedRemainderTheorems } from "./signed-remainder.ts";
import { swapTheorems } from "./swap.ts";

/** Operations whose theorems need lemmas or induction. */
const WITH_METHODS: ReadonlySet<AluOp> = new Set<AluOp>([
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "be16",
  "be32",
  "be64",
  "bswap16",
  "bswap32",
  "bswap64",
  "mul",
  "div",
  "mod",
  "sdiv",
  "smod",
  "lsh",
  "rsh",
  "arsh",
]);

/** The operations of the instruction table that a solver decides as they stand, by name, each with its width once. */
function plainOperations(): readonly { readonly op: AluOp; readonly width: 32 | 64 }[] {
  const found = new Map<string, { readonly op: AluOp; readonly width: 32 | 64 }>();
  for (const { operation } of ROWS)
    if (operation.kind === "alu" && !WITH_METHODS.has(operation.op))
      found.set(`${operation.op}${operation.width}`, operation);
  return [...found.values()];
}

/** All theorems, in the order in which they are listed. Names are unique. */
export const theorems = (): readonly Theorem[] => [
  ...plainOperations().flatMap(({ op, width }) => aluTheorems(op, width)),
  ...halvesTheorems(),
  ...swapTheorems(),
  ...divideTheorems(),
  ...signedDivisionTheorems(),
  ...remainderTheorems(),
  ...signedRemainderTheorems(),
  ...shiftTheorems(),
  ...multiplyTheorems(),
  ...constantsTheorems(),
  ...ruleTheorems(),
  ...branchTheorems(),
  ...orderTheorems(),
  ...optimalTheorems(),
  ...rfcTheorems(),
];
