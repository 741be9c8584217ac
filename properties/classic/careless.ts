/** Random classic filters that are nearly right: what a checker has to tell apart. */
import type { Random } from "../../src/campaign/random.ts";
import type { ClassicUse } from "../../src/semantics/classic/check.ts";
import type { ClassicInstruction, ClassicRow, Filter } from "../../src/semantics/classic/instruction.ts";
import { CLASSIC_ROWS } from "../../src/semantics/classic/table.ts";

const RETURNS = CLASSIC_ROWS.filter(({ operation }) => operation.kind === "return");
const FLOW = CLASSIC_ROWS.filter(
  ({ k, operation }) => k === "scratch" || operation.kind === "jump" || operation.kind === "goto",
);

function operand(random: Random, row: ClassicRow, left: number, use: ClassicUse): number {
  const rarely = (oneIn: number): boolean => random.below(oneIn) === 0;
  if (row.k === "scratch") return random.below(rarely(20) ? 18 : 3);
  if (row.k === "distance") return random.below(left + (rarely(8) ? 2 : 0));
  if (row.k === "offset" && use === "seccomp") return rarely(8) ? random.below(70) : 4 * random.below(16);
  return rarely(4) ? 0xffff_f000 + random.below(70) : random.below(34);
}

function instruction(random: Random, left: number, use: ClassicUse): ClassicInstruction {
  const kind = random.below(8);
  const rows = kind < 2 ? RETURNS : kind < 5 ? FLOW : CLASSIC_ROWS;
  const row = rows[random.below(rows.length)] ?? RETURNS[0];
  if (row === undefined) throw new Error("there are no rows");
  const reach = left + (random.below(8) === 0 ? 1 : 0);
  const jumps = row.operation.kind === "jump";
  return {
    code: row.code,
    jt: jumps ? random.below(reach) : 0,
    jf: jumps ? random.below(left) : 0,
    k: operand(random, row, left, use),
  };
}

/** One to nine instructions; some filters end in a return, and some of those are taken. */
export function carelessFilter(random: Random, use: ClassicUse): Filter {
  const length = 1 + random.below(9);
  const body = Array.from({ length }, (_, index) => instruction(random, length - index - 1, use));
  return random.below(10) === 0 ? body : [...body.slice(0, -1), { code: 0x06, jt: 0, jf: 0, k: 5 }];
}
