/** Random instructions of all rows with all operands, for property tests. They need not make sense together. */
import * as fc from "fast-check";
import type { Slots } from "../program/program.ts";
import type { Fields, Instruction, Row } from "./instruction.ts";
import { layOut } from "./make.ts";
import { ROWS } from "./table.ts";

const EDGES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const register = fc.integer({ min: 0, max: 10 });
const int16 = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
const int32 = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(...EDGES));

const VALUES: Record<keyof Fields, fc.Arbitrary<number>> = {
  dst: register,
  src: register,
  off: int16,
  imm: int32,
  immHigh: int32,
};

/** An instruction of `row` with random operands. */
function instructionOf(row: Row): fc.Arbitrary<Instruction> {
  const operand = (field: keyof Fields): fc.Arbitrary<number> =>
    row.fields[field] === "any" ? VALUES[field] : fc.constant(0);
  return fc.record({
    row: fc.constant(row),
    dst: operand("dst"),
    src: operand("src"),
    off: operand("off"),
    imm: operand("imm"),
    immHigh: operand("immHigh"),
  });
}

/** Sequences of instructions of all rows. */
export function programs(): fc.Arbitrary<Slots> {
  const one = fc.constantFrom(...ROWS).chain(instructionOf);
  return fc.array(one, { minLength: 1, maxLength: 40 }).map(layOut);
}
