/** Every abstract operator, as the verifier runs it, is sound at full width against the instruction table's effects. */
import * as fc from "fast-check";
import { describe, test } from "vitest";
import { aluOperator, branchOperators } from "../../src/absint/scalar/operators.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import { runs } from "./settings.ts";
import { aluHolds, branchHolds } from "./wide.ts";

/** Immediates are constants in a register to the abstract machine. */
const OPERATIONS = ROWS.flatMap(({ name, operation }) =>
  "operand" in operation && operation.operand === "imm" ? [] : [{ name, operation }],
);

describe("arithmetic", () => {
  for (const { name, operation } of OPERATIONS) {
    if (operation.kind !== "alu") continue;
    test(name, () => {
      fc.assert(aluHolds(operation.result, aluOperator(operation.op, operation.width)), runs(1000));
    });
  }
});

describe("branches", () => {
  for (const { name, operation } of OPERATIONS) {
    if (operation.kind !== "jump") continue;
    test(name, () => {
      fc.assert(branchHolds(operation.taken, branchOperators(operation.op, operation.width)), runs(1000));
    });
  }
});
